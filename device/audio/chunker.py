"""From what the sound card captured to the chunks that are heard.

Layer 2. Serves ``soundcard``, on the loop's thread.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from device.audio.exchange import Exchange, read_frames
from device.audio.rates import Resampler
from device.types import HEARING_RATE, AudioChunk

CHUNK = HEARING_RATE // 50


class Chunker:
    """Changes near and far end together to 16 kHz and cuts them into 20 ms."""

    def __init__(self, exchange: Exchange) -> None:
        self.ready: deque[AudioChunk] = deque()
        """Complete chunks, no more than the microphone's ring holds; the consumer takes them."""
        self._exchange = exchange
        # MQ: flat to 7 kHz like HQ, and 15 ms behind instead of 21 (48 kHz). Near and far go
        # through it as two channels of one stream and so stay aligned to the sample.
        self._resampler = Resampler(
            exchange.heard.rate, HEARING_RATE, channels=exchange.width, quality="MQ"
        )
        self._pending = np.empty((0, exchange.width), np.int16)
        self._start = 0
        self._lost = 0

    def take(self) -> None:
        """Move what was captured to ``ready``. Where sound was lost, ``start`` moves on as far."""
        lost = self._exchange.lost  # before reading: what is lost comes after what is waiting
        frames = read_frames(self._exchange.microphone, self._exchange.width)
        self._pending = np.concatenate([self._pending, self._resampler.process(frames)])
        cut = len(self._pending) // CHUNK * CHUNK
        whole, self._pending = self._pending[:cut], self._pending[cut:]
        for at in range(0, cut, CHUNK):
            near = np.ascontiguousarray(whole[at : at + CHUNK, 0])
            far = None
            if self._exchange.aligned:
                far = np.ascontiguousarray(whole[at : at + CHUNK, 1])
            self.ready.append(AudioChunk(near, HEARING_RATE, self._start, far))
            self._start += CHUNK
        self._start += round((lost - self._lost) * HEARING_RATE / self._exchange.heard.rate)
        self._lost = lost
