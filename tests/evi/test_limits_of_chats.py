"""The limits of a device with real models, as they look to Hume's own Python SDK.

Every limit at its edge, with scripted models, is in test_chat_limits.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hume import AsyncHumeClient, HumeClient
from hume.core.api_error import ApiError
from hume.empathic_voice.types import PauseAssistantMessage, SessionSettings, UserInput

from tests.evi.device_api import (
    PATIENCE,
    Device,
    DeviceApi,
    Message,
    Talk,
    final_words,
    kinds,
    segments,
    talk,
    words_of,
)

pytestmark = pytest.mark.models

HELLO = "Hello there."


def statuses(device: Device) -> list[str]:
    """How the chats of a device ended, in the order in which they began."""
    device.wait_until_deserted()
    evi = HumeClient(base_url=device.url, api_key="").empathic_voice
    return [chat.status for chat in evi.chats.list_chats(ascending_order=True)]


async def refusal(device: Device) -> tuple[Message, int | None]:
    """Connect; return the first message, and the code if the device closed after it."""
    client = AsyncHumeClient(base_url=device.url, api_key="")
    async with client.empathic_voice.chat.connect() as socket:
        chat = Talk(socket)
        first = await chat.until(lambda _: True)
        if first.type == "error":
            await chat.end()
        return first, chat.close_code


def test_one_chat_too_many_is_refused_and_has_room_when_another_has_left(
    device_api: DeviceApi, tmp_path: Path
) -> None:
    async def story(device: Device) -> None:
        async with talk(device) as staying:
            async with talk(device):
                error, code = await refusal(device)
                assert (error.type, error.code, code) == ("error", "R0429", 1000)
                assert "2 chats" in error.message and error.slug == "too_many_chats"
                assert words_of(await staying.ask(HELLO))
            async with asyncio.timeout(PATIENCE):
                while (await refusal(device))[0].type != "chat_metadata":
                    pass  # the other is being put away
            assert words_of(await staying.ask(HELLO))

    with device_api.device(tmp_path, connections=2) as device:
        asyncio.run(story(device))
        assert statuses(device) == ["USER_ENDED"] * 3, "a refused one is in the history"


def test_a_silent_chat_ends_early_and_a_lively_one_when_its_time_is_up(
    device_api: DeviceApi, tmp_path: Path
) -> None:
    silence, duration = 3, 8

    async def lively(chat: Talk) -> None:
        # It is told to be quiet: a device that speaks is not idle, and that is not what is asked.
        await chat.send(PauseAssistantMessage())
        while chat.told[-1].type != "error":
            await chat.send(UserInput(text=HELLO))
            await chat.until(lambda m: final_words(m) or m.type == "error")
            await asyncio.sleep(0.5)

    async def story(device: Device) -> None:
        loop = asyncio.get_running_loop()
        async with talk(device) as silent, talk(device) as busy:
            begun, talking = loop.time(), asyncio.create_task(lively(busy))
            error = (await silent.end())[-1]
            assert (error.code, error.slug) == ("E0714", "inactivity_timeout")
            assert silent.close_code == 1000 and loop.time() - begun > silence - 1
            assert "error" not in kinds(busy.told), "it was not silent"
            error = (await busy.end())[-1]
            assert (error.code, error.slug) == ("E0715", "max_duration_timeout")
            assert busy.close_code == 1000 and loop.time() - begun > duration - 1
            talking.cancel()
            await asyncio.wait([talking])

    with device_api.device(tmp_path, inactivity=silence, max_duration=duration) as device:
        asyncio.run(story(device))
        assert statuses(device) == ["INACTIVITY_TIMEOUT", "MAX_DURATION_TIMEOUT"]


def test_a_message_of_the_allowed_size_is_taken_and_one_byte_more_ends_that_chat_only(
    device_api: DeviceApi, tmp_path: Path
) -> None:
    most = 50_000

    def sized(size: int) -> SessionSettings:
        bare = len(json.dumps(SessionSettings(metadata={"note": ""}).dict()))
        message = SessionSettings(metadata={"note": "x" * (size - bare)})
        assert len(json.dumps(message.dict())) == size
        return message

    async def story(device: Device) -> None:
        async with talk(device) as chat, talk(device) as neighbour:
            await chat.send(sized(most))
            assert words_of(await chat.ask(HELLO))
            await chat.send(sized(most + 1))
            await chat.end()
            assert chat.close_code == 1009
            assert words_of(await neighbour.ask(HELLO)) and all(segments(neighbour.told).values())

    with device_api.device(tmp_path, message_mb=most / 1_000_000) as device:
        asyncio.run(story(device))


def test_too_many_requests_are_refused_for_a_moment_and_the_sdk_knows_how_to_wait(
    device_api: DeviceApi, tmp_path: Path
) -> None:
    async def story(device: Device) -> None:
        evi = AsyncHumeClient(base_url=device.url, api_key="").empathic_voice
        keyed = AsyncHumeClient(base_url=device.url, api_key=device.key().api_key).empathic_voice
        async with talk(device) as chat:
            asked = [
                evi.prompts.with_raw_response.list_prompts(request_options={"max_retries": 0})
                for _ in range(30)
            ]
            found = await asyncio.gather(*asked, return_exceptions=True)
            refused = [error for error in found if isinstance(error, ApiError)]
            assert refused and {error.status_code for error in refused} == {429}
            assert all(int((error.headers or {})["retry-after"]) >= 1 for error in refused)
            assert len(found) - len(refused) >= 2, "fewer than allowed"
            # Somebody else is not refused, nor is this one for good, nor the chat at all.
            assert [prompt async for prompt in await keyed.prompts.list_prompts()] == []
            assert [prompt async for prompt in await evi.prompts.list_prompts()] == []
            assert words_of(await chat.ask(HELLO))

    with device_api.device(tmp_path, requests_per_second=2) as device:
        asyncio.run(story(device))
