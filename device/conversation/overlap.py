"""Speech into the reply, from its onset until it is known what it is.

Layer 3, on the event loop. Serves the conversation, which lowers the voice meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from device.conversation.interruption import Kind, kind, words
from device.types import SpeechStarted

LOOK_AGAIN = 0.05
"""Seconds at the least between two looks at how long somebody has spoken."""
ECHO_WORDS = 14
"""Words of the reply that an echo may come from: about the last five seconds."""
TAKES_THE_TURN = frozenset({Kind.STOP, Kind.WORDS})


class Overlap:
    """One utterance that began while the device was speaking, if there is one."""

    def __init__(self, least: float, spoken: Callable[[], float]) -> None:
        """``spoken`` returns the seconds spoken so far, 0 when nobody speaks.

        What lasted less than ``least`` is no interruption, whatever its words.
        """
        self._least, self._spoken = least, spoken
        self._event: SpeechStarted | None = None
        self._next: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        """Whether somebody speaks into the reply and it is not known what it is."""
        return self._event is not None

    @property
    def onset(self) -> float:
        """When it began."""
        assert self._event is not None
        return self._event.at

    def begin(self, event: SpeechStarted) -> None:
        """Somebody began to speak."""
        self.end()
        self._event = event

    def end(self) -> None:
        """It is known what it was, or the reply has ended."""
        self._event = None
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def kind(self, text: str, heard: str) -> Kind:
        """Return what ``text`` is, of which ``heard`` is the reply so far."""
        return kind(text, recent(heard))

    def interrupts(self, text: str, heard: str, again: Callable[[], None]) -> bool:
        """Return whether the words so far take the turn.

        If they would, but have not lasted long enough, ``again`` is called when they may have.
        """
        if self.kind(text, heard) not in TAKES_THE_TURN:
            return False
        spoken = self._spoken()
        if spoken >= self._least:
            return True
        if self._next is None and spoken:
            wait = max(self._least - spoken, LOOK_AGAIN)
            self._next = asyncio.get_running_loop().call_later(wait, self._look, again)
        return False

    def _look(self, again: Callable[[], None]) -> None:
        self._next = None
        again()


def recent(heard: str) -> Sequence[str]:
    """Return the last words of a reply: what may just now come back from the loudspeaker."""
    return words(heard)[-ECHO_WORDS:]
