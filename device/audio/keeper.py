"""Keeps a sound card open: notices when a part of it is gone, and finds it or another again.

Layer 2, on the event loop; every call into PortAudio is on a thread of its own, with a time-out.
What still works is left alone until there is something to gain: PortAudio looks for devices only
when it starts anew, which ends every stream, so meanwhile another process looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from device.audio.choosing import NOUN, Direction, Wish, able, none_found, ranked, wish
from device.audio.listing import Device, devices_seen_afresh
from device.audio.portaudio import Card, Wishes, open_card
from device.audio.pulse import LOOK_S, MISSED, Pulse
from device.audio.threads import on_thread
from device.settings import LineSettings
from device.types import RapportError

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Between two searches for what is lost; the first is at once."""
CLOSING_S, OPENING_S = 5.0, 20.0
"""The driver of a card that is gone may never return from being closed, or opened."""
WAYS: tuple[Direction, Direction] = ("input", "output")


@dataclass(frozen=True, slots=True)
class Owner:
    """What the keeper tells whose card it keeps, on the loop's thread."""

    wake: Callable[[], None]
    """A block went by; called on PortAudio's thread."""
    left: Callable[[], None]
    """The card was closed, or left behind."""
    entered: Callable[[Card], None]
    """A card is open."""
    changed: Callable[[], None]
    """Something was lost, was sought in vain for the first time, or works again."""


def refuse_in_vain(wishes: Wishes) -> None:
    """Let another process look first, and raise RapportError if no device will do.

    Each start of PortAudio loses 14 kB inside ALSA (measured 2026-11-25): with a search every ten
    seconds, 120 MB in a day without a microphone. Blocks, about 0.1 s on a PC.
    """
    try:
        found = devices_seen_afresh()
    except OSError as error:
        log.warning("%s", error)
        return  # it is then tried here
    if not any(ranked(found, wanted) for wanted in wishes.values()):
        raise none_found(found, wishes["input"])


class Keeper:
    """The sound card of one line, through all that happens to it."""

    def __init__(self, settings: LineSettings, owner: Owner) -> None:
        self.card: Card | None = None
        self.lost: dict[Direction, str] = {}
        """Why each direction that does not work does not."""
        self.recoveries = 0
        self.seeking = False
        """Whether what is lost may be replaced within a second or two: the first search is on."""
        self.quiet: Callable[[], bool] = lambda: True
        """Whether a makeshift may be left for the device that is wanted: it takes a moment."""
        self._settings, self._owner = settings, owner
        self._wishes = {way: wish(settings, way) for way in WAYS}
        self._pulse: Pulse | None = None
        self._recovered = False  # with this card: two directions that come back count as one
        self._stuck: set[str] = set()
        self._pause, self._due = FIRST_PAUSE_S, 0.0
        self._listing: asyncio.Task[list[Device]] | None = None
        self._better = False

    async def open(self, either: bool) -> None:
        """Open the card; ``either``: one direction is enough.

        Raises RapportError if there is no microphone or no loudspeaker, or they cannot be opened.
        """
        card = await self._open()
        if card.missing and not either:
            await self._let_go(card)
            raise next(iter(card.missing.values()))
        self._adopt(card)

    async def run(self) -> None:
        """Keep the card until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self.card is None:
                await self._seek()
            elif self._pulse is not None:
                self._pulse.look()
                self._judge(self.card, self._pulse)
                if set(self.card.used) <= self._pulse.dead or self._pulse.stirred:
                    await self._leave()
                elif self._to_gain(self.card):
                    await self._prospect(self.card)

    async def close(self) -> None:
        """Close the card; one whose driver is stuck is given up after 5 s and left behind."""
        if self._listing is not None:
            self._listing.cancel()
        card, self.card = self.card, None
        if card is not None:
            await self._let_go(card)

    def _judge(self, card: Card, pulse: Pulse) -> None:
        """Take note of what stands still, and of what has begun to work."""
        for way, name in card.used.items():
            if way in pulse.dead and way not in self.lost:
                self._lose(way, name)
            if way in pulse.dead and way not in pulse.moved:
                self._avoid(way, name)
        works = [way for way in self.lost if way in pulse.moved and way not in pulse.dead]
        for way in works:
            del self.lost[way]
            old = self._wishes[way]
            self._wishes[way] = replace(old, avoided=old.avoided - {card.used[way]})
            log.info("the %s works again: %s", NOUN[way], card.used[way])
        if works:
            self.recoveries, self._recovered = self.recoveries + (not self._recovered), True
            self._owner.changed()

    def _lose(self, way: Direction, name: str) -> None:
        self.lost[way] = (
            f"the {NOUN[way]} stopped ({name}): no sound from it for {LOOK_S * MISSED:.2f} s; "
            f"plug it in again or choose another by line.{way}"
        )
        log.error("%s", self.lost[way])
        self.seeking, self._pause, self._due = True, FIRST_PAUSE_S, 0.0
        self._owner.changed()

    def _avoid(self, way: Direction, name: str) -> None:
        old = self._wishes[way]
        if name not in old.avoided:
            log.warning("%s is there and gives no sound; others go before it", name)
            self._wishes[way] = replace(old, avoided=old.avoided | {name})

    async def _seek(self) -> None:
        """Open whatever card there is; without one, wait for the next time."""
        try:
            self._adopt(await self._open())
        except RapportError as error:
            self._sought_in_vain(dict.fromkeys(WAYS, error))
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    def _sought_in_vain(self, missing: Mapping[Direction, RapportError]) -> None:
        """Take note of what was not found; what was lost before keeps its reason."""
        fresh = {way: str(error) for way, error in missing.items() if way not in self.lost}
        self.lost |= fresh
        if fresh or self.seeking:
            self.seeking = False
            self._owner.changed()

    def _adopt(self, card: Card) -> None:
        card.exchange.waking = False
        self.card, self._pulse = card, Pulse(card.exchange, card.used)
        self._better = self._recovered = False
        self._pause, self._due = FIRST_PAUSE_S, asyncio.get_running_loop().time() + FIRST_PAUSE_S
        for way, name in card.used.items():
            old = self._wishes[way]
            home = old.home or ("" if old.named else name)
            self._wishes[way] = replace(old, before=name, home=home)
            if way not in card.wanted:
                log.warning("%s is the %s, instead of %s", name, NOUN[way], old.named or home)
        self._owner.entered(card)
        if card.missing:
            self._sought_in_vain(card.missing)

    async def _open(self) -> Card:
        wishes = {way: replace(it, barred=frozenset(self._stuck)) for way, it in self._all()}

        def opened() -> Card:
            refuse_in_vain(wishes)
            return open_card(self._settings, wishes, self._owner.wake)

        try:
            async with asyncio.timeout(OPENING_S):
                return await on_thread(opened, undo=Card.close)
        except TimeoutError:
            raise RapportError(
                f"the sound card was not opened within {OPENING_S:.0f} s; plug it in again"
            ) from None

    def _all(self) -> list[tuple[Direction, Wish]]:
        return list(self._wishes.items())

    async def _leave(self) -> None:
        """Close the card, to open it or another anew."""
        card, self.card, self._pulse = self.card, None, None
        if card is not None:
            await self._let_go(card)
        self._owner.left()
        await self._seek()

    async def _let_go(self, card: Card) -> None:
        closing = asyncio.ensure_future(on_thread(card.close))
        await asyncio.wait([closing], timeout=CLOSING_S)
        if closing.done():
            if error := closing.exception():
                log.warning("%s: closing it failed: %s", card.name, error)
            return
        log.warning("%s: its driver does not let go of it; left behind", card.name)
        names = set(card.used.values())
        self._stuck |= names
        closing.add_done_callback(lambda _: self._stuck.difference_update(names))

    # While a part of the card works

    def _to_gain(self, card: Card) -> bool:
        return bool(self.lost) or len(card.wanted) < len(card.used)

    async def _prospect(self, card: Card) -> None:
        """Look now and then whether what is lost or wanted can be had, and then have it."""
        loop = asyncio.get_running_loop()
        if self._better and (self.lost or self.quiet()):
            await self._leave()
        elif self._listing is None and not self._better and loop.time() >= self._due:
            self._listing = loop.create_task(on_thread(devices_seen_afresh), name="listing")
        elif self._listing is not None and self._listing.done():
            task, self._listing = self._listing, None
            self._due = loop.time() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
            if error := task.exception():
                log.warning("%s", error)
            else:
                self._weigh(card, task.result())

    def _weigh(self, card: Card, found: list[Device]) -> None:
        """Decide whether these devices are worth opening the card anew."""
        for way, old in self._all():
            # What was unplugged once may be well again.
            there = {device.name for device in able(found, way)}
            self._wishes[way] = wanted = replace(old, avoided=old.avoided & there)
            lost, makeshift = way in self.lost, way in card.used and way not in card.wanted
            good = [it for it in ranked(found, wanted) if it.name not in wanted.avoided]
            good = [it for it in good if it.name not in self._stuck]
            if good and (lost or (makeshift and wanted.met_by(good[0].name))):
                self._better = True
        if not self._better:
            self._sought_in_vain({})
