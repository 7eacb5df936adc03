"""The line through the local sound card: microphone and loudspeaker by PortAudio callbacks.

Layer 2. Serves a live conversation, on the loop's thread; ``exchange`` is its other half, on the
sound card's thread, and ``keeper`` keeps a card behind it. The line outlives its devices: while
the microphone is away no chunks come, and its clock goes on; what was to be played is played by
the next loudspeaker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from device.audio.choosing import NOUN
from device.audio.ear import Ear
from device.audio.echo_path import EchoPath, open_echo_path
from device.audio.exchange import Exchange
from device.audio.feed import Feed
from device.audio.keeper import WAYS, Keeper, Owner
from device.audio.listing import Device, devices
from device.audio.portaudio import Card
from device.settings import LineSettings
from device.types import AudioChunk, AudioHealth, Pcm, RapportError

__all__ = ["Device", "SoundCard", "devices"]

log = logging.getLogger(__name__)


class SoundCard:
    """A full-duplex line through the sound card, which mends itself as long as it is open.

    ``rate`` is the first card's own, known when the line is open, and stays. ``either``: it also
    opens with only a microphone or only a loudspeaker, and waits for the other.
    """

    def __init__(self, settings: LineSettings, either: bool = False) -> None:
        self.name = "sound card"
        self.rate = settings.rate
        self._settings, self._either = settings, either
        self._echo: EchoPath | None = None
        self._keeper = Keeper(settings, Owner(self._blocks, self._left, self._entered, self._told))
        self._card: Card | None = None
        self._ear = Ear()
        self._feed: Feed | None = None
        self._counts = (0, 0, 0)
        self._rendered = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._woken, self._news = asyncio.Event(), asyncio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Open the card.

        Raises RapportError if there is no microphone or no loudspeaker, or they cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        self._echo = open_echo_path(self._settings.echo)
        await self._keeper.open(self._either)
        self._ear.wait()
        self._keeping = self._loop.create_task(self._keeper.run(), name="sound card keeper")
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
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        await self._keeper.close()

    def close(self) -> None:
        """End ``chunks``."""
        self._closed = True
        self._pulse()

    @property
    def exchange(self) -> Exchange:
        """The callback's side: formats and counts of the present card.

        Raises RapportError while there is none.
        """
        if self._card is None:
            raise RapportError("the sound card is not open; enter it with `async with` first")
        return self._card.exchange

    @property
    def aligned(self) -> bool:
        """Whether each chunk has its far end to the sample: both directions are one device.

        Of two devices the far end is ``followed``, to a millisecond or two; else there is none.
        """
        return self.exchange.aligned

    @property
    def followed(self) -> bool:
        """Whether each chunk has its far end by the comparison of two clocks."""
        return self._ear.followed

    # How the card is

    @property
    def hears(self) -> bool:
        """Whether the microphone works."""
        return "input" not in self._keeper.lost

    @property
    def speaks(self) -> bool:
        """Whether the loudspeaker works."""
        return "output" not in self._keeper.lost

    @property
    def fault(self) -> str:
        """Why a direction that is lost is, in a sentence; empty: both work."""
        return next(iter(self._keeper.lost.values()), "")

    @property
    def seeking(self) -> bool:
        """Whether what is lost may be replaced any moment: the first search has not ended."""
        return self._keeper.seeking

    @property
    def health(self) -> AudioHealth:
        """What was lost so far, and what is in use."""
        lost, overflows, underflows = self._total()
        card, recoveries = self._card, self._keeper.recoveries
        used = {w: n for w, n in card.used.items() if w not in self._keeper.lost} if card else {}
        makeshift = [NOUN[way] for way in used if card is not None and way not in card.wanted]
        name = " + ".join(dict.fromkeys(used.values()))
        return AudioHealth(lost, overflows, underflows, recoveries, name, " and ".join(makeshift))

    @property
    def lost(self) -> int:
        """Frames of the microphone that came while the loop was stalled for too long."""
        return self._total()[0]

    async def changed(self) -> None:
        """Return when something was lost or works again; at once if that was while nobody waited.

        For one caller.
        """
        await self._news.wait()
        self._news.clear()

    def return_when(self, quiet: Callable[[], bool]) -> None:
        """Leave a makeshift for the device that is wanted only while ``quiet()``."""
        self._keeper.quiet = quiet

    def _total(self) -> tuple[int, int, int]:
        card = self._card
        if card is None:
            return self._counts
        it, (lost, overflows, underflows) = card.exchange, self._counts
        return lost + it.lost, overflows + it.overflows, underflows + it.underflows

    # The microphone

    def now(self) -> float:
        """Return seconds since the line opened, by the samples of the microphone.

        By the system's clock while there is none.
        """
        return self._ear.now()

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time of what the microphone hears. For one consumer.

        Where it was away, ``start`` goes on by as much.
        """
        if self._card is None:
            raise RapportError("the sound card is not open; enter it with `async with` first")
        while not self._closed:
            before = self._moved()
            self._ear.take()
            while self._ear.ready and not self._closed:
                chunk = self._ear.ready.popleft()
                yield self._echo.clean(chunk) if self._echo else chunk
            while self._moved() == before and not self._closed:
                await self._woken.wait()

    def _moved(self) -> tuple[Exchange | None, int, int]:
        it = self._card.exchange if self._card else None
        return (it, it.captured, it.rendered) if it else (None, 0, 0)

    # The loudspeaker

    @property
    def gain(self) -> float:
        """Factor on everything played from now on; reached within one block, without a click."""
        return self._feed.gain if self._feed else 1.0

    @gain.setter
    def gain(self, gain: float) -> None:
        if self._feed:
            self._feed.set_gain(gain)

    def write(self, pcm: Pcm) -> int:
        """Queue int16 mono samples at ``rate``; return how many there was room for."""
        return self._feed.write(pcm) if self._feed else 0

    def clear(self) -> None:
        """Drop all that was not yet handed to the card; it still plays the block or two it has."""
        if self._feed:
            self._feed.clear()

    @property
    def played(self) -> int:
        """How many of the samples written were handed to the card; never those cleared.

        They sound a little later, after the two or so blocks that the card itself holds.
        """
        return self._feed.played if self._feed else 0

    async def tick(self) -> None:
        """Return after the next block was handed to the card, or when the line closes.

        Raises RapportError when there is no loudspeaker, and none was found in a first search.
        """
        before = self._rendered + self._moved()[2]
        while self._rendered + self._moved()[2] == before and not self._closed:
            if not self.speaks and not self.seeking:
                raise RapportError(self._keeper.lost["output"])
            await self._woken.wait()

    # What the keeper and the callbacks tell

    def _blocks(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._card is None:  # the card speaks before it is known to be open
            return
        self._card.exchange.waking = False
        if self._feed is not None:
            self._feed.tend()
        self._pulse()

    def _pulse(self) -> None:
        self._woken.set()
        self._woken.clear()

    def _told(self) -> None:
        if not self.hears:
            self._ear.detach()
        if not self.speaks and not self.seeking:
            self.clear()  # nobody is going to hear it
        self._news.set()
        self._pulse()

    def _left(self) -> None:
        """Keep what the card has heard and not played."""
        if self._card is None:
            return
        self._counts = self._total()
        self._rendered += self._card.exchange.rendered
        self._ear.detach()
        if self._feed is not None:
            self._feed.detach()
        self._card = None
        self._pulse()

    def _entered(self, card: Card) -> None:
        if self._feed is None:
            self.rate = card.exchange.played.rate
            self._feed = Feed(self.rate)
        self._card, self.name = card, card.name
        if "input" in card.used:
            self._ear.attach(card.exchange, follow=len(card.used) == len(WAYS))
        if "output" in card.used:
            self._feed.attach(card.exchange)
        rate, far = self.rate, "exact" if self.aligned else "followed" if self.followed else "none"
        log.info("%s: open, line at %d samples/s, far end %s", self.name, rate, far)
        self._pulse()
