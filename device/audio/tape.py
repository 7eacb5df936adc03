"""The two tapes of the simulated line: one is played to its microphone, one records its speaker.

Layer 2. Serves ``wav``, on the loop's thread.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from device.types import Pcm


class Feed:
    """Sounds that wait to be heard, one after the other; as long as whoever feeds it likes."""

    def __init__(self) -> None:
        self.waiting = 0
        """Samples fed and not yet read."""
        self._pieces: deque[Pcm] = deque()

    def add(self, pcm: Pcm) -> None:
        """Append int16 samples, shape (n,)."""
        if len(pcm):
            self._pieces.append(pcm)
            self.waiting += len(pcm)

    def read_into(self, out: Pcm) -> None:
        """Fill ``out`` from its beginning; what lies beyond the end of the feed stays."""
        filled = 0
        while self._pieces and filled < len(out):
            piece = self._pieces.popleft()
            count = min(len(piece), len(out) - filled)
            out[filled : filled + count] = piece[:count]
            filled += count
            if count < len(piece):
                self._pieces.appendleft(piece[count:])
        self.waiting -= filled


class Tape:
    """Everything that was played, and where on it there is sound.

    Grows by 44 kB for each second of sound at 22050 Hz, and by a pointer for each silent block, as
    those are one and the same array. A tape that does not ``keep`` only notes where the sound is.
    """

    def __init__(self, keep: bool) -> None:
        self.first: int | None = None
        """Index of the first sample that is not zero."""
        self.end = 0
        """Index after the last sample that is not zero."""
        self._keep = keep
        self._blocks: list[Pcm] = []
        self._length = 0

    def add(self, block: Pcm) -> None:
        """Append a block (int16, shape (n,)), which must not change any more."""
        sounding = np.flatnonzero(block)
        if len(sounding):
            if self.first is None:
                self.first = self._length + int(sounding[0])
            self.end = self._length + int(sounding[-1]) + 1
        self._length += len(block)
        if self._keep:
            self._blocks.append(block)

    @property
    def pcm(self) -> Pcm:
        """All blocks in one: int16, shape (n,); empty if they were not kept."""
        return np.concatenate(self._blocks) if self._blocks else np.empty(0, np.int16)
