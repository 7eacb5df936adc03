"""What one chat runs with: the device's settings, its configuration's, and its session's on top.

Layer 4, pure. Serves the chat.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from device.config import Config, parse
from device.evi.faults import Fault
from device.evi.messages import Audio, BuiltinTool, Context, SessionSettings, first
from device.evi.messages import Tool as OfferedTool
from device.evi.resolved import ResolvedConfig
from device.mind.tools import HANG_UP
from device.types import Briefing, Tool

log = logging.getLogger(__name__)

ENDS_AT_ONCE, ENDS_AT_LAST = 0.4375, 2.0
"""Factors on EVI's ``end_of_turn_silence_ms``: silence after speech that sounds finished, and after
speech that does not. Its default, 800 ms, gives the device's own 0.35 and 1.6 s."""
OF_A_CHAT = {"mode": "open", "hold": False}
"""Whoever opens a chat wants to be heard without a wake word. And a client has the voice's sound
already: it cannot be held, only thrown away."""
BUILTIN = {HANG_UP: "Ends the chat"}
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_WHOLE = re.compile(r"-?\d+\.0")
_PLAIN_SCHEMA = '{"type": "object", "properties": {}}'


def configured(base: Config, chosen: ResolvedConfig | None) -> Config:
    """Return the device's settings with those of a chat's configuration over them."""
    base = parse({"conversation": OF_A_CHAT}, "a chat", base)
    if chosen is None:
        return base
    hearing: dict[str, Any] = {}
    if chosen.end_of_turn_silence_ms is not None:
        silence = chosen.end_of_turn_silence_ms / 1000
        shortest = silence * ENDS_AT_ONCE
        hearing["shortest_silence"] = shortest
        hearing["longest_silence"] = silence * ENDS_AT_LAST
        hearing["eager_silence"] = min(base.hearing.eager_silence, shortest)
    if chosen.speech_detection_threshold is not None:
        hearing["speech_threshold"] = chosen.speech_detection_threshold
    if chosen.prefix_padding_ms is not None:
        hearing["lead"] = chosen.prefix_padding_ms / 1000
    if chosen.expression_measurement is False:  # true cannot undo what the device's owner forbids
        hearing["expression"] = False
    values: dict[str, Any] = {"hearing": hearing}
    if chosen.min_interruption_ms is not None:
        values["conversation"] = {"min_interruption": chosen.min_interruption_ms / 1000}
    if chosen.speaking_rate is not None:
        values["speaking"] = {"rate": chosen.speaking_rate}
    if chosen.temperature is not None:
        values["thinking"] = {"temperature": chosen.temperature}
    return parse(values, f"config {chosen.id}", base)


_MERGED = (
    "system_prompt",
    "context",
    "audio",
    "voice_id",
    "metadata",
    "custom_session_id",
    "tools",
    "builtin_tools",
    "expression_measurement",
)


@dataclass(frozen=True)
class ChatSettings:
    """The settings of one chat at a moment."""

    persona: str
    """The device's own prompt."""
    chosen: ResolvedConfig | None = None
    system_prompt: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    context: Context | None = None
    audio: Audio | None = None
    custom_session_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    voice_id: str | None = None
    tools: list[OfferedTool] | None = None
    """None: the configuration's; likewise the next two."""
    builtin_tools: list[BuiltinTool] | None = None
    expression_measurement: bool | None = None

    def updated(self, settings: SessionSettings) -> ChatSettings:
        """Return these with what is present in ``settings`` taken over; null clears."""
        present = settings.model_fields_set
        changes = {name: getattr(settings, name) for name in _MERGED if name in present}
        if "variables" in present:
            values = settings.variables or {}
            changes["variables"] = {name: _plain(value) for name, value in values.items()}
        return replace(self, **changes)

    @property
    def prompt(self) -> str:
        """The prompt in effect, its placeholders filled in."""
        text = self.system_prompt
        if text is None and self.chosen is not None:
            text = self.chosen.prompt_text
        return _PLACEHOLDER.sub(self._value, text or self.persona)

    def briefing(self) -> Briefing:
        """Return what the language model is to be told."""
        note = self.context.text if self.context else ""
        persistent = self.context is not None and self.context.type == "persistent"
        return Briefing(
            self.prompt,
            note if persistent else "",
            "" if persistent else note,
            (*self._offered(), *self._builtin()),
        )

    def _value(self, found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in self.variables:
            log.info("the prompt's variable %s has no value", name)
        return self.variables.get(name, found.group(0))

    def _offered(self) -> Iterable[Tool]:
        if self.tools is not None:
            return [
                Tool(t.name, t.description or "", schema_of(t), t.fallback_content or "")
                for t in self.tools
            ]
        configured = self.chosen.tools if self.chosen else ()
        return [
            Tool(t.name, t.description or "", t.parameters, t.fallback_content or "")
            for t in configured
        ]

    def _builtin(self) -> Iterable[Tool]:
        names = [tool.name for tool in self.builtin_tools or ()]
        if self.builtin_tools is None and self.chosen is not None:
            names = [tool.name for tool in self.chosen.builtin_tools]
        for name in names:
            if name not in BUILTIN:
                log.warning("the built-in tool %s is not offered by this device", name)
        return [
            Tool(name, BUILTIN[name], _PLAIN_SCHEMA, builtin=True)
            for name in names
            if name in BUILTIN
        ]


def schema_of(tool: OfferedTool) -> str:
    """Return a tool's parameters; raises Fault E0101 if they are no JSON schema of an object."""
    try:
        schema = json.loads(tool.parameters)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise Fault(
            "E0101",
            "invalid_message",
            f"tools: the parameters of {tool.name} must be a JSON schema of an object, as a string",
        )
    return tool.parameters


def at_connection(query: Iterable[tuple[str, str]]) -> SessionSettings | None:
    """Return the settings given in a connection's query in brackets, None if there are none.

    Every value is text there: ``session_settings[audio][sample_rate]=16000``; variables may also be
    one JSON object, and ``expression_measurement`` may stand by itself. Raises Fault E0101.
    """
    values: dict[str, Any] = {}
    for name, value in query:
        if name == "expression_measurement":
            values[name] = value
        if not name.startswith("session_settings["):
            continue
        path = re.findall(r"\[([^\[\]]*)\]", name)
        _place(values, path, value)
    if not values:
        return None
    variables = values.get("variables")
    if isinstance(variables, dict):
        # The Python SDK makes a float of every whole number.
        values["variables"] = {
            name: value.removesuffix(".0") if _WHOLE.fullmatch(str(value)) else value
            for name, value in variables.items()
        }
    if isinstance(variables, str):
        try:
            values["variables"] = json.loads(variables)
        except (ValueError, RecursionError):
            raise Fault(
                "E0101",
                "invalid_message",
                "session_settings[variables] must be a JSON object, or one query value for each",
            ) from None
    try:
        return SessionSettings.model_validate(values)
    except ValidationError as error:
        raise Fault(
            "E0101", "invalid_message", f"The session settings are not usable: {first(error)}"
        ) from None


def _place(values: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        values = inner
    if path:
        values[path[-1]] = value


def _plain(value: str | float | bool | None) -> str:
    """Return a variable's value as it stands in a prompt: 30.0 is "30", a truth is "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
