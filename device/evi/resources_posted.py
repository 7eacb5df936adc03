"""What clients post to make configs, prompts and tools, and the limits of every field.

Layer 4, on pydantic. Serves the library and its routes. Unknown fields are ignored, as EVI ignores
them; the fields and their meaning are EVI's, but for ``speaking_rate`` and
``expression_measurement``, which are ours.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from device.evi.resources import GREATEST_NUMBER, Identifier

Text = Annotated[str, Field(max_length=100_000)]
Word = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=1_000, examples=["Weather assistant"])]
Description = Annotated[str, Field(max_length=10_000)]
Version = Annotated[int, Field(ge=0, le=GREATEST_NUMBER)]
MOST = 64
"""Entries of a list in a config."""
Provider: TypeAlias = Literal["HUME_AI", "CUSTOM_VOICE"]


def _is_schema(text: str) -> str:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise ValueError("must be a JSON schema of an object, as a string")
    return text


Schema = Annotated[Text, AfterValidator(_is_schema)]
EXAMPLE_SCHEMA = '{"type": "object", "properties": {"town": {"type": "string"}}}'


class Posted(BaseModel):
    """A body or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class PostedName(Posted):
    """A new name for all versions."""

    name: Name


class PostedDescription(Posted):
    """A new description of one version."""

    version_description: Description | None = None
    """What is special about the version; null: nothing."""


class PromptExpansion(Posted):
    """Whether EVI adds to the prompt on its own; this device never does."""

    enabled: bool | None = None


class PostedPromptVersion(PostedDescription):
    """The next version of a prompt."""

    text: Annotated[Text, Field(examples=["You are a friendly weather assistant."])]
    """What the language model is told to be; {{name}} stands for the variable of that name."""
    prompt_expansion: PromptExpansion | None = None


class PostedPrompt(PostedName, PostedPromptVersion):
    """A new prompt."""


class PostedToolVersion(PostedDescription):
    """The next version of a tool."""

    parameters: Annotated[Schema, Field(examples=[EXAMPLE_SCHEMA])]
    """JSON schema of the tool's arguments, as a string."""
    description: Text | None = None
    """What the tool does: from this the device tells when it is wanted."""
    fallback_content: Text | None = None
    """What the language model is told if the tool fails."""


class PostedTool(PostedToolVersion):
    """A new tool: a function that the client runs."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["get_weather"])]


class PromptReference(Posted):
    """A prompt that is kept, by its id, or the text of one that is the config's own."""

    id: Word | None = None
    """Takes precedence over the text; empty is none."""
    version: Version | None = None
    """Absent: always the latest."""
    text: Text | None = None
    prompt_expansion: PromptExpansion | None = None

    @model_validator(mode="after")
    def _says_which(self) -> PromptReference:
        if not self.id and self.text is None:
            raise ValueError("needs the id of a prompt, or a text")
        return self


class ToolReference(Posted):
    """A tool that is kept."""

    id: Identifier
    version: Version | None = None
    """Absent: always the latest."""


class PostedVoice(Posted):
    """A voice, by its id or its name."""

    id: Word | None = None
    name: Word | None = None
    provider: Provider | None = None

    @model_validator(mode="after")
    def _says_which(self) -> PostedVoice:
        if not self.id and not self.name:
            raise ValueError("needs the id or the name of a voice")
        return self


class PostedLanguageModel(Posted):
    """The language model; the device answers with its own, at this temperature."""

    model_provider: Word | None = None
    model_resource: Word | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None


class PostedEllm(Posted):
    """Hume's own language model."""

    allow_short_responses: bool | None = None
    """Absent in a new version: as in the one before it."""


class PostedBuiltinTool(Posted):
    """A tool of the device itself: hang_up."""

    name: Identifier
    fallback_content: Text | None = None


class EventMessage(Posted):
    """Something that is said on an occasion."""

    enabled: bool
    text: Text | None = None
    """Absent or empty: the device's own words."""


class EventMessages(Posted):
    """What is said on which occasion."""

    on_new_chat: EventMessage | None = None
    on_inactivity_timeout: EventMessage | None = None
    on_max_duration_timeout: EventMessage | None = None


class PostedNudges(Posted):
    """Reminders for a user who is silent."""

    enabled: bool | None = None
    interval_secs: Annotated[int, Field(ge=1, le=600)] | None = None


class Timeout(Posted):
    """A time limit of a chat."""

    enabled: bool
    duration_secs: Annotated[int, Field(ge=30, le=1_800)] | None = None
    """Absent: the device's own."""


class PostedTimeouts(Posted):
    """The time limits of a chat; what is absent is as the device has it."""

    inactivity: Timeout | None = None
    max_duration: Timeout | None = None


class TurnDetection(Posted):
    """When the user's turn begins and ends."""

    end_of_turn_silence_ms: Annotated[int, Field(ge=500, le=3_000)] | None = None
    speech_detection_threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0, le=1_000)] | None = None


class Interruption(Posted):
    """What counts as an interruption."""

    min_interruption_ms: Annotated[int, Field(ge=50, le=2_000)] | None = None


class Webhook(Posted):
    """Where events are reported; kept and returned, but this device reports to nobody."""

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    events: Annotated[list[Word], Field(max_length=MOST)]


class PostedConfigVersion(PostedDescription):
    """The next version of a config."""

    evi_version: Annotated[str, Field(min_length=1, max_length=20, examples=["3"])]
    """"3" or "4-mini"; makes no difference here."""
    prompt: PromptReference | None = None
    voice: PostedVoice | None = None
    language_model: PostedLanguageModel | None = None
    ellm_model: PostedEllm | None = None
    tools: Annotated[list[ToolReference | None], Field(max_length=MOST)] | None = None
    builtin_tools: Annotated[list[PostedBuiltinTool | None], Field(max_length=MOST)] | None = None
    event_messages: EventMessages | None = None
    nudges: PostedNudges | None = None
    timeouts: PostedTimeouts | None = None
    turn_detection: TurnDetection | None = None
    interruption: Interruption | None = None
    webhooks: Annotated[list[Webhook | None], Field(max_length=MOST)] | None = None
    speaking_rate: Annotated[float, Field(ge=0.5, le=2)] | None = None
    """Factor on the speed of speech; not in EVI."""
    expression_measurement: bool | None = None
    """false: how the user sounds is not measured; a session may say so too. Not in EVI."""


class PostedConfig(PostedName, PostedConfigVersion):
    """A new config."""
