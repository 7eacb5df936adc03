"""The far end of two devices: what the loudspeaker played, brought to the microphone's clock.

Layer 2. Serves ``chunker``, on the loop's thread. Both cards count frames by crystals of their own,
some ten millionths apart. What was handed to the loudspeaker is paired with what came from the
microphone at the same time, ``SLACK_S`` later so that it is there; the time between the two clocks
is followed slowly, by playing the far end a little faster or slower, never by leaping. What remains
is a delay of buffers and air that stands still to a millisecond or two, for the echo canceller.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from device.audio.exchange import Exchange
from device.audio.rates import Resampler
from device.types import HEARING_RATE, Pcm

SLACK_S = 0.010
"""On top of one block of the loudspeaker: callbacks come late by some milliseconds."""
LOOK_MARKS = 50
"""Pairs of moments in one look at the clocks, about 1 s: the median of them shrugs off stalls."""
PULL, CREEP = 0.03, 0.0003
"""Share of the error that a second takes away, and that it adds to the speed: settles in 1 min."""
FASTEST = 0.001
"""Largest difference of speed: a thousandth, ten times what crystals are off."""
LEAP_S = 0.03
"""Clocks so far apart have not crept: one of the cards lost or made up sound."""
HARMLESS_S = 0.002
"""While nothing is played, a leap is heard by nobody, so smaller errors are mended at once too; and
in the first looks, before any canceller has learnt something: a card begins with a burst."""
FIRST_LOOKS = 3
TAPS, PHASES = 16, 512
"""The kernel that reads between samples, flat to 7 kHz, and into how many parts it divides one."""


class ClockOffset:
    """How far the loudspeaker's clock is ahead of the microphone's, in seconds; followed slowly."""

    def __init__(self) -> None:
        self.now: float | None = None
        self.speed = 0.0
        """Seconds a second by which the offset grows."""
        self._drift = 0.0
        self._seen: list[float] = []
        self._looks = 0

    def look(self, offset: float, silent: bool) -> None:
        """Take a measurement; ``silent``: nothing is being played, so a leap would not matter."""
        self._seen.append(offset)
        if self.now is None:
            self.now = offset
        if len(self._seen) < LOOK_MARKS:
            return
        error = float(np.median(self._seen)) - self.now
        self._seen.clear()
        self._looks += 1
        harmless = silent or self._looks <= FIRST_LOOKS
        if abs(error) > LEAP_S or (harmless and abs(error) > HARMLESS_S):
            self.now += error
            return
        self._drift = float(np.clip(self._drift + CREEP * error, -FASTEST, FASTEST))
        self.speed = float(np.clip(self._drift + PULL * error, -FASTEST, FASTEST))

    def advance(self, seconds: float) -> None:
        """Let so much sound go by."""
        if self.now is not None:
            self.now += self.speed * seconds


class FarEnd:
    """Reads what was played at the pace of the microphone."""

    def __init__(self, exchange: Exchange) -> None:
        self.offset = ClockOffset()
        self._exchange = exchange
        rate = exchange.played.rate
        self._slack = SLACK_S + exchange.played.block / rate
        self._resampler = Resampler(rate, HEARING_RATE, quality="MQ")
        self._pool = np.zeros(0, np.float32)
        self._begin = 0  # number of the pool's first sample, from the loudspeaker's first on
        self._missed = 0
        self._marks = 0
        self._at: float | None = None
        self._ended = 0

    def gather(self) -> None:
        """Take in what was played since, and look at the clocks."""
        ring, rate = self._exchange.reference, self._exchange.played.rate
        missed = self._exchange.unreferenced  # before reading: it comes after what is waiting
        played = np.empty(ring.available, np.int16)
        ring.read_into(played)
        fresh = self._resampler.process(played).astype(np.float32)
        gap = round((missed - self._missed) * HEARING_RATE / rate)
        self._pool = np.concatenate([self._pool, fresh, np.zeros(gap, np.float32)])
        self._missed = missed
        self._look()

    def take(self, ended: int, count: int, late: bool) -> Pcm | None:
        """Return the far end of ``count`` near samples, the last of which is number ``ended`` - 1.

        int16 at 16 kHz; None: it is not there yet, ask again. ``late``: do not wait for it, what is
        not there is silence.
        """
        if self.offset.now is None:
            return np.zeros(count, np.int16) if late else None
        goal = ended + (self.offset.now - self._slack) * HEARING_RATE
        if not late and goal + TAPS > self._begin + len(self._pool):
            return None
        whole = self._at is not None and self._ended == ended - count
        begin = self._at if whole and self._at is not None else goal - count
        if abs(goal - begin - count) > count * 2 * FASTEST + 1:  # a leap was decided on
            begin = goal - count
        far = self._between(begin, (goal - begin) / count, count)
        self._at, self._ended = goal, ended
        self.offset.advance(count / HEARING_RATE)
        self._forget(int(goal) - TAPS)
        return far

    def _look(self) -> None:
        """Measure for each new block of the microphone how far the loudspeaker was by then."""
        heard, played = self._exchange.heard, self._exchange.played
        counts, times = self._exchange.heard_marks.since(self._marks)
        self._marks += len(counts)
        reached, when = self._exchange.played_marks.since(0)
        if not len(reached) or not len(counts):
            return
        silent = not self._pool.any()
        for count, time in zip(counts, times, strict=True):
            last = int(np.searchsorted(when, time, "right")) - 1
            if last >= 0:
                # Within a block the loudspeaker goes on; a block that is late is no standstill.
                since = min(float(time - when[last]), 2 * played.block / played.rate)
                position = float(reached[last]) / played.rate + since
                self.offset.look(position - float(count) / heard.rate, silent)

    def _between(self, begin: float, step: float, count: int) -> Pcm:
        """Return ``count`` samples from ``begin`` on, ``step`` apart; silence where there are none.

        Windowed sinc: what lies between two samples is told by the sixteen around it.
        """
        places = begin + step * np.arange(count)
        first = int(np.floor(begin)) - TAPS // 2 + 1
        length = int(np.floor(places[-1])) - first + TAPS // 2 + 2
        window = np.zeros(length, np.float32)
        low, high = max(first, self._begin), min(first + length, self._begin + len(self._pool))
        if high > low:
            window[low - first : high - first] = self._pool[low - self._begin : high - self._begin]
        if not window.any():
            return np.zeros(count, np.int16)
        whole = np.floor(places).astype(np.int64)
        phase = ((places - whole) * PHASES).astype(np.int64)
        rows = np.lib.stride_tricks.sliding_window_view(window, TAPS)[whole - TAPS // 2 + 1 - first]
        samples = np.clip(np.einsum("ij,ij->i", rows, KERNELS[phase]), -32_768, 32_767)
        far: Pcm = np.rint(samples).astype(np.int16)
        return far

    def _forget(self, before: int) -> None:
        gone = min(len(self._pool), max(0, before - self._begin))
        self._pool, self._begin = self._pool[gone:], self._begin + gone


def _kernels() -> npt.NDArray[np.float32]:
    """Return for each part of a sample the taps that read there, shape (PHASES, TAPS)."""
    parts = (np.arange(PHASES) + 0.5) / PHASES
    places = np.arange(TAPS) - (TAPS // 2 - 1) - parts[:, np.newaxis]
    taps = np.sinc(places) * np.cos(np.pi * places / (TAPS + 1)) ** 2
    kernels: npt.NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return kernels


KERNELS = _kernels()
