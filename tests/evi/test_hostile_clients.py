"""Whatever a client sends, it is answered with an EVI error or a clean close, and nothing is left.

Ten thousand messages, in 500 chats of 20: about half are broken in some way, a quarter may be. They
arrive in any order, on real sockets.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.evi.scripted import Served, served

PER_CHAT, CHATS = 20, 500
MESSAGE_MB = 0.02

Frame = tuple[str, str]
"""What is to be expected (fine, broken, either), and the text."""

texts = st.text(max_size=30)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
TYPES = [
    "audio_input", "session_settings", "user_input", "assistant_input", "tool_response",
    "tool_error", "pause_assistant_message", "resume_assistant_message",
]  # fmt: skip
FIELDS = [
    "data", "text", "audio", "context", "tools", "variables", "tool_call_id", "content", "error",
    "custom_session_id", "voice_id", "system_prompt", "metadata", "builtin_tools",
    "expression_measurement",
]  # fmt: skip

words = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
fine = st.one_of(
    st.builds(lambda text: {"type": "assistant_input", "text": text}, words),
    st.builds(lambda text: {"type": "user_input", "text": text}, words),
    st.builds(lambda text: {"type": "session_settings", "system_prompt": text}, words),
    st.builds(lambda values: {"type": "session_settings", "variables": values},
              st.dictionaries(texts, texts | st.booleans() | st.integers(-9, 9), max_size=3)),
    st.builds(lambda call: {"type": "tool_response", "tool_call_id": call, "content": ""}, texts),
    st.builds(lambda call: {"type": "tool_error", "tool_call_id": call, "error": "x"}, texts),
    st.sampled_from([
        {"type": "pause_assistant_message"},
        {"type": "resume_assistant_message"},
        {"type": "session_settings", "context": None},
        {"type": "session_settings", "expression_measurement": False},
        {"type": "session_settings", "expression_measurement": None},
        {"type": "session_settings", "unheard_of": [1, {"of": None}]},
        {"type": "session_settings", "audio": {
            "encoding": "linear16", "sample_rate": 16000, "channels": 1}},
    ]),
).map(lambda message: ("fine", json.dumps(message)))  # fmt: skip

no_json = st.one_of(
    st.sampled_from(["", "{", "[1,", '{"type": "user_input", "text": "cut o', "\x00", "nul"]),
    fine.map(lambda frame: frame[1][:-1]),
).map(lambda text: ("broken", text))
wrong = st.one_of(
    st.sampled_from([
        {"type": "user_input"}, {"type": "user_input", "text": 5}, {"text": "no type"},
        {"type": "no_such_type"}, {"type": None}, {"type": ["user_input"]}, [], 1, None, "text",
        {"type": "user_input", "text": " "}, {"type": "audio_input"},
        {"type": "audio_input", "data": "no base64!"}, {"type": "tool_response", "content": "x"},
        {"type": "session_settings", "tools": [{"type": "function", "name": "t"}]},
        {"type": "session_settings", "audio": {"encoding": "mp3", "sample_rate": 1}},
        {"type": "session_settings", "tools": [
            {"type": "function", "name": "t", "parameters": "[" * 5000}]},
        {"type": "session_settings", "voice_id": "no such voice"},
        {"type": "session_settings", "expression_measurement": "perhaps"},
        {"type": "session_settings", "system_prompt": "too long " * 1200},
    ]),
).map(lambda message: ("broken", json.dumps(message)))  # fmt: skip
odd = st.builds(
    lambda kind, fields: ("either", json.dumps({"type": kind, **fields})),
    st.sampled_from(TYPES[1:]),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=3),
)
frames = st.lists(fine | no_json | wrong | odd, min_size=PER_CHAT, max_size=PER_CHAT)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = {"message_mb": MESSAGE_MB, "connections": 5}
    with served(tmp_path_factory.mktemp("state"), api=limits) as device:
        yield device


async def opened(device: Served) -> ClientConnection:
    socket = await connect(f"ws://{device.url}/v0/evi/chat", max_size=None)
    assert json.loads(await socket.recv())["type"] == "chat_metadata"
    return socket


async def nobody_left(device: Served) -> None:
    async with asyncio.timeout(60):
        while device.chats:
            await asyncio.sleep(0.01)


async def errors_until(socket: ClientConnection, marker: str) -> list[dict[str, Any]]:
    """Every error that was sent before the one that answers the marker."""
    found = []
    async for text in socket:
        message = json.loads(text)
        if message["type"] != "error" or message["code"] == "R0500":
            continue
        assert message["code"] and message["slug"] and message["message"]
        if message.get("custom_session_id") == marker:
            return found
        found.append(message)
    raise AssertionError("the chat ended before the marker was answered")


async def converse(device: Served, sent: list[Frame]) -> None:
    socket, marker = await opened(device), str(uuid4())
    for _, text in sent:
        await socket.send(text)
    await socket.send(json.dumps({"type": "session_settings", "custom_session_id": marker}))
    await socket.send("{")
    async with asyncio.timeout(120):
        errors = await errors_until(socket, marker)
    await socket.close()
    kinds = [kind for kind, _ in sent]
    assert kinds.count("broken") <= len(errors) <= len(kinds) - kinds.count("fine")
    await nobody_left(device)


@settings(max_examples=CHATS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(sent=frames)
def test_every_broken_message_is_answered_with_an_error_and_every_good_one_is_not(
    device: Served, sent: list[Frame]
) -> None:
    asyncio.run(converse(device, sent))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(pieces=st.lists(st.binary(max_size=400), min_size=1, max_size=8), binary=st.booleans())
def test_bytes_that_are_no_sound_end_in_evis_error_and_a_clean_close_or_in_nothing(
    device: Served, pieces: list[bytes], binary: bool
) -> None:
    async def story() -> None:
        socket = await opened(device)
        try:
            for piece in pieces:
                data = base64.b64encode(piece).decode()
                await socket.send(
                    piece if binary else json.dumps({"type": "audio_input", "data": data})
                )
            await socket.close()
        except ConnectionClosed:
            pass
        answers = [json.loads(text) async for text in socket]
        assert all(answer["code"] == "I0116" for answer in answers)
        assert socket.close_code == 1000
        await nobody_left(device)

    before = threading.active_count()
    asyncio.run(story())
    assert threading.active_count() <= before + 2  # a decoder's thread may be on its way out


@pytest.mark.parametrize("over", [False, True])
def test_a_message_may_be_as_large_as_is_allowed_and_no_larger(device: Served, over: bool) -> None:
    size = round(MESSAGE_MB * 1_000_000)

    async def story() -> None:
        socket = await opened(device)
        text = json.dumps({"type": "assistant_input", "text": ""})
        text = text.replace('""', '"' + "x" * (size - len(text) + over) + '"')
        assert len(text) == size + over
        await socket.send(text)
        if over:
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(60):
                    while True:
                        await socket.recv()
            assert socket.close_code == 1009
        else:
            async with asyncio.timeout(60):
                while json.loads(await socket.recv())["type"] != "assistant_message":
                    pass
            await socket.close()
        await nobody_left(device)

    asyncio.run(story())


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(noise=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5))
def test_noise_on_the_wire_harms_neither_the_server_nor_another_chat(
    device: Served, noise: list[bytes]
) -> None:
    handshake = (
        f"GET /v0/evi/chat HTTP/1.1\r\nHost: {device.url}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    async def story() -> None:
        neighbour = await opened(device)
        host, port = device.url.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(handshake.encode())
        assert b"101" in await reader.readline()
        try:
            for part in noise:
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass
        writer.transport.abort()  # gone, without a word
        await neighbour.send("{")
        async with asyncio.timeout(60):
            assert json.loads(await neighbour.recv())["code"] == "E0100"
        await neighbour.close()
        await nobody_left(device)

    asyncio.run(story())
