"""Configs, prompts and tools as they are returned: references filled in, all required fields there.

Layer 4, on pydantic. Serves the library and its routes. Times are Unix milliseconds.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from device.evi.resources import Paged, Returned
from device.evi.resources_posted import (
    EventMessages,
    Interruption,
    PostedLanguageModel,
    PromptExpansion,
    Provider,
    Timeout,
    TurnDetection,
    Webhook,
)

VersionType: TypeAlias = Literal["FIXED", "LATEST"]


class Versioned(Returned):
    """What every version of a resource has."""

    id: str
    name: str
    version: int
    version_description: str | None = None
    created_on: int
    """When the first version was made."""
    modified_on: int
    """When this version was made or described."""


class ReturnPrompt(Versioned):
    """A version of a prompt; one that is a config's own has no id."""

    version_type: VersionType
    """LATEST: a config follows the prompt's newest version."""
    text: str
    prompt_expansion: PromptExpansion | None = None


class ReturnTool(Versioned):
    """A version of a tool."""

    version_type: VersionType
    tool_type: Literal["FUNCTION"] = "FUNCTION"
    parameters: str
    description: str | None = None
    fallback_content: str | None = None


class ReturnBuiltinTool(Returned):
    """A tool of the device itself."""

    tool_type: Literal["BUILTIN"] = "BUILTIN"
    name: str
    fallback_content: str | None = None


class ReturnConfigVoice(Returned):
    """The voice of a config."""

    id: str
    name: str
    provider: Provider


class ReturnEllm(Returned):
    """Hume's own language model."""

    allow_short_responses: bool


class ReturnNudges(Returned):
    """Reminders for a user who is silent."""

    enabled: bool
    interval_secs: int | None = None


class ReturnTimeouts(Returned):
    """The time limits of a chat."""

    inactivity: Timeout
    max_duration: Timeout


class ReturnConfig(Versioned):
    """A version of a config."""

    evi_version: str
    prompt: ReturnPrompt | None = None
    """Null also if the prompt it referred to was deleted."""
    voice: ReturnConfigVoice | None = None
    language_model: PostedLanguageModel | None = None
    ellm_model: ReturnEllm | None = None
    tools: list[ReturnTool]
    """Without those that were deleted since."""
    builtin_tools: list[ReturnBuiltinTool]
    event_messages: EventMessages | None = None
    nudges: ReturnNudges | None = None
    timeouts: ReturnTimeouts | None = None
    turn_detection: TurnDetection | None = None
    interruption: Interruption | None = None
    webhooks: list[Webhook]
    speaking_rate: float | None = None
    """Factor on the speed of speech; not in EVI."""
    expression_measurement: bool | None = None
    """false: how the user sounds is not measured; not in EVI."""


class PagedConfigs(Paged):
    """A page of configs."""

    configs_page: list[ReturnConfig]


class PagedPrompts(Paged):
    """A page of prompts."""

    prompts_page: list[ReturnPrompt]


class PagedTools(Paged):
    """A page of tools."""

    tools_page: list[ReturnTool]
