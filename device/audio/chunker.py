"""From what the sound card captured to the chunks that are heard.

Layer 2. Serves ``soundcard``, on the loop's thread.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from device.audio.exchange import Exchange, read_frames
from device.audio.far_end import FarEnd
from device.audio.rates import Resampler
from device.types import HEARING_RATE, AudioChunk, Pcm

CHUNK = HEARING_RATE // 50
PATIENCE = 3
"""Chunks that may wait for their far end, where it has a clock of its own: it comes when the
loudspeaker asks for its next block. Beyond, as when that is gone, it is taken for silence."""


class Chunker:
    """Changes near and far end together to 16 kHz and cuts them into 20 ms."""

    def __init__(self, exchange: Exchange, start: int = 0, follow: bool = False) -> None:
        """Number samples from ``start`` on; ``follow`` the far end where its clock is another."""
        self.ready: deque[AudioChunk] = deque()
        """Complete chunks, no more than the microphone's ring holds; the consumer takes them."""
        self.far_end = FarEnd(exchange) if follow and not exchange.aligned else None
        self._exchange = exchange
        # MQ: flat to 7 kHz like HQ, and 15 ms behind instead of 21 (48 kHz). Near and far go
        # through it as two channels of one stream and so stay aligned to the sample.
        self._resampler = Resampler(
            exchange.heard.rate, HEARING_RATE, channels=exchange.width, quality="MQ"
        )
        self._pending = np.empty((0, exchange.width), np.int16)
        self._begun = start
        self._start = start
        self._lost = 0

    def take(self) -> None:
        """Move what was captured to ``ready``. Where sound was lost, ``start`` moves on as far."""
        lost = self._exchange.lost  # before reading: what is lost comes after what is waiting
        frames = read_frames(self._exchange.microphone, self._exchange.width)
        self._pending = np.concatenate([self._pending, self._resampler.process(frames)])
        if self.far_end is not None:
            self.far_end.gather()
        while len(self._pending) >= CHUNK:
            # Before a gap everything has to go: what waits would be numbered as if after it.
            late = len(self._pending) > PATIENCE * CHUNK or lost > self._lost
            piece = self._pending[:CHUNK]
            far = self._far(piece, late)
            if far is None and self.far_end is not None:
                break
            self._pending = self._pending[CHUNK:]
            near = np.ascontiguousarray(piece[:, 0])
            self.ready.append(AudioChunk(near, HEARING_RATE, self._start, far))
            self._start += CHUNK
        self._start += round((lost - self._lost) * HEARING_RATE / self._exchange.heard.rate)
        self._lost = lost

    def _far(self, piece: Pcm, late: bool) -> Pcm | None:
        if self._exchange.aligned:
            return np.ascontiguousarray(piece[:, 1])
        if self.far_end is None:
            return None
        return self.far_end.take(self._start - self._begun + CHUNK, CHUNK, late)
