"""Which tool the user's words ask for, and how the language model is told of it.

Layer 3, pure. Serves the conversation. Whether a tool is asked is decided from the words: the
smallest model calls tools at random when it is left to decide, and only fills in the arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from device.types import Message, Tool

ENOUGH = 2.0
"""Points from which the words ask for a tool: one word of its name, or two of its description."""
OF_NAME, OF_DESCRIPTION, OF_VALUES = 2.0, 1.0, 2.0
"""Points for a word in common with the tool's name, its description and parameters, and the values
that a parameter can take."""
FAREWELL = re.compile(
    r"\b(?:good ?bye|bye(?: bye)?|hang up|end (?:the|this) (?:call|chat|conversation))\b", re.I
)
HANG_UP = "hang_up"

_EMPTY_WORDS = """
    a about also an and any are as at be by call can could current do does for from function get
    give given has have how i if in into is it its let make me my new of on one or our please return
    set show so some tell that the their them then there these they this to tool up us use used user
    want was we what when where which who will with would you your
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[a-z]+|[0-9]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fitting(tools: Sequence[Tool], text: str) -> Tool | None:
    """Return the tool that ``text`` asks for, None if there is none."""
    said = _stems(text)
    scores = {tool.name: _score(tool, said, text) for tool in tools}
    best = max(tools, key=lambda tool: scores[tool.name], default=None)
    return best if best is not None and scores[best.name] >= ENOUGH else None


def parameters(tool: Tool) -> dict[str, Any]:
    """Return the parameters of a tool by name, each with its JSON schema."""
    schema = json.loads(tool.schema)
    found = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return found if isinstance(found, dict) else {}


def question(asked: Message, tool: Tool) -> Message:
    """Return a message that asks for the arguments of a tool as JSON."""
    wanted = ", ".join(_described(name, schema) for name, schema in parameters(tool).items())
    return Message(
        "user",
        f"{asked.content}\n\n(Answer with JSON only: the arguments for {tool.name}, namely "
        f"{wanted}, as they were just said.)",
    )


def informed(asked: Message, told: str) -> Message:
    """Return what the user asked with what is to be told in answer to it."""
    return Message("user", f"{asked.content}\n(Tell me this: {told})")


def told(content: str) -> str:
    """Return what a tool returned as something that can be spoken: JSON is read as a list."""
    try:
        value = json.loads(content)
    except ValueError:
        value = content
    sentence = _flat(value).strip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence or 'Done'}."


def failed(tool: Tool, reason: str) -> str:
    """Return how it is told that a tool has no result."""
    return f"I could not do that, since {_readable(tool.name)} failed: {reason}."


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_readable(str(name))}: {_flat(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(part) for part in value)
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    return str(value)


def _score(tool: Tool, said: frozenset[str], text: str) -> float:
    if tool.name == HANG_UP and tool.builtin:
        return ENOUGH if FAREWELL.search(text) else 0.0
    known = parameters(tool)
    name = _stems(tool.name)
    values = _stems(" ".join(_values(known.values())))
    about = _stems(f"{tool.description} {' '.join(known)}") - name - values
    return (
        OF_NAME * len(said & name)
        + OF_VALUES * len(said & (values - name))
        + OF_DESCRIPTION * len(said & about)
    )


def _values(schemas: Iterable[object]) -> list[str]:
    found = [schema.get("enum") for schema in schemas if isinstance(schema, dict)]
    return [str(value) for values in found if isinstance(values, list) for value in values]


def _described(name: str, schema: object) -> str:
    description = schema.get("description") if isinstance(schema, dict) else None
    return f"{name} ({description})" if description else name


def _readable(name: str) -> str:
    return " ".join(_HUMP.sub(" ", name).replace("_", " ").replace("-", " ").split())


def _stems(text: str) -> frozenset[str]:
    words = _WORD.findall(_HUMP.sub(" ", text).lower())
    return frozenset(_stem(word) for word in words if word not in _EMPTY and len(word) > 1)


def _stem(word: str) -> str:
    """Return a word without its usual endings: "temperatures" and "temperature" are the same."""
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e")
