"""A line that passes everything through, and knows how loud it hears and what it has played.

Layer 6, on the event loop. Serves the live view.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import numpy as np

from device.ports import Line
from device.types import AudioChunk, Pcm

FLOOR_DB = -60.0
"""A quiet room; what is softer shows as nothing."""
FULL_SCALE = 32_768.0


class Metered:
    """Another line, with a level meter on its microphone and a copy of what was played."""

    def __init__(self, line: Line, record: bool = False) -> None:
        self._line = line
        self.name, self.rate = line.name, line.rate
        self._record = record
        self._written: list[Pcm] = []
        self._kept = 0
        self.level = FLOOR_DB
        """Level of the last chunk heard, in dB below full scale."""

    @property
    def gain(self) -> float:
        """Factor on everything played from now on."""
        return self._line.gain

    @gain.setter
    def gain(self, gain: float) -> None:
        self._line.gain = gain

    @property
    def played(self) -> int:
        """How many of the samples written have been played."""
        return self._line.played

    @property
    def recording(self) -> Pcm:
        """What was played, without the silences between: int16 mono at ``rate``, shape (n,)."""
        whole = np.concatenate([np.empty(0, np.int16), *self._written])
        return whole[: self.played]

    async def __aenter__(self) -> Self:
        await self._line.__aenter__()
        self.name, self.rate = self._line.name, self._line.rate  # an open card knows its own
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        await self._line.__aexit__(kind, error, trace)

    def now(self) -> float:
        """Return seconds since the line opened."""
        return self._line.now()

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield what the other line hears, keeping an eye on its level."""
        async for chunk in self._line.chunks():
            self.level = level_db(chunk.pcm)
            yield chunk

    def write(self, pcm: Pcm) -> int:
        """Queue samples to be played and return how many there was room for."""
        taken = self._line.write(pcm)
        if self._record and taken:
            self._written.append(pcm[:taken].copy())
        return taken

    def clear(self) -> None:
        """Be silent now: drop all that was written and not yet played."""
        self._line.clear()
        if self._record:
            self._written = [self.recording]

    async def tick(self) -> None:
        """Return after the next block was handed to the loudspeaker."""
        await self._line.tick()


def level_db(pcm: Pcm) -> float:
    """Return the level of a chunk in dB below full scale, at least ``FLOOR_DB``."""
    if not len(pcm):
        return FLOOR_DB
    power = float(np.mean(np.square(pcm.astype(np.float32)))) / FULL_SCALE**2
    return max(FLOOR_DB, 10 * math.log10(power)) if power else FLOOR_DB
