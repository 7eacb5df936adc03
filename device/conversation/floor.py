"""Who has the floor while the device speaks: whether what is heard takes the turn, or only keeps it
company.

Layer 3, on the event loop. Serves the conversation, which carries out what is decided here. It goes
by degrees: what may be speech lowers the voice; words silence it, and nothing is lost yet; only
words that are no "mm-hm", no echo and no accident make the device give its reply up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from device.conversation.interruption import Kind, is_request, kind, words
from device.hearing.ears import Ears
from device.types import (
    SpeechContinued,
    SpeechFailed,
    SpeechStarted,
    TurnLikely,
    TurnResumed,
    Utterance,
    UtteranceEnded,
)

ECHO_WORDS = 14
"""Words of the reply that an echo may come from: about the last five seconds."""
MANY_WORDS = 6
"""So many words, none of them the device's, are somebody's even where it drowns who speaks."""
LONG_S, LONG_WORDS = 0.8, 3
"""So much speech of so many words takes the turn before it has ended."""
SHORT_S = 0.6
"""A single word, unknown and shorter than this, is a backchannel that was not understood."""
LOOK_AGAIN = 0.05
TAKES_THE_TURN = frozenset({Kind.STOP, Kind.WORDS})

Speech = SpeechStarted | SpeechContinued | TurnLikely | TurnResumed | UtteranceEnded | SpeechFailed


class Act(Enum):
    """What the conversation does with its voice."""

    NOTHING = auto()
    DUCK = auto()
    """Lower it."""
    HOLD = auto()
    """Be silent, and ready to go on."""
    GO_ON = auto()
    """Speak as before."""
    PASS_OVER = auto()
    """Speak as before: it was nothing."""
    GIVE_UP = auto()
    """The user has the turn."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is done, and of what was passed over the words and the reason."""

    act: Act
    text: str = ""
    reason: str = ""


NOTHING = Ruling(Act.NOTHING)


class Floor:
    """Follows one utterance at a time that began while the device was speaking."""

    def __init__(self, ears: Ears, least: float, hold: bool) -> None:
        """What lasted less than ``least`` seconds is no interruption, whatever its words.

        Without ``hold`` the reply is given up where the voice would be held.
        """
        self._ears, self._least, self._hold = ears, least, hold
        self._began: float | None = None
        self._sure = 0
        self._later: asyncio.TimerHandle | None = None

    @property
    def contested(self) -> bool:
        """Whether somebody speaks into the reply and it is not known what it is."""
        return self._began is not None

    @property
    def onset(self) -> float:
        """When that began."""
        assert self._began is not None
        return self._began

    def settle(self) -> None:
        """It is known what it was, or the reply has ended."""
        self._began = None
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def weigh(self, event: Speech, heard: str, again: Callable[[Speech], None]) -> Ruling:
        """Return what is to be done about ``event``, with ``heard`` of the reply out so far.

        ``again`` is called with the event when what it tells may have lasted long enough.
        """
        if isinstance(event, SpeechStarted):
            self.settle()
            self._began, self._sure = event.at, 0
            return Ruling(Act.DUCK)
        if not self.contested:
            return NOTHING
        match event:
            case SpeechContinued(text):
                return self._so_far(event, text, heard, again)
            case TurnLikely(utterance):
                likely = self._final(utterance, heard)
                ruling = Ruling(Act.GIVE_UP if likely in TAKES_THE_TURN else Act.GO_ON)
            case UtteranceEnded(utterance):
                ruling = self._ended(utterance, heard)
            case TurnResumed():
                ruling = Ruling(Act.DUCK)
            case SpeechFailed():
                ruling = Ruling(Act.PASS_OVER, "", "noise")
        return ruling

    def _so_far(
        self, event: Speech, text: str, heard: str, again: Callable[[Speech], None]
    ) -> Ruling:
        kind = self._kind(text, heard)
        if kind not in TAKES_THE_TURN:
            self._sure = 0
            return NOTHING
        spoken = self._ears.spoken
        if spoken < self._least:
            self._look_later(event, max(self._least - spoken, LOOK_AGAIN), again)
            return NOTHING
        long = spoken >= LONG_S and len(words(text)) >= LONG_WORDS
        self._sure = self._sure + 1 if long or kind is Kind.STOP else 0
        return Ruling(Act.HOLD if self._hold and self._sure < 2 else Act.GIVE_UP)

    def _look_later(self, event: Speech, wait: float, again: Callable[[Speech], None]) -> None:
        if self._later is None and self._ears.spoken:

            def look() -> None:
                self._later = None
                again(event)

            self._later = asyncio.get_running_loop().call_later(wait, look)

    def _ended(self, utterance: Utterance, heard: str) -> Ruling:
        kind = self._final(utterance, heard)
        if kind in TAKES_THE_TURN:
            return Ruling(Act.GIVE_UP)
        reason = "short" if kind is Kind.NOTHING else kind.name.lower()
        return Ruling(Act.PASS_OVER, utterance.text, reason)

    def _final(self, utterance: Utterance, heard: str) -> Kind:
        """Return what a whole utterance is; NOTHING if it is too short to be anything."""
        kind, lasted = self._kind(utterance.text, heard), utterance.ended - utterance.started
        if kind is Kind.WORDS and lasted < self._least:
            return Kind.NOTHING
        single = len(words(utterance.text)) == 1 and not is_request(utterance.text)
        return Kind.NOTHING if kind is Kind.WORDS and single and lasted < SHORT_S else kind

    def _kind(self, text: str, heard: str) -> Kind:
        found = kind(text, recent(heard))
        doubtful = not self._ears.beyond_doubt and len(words(text)) < MANY_WORDS
        return Kind.ECHO if found in TAKES_THE_TURN and doubtful else found


def recent(heard: str) -> Sequence[str]:
    """Return the last words of a reply: what may just now come back from the loudspeaker."""
    return words(heard)[-ECHO_WORDS:]
