"""What is heard, from whichever microphone there is, on one clock.

Layer 2. Serves ``soundcard``, on the loop's thread. The clock runs with the samples of the
microphone; while there is none, with the system's, so that it never goes back.
"""

from __future__ import annotations

from collections import deque
from time import monotonic

from device.audio.chunker import Chunker
from device.audio.exchange import Exchange
from device.types import HEARING_RATE, AudioChunk


class Ear:
    """The chunks of one line, and its time."""

    def __init__(self) -> None:
        self.ready: deque[AudioChunk] = deque()
        """Complete chunks, no more than a microphone's ring holds; the consumer takes them."""
        self._exchange: Exchange | None = None
        self._chunker: Chunker | None = None
        self._base = 0.0  # the clock when the present microphone began, or the last one ended
        self._since: float | None = None  # when the last one ended

    @property
    def followed(self) -> bool:
        """Whether chunks have a far end by the comparison of two clocks."""
        return self._chunker is not None and self._chunker.far_end is not None

    def attach(self, exchange: Exchange, follow: bool) -> None:
        """Hear by this microphone from now on; ``follow`` its far end if that has its own clock."""
        self._base, self._since = self.now(), None
        start = round(self._base * HEARING_RATE)
        self._exchange, self._chunker = exchange, Chunker(exchange, start, follow)

    def detach(self) -> None:
        """Keep what a microphone that is gone has heard; nothing it gives from now on counts."""
        self.take()
        if self._exchange is not None:
            block = self._exchange.heard.block / self._exchange.heard.rate
            self._base, self._since = self.now(), self._exchange.captured_at + block
        self._exchange = self._chunker = None

    def wait(self) -> None:
        """Let time go by from now on, if the line opens without a microphone."""
        if self._exchange is None and self._since is None:
            self._since = monotonic()

    def take(self) -> None:
        """Move what was captured to ``ready``."""
        if self._chunker is not None:
            self._chunker.take()
            self.ready.extend(self._chunker.ready)
            self._chunker.ready.clear()

    def now(self) -> float:
        """Return seconds since the line opened."""
        it = self._exchange
        if it is None:
            past = 0.0 if self._since is None else max(0.0, monotonic() - self._since)
            return self._base + past
        block = it.heard.block / it.heard.rate
        past = min(max(0.0, monotonic() - it.captured_at), block)
        return self._base + it.captured / it.heard.rate + past
