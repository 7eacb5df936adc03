"""Every limit of a chat at its edge, and that one client's misdeeds harm no other's chat.

The device's models are scripted here; sockets, database and limits are real.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.evi.scripted import Served, served

PATIENCE = 60
Message = dict[str, Any]


async def opened(device: Served, query: str = "") -> ClientConnection:
    client = await connect(f"ws://{device.url}/v0/evi/chat?{query}", max_size=None)
    return client


async def until(client: ClientConnection, kind: str) -> Message:
    """The next message of a kind."""
    async with asyncio.timeout(PATIENCE):
        while (message := json.loads(await client.recv()))["type"] != kind:
            pass
    found: Message = message
    return found


async def all_of(client: ClientConnection) -> list[Message]:
    """Everything until the server closes."""
    async with asyncio.timeout(PATIENCE):
        return [json.loads(text) async for text in client]


async def say(client: ClientConnection, **message: Any) -> None:
    await client.send(json.dumps(message))


async def answered(client: ClientConnection) -> None:
    """A question of this client's is answered."""
    await say(client, type="user_input", text="Hello?")
    await until(client, "assistant_message")
    await until(client, "assistant_end")


async def alone(device: Served) -> None:
    """No chat is left."""
    async with asyncio.timeout(PATIENCE):
        while device.chats:
            await asyncio.sleep(0.02)


def told(
    folder: Path, story: Callable[[Served], Coroutine[Any, Any, None]], **api: Any
) -> list[Message]:
    """Tell a story with a device of these limits; return its chats as the archive has them."""

    async def inside(device: Served) -> None:
        await story(device)
        await alone(device)

    with served(folder, api=api) as device:
        asyncio.run(inside(device))
        pages = httpx.get(f"http://{device.url}/v0/evi/chats?page_size=100").json()
        found: list[Message] = pages["chats_page"]
        return found


# How many


def test_one_chat_too_many_is_told_so_and_there_is_room_when_another_ends(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        held = [await opened(device) for _ in range(5)]
        for client in held:
            await until(client, "chat_metadata")
        refused = await opened(device)
        [error] = await all_of(refused)
        assert (error["type"], error["code"], error["slug"]) == (
            "error", "R0429", "too_many_chats",
        )  # fmt: skip
        assert refused.close_code == 1000
        await answered(held[0])
        await held[4].close()
        async with asyncio.timeout(PATIENCE):
            welcome: Message = {}
            while welcome.get("type") != "chat_metadata":  # it is being put away for a moment
                held[4] = await opened(device)
                welcome = json.loads(await held[4].recv())
        for client in held:
            await client.close()

    chats = told(tmp_path, story)
    assert len(chats) == 6 and {chat["status"] for chat in chats} == {"USER_ENDED"}


# How long


def test_a_chat_ends_when_nothing_was_said_for_too_long_and_words_put_that_off(
    tmp_path: Path,
) -> None:
    async def story(device: Served) -> None:
        loop = asyncio.get_running_loop()
        client, begun = await opened(device), loop.time()
        await until(client, "chat_metadata")
        await asyncio.sleep(1.0)
        await answered(client)
        spoken = loop.time()
        *_, error = await all_of(client)
        assert (error["code"], error["slug"]) == ("E0714", "inactivity_timeout")
        assert "no user message was received in 1.5 seconds" in error["message"]
        assert client.close_code == 1000
        assert loop.time() - spoken >= 1.4 and loop.time() - begun >= 2.4

    [chat] = told(tmp_path, story, inactivity=1.5)
    assert chat["status"] == "INACTIVITY_TIMEOUT" and chat["end_timestamp"]


def test_a_chat_ends_when_it_has_lasted_long_enough_however_lively_it_is(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        loop = asyncio.get_running_loop()
        client, begun = await opened(device), loop.time()
        *_, error = await lively(client)
        assert (error["code"], error["slug"]) == ("E0715", "max_duration_timeout")
        assert "max duration of 2 seconds" in error["message"]
        assert client.close_code == 1000 and loop.time() - begun >= 1.9

    async def lively(client: ClientConnection) -> list[Message]:
        async def chatter() -> None:
            while True:
                await say(client, type="user_input", text="And now?")
                await asyncio.sleep(0.1)

        chattering = asyncio.create_task(chatter())
        try:
            return await all_of(client)
        finally:
            chattering.cancel()
            await asyncio.wait([chattering])

    [chat] = told(tmp_path, story, max_duration=2)
    assert chat["status"] == "MAX_DURATION_TIMEOUT"


def test_a_farewell_of_the_configuration_is_heard_before_the_chat_ends(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        body = {
            "evi_version": "3",
            "name": "c",
            "event_messages": {
                "on_new_chat": {"enabled": True, "text": "Welcome."},
                "on_inactivity_timeout": {"enabled": True, "text": "So long."},
            },
        }
        made = httpx.post(f"http://{device.url}/v0/evi/configs", json=body).json()
        client = await opened(device, f"config_id={made['id']}")
        messages = await all_of(client)
        spoken = [m["message"]["content"] for m in messages if m["type"] == "assistant_message"]
        assert spoken == ["Welcome.", "So long."]
        assert [m["type"] for m in messages][-2:] == ["assistant_end", "error"]
        assert messages[-1]["code"] == "E0714"

    told(tmp_path, story, inactivity=2)


# What is not there


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("config_id=b3a3a1f0-0000-0000-0000-000000000000", "config_not_found"),
        ("resumed_chat_group_id=nobody", "chat_group_not_found"),
        ("session_settings[audio][sample_rate]=fast", "invalid_message"),
    ],
)
def test_what_is_not_there_is_told_and_the_client_is_not_made_to_try_again(
    tmp_path: Path, query: str, slug: str
) -> None:
    async def story(device: Served) -> None:
        client = await opened(device, query)
        [error] = await all_of(client)
        assert error["slug"] == slug and client.close_code == 1000

    assert told(tmp_path, story) == []


def test_a_voice_that_is_not_there_ends_a_chat_that_is_configured_with_it(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        client = await opened(device, "voice_id=nobody")
        *_, error = await all_of(client)
        assert error["code"] == "R0422" and "nobody" in error["message"]
        assert client.close_code == 1000

    [chat] = told(tmp_path, story)
    assert chat["status"] == "ERROR"


# Who misbehaves


def test_a_client_that_does_not_read_is_dropped_and_its_neighbour_notices_nothing(
    tmp_path: Path,
) -> None:
    async def story(device: Served) -> None:
        host, port = device.url.split(":")
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((host, int(port)))
        deaf = await connect(f"ws://{device.url}/v0/evi/chat", sock=raw, max_queue=1)
        neighbour = await opened(device)
        async with asyncio.timeout(PATIENCE):
            while device.chats < 2:
                await asyncio.sleep(0.02)
            while device.chats == 2:  # nobody reads what it asks for
                await say(deaf, type="user_input", text="x" * 5_000)
                await asyncio.sleep(0.005)
                if device.chats < 2:
                    break
        await answered(neighbour)
        await neighbour.close()
        deaf.transport.abort()

    chats = told(tmp_path, story, send_buffer_mb=0.05)
    assert sorted(chat["status"] for chat in chats) == ["ERROR", "USER_ENDED"]


def test_a_client_that_vanishes_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        client = await opened(device)
        await until(client, "chat_metadata")
        await say(client, type="assistant_input", text="A long text. " * 20)
        await until(client, "audio_output")
        client.transport.abort()

    [chat] = told(tmp_path, story)
    assert chat["status"] == "USER_ENDED"


def test_a_flood_of_sound_and_words_keeps_nobody_else_from_being_answered(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        flooding, neighbour = await opened(device), await opened(device)
        pcm = {"encoding": "linear16", "sample_rate": 16_000, "channels": 1}
        await say(flooding, type="session_settings", audio=pcm)
        sound = base64.b64encode(bytes(64_000)).decode()

        async def flood() -> None:
            while True:
                await say(flooding, type="audio_input", data=sound)
                await say(flooding, type="user_input", text="And?")

        async def drain() -> None:
            async for _ in flooding:
                pass

        tasks = [asyncio.create_task(flood()), asyncio.create_task(drain())]
        for _ in range(3):
            await answered(neighbour)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await neighbour.close()
        flooding.transport.abort()

    told(tmp_path, story)


def test_five_chats_at_once_are_all_answered_to_the_end(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        clients = [await opened(device) for _ in range(5)]
        await asyncio.gather(*(answered(client) for client in clients for _ in range(1)))
        for client in clients:
            await client.close()

    assert len(told(tmp_path, story)) == 5


def test_a_chat_that_cannot_be_kept_is_held_all_the_same_and_leaves_no_words(
    tmp_path: Path,
) -> None:
    async def story(device: Served) -> None:
        client = await opened(device)
        await answered(client)
        await client.close()

    async def inside(device: Served) -> None:
        await story(device)
        await alone(device)

    with served(tmp_path, storage={"folder": str(tmp_path), "history": False}) as device:
        asyncio.run(inside(device))
        base = f"http://{device.url}/v0/evi/chats"
        [chat] = httpx.get(base).json()["chats_page"]
        assert httpx.get(f"{base}/{chat['id']}").json()["events_page"] == []
    content = b"".join(path.read_bytes() for path in tmp_path.glob("rapport.sqlite3*"))
    assert b"Hello?" not in content


# Beside the chat


def test_a_chat_can_be_joined_and_told_things_from_beside_if_its_client_allowed_it(
    tmp_path: Path,
) -> None:
    async def story(device: Served) -> None:
        client = await opened(device, "allow_connection=true")
        chat_id = (await until(client, "chat_metadata"))["chat_id"]
        beside = await connect(f"ws://{device.url}/v0/evi/chat/{chat_id}/connect")
        send = f"http://{device.url}/v0/evi/chat/{chat_id}/send"
        async with httpx.AsyncClient() as http:
            posted = await http.post(send, json={"type": "assistant_input", "text": "Posted."})
            assert posted.status_code == 200 and posted.json() == ""
            wrong = await http.post(send, json={"type": "user_input"})
            assert wrong.status_code == 422 and wrong.json()["detail"][0]["loc"]
        for one in (client, beside):
            assert (await until(one, "assistant_message"))["message"]["content"] == "Posted."
        await say(beside, type="audio_input", data="")
        assert (await until(beside, "error"))["code"] == "E0101"
        await say(beside, type="user_input", text="From beside.")
        assert (await until(client, "user_message"))["message"]["content"] == "From beside."
        await client.close()
        await all_of(beside)
        assert beside.close_code == 1000

    told(tmp_path, story)


def test_a_chat_that_did_not_allow_it_and_one_that_is_not_there_cannot_be_joined(
    tmp_path: Path,
) -> None:
    async def story(device: Served) -> None:
        client = await opened(device)
        chat_id = (await until(client, "chat_metadata"))["chat_id"]
        for name in (chat_id, "nobody"):
            beside = await connect(f"ws://{device.url}/v0/evi/chat/{name}/connect")
            [error] = await all_of(beside)
            assert error["slug"] == "open_chat_not_found" and beside.close_code == 1000
        await client.close()
        async with httpx.AsyncClient() as http:
            gone = await http.post(
                f"http://{device.url}/v0/evi/chat/nobody/send",
                json={"type": "user_input", "text": "x"},
            )
            assert gone.status_code == 404

    told(tmp_path, story)


def test_a_wrong_key_is_refused_before_the_upgrade(tmp_path: Path) -> None:
    async def story(device: Served) -> None:
        with pytest.raises(Exception, match="401"):
            await opened(device, "api_key=wrong")
        with pytest.raises(Exception, match="401"):
            await connect(f"ws://{device.url}/v0/evi/chat", origin="https://evil.example")  # type: ignore[arg-type]

    assert told(tmp_path, story) == []


def test_a_chat_is_told_when_the_device_goes_down(tmp_path: Path) -> None:
    async def open_only(device: Served) -> ClientConnection:
        client = await opened(device)
        await until(client, "chat_metadata")
        return client

    with asyncio.Runner() as runner:
        with served(tmp_path) as device:
            client = runner.run(open_only(device))

        async def closed() -> None:
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await client.recv()

        runner.run(closed())
        assert client.close_code in (1000, 1012)
