"""Whether the sound card still moves: PortAudio tells nobody when a card is unplugged.

Layer 2, pure. Serves ``keeper``. Looks are counted, not seconds, so that a stall of the whole
machine, during which nobody could look either, counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable

from device.audio.choosing import Direction
from device.audio.exchange import Exchange

LOOK_S = 0.24
MISSED = 3
"""A direction that stands still at so many looks in a row is lost: it has been for 0.7 to 1 s."""
UNPROVEN = 8
"""Looks that are given to one just opened: a sound server may take its time to begin."""


class Pulse:
    """Looks at the counts of an exchange, for the directions that are open."""

    def __init__(self, exchange: Exchange, ways: Iterable[Direction]) -> None:
        self._exchange = exchange
        self._missed: dict[Direction, int] = dict.fromkeys(ways, 0)
        self._seen = self._counts()
        self.moved: set[Direction] = set()
        """The directions that gave sound at all."""
        self.dead: set[Direction] = set()
        """The directions that stand still."""
        self.stirred = False
        """Whether one that stood still moved after all."""

    def look(self) -> None:
        """Take a look; ``LOOK_S`` after the last."""
        counts = self._counts()
        for way in self._missed:
            if counts[way] != self._seen[way]:
                self._missed[way] = 0
                self.moved.add(way)
                self.stirred = self.stirred or way in self.dead
            else:
                self._missed[way] += 1
            if self._missed[way] >= (MISSED if way in self.moved else UNPROVEN):
                self.dead.add(way)
        self._seen = counts

    def _counts(self) -> dict[Direction, int]:
        return {"input": self._exchange.captured, "output": self._exchange.rendered}
