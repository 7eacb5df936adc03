"""A sound card that loses its microphone: what observers and the user are told of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace

from device.sound_watch import CANNOT_HEAR, HEAR_AGAIN, SoundWatch
from device.types import AudioHealth, Say, ServiceFailed, ServiceReady
from device.virtual_time import VirtualLoop

WELL = AudioHealth(0, 0, 0, 0, "usb")


class Card:
    """A sound card whose fate a test decides."""

    def __init__(self) -> None:
        self.hears = self.speaks = True
        self.seeking = False
        self.fault = ""
        self.health = WELL
        self._news = asyncio.Event()

    async def changed(self) -> None:
        await self._news.wait()
        self._news.clear()

    def return_when(self, quiet: Callable[[], bool]) -> None:
        pass

    async def becomes(self, **fate: object) -> None:
        for name, value in fate.items():
            setattr(self, name, value)
        self._news.set()
        await asyncio.sleep(0.1)


class Told:
    """What was told, and when."""

    def __init__(self) -> None:
        self.observers: list[tuple[float, object]] = []
        self.user: list[str] = []

    def publish(self, event: object) -> None:
        self.observers.append((asyncio.get_running_loop().time(), event))

    def say(self, command: Say) -> None:
        self.user.append(command.text)

    def services(self) -> list[object]:
        return [e for _, e in self.observers if isinstance(e, ServiceFailed | ServiceReady)]


def watched(story: object) -> Told:
    async def main() -> Told:
        card, told = Card(), Told()
        watching = asyncio.create_task(SoundWatch(card, told.publish, told.say).run())
        await asyncio.sleep(0.1)
        await story(card)  # type: ignore[operator]
        watching.cancel()
        return told

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_a_lost_microphone_is_told_once_and_its_return_once() -> None:
    async def story(card: Card) -> None:
        await card.becomes(hears=False, seeking=True, fault="the microphone stopped")
        await card.becomes(seeking=False)
        for _ in range(5):
            await card.becomes()
            await asyncio.sleep(20)
        await card.becomes(hears=True)
        await card.becomes()

    told = watched(story)
    assert told.user == [CANNOT_HEAR, HEAR_AGAIN]
    failed, ready = told.services()
    assert isinstance(failed, ServiceFailed) and failed.reason == "the microphone stopped"
    assert ready == ServiceReady("local line")


def test_a_microphone_that_is_replaced_at_once_is_no_news_for_the_user() -> None:
    async def story(card: Card) -> None:
        await card.becomes(hears=False, seeking=True)
        await card.becomes(hears=True, seeking=False, health=replace(WELL, fallback="microphone"))

    told = watched(story)
    assert told.user == []
    assert len(told.services()) == 2
    assert told.observers[-2][1] == replace(WELL, fallback="microphone")


def test_without_a_loudspeaker_it_is_said_by_the_next_one() -> None:
    async def story(card: Card) -> None:
        await card.becomes(hears=False, speaks=False)
        await asyncio.sleep(30)
        await card.becomes(speaks=True)
        await asyncio.sleep(30)
        await card.becomes(hears=True)

    assert watched(story).user == [CANNOT_HEAR, HEAR_AGAIN]


def test_both_lost_and_back_together_is_one_sentence() -> None:
    async def story(card: Card) -> None:
        await card.becomes(hears=False, speaks=False)
        await card.becomes(hears=True)
        await card.becomes(speaks=True)

    assert watched(story).user == [HEAR_AGAIN]


def test_counts_are_told_every_ten_seconds_at_most() -> None:
    async def story(card: Card) -> None:
        for number in range(300):
            card.health = replace(WELL, overflows=number)
            await asyncio.sleep(0.1)

    times = [at for at, event in watched(story).observers if isinstance(event, AudioHealth)]
    assert len(times) == 4
    assert min(b - a for a, b in itertools.pairwise(times)) > 9.99
