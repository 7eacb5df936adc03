"""The library keeps configs, prompts and tools in versions, and knows what refers to what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from device.evi.library import Library, NotThere, ResolvedConfig, Selection, Unusable
from device.evi.resources import Page
from device.evi.resources_posted import (
    PostedConfig,
    PostedConfigVersion,
    PostedPrompt,
    PostedPromptVersion,
    PostedTool,
    PostedToolVersion,
)
from device.evi.resources_returned import ReturnConfig, ReturnPrompt, ReturnTool
from device.store import Store

SCHEMA = '{"type": "object", "properties": {"town": {"type": "string"}}}'


@pytest.fixture
def library() -> Library:
    return Library(Store(None))


def prompt(library: Library, name: str = "Host", text: str = "Be kind.") -> ReturnPrompt:
    made = library.create("prompt", PostedPrompt(name=name, text=text))
    assert isinstance(made, ReturnPrompt)
    return made


def tool(library: Library, name: str = "get_weather") -> ReturnTool:
    made = library.create("tool", PostedTool(name=name, parameters=SCHEMA, description="Weather"))
    assert isinstance(made, ReturnTool)
    return made


def config(library: Library, **fields: object) -> ReturnConfig:
    posted = PostedConfig.model_validate({"name": "Guide", "evi_version": "3", **fields})
    made = library.create("config", posted)
    assert isinstance(made, ReturnConfig)
    return made


def reread(library: Library, made: ReturnConfig) -> ReturnConfig:
    found = library.get("config", made.id)
    assert isinstance(found, ReturnConfig)
    return found


def names(library: Library, **wanted: object) -> list[tuple[str, int]]:
    found, _ = library.listing("prompt", Selection(**wanted))  # type: ignore[arg-type]
    return [(one.name, one.version) for one in found]


# Versions


def test_a_new_version_keeps_the_name_and_the_first_date() -> None:
    library = Library(Store(None))
    first = prompt(library)
    second = library.add("prompt", first.id, PostedPromptVersion(text="Be brief."))
    assert isinstance(second, ReturnPrompt)
    assert (first.version, second.version) == (0, 1)
    assert (second.id, second.name, second.created_on) == (first.id, "Host", first.created_on)
    assert (first.text, second.text) == ("Be kind.", "Be brief.")
    assert library.get("prompt", first.id, 0) == first


def test_the_list_shows_the_newest_version_of_each_unless_all_are_asked_for(
    library: Library,
) -> None:
    first = prompt(library, "first")
    prompt(library, "second")
    library.add("prompt", first.id, PostedPromptVersion(text="again"))
    assert names(library) == [("second", 0), ("first", 1)]
    assert names(library, newest=False) == [("second", 0), ("first", 1), ("first", 0)]
    assert names(library, newest=False, id=first.id) == [("first", 1), ("first", 0)]


def test_the_list_can_be_limited_to_one_name_exactly(library: Library) -> None:
    prompt(library, "Host")
    prompt(library, "Hostess")
    assert names(library, name="Host") == [("Host", 0)]
    assert names(library, name="host") == []


def test_the_list_comes_in_pages_and_those_past_the_end_are_empty(library: Library) -> None:
    for number in range(5):
        prompt(library, f"p{number}")
    seen = [names(library, page=Page(number, 2)) for number in range(4)]
    assert seen == [[("p4", 0), ("p3", 0)], [("p2", 0), ("p1", 0)], [("p0", 0)], []]
    _, total = library.listing("prompt", Selection(Page(9, 2)))
    assert total == 5


def test_kinds_do_not_see_one_another(library: Library) -> None:
    made = prompt(library)
    with pytest.raises(NotThere, match=f"There is no tool {made.id}"):
        library.get("tool", made.id)
    assert library.listing("tool", Selection()) == ([], 0)


def test_a_deleted_version_number_is_never_used_again(library: Library) -> None:
    made = prompt(library)
    library.add("prompt", made.id, PostedPromptVersion(text="one"))
    library.delete_version("prompt", made.id, 1)
    assert library.get("prompt", made.id).version == 0
    assert library.add("prompt", made.id, PostedPromptVersion(text="two")).version == 2
    with pytest.raises(NotThere, match=f"The prompt {made.id} has no version 1"):
        library.get("prompt", made.id, 1)


def test_with_its_last_version_the_whole_is_gone(library: Library) -> None:
    made = prompt(library)
    library.delete_version("prompt", made.id, 0)
    with pytest.raises(NotThere, match=f"There is no prompt {made.id}"):
        library.get("prompt", made.id)
    assert names(library, newest=False) == []


def test_deleting_takes_all_versions(library: Library) -> None:
    made = prompt(library)
    library.add("prompt", made.id, PostedPromptVersion(text="one"))
    library.delete("prompt", made.id)
    for version in (None, 0, 1):
        with pytest.raises(NotThere):
            library.get("prompt", made.id, version)


def test_a_new_name_is_that_of_all_versions(library: Library) -> None:
    made = prompt(library)
    library.add("prompt", made.id, PostedPromptVersion(text="one"))
    library.rename("prompt", made.id, "Hostess")
    assert names(library, newest=False) == [("Hostess", 1), ("Hostess", 0)]


def test_a_description_belongs_to_one_version(library: Library) -> None:
    made = prompt(library)
    library.add("prompt", made.id, PostedPromptVersion(text="x", version_description="terse"))
    described = library.describe("prompt", made.id, 0, "the long one")
    assert described.version_description == "the long one"
    assert library.get("prompt", made.id, 1).version_description == "terse"
    assert library.describe("prompt", made.id, 1, None).version_description is None


@pytest.mark.parametrize("what", ["get", "delete", "rename", "describe", "add", "listing"])
def test_nothing_can_be_done_with_what_is_not_there(library: Library, what: str) -> None:
    with pytest.raises(NotThere, match="There is no prompt nowhere"):
        match what:
            case "get":
                library.get("prompt", "nowhere", 3)
            case "delete":
                library.delete("prompt", "nowhere")
            case "rename":
                library.rename("prompt", "nowhere", "x")
            case "describe":
                library.describe("prompt", "nowhere", 0, "x")
            case "add":
                library.add("prompt", "nowhere", PostedPromptVersion(text="x"))
            case "listing":
                library.listing("prompt", Selection(id="nowhere"))


def test_all_is_still_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = config(
        Library(store),
        prompt={"text": "Be kind."},
        speaking_rate=1.2,
        expression_measurement=False,
    )
    store.close()
    assert Library(Store(tmp_path)).get("config", made.id) == made


# Configs and what they refer to


def test_a_config_is_returned_with_its_prompt_and_tools_filled_in(library: Library) -> None:
    told, offered = prompt(library), tool(library)
    made = config(library, prompt={"id": told.id, "version": 0}, tools=[{"id": offered.id}])
    assert made.prompt == told
    assert made.tools == [offered.model_copy(update={"version_type": "LATEST"})]
    assert made.tools[0].tool_type == "FUNCTION"


def test_a_reference_without_a_version_follows_the_latest(library: Library) -> None:
    told, offered = prompt(library), tool(library)
    following = config(library, prompt={"id": told.id}, tools=[{"id": offered.id}])
    fixed = config(
        library,
        prompt={"id": told.id, "version": 0},
        tools=[{"id": offered.id, "version": 0}],
    )
    library.add("prompt", told.id, PostedPromptVersion(text="Be brief."))
    library.add("tool", offered.id, PostedToolVersion(parameters="{}"))
    for made, text, kind, schema in (
        (following, "Be brief.", "LATEST", "{}"),
        (fixed, "Be kind.", "FIXED", SCHEMA),
    ):
        found = reread(library, made)
        assert found.prompt is not None
        assert (found.prompt.text, found.prompt.version_type) == (text, kind)
        assert (found.tools[0].parameters, found.tools[0].version_type) == (schema, kind)
        resolved = library.resolved(made.id)
        assert (resolved.prompt_text, resolved.tools[0].parameters) == (text, schema)


def test_a_prompt_of_its_own_is_returned_with_a_name_and_no_id(library: Library) -> None:
    made = config(library, prompt={"text": "Be kind."})
    assert made.prompt is not None
    assert (made.prompt.id, made.prompt.name, made.prompt.text) == ("", "Guide", "Be kind.")
    assert names(library) == []


def test_what_was_returned_can_be_posted_again(library: Library) -> None:
    made = config(
        library,
        prompt={"text": "Be kind."},
        tools=[{"id": tool(library).id, "version": 0}],
        voice={"name": "Joe", "provider": "HUME_AI"},
        timeouts={"inactivity": {"enabled": True, "duration_secs": 90}},
        nudges={"enabled": True},
    )
    again = config(library, **made.model_dump())
    drop = {"id", "created_on", "modified_on", "prompt"}
    assert again.model_dump(exclude=drop) == made.model_dump(exclude=drop)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("prompt", {"id": "nowhere"}, "There is no prompt nowhere."),
        ("tools", [{"id": "nowhere"}], "There is no tool nowhere."),
    ],
)
def test_a_config_cannot_refer_to_what_is_not_there(
    library: Library, field: str, value: object, message: str
) -> None:
    with pytest.raises(Unusable) as caught:
        config(library, **{field: value})
    assert (caught.value.field, str(caught.value)) == (field, message)
    assert library.listing("config", Selection()) == ([], 0)


def test_a_config_cannot_refer_to_a_version_that_is_not_there(library: Library) -> None:
    made = config(library)
    told = prompt(library)
    posted = PostedConfigVersion.model_validate(
        {"evi_version": "3", "prompt": {"id": told.id, "version": 7}}
    )
    with pytest.raises(Unusable, match="has no version 7"):
        library.add("config", made.id, posted)


def test_a_config_outlives_what_it_refers_to(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    told, offered = prompt(library), tool(library)
    made = config(library, prompt={"id": told.id}, tools=[{"id": offered.id}])
    library.delete("prompt", told.id)
    library.delete("tool", offered.id)
    found = reread(library, made)
    assert (found.prompt, found.tools) == (None, [])
    assert library.resolved(made.id).prompt_text is None
    assert f"There is no prompt {told.id}." in caplog.text


def test_required_parts_of_a_config_are_never_half_there(library: Library) -> None:
    made = config(
        library,
        voice={"id": "piper-joe"},
        ellm_model={},
        nudges={"interval_secs": 5},
        timeouts={"max_duration": {"enabled": True, "duration_secs": 60}},
    )
    assert made.voice is not None
    assert (made.voice.id, made.voice.name) == ("piper-joe", "piper-joe")
    assert made.ellm_model is not None
    assert made.ellm_model.allow_short_responses is False
    assert made.nudges is not None
    assert made.nudges.enabled is False
    assert made.timeouts is not None
    assert made.timeouts.inactivity.enabled is True
    assert made.timeouts.inactivity.duration_secs is None


def test_a_new_version_inherits_only_whether_replies_may_be_short(library: Library) -> None:
    made = config(library, ellm_model={"allow_short_responses": True}, speaking_rate=1.5)
    later = library.add("config", made.id, PostedConfigVersion(evi_version="4-mini"))
    assert isinstance(later, ReturnConfig)
    assert later.ellm_model is not None
    assert later.ellm_model.allow_short_responses is True
    assert later.speaking_rate is None
    assert later.evi_version == "4-mini"


# What a chat gets


def test_a_chat_gets_everything_that_a_config_says(library: Library) -> None:
    offered = tool(library)
    made = config(
        library,
        prompt={"text": "Be kind."},
        voice={"name": "Joe"},
        language_model={"model_provider": "X", "model_resource": "y", "temperature": 0.5},
        ellm_model={"allow_short_responses": True},
        tools=[{"id": offered.id}, None],
        builtin_tools=[{"name": "hang_up", "fallback_content": "Bye"}],
        event_messages={
            "on_new_chat": {"enabled": True, "text": "Hello"},
            "on_inactivity_timeout": {"enabled": True},
            "on_max_duration_timeout": {"enabled": False, "text": ""},
        },
        nudges={"enabled": True, "interval_secs": 7},
        timeouts={
            "inactivity": {"enabled": True, "duration_secs": 60},
            "max_duration": {"enabled": False},
        },
        turn_detection={
            "end_of_turn_silence_ms": 900,
            "speech_detection_threshold": 0.4,
            "prefix_padding_ms": 100,
        },
        interruption={"min_interruption_ms": 250},
        speaking_rate=0.8,
        expression_measurement=False,
    )
    chosen = library.resolved(made.id, 0)
    assert (chosen.id, chosen.version, chosen.name) == (made.id, 0, "Guide")
    assert chosen.prompt_text == "Be kind."
    assert chosen.voice is not None
    assert chosen.voice.name == "Joe"
    assert chosen.temperature == 0.5
    assert chosen.allow_short_responses
    assert [(t.name, t.description, t.parameters) for t in chosen.tools] == [
        ("get_weather", "Weather", SCHEMA)
    ]
    assert [(t.name, t.fallback_content) for t in chosen.builtin_tools] == [("hang_up", "Bye")]
    assert chosen.on_new_chat is not None
    assert chosen.on_new_chat.text == "Hello"
    assert chosen.on_inactivity is not None
    assert chosen.on_inactivity.text is None
    assert chosen.on_max_duration is not None
    assert not chosen.on_max_duration.enabled
    assert chosen.nudges is not None
    assert chosen.nudges.interval_secs == 7
    assert chosen.inactivity is not None
    assert chosen.inactivity.duration_secs == 60
    assert chosen.max_duration is not None
    assert not chosen.max_duration.enabled
    assert chosen.end_of_turn_silence_ms == 900
    assert chosen.speech_detection_threshold == 0.4
    assert chosen.prefix_padding_ms == 100
    assert chosen.min_interruption_ms == 250
    assert chosen.speaking_rate == 0.8
    assert chosen.expression_measurement is False


def test_what_a_config_does_not_say_is_left_to_the_device(library: Library) -> None:
    made = config(library)
    assert library.resolved(made.id) == ResolvedConfig(made.id, 0, "Guide")


def test_a_chat_cannot_have_a_config_that_is_not_there(library: Library) -> None:
    made = config(library)
    with pytest.raises(NotThere, match="There is no config nowhere"):
        library.resolved("nowhere")
    with pytest.raises(NotThere, match="has no version 4"):
        library.resolved(made.id, 4)


# Limits


@pytest.mark.parametrize(
    "fields",
    [
        {"turn_detection": {"end_of_turn_silence_ms": 499}},
        {"turn_detection": {"end_of_turn_silence_ms": 3001}},
        {"turn_detection": {"speech_detection_threshold": 1.1}},
        {"turn_detection": {"prefix_padding_ms": 1001}},
        {"interruption": {"min_interruption_ms": 49}},
        {"interruption": {"min_interruption_ms": 2001}},
        {"timeouts": {"inactivity": {"enabled": True, "duration_secs": 29}}},
        {"timeouts": {"max_duration": {"enabled": True, "duration_secs": 1801}}},
        {"language_model": {"temperature": float("nan")}},
        {"language_model": {"temperature": 2.1}},
        {"nudges": {"interval_secs": 0}},
        {"nudges": {"interval_secs": 601}},
        {"speaking_rate": 0.4},
        {"speaking_rate": 2.1},
        {"expression_measurement": "perhaps"},
        {"evi_version": ""},
        {"evi_version": "x" * 21},
        {"name": ""},
        {"prompt": {}},
        {"prompt": {"text": "x" * 100_001}},
        {"prompt": {"text": "half a character: \ud800"}},
        {"prompt": {"id": "x", "version": 2**31}},
        {"voice": {"provider": "HUME_AI"}},
        {"tools": [{"id": "x"}] * 65},
        {"builtin_tools": [{"name": "hang_up"}] * 65},
    ],
)
def test_a_config_beyond_the_limits_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PostedConfig.model_validate({"name": "Guide", "evi_version": "3", **fields})


@pytest.mark.parametrize("parameters", ["", "town", "[]", "1", "[" * 50_000, '{"a": '])
def test_the_parameters_of_a_tool_must_be_a_schema_of_an_object(parameters: str) -> None:
    with pytest.raises(ValidationError, match="must be a JSON schema of an object"):
        PostedTool(name="get_weather", parameters=parameters)


def test_unknown_fields_are_ignored(library: Library) -> None:
    assert "colour" not in json.loads(config(library, colour="red").model_dump_json())
