"""What a chat runs with: the device's settings, the configuration's, the session's on top."""

from __future__ import annotations

import pytest

from device.config import Config
from device.evi.faults import Fault
from device.evi.messages import SessionSettings, check
from device.evi.resolved import ResolvedConfig, ResolvedTool
from device.evi.settings import ChatSettings, at_connection, configured
from device.settings import Hearing

SCHEMA = '{"type": "object", "properties": {}}'


def session(**fields: object) -> SessionSettings:
    message = check({"type": "session_settings", **fields})
    assert isinstance(message, SessionSettings)
    return message


def test_evis_default_silence_is_the_devices_own_timing() -> None:
    hearing = configured(Config(), ResolvedConfig("c", 0, "n", end_of_turn_silence_ms=800)).hearing
    assert hearing.shortest_silence == pytest.approx(Config().hearing.shortest_silence)
    assert hearing.longest_silence == pytest.approx(Config().hearing.longest_silence)


@pytest.mark.parametrize("silence", [500, 1000, 3000])
def test_a_longer_silence_waits_longer(silence: int) -> None:
    chosen = ResolvedConfig("c", 0, "n", end_of_turn_silence_ms=silence)
    hearing = configured(Config(), chosen).hearing
    assert hearing.shortest_silence == pytest.approx(silence * 0.35 / 800)
    assert hearing.eager_silence <= hearing.shortest_silence < hearing.longest_silence


def test_a_configuration_sets_what_it_names_and_leaves_the_rest() -> None:
    chosen = ResolvedConfig(
        "c", 0, "n", speech_detection_threshold=0.7, prefix_padding_ms=200,
        min_interruption_ms=400, speaking_rate=1.2,
    )  # fmt: skip
    config = configured(Config(), chosen)
    assert config.hearing.speech_threshold == 0.7 and config.hearing.lead == 0.2
    assert config.conversation.min_interruption == 0.4 and config.speaking.rate == 1.2
    assert config.hearing.longest_silence == Config().hearing.longest_silence
    chat = configured(Config(), None)
    assert chat.conversation.mode == "open" and not chat.conversation.hold
    assert chat.hearing == Config().hearing


@pytest.mark.parametrize("device", [True, False])
@pytest.mark.parametrize("chosen", [True, False, None])
def test_a_configuration_can_forbid_that_expression_is_measured_but_not_allow_it(
    device: bool, chosen: bool | None
) -> None:
    base = Config(hearing=Hearing(expression=device))
    resolved = ResolvedConfig("c", 0, "n", expression_measurement=chosen)
    assert configured(base, resolved).hearing.expression is (device and chosen is not False)


def test_the_session_s_prompt_goes_before_the_configurations_and_that_before_the_devices() -> None:
    chosen = ResolvedConfig("c", 0, "n", prompt_text="From the config.")
    settings = ChatSettings("From the device.", chosen)
    assert ChatSettings("From the device.").prompt == "From the device."
    assert settings.prompt == "From the config."
    mine = settings.updated(session(system_prompt="Mine."))
    assert mine.prompt == "Mine."
    assert mine.updated(session(context=None)).prompt == "Mine."
    assert mine.updated(session(system_prompt=None)).prompt == "From the config."


def test_placeholders_take_the_values_of_variables() -> None:
    settings = ChatSettings("Hi {{ name }}, {{age}}, {{tall}}, {{unknown}}.")
    filled = settings.updated(session(variables={"name": "Kim", "age": 30.0, "tall": True}))
    assert filled.prompt == "Hi Kim, 30, true, {{unknown}}."


def test_context_is_lasting_or_for_once() -> None:
    settings = ChatSettings("p")
    lasting = settings.updated(session(context={"text": "a", "type": "persistent"})).briefing()
    once = settings.updated(session(context={"text": "b"})).briefing()
    assert (lasting.note, lasting.passing_note) == ("a", "")
    assert (once.note, once.passing_note) == ("", "b")


def test_the_sessions_tools_replace_the_configurations() -> None:
    chosen = ResolvedConfig("c", 0, "n", tools=(ResolvedTool("old", "d", SCHEMA, "f"),))
    settings = ChatSettings("p", chosen)
    assert [tool.name for tool in settings.briefing().tools] == ["old"]
    offered = {"type": "function", "name": "new", "parameters": SCHEMA}
    changed = settings.updated(
        session(tools=[offered], builtin_tools=[{"name": "hang_up"}, {"name": "web_search"}])
    )
    assert [(t.name, t.builtin) for t in changed.briefing().tools] == [
        ("new", False), ("hang_up", True),
    ]  # fmt: skip


@pytest.mark.parametrize("parameters", ["", "[]", "{", "null", "3"])
def test_a_tool_whose_parameters_are_no_schema_is_refused(parameters: str) -> None:
    settings = ChatSettings("p").updated(
        session(tools=[{"type": "function", "name": "t", "parameters": parameters}])
    )
    with pytest.raises(Fault, match="JSON schema"):
        settings.briefing()


def test_settings_in_the_address_are_read_from_brackets() -> None:
    asked = at_connection(
        [
            ("api_key", "x"),
            ("session_settings[audio][encoding]", "linear16"),
            ("session_settings[audio][sample_rate]", "16000"),
            ("session_settings[audio][channels]", "1"),
            ("session_settings[variables][name]", "John"),
            ("session_settings[variables][age]", "36.0"),
            ("session_settings[event_limit]", "5"),
        ]
    )
    assert asked is not None and asked.audio is not None
    assert asked.audio.sample_rate == 16_000 and asked.event_limit == 5
    assert asked.variables == {"name": "John", "age": "36"}
    assert at_connection([("config_id", "x")]) is None
    forbidding = at_connection([("expression_measurement", "false")])
    assert forbidding is not None and forbidding.expression_measurement is False


def test_variables_in_the_address_may_be_one_json_object() -> None:
    asked = at_connection([("session_settings[variables]", '{"name": "Joshua", "age": 30}')])
    assert asked is not None and ChatSettings("{{name}} {{age}}").updated(asked).prompt == (
        "Joshua 30"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_settings[variables]", "{"),
        ("session_settings[audio][sample_rate]", "fast"),
        ("session_settings[audio]", "loud"),
        ("session_settings[audio][][x]", "1"),
    ],
)
def test_settings_in_the_address_that_cannot_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(Fault) as refused:
        at_connection([(name, value)])
    assert refused.value.code == "E0101"
