"""With a key from anywhere; without one only from this machine and from the pages it serves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from device.evi.access import (
    Access,
    Refusal,
    Refused,
    add_cors,
    is_loopback,
    refused_handler,
)
from device.evi.keys import NewKey
from device.evi.limits import Rate, RateLimit
from device.evi.records import Records
from device.settings import Api
from device.worker import Owned

HERE, ELSEWHERE = "127.0.0.1", "192.168.1.20"
Headers = Sequence[tuple[str, str]]


class Door:
    """The API's doorkeeper in front of one route, and a key to it."""

    def __init__(self, records: Owned[Records], settings: Api) -> None:
        self.records = records
        self.key: NewKey = asyncio.run(records.call(lambda r: r.keys.add("phone")))
        access = Access(records, settings)
        self.app = FastAPI()
        self.app.add_exception_handler(Refused, refused_handler)
        add_cors(self.app)
        limit = RateLimit(Rate(1000, time.monotonic))

        @self.app.get("/", dependencies=[Depends(access.required), Depends(limit)])
        async def answer(request: Request) -> str:
            caller = request.state.caller
            return f"{caller.name} {caller.keyed}"

    def token(self, lifetime_s: int = 60) -> str:
        now_ms = time.time_ns() // 1_000_000
        pair = (self.key.api_key, self.key.secret_key)
        token = asyncio.run(
            self.records.call(lambda r: r.keys.issue_token(*pair, now_ms, lifetime_s))
        )
        assert token
        return token

    def asked(
        self,
        headers: Headers = (),
        *,
        query: Headers = (),
        address: str = HERE,
        host: str = "localhost:8765",
        method: str = "GET",
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(address, 40_000))
            url = f"http://{host or 'nowhere'}/"
            async with httpx.AsyncClient(transport=transport) as client:
                request = client.build_request(
                    method, url, headers=list(headers), params=list(query)
                )
                if not host:
                    del request.headers["Host"]
                return await client.send(request)

        return asyncio.run(ask())


@pytest.fixture
def door(records: Owned[Records]) -> Door:
    return Door(records, Api(allowed_origins=("https://shop.example:8443", "http://lan.example/")))


def test_a_program_on_this_machine_needs_no_key(door: Door) -> None:
    for address in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"):
        answer = door.asked(address=address)
        assert (answer.status_code, answer.json()) == (200, f"{address} False")
    for host in ("localhost", "LOCALHOST:80", "127.0.0.1:8765", "127.1.2.3", "[::1]:8765", "[::1]"):
        assert door.asked(host=host).status_code == 200, host


@pytest.mark.parametrize("address", [ELSEWHERE, "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", ""])
def test_another_machine_needs_a_key_and_is_told_how_to_get_one(door: Door, address: str) -> None:
    answer = door.asked(address=address)
    assert answer.status_code == 401
    body = Refusal.model_validate(answer.json())
    assert (body.code, body.error) == ("R0401", "unauthorized")
    assert "rapport keys add NAME" in body.message
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_opens_from_anywhere_under_any_name_and_from_any_page(door: Door) -> None:
    key = ("X-Hume-Api-Key", door.key.api_key)
    for address in (HERE, ELSEWHERE):
        answer = door.asked([key], address=address, host="rapport.local:8765")
        assert (answer.status_code, answer.json()) == (200, "phone True")
    page = [key, ("Origin", "https://evil.example"), ("X-Forwarded-For", "1.2.3.4")]
    assert door.asked(page, address=ELSEWHERE).status_code == 200


def test_a_key_or_a_token_may_stand_wherever_an_sdk_puts_it(door: Door) -> None:
    key, token = door.key.api_key, door.token()
    for headers in ("X-Hume-Api-Key", key), ("Authorization", f"Bearer {key}"):
        assert door.asked([headers], address=ELSEWHERE).json() == "phone True"
    for value in f"Bearer {token}", f"bearer  {token} ":
        assert door.asked([("Authorization", value)], address=ELSEWHERE).status_code == 200
    for name in ("api_key", "apiKey"):
        assert door.asked(query=[(name, key)], address=ELSEWHERE).status_code == 200
        assert door.asked(query=[(name, token)], address=ELSEWHERE).status_code == 401
    for name in ("access_token", "accessToken"):
        for secret in (key, token):
            assert door.asked(query=[(name, secret)], address=ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([("X-Hume-Api-Key", "wrong")], []),
        ([("Authorization", "Bearer wrong")], []),
        ([("Authorization", "Basic cGhvbmU6eA==")], []),
        ([("Authorization", "wrong")], []),
        ([], [("api_key", "wrong")]),
        ([], [("apiKey", "wrong")]),
        ([], [("access_token", "wrong")]),
        ([], [("accessToken", "wrong")]),
        ([], [("accessToken", "\udcff\x00".encode("utf-8", "surrogatepass").decode("latin-1"))]),
    ],
)
def test_a_wrong_credential_is_refused_here_too_and_beside_a_right_one(
    door: Door, headers: Headers, query: Headers
) -> None:
    for address in (HERE, ELSEWHERE):
        answer = door.asked(headers, query=query, address=address)
        assert answer.status_code == 401
        assert "no longer valid" in answer.json()["message"]
        right = ("api_key", door.key.api_key)
        assert door.asked(headers, query=[*query, right], address=address).status_code == 401
        first = ("X-Hume-Api-Key", door.key.api_key)
        assert door.asked([first, *headers], query=query, address=address).status_code == 401


def test_an_empty_credential_is_none(door: Door) -> None:
    empty = [("X-Hume-Api-Key", ""), ("Authorization", "Bearer "), ("Authorization", "")]
    query = [("api_key", ""), ("access_token", " ")]
    assert door.asked(empty, query=query).json() == f"{HERE} False"
    assert door.asked(empty, query=query, address=ELSEWHERE).status_code == 401
    right = [*query, ("api_key", door.key.api_key)]
    assert door.asked(empty, query=right, address=ELSEWHERE).json() == "phone True"


def test_a_revoked_key_and_an_expired_token_are_refused(door: Door) -> None:
    expired = door.token(lifetime_s=-1)
    assert door.asked([("Authorization", f"Bearer {expired}")]).status_code == 401
    key, token = ("X-Hume-Api-Key", door.key.api_key), ("access_token", door.token())
    assert door.asked([key], query=[token]).status_code == 200
    asyncio.run(door.records.call(lambda r: r.keys.revoke("phone")))
    assert door.asked([key]).status_code == 401
    assert door.asked(query=[token]).status_code == 401


def test_no_refusal_repeats_the_secret_it_was_shown(door: Door) -> None:
    answer = door.asked([("X-Hume-Api-Key", "hush")], query=[("access_token", "quiet")])
    assert answer.status_code == 401
    assert "hush" not in str(answer.headers) + answer.text
    assert "quiet" not in str(answer.headers) + answer.text


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_a_proxy_on_this_machine_does_not_lend_its_place(door: Door, header: str) -> None:
    answer = door.asked([(header, "127.0.0.1")])
    assert answer.status_code == 401
    assert "through a proxy" in answer.json()["message"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8765",
        "rapport.local",
        "192.168.1.20:8765",
        "0.0.0.0:8765",
        "",
    ],
)
def test_a_page_that_points_its_own_name_at_this_machine_is_refused(door: Door, host: str) -> None:
    answer = door.asked(host=host)
    assert answer.status_code == 401
    assert "called localhost or 127.0.0.1" in answer.json()["message"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
        ("http://[::1]:8765", 200),
        ("https://shop.example:8443", 200),
        ("HTTPS://Shop.Example:8443", 200),
        ("http://lan.example", 200),
        ("https://shop.example", 401),
        ("http://shop.example:8443", 401),
        ("https://evil.example", 401),
        ("http://localhost.evil.example", 401),
        ("http://evil.example:80@localhost.x", 401),
        ("chrome-extension://localhost", 401),
        ("http://[::1", 401),
        ("null", 401),
        ("", 401),
    ],
)
def test_only_pages_of_this_machine_and_listed_ones_need_no_key(
    door: Door, origin: str, status: int
) -> None:
    answer = door.asked([("Origin", origin)])
    assert answer.status_code == status
    if status == 401:
        assert "api.allowed_origins" in answer.json()["message"]


def test_a_listed_page_on_another_machine_needs_a_key_all_the_same(door: Door) -> None:
    listed = [("Origin", "https://shop.example:8443")]
    assert door.asked(listed, address=ELSEWHERE).status_code == 401


@given(st.text())
def test_no_name_but_localhost_and_loopback_addresses_means_this_machine(name: str) -> None:
    if is_loopback(name):
        assert name.lower() == "localhost" or name.startswith("127.") or ":" in name


def test_scripts_of_any_page_may_ask_in_advance_and_read_every_answer(door: Door) -> None:
    wanted = "x-hume-api-key,authorization,content-type,x-fern-language,x-hume-client-name"
    asking = [
        ("Origin", "https://page.example"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", wanted),
    ]
    before = door.asked(asking, method="OPTIONS", address=ELSEWHERE)
    assert before.status_code == 200
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    assert before.headers["Access-Control-Allow-Headers"] == wanted
    assert "PATCH" in before.headers["Access-Control-Allow-Methods"]
    origin = ("Origin", "https://page.example")
    refused = door.asked([origin])
    assert refused.status_code == 401
    key = ("X-Hume-Api-Key", door.key.api_key)
    for answer in refused, door.asked([origin, key]):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
