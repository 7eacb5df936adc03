"""From the stream of events to the record of each turn, and both as plain values for JSON.

Layer 6, pure. Serves ``rapport talk`` and its live view, which show and store what is kept here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from device.types import (
    Expressed,
    Expression,
    Observed,
    Replied,
    Reply,
    SpeechFailed,
    SpeechStarted,
    Transcribed,
    TurnFailed,
    TurnTimed,
    TurnTimes,
)

TIMES = (
    "speech_start",
    "speech_end",
    "turn_end",
    "transcript",
    "first_token",
    "first_audio",
    "reply_end",
)
"""The moments of a turn in ``rapport talk --json``; seconds on the line's clock, or null."""

_UNMEASURED = Expression(None, None, None)
_PLACES = 4
"""Decimals of numbers in JSON: a tenth of a millisecond, and finer than any score means."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """How the user sounded at a moment of speaking."""

    at: float
    """Seconds on the line's clock."""
    expression: Expression


@dataclass(slots=True)
class TurnRecord:
    """What is known of one turn."""

    number: int
    transcript: str = ""
    expression: Expression | None = None
    interim: list[Sounding] = field(default_factory=list)
    """How the user sounded while speaking."""
    reply: Reply | None = None
    times: TurnTimes | None = None
    failure: str = ""
    """Why there was no reply, if there was none."""

    @property
    def gap(self) -> float | None:
        """Seconds from the user's last sound to the first of the reply; None if there was none."""
        times = self.times
        if times is None or times.first_audio is None or times.speech_end is None:
            return None
        return times.first_audio - times.speech_end

    def plain(self) -> dict[str, Any]:
        """Return the turn as ``rapport talk --json`` prints it."""
        reply = self.reply or Reply("", "", interrupted=False)
        times = self.times or TurnTimes()
        return {
            "transcript": self.transcript,
            "reply": reply.text,
            "heard": reply.heard,
            "style": reply.style,
            "interrupted": reply.interrupted,
            "expression": plain(self.expression or _UNMEASURED),
            "interim": plain(self.interim),
            "times": {name: plain(getattr(times, name)) for name in TIMES},
        }


class Record:
    """The turns of one conversation, gathered from its events as they come."""

    def __init__(self) -> None:
        self._turns: dict[int, TurnRecord] = {}
        self.speaking = False
        """Whether the user has begun to speak and it has not come to words or nothing yet."""
        self.unheard = ""
        """Why the last speech that came to nothing did so; empty if there was none."""
        self.ended = 0
        """How many turns are over."""
        self._interim: list[Sounding] = []

    @property
    def turns(self) -> list[TurnRecord]:
        """Every turn that began to be answered, in order."""
        return [self._turns[number] for number in sorted(self._turns)]

    def take(self, observed: Observed) -> TurnRecord | None:
        """Add an event; return the turn that it brought to its end, if it did."""
        match observed.event:
            case SpeechStarted():
                self.speaking, self._interim = True, []
            case SpeechFailed(reason):
                self.speaking, self.unheard = False, reason
            case Expressed(expression, interim=True):
                self._interim.append(Sounding(observed.at, expression))
            case Transcribed(text, interim=False, turn=int(number)):
                self.speaking = False
                self._turn(number).transcript = text
                self._turn(number).interim, self._interim = self._interim, []
            case Expressed(expression, turn=int(number)):
                self._turn(number).expression = expression
            case Replied(reply, number):
                self._turn(number).reply = reply
            case TurnFailed(reason, turn=int(number)):
                self._turn(number).failure = reason
            case TurnTimed(times, number):
                self.ended += 1
                turn = self._turn(number)
                turn.times = times
                return turn
        return None

    def plain(self) -> dict[str, Any]:
        """Return the whole conversation as ``rapport talk --json`` prints it."""
        return {"turns": [turn.plain() for turn in self.turns]}

    def _turn(self, number: int) -> TurnRecord:
        return self._turns.setdefault(number, TurnRecord(number))


def plain_event(observed: Observed) -> dict[str, Any]:
    """Return an event as one line of ``--events`` holds it: sound only as its number of samples.

    ``at`` is when it was published; an event that tells of another moment has its own inside.
    """
    return {
        "session": observed.session,
        "at": plain(observed.at),
        "type": type(observed.event).__name__,
        "event": plain(observed.event),
    }


def plain(value: Any) -> Any:
    """Return a value of ours as JSON knows it: dicts, lists, strings and rounded numbers."""
    match value:
        case np.ndarray():
            return {"samples": int(value.shape[0])}
        case bool() | int() | str() | None:
            return value
        case float() | np.floating():
            return round(float(value), _PLACES)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no plain form")
