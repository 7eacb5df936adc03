"""Hears a recording and keeps how it sounded: utterance by utterance, and while each was spoken.

Layer 6, on the event loop. Serves ``rapport prosody``. Nothing is printed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device.app import HearingModels
from device.audio.wav import WavLine
from device.hearing.emotions import NAMES, tiers
from device.hearing.pooling import overdriven
from device.hearing.prosody_head import SHORTEST
from device.mind.expression import combine
from device.settings import Hearing
from device.terminal.record import Sounding, plain
from device.types import (
    HEARING_RATE,
    Expression,
    ExpressionHeard,
    HearingEvent,
    Pcm,
    SpeechFailed,
    SpeechStarted,
    Utterance,
    UtteranceEnded,
)

PATIENCE = 1.0
"""Seconds on top of the longest silence that ends a turn, after which nothing more will come."""
LOOK_EVERY = 0.5
"""Seconds on the line's clock between two reports of how far it is."""

NO_WORDS = "no words were recognised"
"""What the ears say of speech without any."""
CLOSER = "record it closer to the microphone, or in a quieter place"
SILENT = f"no speech was found in it; {CLOSER}"
SHORT = "it is too short to tell how it sounds; record half a second of speech at least"
CLIPPED = "it is clipped too much to tell how it sounds; record it with the microphone turned down"
NO_VOICE = f"it is whispered, or sounds more like noise or music than like a voice; {CLOSER}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of speech: an utterance, or what was spoken without any words."""

    text: str
    """Empty if no words were recognised."""
    started: float
    """Seconds from the beginning of the recording, as everywhere here."""
    ended: float
    interim: tuple[Sounding, ...]
    """How it sounded while it was spoken: of the voice alone."""
    expression: Expression | None
    """Of voice and words together; None if the voice could not be measured."""
    measured_from: float
    """Since when the voice counts in ``expression``: of a long utterance only its last 8 s do."""
    unmeasured: str
    """Why not; empty if it was."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended - self.started

    def plain(self) -> dict[str, Any]:
        """Return it as ``rapport prosody --json`` prints it."""
        expression = self.expression
        return {
            "text": self.text,
            "started": plain(self.started),
            "ended": plain(self.ended),
            "interim": plain(self.interim),
            "measured_from": plain(self.measured_from),
            "expression": None if expression is None else _whole(expression),
            "unmeasured": self.unmeasured or None,
        }


@dataclass(frozen=True, slots=True)
class Timeline:
    """How one recording sounds."""

    path: Path
    sound: Pcm
    """int16 mono at 16 kHz."""
    stretches: tuple[Stretch, ...]

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return len(self.sound) / HEARING_RATE

    @property
    def problem(self) -> str:
        """Why nothing at all could be told, with the remedy; empty if something could."""
        if any(stretch.expression or stretch.interim for stretch in self.stretches):
            return ""
        if overdriven(self.sound):
            return CLIPPED
        if len(self.sound) < SHORTEST:
            return SHORT
        return self.stretches[0].unmeasured if self.stretches else SILENT

    def plain(self) -> dict[str, Any]:
        """Return it as ``rapport prosody --json`` prints it."""
        return {
            "file": str(self.path),
            "seconds": plain(self.seconds),
            "problem": self.problem or None,
            "utterances": [stretch.plain() for stretch in self.stretches],
        }


async def hear(
    models: HearingModels, sound: Pcm, settings: Hearing, reached: Callable[[float], None]
) -> tuple[Stretch, ...]:
    """Return what is spoken in ``sound`` (int16 mono, 16 kHz) and how, in order.

    The speaker is a stranger at first, and is learnt while the recording goes on. ``reached`` is
    told now and then how many seconds of it are done. Meant for a loop on virtual time.
    """
    gathering = _Gathering(sound)
    async with WavLine(HEARING_RATE, name="prosody", record=False) as line:
        hearing = asyncio.create_task(models.ears(settings).listen(line, gathering.take))
        line.feed(sound)
        # Past its end: the last utterance is over only after a silence.
        end = line.fed_until + settings.longest_silence + PATIENCE
        while line.now() < end and not hearing.done():
            await asyncio.wait([hearing], timeout=LOOK_EVERY)
            reached(min(line.now(), line.fed_until))
    await hearing
    return tuple(gathering.stretches)


@dataclass(slots=True)
class _Gathering:
    """Makes stretches of what the ears tell."""

    sound: Pcm
    stretches: list[Stretch] = field(default_factory=list)
    started: float = 0.0
    interim: list[Sounding] = field(default_factory=list)

    def take(self, event: HearingEvent) -> None:
        """Add an event."""
        match event:
            case SpeechStarted(at):
                self.started, self.interim = at, []
            case ExpressionHeard(expression, at):
                self.interim.append(Sounding(at, expression))
            case UtteranceEnded(utterance):
                self.stretches.append(self._uttered(utterance))
            case SpeechFailed(reason, at):
                self.stretches.append(self._wordless(reason, at))

    def _uttered(self, said: Utterance) -> Stretch:
        whole = combine(said.expression, said.text) if said.expression else None
        return Stretch(
            said.text,
            said.started,
            said.ended,
            tuple(self.interim),
            whole,
            max(said.started, said.ended - len(said.audio) / HEARING_RATE),
            "" if whole else _why(said.audio, said.ended - said.started),
        )

    def _wordless(self, reason: str, at: float) -> Stretch:
        ended = min(at, len(self.sound) / HEARING_RATE)
        unmeasured = f"speech was heard in it, but {reason}"
        if reason == NO_WORDS:
            unmeasured = f"{unmeasured}; {CLOSER}"
        return Stretch("", self.started, ended, tuple(self.interim), None, self.started, unmeasured)


def _why(audio: Pcm, seconds: float) -> str:
    """Return why the voice in ``audio``, ``seconds`` of speech, could not be measured."""
    if overdriven(audio):
        return CLIPPED
    return SHORT if seconds < SHORTEST / HEARING_RATE else NO_VOICE


def _whole(expression: Expression) -> dict[str, Any]:
    """Return an expression with all 48 names, those not suspected with 0, and their tiers."""
    scores = {name: expression.emotions.get(name, 0.0) for name in NAMES}
    return {
        **plain(expression),
        "emotions": plain(scores | dict(expression.emotions)),
        "tiers": tiers(expression.categories),
    }
