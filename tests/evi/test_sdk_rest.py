"""Hume's own Python SDK, unmodified, against the device's REST routes over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hume import HumeClient
from hume.core.api_error import ApiError
from hume.empathic_voice import (
    BadRequestError,
    PostedConfigPromptSpec,
    PostedEllmModel,
    PostedEventMessageSpecs,
    PostedLanguageModel,
    PostedNudgeSpec,
    PostedTimeoutSpecs,
    PostedUserDefinedToolSpec,
    ReturnConfig,
    VoiceName,
)
from hume.empathic_voice.client import EmpathicVoiceClient
from hume.empathic_voice.types import (
    PostedBuiltinTool,
    PostedEventMessageSpecsOnNewChat,
    PostedTimeoutSpecsInactivity,
    ReturnPrompt,
    ReturnUserDefinedTool,
)

from device.evi.archive import NewEvent
from device.evi.records import Records
from device.hearing.emotions import NAMES
from device.worker import Owned
from tests.evi.application import application
from tests.evi.conftest import Serve

SCHEMA = '{"type": "object", "properties": {"town": {"type": "string"}}}'


@pytest.fixture
def evi(records: Owned[Records], serve: Serve) -> Iterator[EmpathicVoiceClient]:
    address = serve(application(records))
    yield HumeClient(base_url=address, api_key="any").empathic_voice


def test_a_prompt_lives_its_whole_life(evi: EmpathicVoiceClient) -> None:
    prompts = evi.prompts
    first = prompts.create_prompt(name="Host", text="Be kind.", version_description="first")
    assert isinstance(first, ReturnPrompt)
    assert (first.version, first.version_type) == (0, "FIXED")
    second = prompts.create_prompt_version(first.id, text="Be brief.")
    assert second is not None
    assert (second.version, second.name, second.created_on) == (1, "Host", first.created_on)
    listed = prompts.list_prompt_versions(first.id, restrict_to_most_recent=False)
    assert [one.version for one in listed.prompts_page if one] == [1, 0]
    assert prompts.get_prompt_version(first.id, 0) == first
    described = prompts.update_prompt_description(first.id, 0, version_description="the first")
    assert described is not None
    assert described.version_description == "the first"
    assert prompts.update_prompt_name(first.id, name="Hostess") == "Hostess"
    assert [one.name for one in prompts.list_prompts(name="Hostess") if one] == ["Hostess"]
    prompts.delete_prompt_version(first.id, 1)
    with pytest.raises(ApiError) as gone:
        prompts.get_prompt_version(first.id, 1)
    assert gone.value.status_code == 404
    prompts.delete_prompt(first.id)
    assert list(prompts.list_prompts()) == []


def test_a_tool_lives_its_whole_life(evi: EmpathicVoiceClient) -> None:
    tools = evi.tools
    first = tools.create_tool(name="weather", parameters=SCHEMA, fallback_content="No idea")
    assert isinstance(first, ReturnUserDefinedTool)
    assert (first.version, first.tool_type, first.parameters) == (0, "FUNCTION", SCHEMA)
    second = tools.create_tool_version(first.id, parameters="{}", description="The weather")
    assert second is not None
    assert (second.version, second.description, second.fallback_content) == (
        1,
        "The weather",
        None,
    )
    listed = tools.list_tool_versions(first.id, restrict_to_most_recent=False, page_size=1)
    assert [one.version for one in listed if one] == [1, 0]
    assert tools.get_tool_version(first.id, 0) == first
    described = tools.update_tool_description(first.id, 1, version_description="better")
    assert described is not None
    assert described.version_description == "better"
    assert tools.update_tool_name(first.id, name="forecast") == "forecast"
    assert [one.name for one in tools.list_tools() if one] == ["forecast"]
    tools.delete_tool_version(first.id, 0)
    tools.delete_tool(first.id)
    assert list(tools.list_tools()) == []


def test_a_config_lives_its_whole_life(evi: EmpathicVoiceClient) -> None:
    configs = evi.configs
    prompt = evi.prompts.create_prompt(name="Host", text="Be kind.")
    tool = evi.tools.create_tool(name="weather", parameters=SCHEMA)
    assert prompt is not None
    assert tool is not None
    first = configs.create_config(
        evi_version="3",
        name="Guide",
        prompt=PostedConfigPromptSpec(id=prompt.id, version=0),
        voice=VoiceName(name="Joe", provider="HUME_AI"),
        language_model=PostedLanguageModel(
            model_provider="ANTHROPIC", model_resource="claude-3-7-sonnet-latest", temperature=1
        ),
        ellm_model=PostedEllmModel(allow_short_responses=True),
        tools=[PostedUserDefinedToolSpec(id=tool.id)],
        builtin_tools=[PostedBuiltinTool(name="hang_up")],
        event_messages=PostedEventMessageSpecs(
            on_new_chat=PostedEventMessageSpecsOnNewChat(enabled=True, text="Hello")
        ),
        nudges=PostedNudgeSpec(enabled=True, interval_secs=10),
        timeouts=PostedTimeoutSpecs(
            inactivity=PostedTimeoutSpecsInactivity(enabled=True, duration_secs=60)
        ),
    )
    assert first.prompt == prompt
    assert first.voice is not None
    assert (first.voice.name, first.voice.provider) == ("Joe", "HUME_AI")
    assert first.tools is not None
    assert first.tools[0] is not None
    assert (first.tools[0].name, first.tools[0].version_type) == ("weather", "LATEST")
    assert first.timeouts is not None
    assert first.timeouts.inactivity.duration_secs == 60
    assert first.id is not None

    second = configs.create_config_version(
        first.id, evi_version="4-mini", prompt=PostedConfigPromptSpec(text="Be brief.")
    )
    assert (second.version, second.name, second.created_on) == (1, "Guide", first.created_on)
    assert second.prompt is not None
    assert second.prompt.text == "Be brief."
    listed = configs.list_config_versions(first.id, restrict_to_most_recent=False, page_size=1)
    assert [one.version for one in listed] == [1, 0]
    assert configs.get_config_version(first.id, 0) == first
    described = configs.update_config_description(first.id, 1, version_description="terse")
    assert described.version_description == "terse"
    assert configs.update_config_name(first.id, name="Leader") == "Leader"
    assert [one.name for one in configs.list_configs()] == ["Leader"]
    configs.delete_config_version(first.id, 0)
    configs.delete_config(first.id)
    assert list(configs.list_configs()) == []


def test_the_pager_ends_after_the_last_page(evi: EmpathicVoiceClient) -> None:
    for number in range(5):
        evi.configs.create_config(evi_version="3", name=f"c{number}")
    found: list[ReturnConfig] = list(evi.configs.list_configs(page_size=2))
    assert [one.name for one in found] == ["c4", "c3", "c2", "c1", "c0"]


def test_a_wrong_request_raises_the_error_that_the_sdk_has_for_it(
    evi: EmpathicVoiceClient,
) -> None:
    with pytest.raises(BadRequestError) as refused:
        evi.configs.create_config(
            evi_version="3", name="x", prompt=PostedConfigPromptSpec(id="nowhere")
        )
    assert refused.value.body.code == "E0101"
    assert "There is no prompt nowhere." in (refused.value.body.message or "")
    with pytest.raises(BadRequestError):
        evi.tools.create_tool(name="x", parameters="not JSON")


def test_chats_and_their_groups_can_be_read(
    evi: EmpathicVoiceClient, records: Owned[Records]
) -> None:
    scores = "{" + ", ".join(f'"{name}": 0.5' for name in NAMES) + "}"

    def fill(kept: Records) -> None:
        for number in range(3):
            chat = f"chat {number}"
            kept.archive.start_chat(chat, "group", 1000 * number, "config", 0)
            for text in ("Hello", "How are you?"):
                event = NewEvent("USER", "USER_MESSAGE", 1000 * number, text, scores)
                kept.archive.add_event(chat, event)
            kept.archive.end_chat(chat, "USER_ENDED", 1000 * number + 500)

    asyncio.run(records.call(fill))
    chats = evi.chats.list_chats(page_size=2, config_id="config", status="USER_ENDED")
    assert [chat.id for chat in chats] == ["chat 0", "chat 1", "chat 2"]
    events = list(evi.chats.list_chat_events("chat 1", page_size=1))
    assert [event.message_text for event in events] == ["Hello", "How are you?"]
    assert events[0].emotion_features == scores
    assert evi.chats.get_audio("chat 1").status == "CANCELLED"
    groups = list(evi.chat_groups.list_chat_groups(ascending_order=False))
    assert [(group.id, group.num_chats, group.active) for group in groups] == [("group", 3, False)]
    group = evi.chat_groups.get_chat_group("group", page_size=2, page_number=1)
    assert [chat.id for chat in group.chats_page] == ["chat 2"]
    assert len(list(evi.chat_groups.list_chat_group_events("group", page_size=4))) == 6
    sounds = evi.chat_groups.get_audio("group")
    assert [sound.status for sound in sounds.audio_reconstructions_page] == ["CANCELLED"] * 3
