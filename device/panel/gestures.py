"""From a bouncing contact to what a hand did: presses, double presses, long presses.

Layer 4, pure: every moment is given, in seconds on a clock of the caller's. ``buttons`` brings the
contacts and the clock. All bouncing ends here: a contact counts once it has rested for 50 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from device.settings import Panel

SETTLE_S = 0.05
"""A contact that has not moved for so long has stopped bouncing; cheap buttons take 5 to 20 ms."""
SHORT_S = 0.4
"""Presses of a double press are no longer than this."""
POLL_S = 0.1
"""How often a button that is down is looked at, lest a lost edge leave it down for ever."""
LET_GO_S = 30.0
"""A button still down so long after a reset was offered is jammed, and resets nothing."""


class Gesture(StrEnum):
    """A part of a press.

    Every press begins with one DOWN or AGAIN and ends with one UP. After the UP comes at most one
    of CLICK, DOUBLE and RESET; before it, while the button is down, HOLD, WARN, OFFER and JAMMED,
    each at most once and in this order.
    """

    DOWN = "down"
    """A press began."""
    AGAIN = "again"
    """A press began so soon after a short one that it may be the second of a double press."""
    HOLD = "hold"
    """The button has been down for ``Panel.hold``."""
    WARN = "warn"
    """The button has been down for ``Panel.reset_warning``."""
    OFFER = "offer"
    """The button has been down for ``Panel.reset``: letting go now means it."""
    JAMMED = "jammed"
    """The button is still down; nobody holds one that long on purpose."""
    UP = "up"
    """The press ended."""
    CLICK = "click"
    """It ended before it was long."""
    DOUBLE = "double"
    """It was the second of two short ones."""
    RESET = "reset"
    """It ended while a reset was offered."""


class Contact:
    """A contact that bounces: when it last moved, and where it has settled."""

    def __init__(self, closed: bool) -> None:
        self.closed = closed
        self.moved = -math.inf
        self._unsettled = False

    def move(self, at: float) -> None:
        """Note that it moved, whichever way."""
        self.moved, self._unsettled = at, True

    def look(self, closed: bool, now: float) -> bool:
        """Take how it is at present; return whether it has settled where it was not before."""
        if not self._unsettled:
            if closed != self.closed:
                self.move(now)  # an edge was lost
            return False
        if now < self.moved + SETTLE_S:
            return False
        self._unsettled = False
        changed, self.closed = closed != self.closed, closed
        return changed

    @property
    def due(self) -> float:
        """When to look again; infinity: not before it moves."""
        return self.moved + SETTLE_S if self._unsettled else math.inf


@dataclass(frozen=True, slots=True)
class Timing:
    """From how many seconds on a press is what."""

    double: float
    stages: tuple[tuple[float, Gesture], ...]
    """What a press becomes while it lasts, in order."""

    @staticmethod
    def of(settings: Panel, resets: bool) -> Timing:
        """Return the timing of a button that offers a factory reset, or does not."""
        stages = [(settings.hold, Gesture.HOLD)]
        if resets and settings.reset:
            stages += [
                (settings.reset_warning, Gesture.WARN),
                (settings.reset, Gesture.OFFER),
                (settings.reset + LET_GO_S, Gesture.JAMMED),
            ]
        return Timing(settings.double, tuple(stages))


class Button:
    """One button. One that is down from the start is passed over until it was let go."""

    def __init__(self, timing: Timing, closed: bool = False) -> None:
        self._timing, self._contact = timing, Contact(closed)
        self._began: float | None = None
        self._again = False
        self._reached: list[Gesture] = []
        self._double_until = -math.inf
        self._looked = -math.inf

    def move(self, at: float) -> None:
        """Note that its contact moved."""
        self._contact.move(at)

    def look(self, closed: bool, now: float) -> list[Gesture]:
        """Take how its contact is at present, and return what has happened since the last look."""
        self._looked = now
        if self._contact.look(closed, now):
            return self._begin() if closed else self._end()
        if self._began is not None and self._contact.due == math.inf:
            return self._lengthen(now - self._began)
        return []

    @property
    def due(self) -> float:
        """When to look again; infinity: not before its contact moves."""
        if self._began is None or self._contact.due < math.inf:
            return self._contact.due
        ahead = self._timing.stages[len(self._reached) :]
        stage = self._began + ahead[0][0] if ahead else math.inf
        return min(stage, self._looked + POLL_S)

    def _begin(self) -> list[Gesture]:
        self._began, self._reached = self._contact.moved, []
        self._again = self._began <= self._double_until
        return [Gesture.AGAIN if self._again else Gesture.DOWN]

    def _end(self) -> list[Gesture]:
        if self._began is None:
            return []
        ended = self._contact.moved
        lasted, reached = ended - self._began, self._reached
        self._began, self._double_until = None, -math.inf
        if reached:
            meant = reached[-1] is Gesture.OFFER and lasted < self._timing.stages[-1][0]
            return [Gesture.UP, Gesture.RESET] if meant else [Gesture.UP]
        if lasted >= self._timing.stages[0][0]:
            # Noticed late, on a busy machine. Of what was not announced no more is acted upon.
            return [Gesture.HOLD, Gesture.UP]
        short = lasted <= SHORT_S
        if self._again and short:
            return [Gesture.UP, Gesture.DOUBLE]
        if short:
            self._double_until = ended + self._timing.double
        return [Gesture.UP, Gesture.CLICK]

    def _lengthen(self, lasted: float) -> list[Gesture]:
        """Return the stages that a press reaches now that it has lasted so long."""
        ahead = self._timing.stages[len(self._reached) :]
        # A little early is on time: the sum of two times is rarely exact.
        reached = [gesture for after, gesture in ahead if lasted >= after - 1e-6]
        self._reached += reached
        return reached
