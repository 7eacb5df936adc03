"""A ring of samples between one writer and one reader that may be on different threads.

Layer 2. Serves both lines: the loop and the sound card's callback meet here, and neither waits.
"""

from __future__ import annotations

import numpy as np

from device.types import Pcm


class Ring:
    """A fixed number of int16 samples, first in, first out, without locks.

    Each counter has one owner, and each is moved only after the samples it covers were copied;
    Python assigns an attribute in one step, so the other side sees the old value or the new one.
    The writer calls ``write`` and ``clear``, the reader ``read_into``; anybody may look.
    """

    def __init__(self, capacity: int) -> None:
        self.refused = 0
        """Samples written that there was no room for (writer's counter): the overruns."""
        self.taken = 0
        """Samples that were read; cleared ones never count (reader's counter)."""
        self._samples = np.zeros(capacity, np.int16)
        self._written = 0  # writer's: samples accepted since the beginning
        self._void = 0  # writer's: all that was written before this is not to be read any more
        self._read = 0  # reader's: how far it has come, counted like _written

    @property
    def capacity(self) -> int:
        """How many samples fit."""
        return len(self._samples)

    @property
    def available(self) -> int:
        """How many samples wait to be read."""
        return self._written - max(self._read, self._void)

    @property
    def room(self) -> int:
        """How many samples can be written now.

        Cleared samples take their room until the reader has come by once more: it might be
        copying just them.
        """
        return self.capacity - (self._written - self._read)

    def write(self, pcm: Pcm) -> int:
        """Append as many of ``pcm`` (int16, shape (n,)) as there is room for; return how many."""
        count = min(len(pcm), self.room)
        start = self._written % self.capacity
        first = min(count, self.capacity - start)
        self._samples[start : start + first] = pcm[:first]
        self._samples[: count - first] = pcm[first:count]
        self._written += count
        self.refused += len(pcm) - count
        return count

    def clear(self) -> None:
        """Drop all that was written and not yet read."""
        self._void = self._written

    def read_into(self, out: Pcm) -> int:
        """Fill ``out`` (int16, shape (n,)) from its beginning; return how many samples there were.

        What lies beyond them in ``out`` is left as it was.
        """
        start = max(self._read, self._void)
        count = min(len(out), self._written - start)
        place = start % self.capacity
        first = min(count, self.capacity - place)
        out[:first] = self._samples[place : place + first]
        out[first:count] = self._samples[: count - first]
        self._read = start + count
        self.taken += count
        return count
