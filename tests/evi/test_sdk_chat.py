"""Hume's own Python SDK, unmodified, holds chats with a whole device: every kind of message."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from hume import AsyncHumeClient, HumeClient
from hume.core.api_error import ApiError
from hume.core.events import EventType
from hume.core.request_options import RequestOptions
from hume.empathic_voice import (
    PostedConfigPromptSpec,
    PostedEventMessageSpecs,
    PostedTimeoutSpecs,
    PostedUserDefinedToolSpec,
)
from hume.empathic_voice.types import (
    AssistantInput,
    ConnectSessionSettings,
    ConnectSessionSettingsContext,
    PauseAssistantMessage,
    PostedEventMessageSpecsOnNewChat,
    PostedTimeoutSpecsInactivity,
    PostedTimeoutSpecsMaxDuration,
    ResumeAssistantMessage,
    SessionSettings,
    Tool,
    ToolErrorMessage,
    ToolResponseMessage,
    UserInput,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from device.audio.rates import resample
from device.types import Pcm
from tests.audio.encodings import recorder
from tests.evi.device_api import (
    NAMES,
    PATIENCE,
    Device,
    Message,
    Talk,
    alike,
    final_words,
    kinds,
    pcm_settings,
    pieces,
    segments,
    talk,
    understood,
    words_heard,
    words_of,
)

pytestmark = pytest.mark.models

WORDS = {"kids": "kids are talking by the door", "dogs": "dogs are sitting by the door"}
TALE = "Once upon a time there was a miller who had three sons, a mill, a donkey and a cat. " * 3
WEATHER = Tool(
    type="function",
    name="get_current_weather",
    description="The weather of a place at the moment",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {"location": {"type": "string", "description": "The city"}},
            "required": ["location"],
        }
    ),
)


def history(device: Device, chat: Talk) -> list[Any]:
    """The events of a chat in the archive, all pages of them."""
    client = HumeClient(base_url=device.url, api_key="")
    return list(client.empathic_voice.chats.list_chat_events(chat.told[0].chat_id, page_size=5))


def arousal(message: Message) -> float:
    """What the device tells beyond what EVI's own clients know; they let it through."""
    value: float = message.models.prosody.measured["arousal"]
    return value


def assert_answered(found: list[Message], words: str, seconds: float) -> None:
    """A sentence of the user's was understood, placed in time, measured, and answered in order."""
    [user] = [message for message in found if final_words(message)]
    assert alike(words, user.message.content) > 0.7
    assert user.message.role == "user" and user.from_text is False
    assert 0 <= user.time.begin < 500 and abs(user.time.end - seconds * 1000) < 500
    scores = user.models.prosody.scores.dict()
    assert len(scores) == NAMES and "Surprise (negative)" in scores
    assert all(0 <= score <= 1 for score in scores.values()) and len(set(scores.values())) > 1
    assert user.models.prosody.measured["model"]["name"] and -1 <= arousal(user) <= 1
    answer = found[found.index(user) + 1 :]
    assert kinds(answer)[0] == "assistant_message" and kinds(answer)[-1] == "assistant_end"
    assert all(segments(answer).values()) and words_of(answer)
    assert {"user_message", "user_interruption", "error"}.isdisjoint(kinds(answer))


def test_a_spoken_turn_is_understood_and_its_answer_can_be_heard_and_interrupted(
    device: Device, clips: dict[str, Pcm]
) -> None:
    async def story() -> Talk:
        async with talk(device, verbose_transcription=True) as chat:
            await chat.send(pcm_settings())
            found = await chat.say(pieces(clips["kids"]))
            assert_answered(found, WORDS["kids"], 1.7)
            interim = [m for m in found if m.type == "user_message" and m.interim]
            assert interim and not any(m.from_text for m in interim)
            sounding = [m.models.prosody for m in interim if m.models.prosody]
            assert sounding and not any(hasattr(prosody, "measured") for prosody in sounding)
            assert {len(prosody.scores.dict()) for prosody in sounding} == {NAMES}
            heard = await asyncio.to_thread(understood, device, found)
            assert alike(words_of(found), heard) > 0.6

            await chat.send(AssistantInput(text=TALE))
            await chat.until(lambda m: m.type == "audio_output" and m.index == 1)
            await asyncio.sleep(1.5)  # some of it is listened to
            await chat.say(pieces(clips["dogs"]))
        return chat

    chat = asyncio.run(story())
    cut = kinds(chat.told).index("user_interruption")
    before, after = chat.told[:cut], chat.told[cut:]
    tale = {m.id for m in before if m.type == "assistant_message" and m.from_text}
    assert tale.isdisjoint({m.id for m in after if m.type == "audio_output"})
    assert after[0].time > 1_700_000_000_000, "not in milliseconds since 1970"
    assert alike(WORDS["dogs"], words_heard(after)[0]) > 0.7 and len(words_heard(after)) == 1
    assert all(segments(after[kinds(after).index("assistant_message") :]).values())

    # Of the tale only what was heard is kept, which is what a later prompt has of it.
    device.wait_until_deserted()
    events = history(device, chat)
    spoken = [e for e in events if e.type == "USER_MESSAGE"]
    sent = [m.models.prosody for m in chat.told if final_words(m)]
    assert [json.loads(e.emotion_features) for e in spoken] == [p.scores.dict() for p in sent]
    assert [json.loads(e.metadata) for e in spoken] == [{"measured": p.measured} for p in sent]
    replies = [e for e in events if e.type == "AGENT_MESSAGE"]
    [told] = [e for e in replies if e.metadata and json.loads(e.metadata)["said"] == TALE.strip()]
    assert told.message_text and TALE.startswith(told.message_text)
    assert len(told.message_text) < len(TALE) / 2


@pytest.mark.parametrize("way", ["address", "message"])
def test_a_client_can_forbid_that_expression_is_measured(
    way: str, device: Device, clips: dict[str, Pcm]
) -> None:
    forbidding = ConnectSessionSettings(expression_measurement=False)
    asked = {"session_settings": forbidding} if way == "address" else {}

    async def story() -> Talk:
        async with talk(device, verbose_transcription=True, **asked) as chat:
            await chat.send(pcm_settings())
            if way == "message":
                await chat.send(SessionSettings(expression_measurement=False))
            await chat.say(pieces(clips["kids"]))
        return chat

    users = [m for m in asyncio.run(story()).told if m.type == "user_message"]
    assert {m.interim for m in users} == {True, False}
    assert not any(m.models.prosody for m in users)


@pytest.mark.parametrize("form", ["48 kHz stereo", "WebM"])
def test_speech_is_understood_in_the_forms_that_clients_send(
    form: str, device: Device, clips: dict[str, Pcm]
) -> None:
    async def story() -> None:
        async with talk(device) as chat:
            if form == "WebM":
                sent = recorder(clips["dogs"])
            else:
                await chat.send(pcm_settings(48_000, 2))
                both = np.repeat(resample(clips["dogs"], 16_000, 48_000)[:, np.newaxis], 2, axis=1)
                sent = pieces(both, 48_000)
            found = await chat.say(sent)
            assert_answered(found, WORDS["dogs"], 1.9)
            assert kinds(found).count("user_message") == 1, "interim words were not asked for"

    asyncio.run(story())


def test_typed_words_are_answered_read_out_held_back_and_looked_up(device: Device) -> None:
    asked = ConnectSessionSettings(
        system_prompt="You help {{name}}. Answer in one short sentence.",
        variables={"name": "Ada", "height": 1.75, "member": True},
        context=ConnectSessionSettingsContext(text="Ada is in Paris.", type="persistent"),
        custom_session_id="kitchen",
    )

    async def story() -> Talk:
        async with talk(device, session_settings=asked) as chat:
            found = await chat.ask("What is the capital of France?")
            assert kinds(found)[:2] == ["user_message", "assistant_message"]
            assert words_heard(found) == ["What is the capital of France?"]
            assert found[0].from_text and not found[1].from_text
            assert found[0].models.prosody is None, "nothing can be measured of typed words"
            assert all(segments(found).values())

            found = await chat.read_out("Read this out. And this.")
            assert words_of(found) == "Read this out. And this."
            assert all(m.from_text for m in found if m.type == "assistant_message")
            assert all(segments(found).values())

            await held_back(chat)
            await chat.send(SessionSettings(tools=[WEATHER], custom_session_id="garden"))
            await looked_up(chat)
        return chat

    chat = asyncio.run(story())
    names = [message.custom_session_id for message in chat.told]
    changed = names.index("garden")
    assert set(names[:changed]) == {"kitchen"} and set(names[changed:]) == {"garden"}

    device.wait_until_deserted()
    events = history(device, chat)
    settings = [json.loads(e.message_text) for e in events if e.type == "SESSION_SETTINGS"]
    assert settings[0]["variables"] == {"name": "Ada", "height": "1.75", "member": "true"}
    assert settings[0]["context"] == {"text": "Ada is in Paris.", "type": "persistent"}
    called = [e.role for e in events if e.type.startswith("FUNCTION_CALL")]
    assert called == ["AGENT", "TOOL", "AGENT", "TOOL"]
    assert {"PAUSE_ONSET", "RESUME_ONSET"} <= {e.type for e in events}


def test_a_paused_device_speaks_what_it_is_given_and_nothing_of_its_own(device: Device) -> None:
    async def story() -> None:
        async with talk(device) as chat:
            await chat.send(PauseAssistantMessage())
            await chat.send(UserInput(text="What is the capital of Italy?"))
            await chat.until(final_words)
            await chat.read_out("This is from the office.")
        assert words_of(chat.told) == "This is from the office."

    asyncio.run(story())


async def held_back(chat: Talk) -> None:
    """While it is paused the device listens; then it answers what was said last."""
    begun = len(chat.told)
    await chat.send(PauseAssistantMessage())
    for text in ("What is the capital of Spain?", "What is the capital of Italy?"):
        await chat.send(UserInput(text=text))
        await chat.until(final_words)
    assert kinds(chat.told[begun:]) == ["user_message", "user_message"]
    begun = len(chat.told)
    await chat.send(ResumeAssistantMessage())
    await chat.until("assistant_end")
    assert words_of(chat.told[begun:]) and words_heard(chat.told[begun:]) == []


async def looked_up(chat: Talk) -> None:
    """A tool is called with arguments; what it returns, or that it failed, is told."""
    for town, result in (("Paris", "22 degrees and sunny"), ("London", "It is not available.")):
        begun = len(chat.told)
        await chat.send(UserInput(text=f"What is the weather in {town}?"))
        call = await chat.until("tool_call")
        assert (call.name, call.tool_type) == ("get_current_weather", "function")
        assert call.response_required and isinstance(json.loads(call.parameters)["location"], str)
        assert words_of(chat.told[begun:]) == "", "it waits for the tool"
        begun = len(chat.told)
        if town == "Paris":
            await chat.send(ToolResponseMessage(tool_call_id=call.tool_call_id, content=result))
        else:
            failed = ToolErrorMessage(
                tool_call_id=call.tool_call_id, error="timeout", content=result, level="warn"
            )
            await chat.send(failed)
        await chat.until("assistant_end")
        assert alike(result, words_of(chat.told[begun:])) > 0.6


def test_a_config_is_kept_used_by_its_chats_and_its_group_is_taken_up_again(
    device: Device,
) -> None:
    client = HumeClient(base_url=device.url, api_key="")
    evi, greeting = client.empathic_voice, "Welcome to our beautiful old city."
    tool = evi.tools.create_tool(name=WEATHER.name, parameters=WEATHER.parameters)
    assert tool is not None
    config = evi.configs.create_config(
        evi_version="3",
        name="Guide",
        prompt=PostedConfigPromptSpec(text="You are {{kind}} guide."),
        tools=[PostedUserDefinedToolSpec(id=tool.id)],
        event_messages=PostedEventMessageSpecs(
            on_new_chat=PostedEventMessageSpecsOnNewChat(enabled=True, text=greeting)
        ),
        timeouts=PostedTimeoutSpecs(
            inactivity=PostedTimeoutSpecsInactivity(enabled=True, duration_secs=60),
            max_duration=PostedTimeoutSpecsMaxDuration(enabled=True, duration_secs=300),
        ),
    )

    async def greeted(**more: Any) -> Talk:
        kind = ConnectSessionSettings(variables={"kind": "a patient"})
        async with talk(device, config_id=config.id, session_settings=kind, **more) as chat:
            begun = await chat.until("assistant_end")
            assert words_of(chat.told) == greeting and begun.type == chat.told[-1].type
            await chat.send(UserInput(text="What is the weather in Paris?"))
            call = await chat.until("tool_call")
            told = ToolResponseMessage(tool_call_id=call.tool_call_id, content="It rains.")
            await chat.send(told)
            await chat.until("assistant_end")
        return chat

    first = asyncio.run(greeted())
    group = first.told[0].chat_group_id
    again = asyncio.run(greeted(resumed_chat_group_id=group, config_version=0))
    assert again.told[0].chat_group_id == group
    assert again.told[0].chat_id != first.told[0].chat_id

    device.wait_until_deserted()
    chats = list(evi.chats.list_chats(config_id=config.id, ascending_order=True, page_size=1))
    assert [chat.id for chat in chats] == [first.told[0].chat_id, again.told[0].chat_id]
    assert {chat.status for chat in chats} == {"USER_ENDED"}
    assert evi.chat_groups.get_chat_group(group).num_chats == 2


def test_a_faster_voice_says_the_same_in_less_time(device: Device) -> None:
    async def seconds(**more: Any) -> float:
        async with talk(device, **more) as chat:
            found = await chat.read_out("This sentence takes a few seconds to say.")
            return len(b"".join(segments(found).values())) / 96_000

    evi = HumeClient(base_url=device.url, api_key="").empathic_voice
    ours = RequestOptions(additional_body_parameters={"speaking_rate": 1.8})
    config = evi.configs.create_config(evi_version="3", name="Fast", request_options=ours)
    fast = asyncio.run(seconds(config_id=config.id))
    assert fast < asyncio.run(seconds()) * 0.75


@pytest.mark.parametrize("what", ["config_id", "resumed_chat_group_id"])
def test_what_is_not_there_is_told_and_ends_the_chat_for_good(what: str, device: Device) -> None:
    async def story() -> None:
        unknown = str(uuid4())
        client = AsyncHumeClient(base_url=device.url, api_key="")
        async with client.empathic_voice.chat.connect(**{what: unknown}) as socket:
            chat = Talk(socket)
            [error] = await chat.end()
            assert error.type == "error" and unknown in error.message and error.slug
            assert chat.close_code == 1000

    asyncio.run(story())


def test_a_chat_is_commanded_and_joined_from_beside_only_where_its_client_allows_it(
    device: Device,
) -> None:
    control = AsyncHumeClient(base_url=device.url, api_key="").empathic_voice.control_plane

    async def story() -> None:
        async with talk(device, allow_connection=True) as chat, talk(device) as closed:
            chat_id = chat.told[0].chat_id
            address = f"{device.url.replace('http', 'ws')}/v0/evi/chat"
            async with (
                connect(f"{address}/{chat_id}/connect", max_size=None) as beside,
                connect(f"{address}/{closed.told[0].chat_id}/connect") as refused,
            ):
                assert json.loads(await refused.recv())["type"] == "error"
                await refused.wait_closed()
                assert refused.close_code == 1000
                await beside.send('{"type": "audio_input", "data": ""}')
                assert json.loads(await beside.recv())["code"] == "E0101"

                await control.send(chat_id, request=AssistantInput(text="Somebody else's."))
                await chat.until("assistant_end")
                assert words_of(chat.told) == "Somebody else's."
                seen = [json.loads(await beside.recv())["type"]]
                while seen[-1] != "assistant_end":
                    seen.append(json.loads(await beside.recv())["type"])
                assert seen == kinds(chat.told[1:])
            assert len(closed.told) == 1, "it was told what was said to another"
        await asyncio.to_thread(device.wait_until_deserted)
        with pytest.raises(ApiError) as gone:
            await control.send(chat_id, request=PauseAssistantMessage())
        assert gone.value.status_code == 404

        # The SDK's own way to join forgets whom: it must get no chat for that.
        with pytest.raises(ApiError):
            async with control.connect(chat_id):
                pass

    asyncio.run(story())


def test_only_the_right_key_or_token_opens_the_door(device: Device) -> None:
    key = device.key()

    async def story() -> None:
        async with talk(device, key.api_key) as chat:
            assert chat.told[0].chat_id
        with pytest.raises(ApiError) as refused:
            async with talk(device, key.api_key + "x"):
                pass
        assert refused.value.status_code == 401
        assert refused.value.body == "Websocket initialized with invalid credentials."

        async with httpx.AsyncClient(base_url=device.url, timeout=PATIENCE) as http:
            answer = await http.post(
                "/oauth2-cc/token",
                auth=(key.api_key, key.secret_key),
                data={"grant_type": "client_credentials"},
            )
        token = answer.json()["access_token"]
        async with talk(device, access_token=token) as chat:
            assert chat.told[0].chat_id
        with pytest.raises(ApiError) as refused:
            async with talk(device, access_token=token + "x"):
                pass
        assert refused.value.status_code == 401

    asyncio.run(story())
    wrong = HumeClient(base_url=device.url, api_key="wrong")
    # The synchronous SDK looks out for another class than its library raises since version 14.
    with (
        pytest.raises((ApiError, InvalidStatus), match="401"),
        wrong.empathic_voice.chat.connect(),
    ):
        pass


def test_the_synchronous_client_listens_by_events(device: Device) -> None:
    found: list[Message] = []
    with HumeClient(base_url=device.url, api_key="").empathic_voice.chat.connect() as socket:

        def take(message: Message) -> None:
            found.append(message)
            if message.type == "chat_metadata":
                socket.send_publish(UserInput(text="What is the capital of France?"))
            elif message.type == "assistant_end":
                socket._websocket.close()  # the SDK ends it with the block only

        socket.on(EventType.MESSAGE, take)
        socket.on(EventType.ERROR, lambda error: pytest.fail(repr(error)))
        socket.start_listening()
    assert kinds(found)[:3] == ["chat_metadata", "user_message", "assistant_message"]
    assert kinds(found)[-1] == "assistant_end" and all(segments(found).values())
