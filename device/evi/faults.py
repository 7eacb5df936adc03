"""What can go wrong in a chat, with the codes that clients know.

Layer 4, pure. Codes beginning with E and I are EVI's own; those beginning with R are ours, for
what EVI never documented a code for.
"""

from __future__ import annotations

from device.types import RapportError

NORMAL, TOO_BIG, FAILED = 1000, 1009, 1011
"""Close codes. Clients reconnect, up to thirty times, after any other than 1000: an end that is
meant is 1000 therefore."""


class Fault(RapportError):
    """An error that a client is told; ``final`` ones end the chat."""

    def __init__(self, code: str, slug: str, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.code, self.slug, self.message, self.final = code, slug, message, final


def unknown_audio(reason: str) -> Fault:
    """Audio in a format that cannot be decoded."""
    return Fault(
        "E0200",
        "invalid_audio_format",
        f"The audio cannot be decoded ({reason}); send WebM, MP4, WAV, Ogg or MP3 from its "
        "beginning, or raw linear16 with session_settings.audio.",
    )


def transcription_failure() -> Fault:
    """No words can be had from the audio at all."""
    return Fault(
        "I0116",
        "transcription_failure",
        "Unable to transcribe audio. Please ensure that your audio is appropriately encoded.",
        final=True,
    )


def inactivity(seconds: float) -> Fault:
    """Nobody said anything for too long."""
    return Fault(
        "E0714",
        "inactivity_timeout",
        f"Chat was ended because no user message was received in {seconds:g} seconds.",
        final=True,
    )


def max_duration(seconds: float) -> Fault:
    """The chat has lasted as long as it may."""
    return Fault(
        "E0715",
        "max_duration_timeout",
        f"Chat was ended because it exceeded the max duration of {seconds:g} seconds.",
        final=True,
    )


def too_many_chats(most: int) -> Fault:
    """All places are taken."""
    return Fault(
        "R0429",
        "too_many_chats",
        f"This device holds {most} chats at a time and all are taken; try again when one has "
        "ended, or raise api.connections.",
        final=True,
    )


def not_found(what: str, name: str) -> Fault:
    """The client named something that is not there."""
    return Fault(
        "R0404", f"{what.replace(' ', '_')}_not_found", f"There is no {what} {name}.", final=True
    )


def slow_reader() -> Fault:
    """The client does not read what it is sent."""
    return Fault(
        "R0408",
        "slow_reader",
        "Chat was ended because too much of what was sent had not been read.",
        final=True,
    )


def prompt_too_long(tokens: int) -> Fault:
    """The prompt leaves no room for a conversation."""
    return Fault(
        "R0413",
        "prompt_too_long",
        f"The system prompt and context are {tokens + 1} tokens too long for this device's "
        "language model; shorten them, or raise thinking.context on the device.",
    )


def unusable(reason: str) -> Fault:
    """A setting asks for what this device does not have."""
    return Fault("R0422", "unusable_setting", reason)


def internal() -> Fault:
    """A part of the device failed; its log tells more."""
    return Fault(
        "R0500", "internal_error", "A part of the device failed; its log says which and why."
    )
