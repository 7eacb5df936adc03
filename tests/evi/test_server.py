"""The server as a whole: its sockets, its bounds, and what it does when a part is broken."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from device.evi.archive import Archive
from device.evi.server import listen, serve
from device.store import Store
from device.types import RapportError
from tests.evi.scripted import scripted_app, served


def test_answers_are_not_held_back_by_nagles_algorithm(tmp_path: Path) -> None:
    # asyncio switches it off for sockets that are named as TCP only: 40 ms an answer otherwise
    with listen("127.0.0.1:0") as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_an_address_that_is_taken_is_named_with_the_remedy() -> None:
    with listen("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RapportError, match=rf"127\.0\.0\.1:{port}.*--listen HOST:PORT"):
            listen(f"127.0.0.1:{port}")


def test_a_request_body_may_not_be_larger_than_a_message(tmp_path: Path) -> None:
    with served(tmp_path, api={"message_mb": 0.01}) as device:
        posted = {"name": "p", "text": "x" * 9_000}
        url = f"http://{device.url}/v0/evi/prompts"
        assert httpx.post(url, json=posted).status_code == 201
        assert httpx.post(url, json=posted | {"text": "x" * 11_000}).status_code == 413


def test_every_route_but_the_token_s_and_the_description_s_wants_the_right_key(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as device:
        base, wrong = f"http://{device.url}", {"X-Hume-Api-Key": "wrong"}
        paths = httpx.get(f"{base}/openapi.json").json()["paths"]
        asked = 0
        for path, methods in paths.items():
            for method in methods.keys() - {"parameters"}:
                url = base + path.replace("{", "").replace("}", "")
                answered = httpx.request(method.upper(), url, headers=wrong)
                expected = 400 if path.startswith("/oauth2-cc") else 401
                assert answered.status_code in (expected, 401), (method, path)
                asked += 1
        assert asked > 40
        for path in ("/docs", "/openapi.json"):
            assert httpx.get(base + path).status_code == 200
            assert httpx.get(base + path, headers=wrong).status_code == 401


def test_a_page_from_elsewhere_cannot_use_an_open_loopback(tmp_path: Path) -> None:
    with served(tmp_path, api={"allowed_origins": ["https://shop.example"]}) as device:
        url = f"http://{device.url}/v0/evi/configs"
        for origin, status in (("https://evil.example", 401), ("https://shop.example", 200)):
            assert httpx.get(url, headers={"Origin": origin}).status_code == status


def test_a_chat_that_a_crash_left_open_is_closed_when_the_device_starts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    Archive(store).start_chat("a", "g", 1_000)
    store.close()
    with served(tmp_path) as device:
        [chat] = httpx.get(f"http://{device.url}/v0/evi/chats").json()["chats_page"]
        assert chat["status"] == "ERROR" and chat["end_timestamp"]


def test_a_database_that_is_none_is_a_failure_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "rapport.sqlite3").write_bytes(b"no database " * 100)
    app, workers = scripted_app({"storage": {"folder": str(tmp_path)}})
    try:
        with pytest.raises(RapportError, match=r"rapport\.sqlite3"):
            asyncio.run(serve(app, lambda: None))
    finally:
        for worker in workers:
            worker.close()
