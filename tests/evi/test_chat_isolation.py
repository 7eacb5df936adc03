"""Chats on one device with real models have nothing to do with one another, whatever one does."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hume import HumeClient
from hume.empathic_voice.types import (
    AssistantInput,
    AudioInput,
    SessionSettings,
    UserInput,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from device.types import Pcm
from tests.evi.device_api import (
    PATIENCE,
    Device,
    DeviceApi,
    Talk,
    alike,
    pcm_settings,
    pieces,
    segments,
    talk,
    words_heard,
    words_of,
)

pytestmark = pytest.mark.models

WORDS = {"kids": "kids are talking by the door", "dogs": "dogs are sitting by the door"}
TALE = "Once upon a time there was a miller who had three sons, a mill, a donkey and a cat. " * 20


def events(device: Device, chat: Talk) -> list[Any]:
    """What the archive has of a chat."""
    evi = HumeClient(base_url=device.url, api_key="").empathic_voice
    return list(evi.chats.list_chat_events(chat.told[0].chat_id, page_size=100))


def test_two_who_speak_at_once_are_each_heard_answered_and_remembered_alone(
    device: Device, clips: dict[str, Pcm]
) -> None:
    async def one(name: str) -> Talk:
        async with talk(device) as chat:
            settings = SessionSettings(
                custom_session_id=name,
                audio=pcm_settings().audio,
                system_prompt=f"You talk about {name}. Reply in one short sentence.",
            )
            await chat.send(settings)
            await chat.say(pieces(clips[name]))
            await chat.ask(f"I like {name}.")
        return chat

    async def story() -> list[Talk]:
        return list(await asyncio.gather(one("kids"), one("dogs")))

    chats = asyncio.run(story())
    device.wait_until_deserted()
    for chat, name in zip(chats, ("kids", "dogs"), strict=True):
        spoken, typed = words_heard(chat.told)
        assert alike(WORDS[name], spoken) > 0.7 and typed == f"I like {name}."
        assert all(segments(chat.told).values())
        assert {message.custom_session_id for message in chat.told[1:]} == {name}
        kept = [e.message_text for e in events(device, chat) if e.type == "USER_MESSAGE"]
        assert kept == [spoken, typed]
        said = [e.message_text for e in events(device, chat) if e.type == "AGENT_MESSAGE"]
        assert all(text in words_of(chat.told) for text in said)
    ids = [{m.id for m in chat.told if m.type == "assistant_message"} for chat in chats]
    assert ids[0].isdisjoint(ids[1])


def test_a_client_that_does_not_read_is_dropped_and_its_neighbour_is_answered_meanwhile(
    device_api: DeviceApi, tmp_path: Path
) -> None:
    async def story(device: Device) -> None:
        async with talk(device) as neighbour:
            host = urlsplit(device.url)
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect((host.hostname, host.port))
            async with connect(f"ws://{host.netloc}/v0/evi/chat", sock=raw, max_queue=1) as deaf:
                await deaf.send(json.dumps({"type": "assistant_input", "text": TALE}))
                burying = asyncio.create_task(bury(deaf))
                for _ in range(2):
                    assert words_of(await neighbour.ask("Hello there."))
                async with asyncio.timeout(PATIENCE):
                    while device.app.hub.observers > 1:
                        await asyncio.sleep(0.05)
                assert words_of(await neighbour.ask("Still there?"))
                burying.cancel()
                await asyncio.wait([burying])
                deaf.transport.abort()
        assert all(segments(neighbour.told).values())

    with device_api.device(tmp_path, send_buffer_mb=0.3) as device:
        asyncio.run(story(device))
        evi = HumeClient(base_url=device.url, api_key="").empathic_voice
        device.wait_until_deserted()
        ended = [chat.status for chat in evi.chats.list_chats(ascending_order=True)]
        assert ended == ["USER_ENDED", "ERROR"]


async def bury(client: Any) -> None:
    """Send what is answered at once with a longer message, on and on."""
    name = {"type": "session_settings", "custom_session_id": "x" * 1_000}
    try:
        await client.send(json.dumps(name))
        while True:
            await client.send("{")
            await asyncio.sleep(0)
    except ConnectionClosed:
        pass


def test_clients_that_vanish_in_the_middle_of_a_word_leave_nothing_behind(
    device: Device, clips: dict[str, Pcm]
) -> None:
    async def story() -> list[Talk]:
        async with talk(device) as listening, talk(device) as speaking:
            await listening.send(AssistantInput(text=TALE))
            await listening.until("audio_output")
            await speaking.send(pcm_settings())
            await speaking.speak(pieces(clips["kids"])[:10])
            listening.vanish()
            speaking.vanish()
            await asyncio.gather(listening.end(), speaking.end())
        await asyncio.to_thread(device.wait_until_deserted)
        async with talk(device) as chat:
            assert words_of(await chat.ask("Hello there."))
        return [listening, speaking]

    left = asyncio.run(story())
    evi = HumeClient(base_url=device.url, api_key="").empathic_voice
    found = {chat.id: chat.status for chat in evi.chats.list_chats()}
    assert [found[chat.told[0].chat_id] for chat in left] == ["USER_ENDED"] * 2
    told = [e.message_text for e in events(device, left[0]) if e.type == "AGENT_MESSAGE"]
    assert all(TALE.startswith(text) and len(text) < len(TALE) / 2 for text in told)


def test_a_flood_of_sound_and_words_keeps_no_neighbour_from_being_heard_and_answered(
    device: Device, clips: dict[str, Pcm]
) -> None:
    minute = base64.b64encode(clips["dogs"].astype("<i2").tobytes() * 15).decode()

    async def flood(chat: Talk) -> None:
        await chat.send(pcm_settings())
        while True:
            await chat.send(AudioInput(data=minute))
            for _ in range(20):
                await chat.send(UserInput(text="And now?"))

    async def story() -> None:
        async with talk(device) as loud, talk(device) as neighbour:
            flooding = asyncio.create_task(flood(loud))
            await neighbour.send(pcm_settings())
            found = await neighbour.say(pieces(clips["kids"]))
            assert alike(WORDS["kids"], words_heard(found)[0]) > 0.7
            assert words_of(found) and all(segments(found).values())
            assert words_of(await neighbour.ask("Hello there."))
            flooding.cancel()
            await asyncio.wait([flooding])
            loud.vanish()
            await loud.end()
        assert len(words_heard(neighbour.told)) == 2

    asyncio.run(story())
