"""Which tool the words ask for, and how its result is told."""

from __future__ import annotations

import json

import pytest

from device.mind import tools
from device.types import Message, Tool


def tool(name: str, description: str = "", builtin: bool = False, **properties: object) -> Tool:
    schema = json.dumps({"type": "object", "properties": properties})
    return Tool(name, description, schema, builtin=builtin)


OFFERED = (
    tool("get_current_weather", "Gets the weather of a place", location={"type": "string"}),
    tool("setLight", "Switches a lamp", room={"type": "string", "enum": ["kitchen", "bedroom"]}),
    tool("order_status", "Tells where a parcel is", number={"type": "string"}),
    tool("hang_up", builtin=True),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What's the weather in Paris?", "get_current_weather"),
        ("Switch the lamp on, please.", "setLight"),
        ("Is the light in the kitchen on?", "setLight"),
        ("Where's my order?", "order_status"),
        ("Where are my orders?", "order_status"),
        ("Okay, goodbye!", "hang_up"),
        ("Please hang up.", "hang_up"),
    ],
)
def test_words_in_common_choose_the_tool(text: str, name: str) -> None:
    found = tools.fitting(OFFERED, text)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    "text", ["Tell me a joke.", "I feel sad today.", "What can you do?", "", "My place is nice."]
)
def test_small_talk_asks_for_none(text: str) -> None:
    assert tools.fitting(OFFERED, text) is None
    assert tools.fitting((), text) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("It rains.", "It rains."),
        ("18 degrees", "18 degrees."),
        ('{"temperature_now": 18, "sunny": true}', "temperature now: 18, sunny: yes."),
        ('["tea", "milk"]', "tea, milk."),
        ("", "Done."),
    ],
)
def test_a_result_is_told_as_speech(content: str, told: str) -> None:
    assert tools.told(content) == told


def test_the_question_for_arguments_names_each_with_its_meaning() -> None:
    wanted = tool("find", when={"description": "a day"}, where={})
    asked = tools.question(Message("user", "Find it."), wanted)
    assert "when (a day), where" in asked.content and asked.content.startswith("Find it.")


def test_a_tool_without_parameters_has_none() -> None:
    assert tools.parameters(Tool("ring", "", '{"type": "object"}')) == {}
