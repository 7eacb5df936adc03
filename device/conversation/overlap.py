"""Speech into the reply: whether it has lasted long enough to be an interruption.

Layer 3, on the event loop. Serves the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from device.types import SpeechStarted

LOOK_AGAIN = 0.05
"""Seconds at the least between two looks at how long somebody has spoken."""


class Overlap:
    """Holds an interruption back until so much was spoken."""

    def __init__(self, least: float, spoken: Callable[[], float]) -> None:
        """``spoken`` returns the seconds spoken so far, 0 when nobody speaks."""
        self._least, self._spoken = least, spoken
        self._next: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        """Whether somebody speaks into the reply, not long enough yet."""
        return self._next is not None

    def begin(self, event: SpeechStarted, interrupt: Callable[[SpeechStarted], None]) -> bool:
        """Return whether ``event`` is held back; ``interrupt`` gets it if the speech goes on."""
        if self._spoken() >= self._least:
            return False
        self._wait(event, interrupt)
        return True

    def end(self) -> None:
        """Forget what was held back."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self, event: SpeechStarted, interrupt: Callable[[SpeechStarted], None]) -> None:
        missing = max(self._least - self._spoken(), LOOK_AGAIN)
        loop = asyncio.get_running_loop()
        self._next = loop.call_later(missing, self._look, event, interrupt)

    def _look(self, event: SpeechStarted, interrupt: Callable[[SpeechStarted], None]) -> None:
        self._next = None
        spoken = self._spoken()
        if spoken >= self._least:
            interrupt(event)
        elif spoken:
            self._wait(event, interrupt)
