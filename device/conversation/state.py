"""The states of a conversation and what moves it between them: a table, not code.

Layer 3, pure. ``conversation`` looks up each event here; what is not in the table is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from device.types import (
    Asked,
    Muted,
    Paused,
    Pressed,
    Quiet,
    Repeat,
    Say,
    SpeechContinued,
    SpeechDismissed,
    SpeechFailed,
    SpeechStarted,
    SpeechSuspected,
    State,
    Stopped,
    TurnLikely,
    TurnResumed,
    UtteranceEnded,
    WakeHeard,
)


@dataclass(frozen=True, slots=True)
class Sounded:
    """The first sound of a turn's reply was played."""

    turn: int


@dataclass(frozen=True, slots=True)
class Drained:
    """The last sound of a turn's reply was played."""

    turn: int


@dataclass(frozen=True, slots=True)
class Broke:
    """A turn could not be carried through."""

    turn: int
    reason: str


class Act(StrEnum):
    """What the conversation does on a transition."""

    NOTHING = "nothing"
    WAKE = "wake"
    ASK = "ask"
    SAY = "say"
    QUEUE = "queue"
    PREPARE = "prepare"
    DISCARD = "discard"
    ANSWER = "answer"
    DUCK = "duck"
    UNDUCK = "unduck"
    INTERRUPT = "interrupt"
    REPEAT = "repeat"
    REST = "rest"
    WEIGH = "weigh"
    STOP = "stop"
    FINISH = "finish"
    FAIL = "fail"


class Transition(NamedTuple):
    """Where an event leads and what is done on the way."""

    to: State
    act: Act


_I, _L, _T, _S = State.IDLE, State.LISTENING, State.THINKING, State.SPEAKING

TABLE: dict[tuple[State, type], Transition] = {
    (_I, WakeHeard): Transition(_L, Act.WAKE),
    (_I, Pressed): Transition(_L, Act.WAKE),
    (_I, Asked): Transition(_T, Act.ASK),
    (_I, Say): Transition(_T, Act.SAY),
    (_I, Repeat): Transition(_T, Act.REPEAT),
    (_L, Pressed): Transition(_L, Act.WAKE),
    (_L, Asked): Transition(_T, Act.ASK),
    (_L, Say): Transition(_T, Act.SAY),
    (_L, Repeat): Transition(_T, Act.REPEAT),
    (_L, SpeechStarted): Transition(_L, Act.NOTHING),
    (_L, TurnLikely): Transition(_L, Act.PREPARE),
    (_L, TurnResumed): Transition(_L, Act.DISCARD),
    (_L, UtteranceEnded): Transition(_T, Act.ANSWER),
    (_L, Quiet): Transition(_I, Act.REST),
    (_L, Stopped): Transition(_I, Act.STOP),
    (_L, Muted): Transition(_L, Act.DISCARD),
    (_L, Paused): Transition(_L, Act.DISCARD),
    (_T, Pressed): Transition(_L, Act.INTERRUPT),
    (_T, Asked): Transition(_T, Act.ASK),
    (_T, Say): Transition(_T, Act.QUEUE),
    (_T, Repeat): Transition(_T, Act.REPEAT),
    (_T, SpeechStarted): Transition(_L, Act.INTERRUPT),
    (_T, Sounded): Transition(_S, Act.NOTHING),
    (_T, Drained): Transition(_L, Act.FINISH),
    (_T, Stopped): Transition(_I, Act.STOP),
    (_T, Muted): Transition(_I, Act.STOP),
    (_T, Paused): Transition(_I, Act.STOP),
    (_T, Broke): Transition(_I, Act.FAIL),
    (_S, Pressed): Transition(_L, Act.INTERRUPT),
    (_S, Asked): Transition(_T, Act.ASK),
    (_S, Say): Transition(_S, Act.QUEUE),
    (_S, Repeat): Transition(_T, Act.REPEAT),
    (_S, SpeechSuspected): Transition(_S, Act.DUCK),
    (_S, SpeechDismissed): Transition(_S, Act.UNDUCK),
    (_S, SpeechStarted): Transition(_S, Act.WEIGH),
    (_S, SpeechContinued): Transition(_S, Act.WEIGH),
    (_S, TurnLikely): Transition(_S, Act.WEIGH),
    (_S, TurnResumed): Transition(_S, Act.WEIGH),
    (_S, UtteranceEnded): Transition(_S, Act.WEIGH),
    (_S, SpeechFailed): Transition(_S, Act.WEIGH),
    (_S, Drained): Transition(_L, Act.FINISH),
    (_S, Stopped): Transition(_I, Act.STOP),
    (_S, Muted): Transition(_I, Act.STOP),
    (_S, Paused): Transition(_I, Act.STOP),
    (_S, Broke): Transition(_I, Act.FAIL),
}
