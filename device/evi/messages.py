"""Every message of an EVI chat, both ways, as Hume's SDKs declare them.

Layer 4, pure, on pydantic. What a client sends is checked here and nowhere else; unknown fields are
ignored, as EVI ignores them. What the server sends keeps the rules that the SDKs' parsers need:
``type`` always present, whole numbers where they want integers, all 48 scores or none.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from device.evi.faults import Fault

LONGEST_TEXT = 100_000
"""Characters of one text field: far beyond any prompt that fits a model."""
MOST_TOOLS = 64

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Name = Annotated[str, Field(max_length=1_000)]


class Received(BaseModel):
    """A message or part of one from a client."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Audio(Received):
    """How raw audio is encoded: 16-bit little-endian PCM."""

    encoding: Literal["linear16"] = "linear16"
    sample_rate: Annotated[int, Field(ge=4_000, le=192_000)]
    channels: Annotated[int, Field(ge=1, le=8)] = 1


class Context(Received):
    """Text added to the user's messages: to all of them, or to the next."""

    text: Text
    type: Literal["persistent", "temporary"] | None = "temporary"


class Tool(Received):
    """A function that the client offers."""

    type: Literal["function", "builtin"] = "function"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    parameters: Text
    """JSON schema, as a string."""
    description: Text | None = None
    fallback_content: Text | None = None


class BuiltinTool(Received):
    """A function that the device itself has."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    fallback_content: Text | None = None


class SessionSettings(Received):
    """Settings of this chat; only fields that are present change, null clears."""

    type: Literal["session_settings"] = "session_settings"
    audio: Audio | None = None
    builtin_tools: Annotated[list[BuiltinTool], Field(max_length=MOST_TOOLS)] | None = None
    context: Context | None = None
    custom_session_id: Name | None = None
    event_limit: Annotated[int, Field(ge=0, le=10_000)] | None = None
    language_model_api_key: Name | None = None
    metadata: dict[str, Any] | None = None
    system_prompt: Text | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS)] | None = None
    variables: dict[str, str | float | bool | None] | None = None
    voice_id: Name | None = None
    expression_measurement: bool | None = None
    """false: how the user sounds is not measured from now on; not in EVI."""


class AudioInput(Received):
    """A piece of the microphone's stream, base64."""

    type: Literal["audio_input"]
    data: str
    custom_session_id: Name | None = None

    def sound(self) -> bytes:
        """Return the bytes; raises Fault E0201 if ``data`` is not base64."""
        try:
            return base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise Fault(
                "E0201", "invalid_base64", "audio_input.data is not valid base64; encode the audio"
            ) from None


class UserInput(Received):
    """Words to be taken as if the user had spoken them."""

    type: Literal["user_input"]
    text: Text
    custom_session_id: Name | None = None


class AssistantInput(Received):
    """Words to be spoken as they are."""

    type: Literal["assistant_input"]
    text: Text
    custom_session_id: Name | None = None


class ToolResponse(Received):
    """What a client's tool returned."""

    type: Literal["tool_response"]
    tool_call_id: Name
    content: Text
    tool_name: Name | None = None
    tool_type: Name | None = None
    custom_session_id: Name | None = None


class ToolError(Received):
    """That a client's tool failed."""

    type: Literal["tool_error"]
    tool_call_id: Name
    error: Text
    content: Text | None = None
    code: Name | None = None
    level: Name | None = None
    tool_type: Name | None = None
    custom_session_id: Name | None = None


class Pause(Received):
    """Give no replies until told to resume."""

    type: Literal["pause_assistant_message"]
    custom_session_id: Name | None = None


class Resume(Received):
    """Reply again, first to the last thing the user said."""

    type: Literal["resume_assistant_message"]
    custom_session_id: Name | None = None


Command: TypeAlias = (
    SessionSettings | UserInput | AssistantInput | ToolResponse | ToolError | Pause | Resume
)
"""What may also be sent beside the chat, through its control plane."""
ClientMessage: TypeAlias = Command | AudioInput

_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)


def read(text: str) -> ClientMessage:
    """Return a text frame of a client as its message.

    Raises Fault: E0100 if it is not JSON, E0101 if a field is missing or wrong.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Fault("E0100", "invalid_json", f"The message is not valid JSON: {error}") from None
    return check(value)


def check(value: object) -> ClientMessage:
    """Return parsed JSON as a client's message; raises Fault E0101 if it is none."""
    try:
        return _CLIENT.validate_python(value)
    except ValidationError as error:
        raise Fault("E0101", "invalid_message", f"The message is not usable: {first(error)}") from (
            None
        )


def first(error: ValidationError) -> str:
    """Return the first fault of many in words, without the client's own values."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]


# What the server sends: plain dictionaries, since nothing but JSON becomes of them.

Sent: TypeAlias = dict[str, Any]
Prosody: TypeAlias = dict[str, Any]
"""All 48 scores, and what was measured if the words are final."""


def chat_metadata(chat_id: str, chat_group_id: str, request_id: str) -> Sent:
    """The first message of every chat."""
    return {
        "type": "chat_metadata",
        "chat_id": chat_id,
        "chat_group_id": chat_group_id,
        "request_id": request_id,
    }


def user_message(
    text: str,
    prosody: Prosody | None,
    span_ms: tuple[int, int],
    *,
    from_text: bool,
    interim: bool,
) -> Sent:
    """What the user said; ``prosody`` is None where no voice was measured."""
    return {
        "type": "user_message",
        "message": {"role": "user", "content": text},
        "models": {"prosody": prosody} if prosody is not None else {},
        "time": {"begin": span_ms[0], "end": span_ms[1]},
        "from_text": from_text,
        "interim": interim,
        "language": "en",
    }


def assistant_message(segment: str, text: str, *, from_text: bool) -> Sent:
    """The text of one spoken segment, sent before its audio."""
    return {
        "type": "assistant_message",
        "id": segment,
        "message": {"role": "assistant", "content": text},
        "models": {},
        "from_text": from_text,
        "is_quick_response": False,
        "language": "en",
    }


def audio_output(segment: str, index: int, wav: bytes) -> Sent:
    """A piece of a segment's sound: a whole WAV file."""
    data = base64.b64encode(wav).decode("ascii")
    return {"type": "audio_output", "id": segment, "index": index, "data": data}


def assistant_prosody(segment: str, scores: dict[str, float]) -> Sent:
    """How a segment was spoken; all 48 scores."""
    return {"type": "assistant_prosody", "id": segment, "models": {"prosody": {"scores": scores}}}


def assistant_end() -> Sent:
    """The assistant's turn is over and all its audio sent."""
    return {"type": "assistant_end"}


def user_interruption(unix_ms: int) -> Sent:
    """The user began to speak into the reply."""
    return {"type": "user_interruption", "time": unix_ms}


def tool_call(call_id: str, name: str, parameters: str) -> Sent:
    """A tool of the client's is wanted; ``parameters`` is JSON text."""
    return {
        "type": "tool_call",
        "name": name,
        "parameters": parameters,
        "tool_call_id": call_id,
        "tool_type": "function",
        "response_required": True,
    }


def tool_response(call_id: str, name: str, content: str) -> Sent:
    """What a built-in tool did."""
    return {
        "type": "tool_response",
        "tool_call_id": call_id,
        "content": content,
        "tool_name": name,
        "tool_type": "builtin",
    }


def error(fault: Fault) -> Sent:
    """Something went wrong; the chat goes on unless it is closed right after."""
    return {
        "type": "error",
        "code": fault.code,
        "slug": fault.slug,
        "message": fault.message,
    }
