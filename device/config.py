"""The one schema of every setting, and how it is read, merged and explained.

Layer 0. A configuration never changes: a change makes a new, validated one. Sources in order:
defaults, then a file, then whatever a caller merges on top (a fleet, a chat).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from device.settings import (
    Api,
    ConversationSettings,
    Hearing,
    LineSettings,
    Models,
    Panel,
    Section,
    Speaking,
    Storage,
    Thinking,
)
from device.types import RapportError


class ConfigError(RapportError):
    """A configuration that cannot be used; it names source, key, value and what is allowed."""


class Config(Section):
    """Everything that can be set."""

    models: Models = Models()
    line: LineSettings = LineSettings()
    hearing: Hearing = Hearing()
    thinking: Thinking = Thinking()
    speaking: Speaking = Speaking()
    conversation: ConversationSettings = ConversationSettings()
    panel: Panel = Panel()
    storage: Storage = Storage()
    api: Api = Api()


def parse(values: Mapping[str, Any], source: str, base: Config | None = None) -> Config:
    """Return ``base`` (or the defaults) with ``values`` merged over it, validated.

    Raises ConfigError with one sentence for each fault, naming ``source``.
    """
    merged = _merge(base.model_dump() if base else {}, values)
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, source)) from None


def load(path: Path | None = None) -> Config:
    """Return the configuration in a TOML file; without a path, of $RAPPORT_CONFIG or the defaults.

    Raises ConfigError if the file is absent, unreadable, not TOML or not valid.
    """
    if path is None:
        named = os.environ.get("RAPPORT_CONFIG")
        if not named:
            return Config()
        path = Path(named)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); name a readable TOML file with --config"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}; mend that line") from None
    return parse(values, str(path))


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        held = merged.get(key)
        both = isinstance(held, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(held, value) if both else value  # type: ignore[arg-type]
    return merged


def _explain(error: ValidationError, source: str) -> str:
    return "\n".join(_explain_one(dict(fault), source) for fault in error.errors())


def _explain_one(fault: dict[str, Any], source: str) -> str:
    place = [str(part) for part in fault["loc"]]
    key = ".".join(place) or "the whole"
    if fault["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_keys(place[:-1])))
        return (
            f"{source}: {key} = {fault['input']!r}: there is no such key; allowed here: {allowed}"
        )
    message = fault["msg"].removeprefix("Value error, ")
    shown = repr(fault["input"])
    if isinstance(fault["input"], Mapping):
        return f"{source}: {key}: {message}"
    return f"{source}: {key} = {shown if len(shown) < 80 else shown[:77] + '...'}: {message}"


def _keys(place: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for part in place:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return []
        model = field.annotation
    return list(model.model_fields)


Task = Literal[
    "recognizer", "voice_activity", "turn", "prosody", "language_model", "voice", "wake_word"
]
TASKS: tuple[Task, ...] = (
    "recognizer",
    "voice_activity",
    "turn",
    "prosody",
    "language_model",
    "voice",
)
"""What models are needed for; each is a key of [models] and of a preset in the catalogue. A wake
word is not: one is used where the catalogue has a model for the phrase that was chosen."""
