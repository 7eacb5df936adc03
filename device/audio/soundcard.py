"""The line through the local sound card: microphone and loudspeaker by PortAudio callbacks.

Layer 2. Serves a live conversation, on the loop's thread; ``exchange`` is its other half, on the
sound card's thread, ``portaudio`` finds and opens the card.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

from device.audio.chunker import Chunker
from device.audio.exchange import Exchange
from device.audio.portaudio import Card, Device, devices, open_card
from device.settings import LineSettings
from device.types import AudioChunk, Pcm, RapportError

__all__ = ["Device", "SoundCard", "devices"]

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.25
MISSED = 5
"""A direction that stands still at so many looks in a row is dead: PortAudio tells nobody when a
card is unplugged. Looks are counted, not seconds, so a stall of the whole machine counts as one."""
CLOSING_S = 5.0
"""The driver of a card that is gone may never return from being closed."""


class SoundCard:
    """A full-duplex line through the sound card, usable once: a supervisor makes a new one.

    ``rate`` is the card's own, known when the line is open. ``aligned`` tells whether chunks carry
    their far end: only where microphone and loudspeaker share a clock, that is, are one device.
    """

    def __init__(self, settings: LineSettings) -> None:
        self.name = "sound card"
        self.rate = settings.rate
        self._settings = settings
        self._card: Card | None = None
        self._chunker: Chunker | None = None
        self._watching: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._closed = False
        self._fault: str | None = None

    async def __aenter__(self) -> Self:
        """Open the card.

        Raises RapportError if there is no microphone or no loudspeaker, or they cannot be opened.
        """
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake)

        self._card = await _on_thread(lambda: open_card(self._settings, wake), undo=Card.close)
        self._card.exchange.waking = False
        self._chunker = Chunker(self._card.exchange)
        self.rate = self._card.exchange.played.rate
        self.name = self._card.name
        log.info("%s: open at %d samples/s, aligned %s", self.name, self.rate, self.aligned)
        self._watching = loop.create_task(self._watch(self._card.exchange), name="sound card watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the card; one whose driver is stuck is given up after 5 s and left behind."""
        self.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        if self._card is not None:
            try:
                async with asyncio.timeout(CLOSING_S):
                    await _on_thread(self._card.close)
            except TimeoutError:
                log.warning("%s: its driver does not let go of it; left behind", self.name)

    def close(self) -> None:
        """End ``chunks``."""
        self._closed = True
        self._pulse()

    @property
    def exchange(self) -> Exchange:
        """The callback's side: formats and the counts of what was lost. Only while open."""
        if self._card is None:
            raise RapportError("the sound card is not open; enter it with `async with` first")
        return self._card.exchange

    @property
    def aligned(self) -> bool:
        """Whether each chunk has its far end."""
        return self.exchange.aligned

    @property
    def lost(self) -> int:
        """Frames of the microphone that came while the loop was stalled for too long."""
        return self.exchange.lost

    @property
    def overflows(self) -> int:
        """Times the card lost recorded sound because the callback was late."""
        return self.exchange.overflows

    @property
    def underflows(self) -> int:
        """Times the card ran out of sound to play because the callback was late."""
        return self.exchange.underflows

    def now(self) -> float:
        """Return seconds since the line opened, by the samples of the microphone."""
        exchange = self.exchange
        heard = exchange.heard
        since = max(0.0, monotonic() - exchange.captured_at)
        return exchange.captured / heard.rate + min(since, heard.block / heard.rate)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time of what the microphone hears. For one consumer.

        Raises RapportError when the card has stopped, as it does when unplugged.
        """
        chunker = self._chunker
        if chunker is None:
            raise RapportError("the sound card is not open; enter it with `async with` first")
        while not self._closed:
            before = self.exchange.captured
            chunker.take()
            while chunker.ready and not self._closed:
                yield chunker.ready.popleft()
            while self.exchange.captured == before and not self._closed:
                self._refuse_if_dead()
                await self._woken.wait()

    @property
    def gain(self) -> float:
        """Factor on everything played from now on; reached within one block, without a click."""
        return self.exchange.gain

    @gain.setter
    def gain(self, gain: float) -> None:
        self.exchange.gain = gain

    def write(self, pcm: Pcm) -> int:
        """Queue int16 mono samples at ``rate``; return how many there was room for."""
        return self.exchange.speaker.write(pcm)

    def clear(self) -> None:
        """Drop all that was not yet handed to the card; it still plays the block or two it has."""
        self.exchange.speaker.clear()

    @property
    def played(self) -> int:
        """How many of the samples written were handed to the card; never those cleared.

        They sound a little later, after the two or so blocks that the card itself holds.
        """
        return self.exchange.speaker.taken

    async def tick(self) -> None:
        """Return after the next block was handed to the card, or when the line closes.

        Raises RapportError when the card has stopped.
        """
        before = self.exchange.rendered
        while self.exchange.rendered == before and not self._closed:
            self._refuse_if_dead()
            await self._woken.wait()

    def _wake(self) -> None:
        if self._card is None:  # the card speaks before it is known to be open
            return
        self._card.exchange.waking = False
        self._pulse()

    def _pulse(self) -> None:
        self._woken.set()
        self._woken.clear()

    def _refuse_if_dead(self) -> None:
        if self._fault is not None:
            raise RapportError(self._fault)

    async def _watch(self, exchange: Exchange) -> None:
        """Look whether both directions still move, until one does not."""
        seen = (exchange.captured, exchange.rendered)
        missed = [0, 0]
        while max(missed) < MISSED:
            await asyncio.sleep(LOOK_S)
            moved = (exchange.captured, exchange.rendered)
            missed = [
                count + 1 if old == new else 0
                for count, old, new in zip(missed, seen, moved, strict=True)
            ]
            seen = moved
        noun, key = ("microphone", "input") if missed[0] >= MISSED else ("loudspeaker", "output")
        self._fault = (
            f"the {noun} stopped ({self.name}): no sound from it for {LOOK_S * MISSED:.1f} s; "
            f"plug it in again or choose another by line.{key}"
        )
        self._pulse()


async def _on_thread(function: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    """Run ``function`` on a thread of its own, which nobody waits for at the end of the program.

    If the caller has gone before it returns, its result is given to ``undo``.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if not done.done():
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]
        elif error is None and undo is not None:
            Thread(target=undo, args=(result,), daemon=True).start()

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # raised again where it is awaited
            failure = error
        with suppress(RuntimeError):  # the loop has ended: there is nobody left to tell
            loop.call_soon_threadsafe(deliver, result, failure)

    Thread(target=run, name="sound card", daemon=True).start()
    return await done
