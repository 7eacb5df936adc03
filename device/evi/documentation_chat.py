"""What the documentation's page says of the chat socket, read from the code that speaks it.

Layer 4, pure. Serves ``documentation_page``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args

from device.evi import faults, messages
from device.evi.faults import Fault
from device.evi.messages import ClientMessage, Received

QUERY = {
    "api_key": "A key; instead of the header X-Hume-Api-Key.",
    "access_token": "A token; instead of either.",
    "config_id": "The config to talk with. Without one, the device's own settings.",
    "config_version": "Its version. Without one, the newest.",
    "resumed_chat_group_id": "A group of chats to go on with: what was said is remembered.",
    "event_limit": "How many past events are remembered then; 300 unless told otherwise.",
    "verbose_transcription": "true: interim user_message as well, while the user still speaks.",
    "allow_connection": "true: others may join the chat at /v0/evi/chat/{chat_id}/connect.",
    "voice_id": "A voice instead of the config's.",
    "expression_measurement": "false: how the user sounds is not measured. Not in EVI.",
    "session_settings[...]": "Settings of the session, as session_settings[audio][channels]=1.",
}


EXAMPLES: dict[str, Any] = {
    "str": "...",
    "int": 1,
    "float": 1.0,
    "bool": False,
    "bytes": b"RIFF...",
    "tuple[int, int]": (0, 900),
    "dict[str, float]": {"Admiration": 0.01, "...": 0.0, "Triumph": 0.02},
    "Prosody | None": {
        "scores": {"Admiration": 0.01, "...": 0.0, "Triumph": 0.02},
        "measured": {"valence": 0.2, "arousal": 0.5, "...": None},
    },
    "Fault": faults.internal(),
}
"""An argument for each type that those who make messages and errors take."""


@dataclass(frozen=True, slots=True)
class Message:
    """A kind of message."""

    type: str
    about: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    example: str = ""
    """JSON text."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that a client may be told."""

    code: str
    slug: str
    about: str
    final: bool


def received() -> list[Message]:
    """Return what clients may send."""
    return [_received(model) for model in get_args(ClientMessage)]


def sent() -> list[Message]:
    """Return what clients are sent."""
    return [
        Message(name, _for_clients(about), example=json.dumps(_made(make)))
        for name, about, make in _makers(messages, "Sent")
    ]


def failures() -> list[Failure]:
    """Return the errors that clients may be told."""
    known = [
        Failure("E0100", "invalid_json", "A text message is not JSON.", False),
        Failure("E0101", "invalid_message", "A message lacks a field, or has a wrong one.", False),
        Failure("E0201", "invalid_base64", "audio_input.data is not base64.", False),
    ]
    for _, about, make in _makers(faults, "Fault"):
        fault: Fault = _made(make)
        known.append(Failure(fault.code, fault.slug, _for_clients(about), fault.final))
    return sorted(known, key=lambda failure: failure.code)


def _received(model: type[Received]) -> Message:
    fields = {name: field for name, field in model.model_fields.items() if name != "type"}
    return Message(
        get_args(model.model_fields["type"].annotation)[0],
        (model.__doc__ or "").strip(),
        tuple(name for name, field in fields.items() if field.is_required()),
        tuple(name for name, field in fields.items() if not field.is_required()),
    )


def _makers(module: ModuleType, made: str) -> Iterator[tuple[str, str, Any]]:
    """Yield name, docstring and function for those of a module that return ``made``."""
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            about = inspect.getdoc(function) or ""
            if function.__annotations__.get("return") == made and not name.startswith("_"):
                yield name, about.split("\n\n")[0], function


def _made(make: Any) -> Any:
    """Return what a function makes of arguments that serve as examples."""
    wanted = {name: text for name, text in make.__annotations__.items() if name != "return"}
    return make(**{name: EXAMPLES[text] for name, text in wanted.items()})


def _for_clients(docstring: str) -> str:
    """Return a docstring without what it says of the function's arguments."""
    kept, cut, _ = docstring.partition("; ``")
    return f"{kept}." if cut else kept
