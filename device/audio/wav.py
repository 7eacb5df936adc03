"""The simulated line: a microphone that hears what it is fed, a loudspeaker that is recorded.

Layer 2. Serves ``rapport talk`` with files, the bench and the tests, on the loop's thread. It runs
by the loop's clock, so on ``virtual_time.VirtualLoop`` it is as fast as it will go.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import numpy as np

from device.audio.gain import Fader
from device.audio.rates import resample
from device.audio.ring import Ring
from device.audio.tape import Feed, Tape
from device.types import HEARING_RATE, AudioChunk, Pcm, RapportError
from device.virtual_time import VirtualLoop

BLOCK_S = 0.02
HEARING_BLOCK = HEARING_RATE // 50
WRITE_AHEAD_S = 2
"""Room for what is written and not yet played. A loop that stalls cannot write; the longest stall
seen on a busy machine was about a second, so two keep the loudspeaker fed through it."""
LAG = 3_000
"""Chunks a consumer may lag behind in real time: whoever is a minute late has lost the thread."""


class WavLine:
    """A full-duplex line that plays and records 20 ms at each 20 ms of the loop's clock.

    At each tick the block of the microphone that has just ended goes out, with what the loudspeaker
    played meanwhile, and the next block of both is fixed. So nothing is heard or played before the
    moment it was fed or written. Ticks that come late are made up at once, without drift.
    """

    def __init__(self, rate: int = 22_050, name: str = "wav", record: bool = True) -> None:
        if rate <= 0 or rate % 50:
            raise RapportError(f"a WAV line at {rate} samples/s: use a rate divisible by 50")
        self.name = name
        self.rate = rate
        self.gain = 1.0
        self.dropped = 0
        """Chunks lost because their consumer lagged too far behind."""
        self._block = rate // 50
        self._ring = Ring(rate * WRITE_AHEAD_S)
        self._fader = Fader(self._block)
        self._silence = _silence(self._block)
        self._nothing = np.empty(0, np.int16)
        self._near_silence = _silence(HEARING_BLOCK)
        self._feed = Feed()
        self._fed_until = 0.0
        self._played = 0
        self._ticks = 0
        self._near = self._near_silence
        self._far = deque([self._silence] * 3, maxlen=3)  # blocks played: before, now, after
        self._tape = Tape(keep=record)
        self._heard: deque[AudioChunk] = deque()
        self._lag: int | None = LAG
        self._ticked = asyncio.Event()
        self._closed = False
        self._opened: float | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the clock: time 0 of the line is now."""
        loop = asyncio.get_running_loop()
        # Virtual time waits for nobody who computes, so who lags there means to; nothing is lost.
        self._lag = None if isinstance(loop, VirtualLoop) else LAG
        self._opened = loop.time()
        self._ticking = loop.create_task(self._tick_on_time(self._opened), name=self.name)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Stop the clock and end ``chunks``."""
        self.close()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])
            if kind is None and not self._ticking.cancelled():
                self._ticking.result()  # a clock that broke is not to be missed

    def close(self) -> None:
        """End ``chunks`` after what has been heard already, and stop playing."""
        self._closed = True
        self._wake()

    def now(self) -> float:
        """Return seconds since the line opened, on the loop's clock."""
        if self._opened is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._opened

    # The microphone

    def feed(self, pcm: Pcm) -> float:
        """Let the microphone hear ``pcm`` (int16 mono, 16 kHz) after whatever it is still to hear.

        Returns the time on the line's clock at which its first sample will be heard: that of the
        next tick, if nothing else is waiting.
        """
        starts = (self._ticks * HEARING_BLOCK + self._feed.waiting) / HEARING_RATE
        if len(pcm):
            self._feed.add(pcm)
            self._fed_until = starts + len(pcm) / HEARING_RATE
        return starts

    @property
    def fed_until(self) -> float:
        """Time on the line's clock at which the last sound fed ends; 0 before any."""
        return self._fed_until

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time of what the microphone hears, silence where nothing was fed.

        ``far`` is the sound recorded for the same 20 ms, at 16 kHz. For one consumer.
        """
        while True:
            while self._heard:
                yield self._heard.popleft()
            if self._closed:
                return
            await self._ticked.wait()

    # The loudspeaker

    def write(self, pcm: Pcm) -> int:
        """Queue int16 mono samples at ``rate``; return how many there was room for."""
        return self._ring.write(pcm)

    def clear(self) -> None:
        """Drop all that was written and not yet played; silent from the next tick on."""
        self._played = self._ring.taken  # the block in progress still sounds to its end
        self._ring.clear()

    @property
    def played(self) -> int:
        """How many of the samples written have been played to the end of a tick.

        Never those that were cleared. The block in progress counts when it is over, or at once
        when the rest is cleared.
        """
        return self._played

    async def tick(self) -> None:
        """Return after the next 20 ms were handed to the loudspeaker, or when the line closes."""
        if self._closed:
            await asyncio.sleep(0)  # a writer that finds no room must not keep the loop to itself
        else:
            await self._ticked.wait()

    # What was played

    @property
    def recording(self) -> Pcm:
        """Everything played since time 0, silence included: int16 mono at ``rate``, shape (n,).

        A line that lives for days is made with ``record=False``, and this is then empty.
        """
        return self._tape.pcm

    @property
    def first_sound(self) -> float | None:
        """Seconds on the line's clock at the first sample played that was not zero; None: none."""
        return None if self._tape.first is None else self._tape.first / self.rate

    @property
    def last_sound(self) -> float | None:
        """Seconds on the line's clock after the last sample played that was not zero."""
        return None if self._tape.first is None else self._tape.end / self.rate

    # The clock

    async def _tick_on_time(self, opened: float) -> None:
        now = asyncio.get_running_loop().time
        try:
            while not self._closed:
                self._tick()
                wait = opened + self._ticks * BLOCK_S - now()
                if wait > 0:  # else late: make up for it before anybody can write or feed
                    await asyncio.sleep(wait)
        finally:
            self.close()

    def _tick(self) -> None:
        self._played = self._ring.taken
        played = self._play()
        self._far.append(played)
        if self._ticks:
            start = (self._ticks - 1) * HEARING_BLOCK
            self._hear(AudioChunk(self._near, HEARING_RATE, start, self._far_end()))
        self._near = self._next_near()
        self._ticks += 1
        self._wake()

    def _play(self) -> Pcm:
        block = self._silence
        if self._ring.available:
            block = np.zeros(self._block, np.int16)
            self._ring.read_into(block)
            self._fader.apply(block, self.gain)
        else:
            self._ring.read_into(self._nothing)  # gives back the room of what was cleared
            self._fader.apply(self._silence.copy(), self.gain)  # so that a glide ends unheard
        self._tape.add(block)
        return block

    def _far_end(self) -> Pcm:
        """The middle one of the last three blocks at 16 kHz; its neighbours feed the filter."""
        if all(block is self._silence for block in self._far):
            return self._near_silence
        if self.rate == HEARING_RATE:
            return self._far[1]
        whole = resample(np.concatenate(self._far), self.rate, HEARING_RATE)
        return whole[HEARING_BLOCK : 2 * HEARING_BLOCK]

    def _next_near(self) -> Pcm:
        if not self._feed.waiting:
            return self._near_silence
        block = np.zeros(HEARING_BLOCK, np.int16)
        self._feed.read_into(block)
        return block

    def _hear(self, chunk: AudioChunk) -> None:
        if self._lag is not None and len(self._heard) >= self._lag:
            self._heard.popleft()
            self.dropped += 1
        self._heard.append(chunk)

    def _wake(self) -> None:
        self._ticked.set()
        self._ticked.clear()


def _silence(length: int) -> Pcm:
    silence = np.zeros(length, np.int16)
    silence.flags.writeable = False  # one array stands for every silent block
    return silence
