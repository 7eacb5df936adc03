"""The line of a chat over the network: sound in as it arrives, sound out as it is made.

Layer 4, on the event loop. The far end plays by itself: what it has played is reckoned from when it
was sent. It may send nothing for a while, or a minute at once; the conversation hears a stream that
neither stops in the middle of a turn nor runs away from it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import numpy as np

from device.types import HEARING_RATE, AudioChunk, Pcm

RATE = 48_000
"""Samples per second of what is sent: EVI's."""
BLOCK_S = 0.02
BLOCK = HEARING_RATE // 50
AHEAD_S = 5.0
"""Sound is sent so far ahead of what is being played: enough to ride out a bad network, and little
enough to be thrown away when the user interrupts."""
GRACE_S = 0.3
"""The network may be late by so much before silence is heard in place of sound."""
PIECE_S = 0.25
"""Longest piece of sound that clients usually send: what came early counts for so much."""
REST_S = 4.0
"""After so much silence in place of sound the line rests: nothing more is to be heard."""
PACE = 8
"""Sound that waits is heard this many times faster than it was spoken."""
BACKLOG_S = 30.0
"""More sound than this does not wait: its sender does."""


class ChatLine:
    """A full-duplex line; ``feed`` it what arrives, and send what the conversation publishes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rate = RATE
        self.gain = 1.0  # nothing can be done about the volume at the far end
        self.audio_began = 0.0
        """Seconds on the line's clock at the first sample that arrived."""
        self._clock = asyncio.get_running_loop().time
        self._opened = self._moment = self._clock()
        self._heard = 0
        self._latest = 0.0
        self._waiting: deque[Pcm] = deque()
        self._backlog = 0
        self._substituted = REST_S
        self._due = self._opened
        """When the next sound is due, if the far end sends without a break."""
        self._changed = asyncio.Event()
        self._written = self._played = 0
        self._played_at = self._opened
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the line."""
        self.close()

    def close(self) -> None:
        """End ``chunks``."""
        self._closed = True
        self._changed.set()

    def now(self) -> float:
        """Return seconds since the line opened; never less than what was heard."""
        reached = self._heard / HEARING_RATE + self._clock() - self._moment
        self._latest = max(self._latest, reached)
        return self._latest

    # What arrives

    async def feed(self, pcm: Pcm) -> None:
        """Let sound (int16 mono, 16 kHz) be heard; waits while too much waits already."""
        while self.waiting > BACKLOG_S and not self._closed:
            await asyncio.sleep(BLOCK_S)
        if not len(pcm):
            return
        if not self._heard and not self._backlog:
            self.audio_began = self.now()
        self._waiting.append(pcm)
        self._backlog += len(pcm)
        self._changed.set()

    @property
    def waiting(self) -> float:
        """Seconds of sound that arrived and have not been heard."""
        return self._backlog / HEARING_RATE

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time of what arrived, and silence for a while where nothing does."""
        while not self._closed:
            if self._backlog >= BLOCK:
                self._substituted = 0.0
                yield self._chunk(self._next())
                # Also when nothing waits: whoever sends without pause must not keep the loop.
                await asyncio.sleep(BLOCK_S / PACE if self._backlog >= BLOCK else 0)
            elif self._substituted >= REST_S:
                await self._more(None)
            elif not await self._more(BLOCK_S if self._substituted else self._patience):
                for _ in range(max(1, int((self._clock() - self._moment) / BLOCK_S))):
                    self._substituted += BLOCK_S
                    yield self._chunk(np.zeros(BLOCK, np.int16))

    @property
    def _patience(self) -> float:
        return max(0.0, self._due - self._clock()) + GRACE_S

    async def _more(self, patience: float | None) -> bool:
        """Return whether sound arrives within so many seconds (None: however long it takes)."""
        self._changed.clear()
        try:
            async with asyncio.timeout(patience):
                await self._changed.wait()
        except TimeoutError:
            return False
        if patience is None:  # the clock went on while the line rested
            self._heard = max(self._heard, round(self.now() * HEARING_RATE))
            self._moment = self._clock()
        return True

    def _next(self) -> Pcm:
        taken: list[Pcm] = []
        missing = BLOCK
        while missing:
            first = self._waiting.popleft()
            if len(first) > missing:
                self._waiting.appendleft(first[missing:])
                first = first[:missing]
            taken.append(first)
            missing -= len(first)
        self._backlog -= BLOCK
        return np.concatenate(taken)

    def _chunk(self, pcm: Pcm) -> AudioChunk:
        chunk = AudioChunk(pcm, HEARING_RATE, self._heard)
        self._heard += BLOCK
        self._moment = now = self._clock()
        self._due = min(max(self._due, now) + BLOCK_S, now + PIECE_S)
        return chunk

    # What is sent, reckoned

    def write(self, pcm: Pcm) -> int:
        """Take samples at ``rate`` as sent; return how many there was room for."""
        ahead = self._written - self.played
        taken = max(0, min(len(pcm), round(AHEAD_S * RATE) - ahead))
        self._written += taken
        return taken

    def clear(self) -> None:
        """Forget what was sent and cannot have been played yet: the far end drops it too."""
        self._written = self.played

    @property
    def played(self) -> int:
        """How many samples the far end has played by now, if it plays what it gets at once."""
        now = self._clock()
        since = round((now - self._played_at) * RATE)
        self._played = min(self._written, self._played + since)
        self._played_at = now
        return self._played

    async def tick(self) -> None:
        """Return 20 ms later."""
        await asyncio.sleep(BLOCK_S)
