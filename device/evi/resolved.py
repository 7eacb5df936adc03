"""A config as a chat uses it: every reference looked up, nothing left to look for.

Layer 4, pure. Made by the library, consumed by the chat. None always means: as the device has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.evi.resources_posted import (
    EventMessage,
    PostedBuiltinTool,
    PostedLanguageModel,
    PostedNudges,
    PostedVoice,
    Timeout,
)


@dataclass(frozen=True, slots=True)
class ResolvedTool:
    """A function of the client."""

    name: str
    description: str | None
    parameters: str
    """JSON schema of an object."""
    fallback_content: str | None


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """One version of a config."""

    id: str
    version: int
    name: str
    prompt_text: str | None = None
    voice: PostedVoice | None = None
    language_model: PostedLanguageModel | None = None
    allow_short_responses: bool = False
    tools: tuple[ResolvedTool, ...] = ()
    builtin_tools: tuple[PostedBuiltinTool, ...] = ()
    on_new_chat: EventMessage | None = None
    on_inactivity: EventMessage | None = None
    on_max_duration: EventMessage | None = None
    nudges: PostedNudges | None = None
    inactivity: Timeout | None = None
    max_duration: Timeout | None = None
    end_of_turn_silence_ms: int | None = None
    speech_detection_threshold: float | None = None
    prefix_padding_ms: int | None = None
    min_interruption_ms: int | None = None
    speaking_rate: float | None = None
    """Factor on the speed of speech."""
    expression_measurement: bool | None = None
    """False: how the user sounds is not measured."""

    @property
    def temperature(self) -> float | None:
        """Of the language model."""
        return self.language_model.temperature if self.language_model else None
