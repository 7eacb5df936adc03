"""Observers get every event in order; one that lags loses the oldest and is told how many."""

from __future__ import annotations

import asyncio

from device.hub import Hub
from device.types import Observed, SpeechFailed


def events(count: int) -> list[SpeechFailed]:
    return [SpeechFailed(str(number), 0.0) for number in range(count)]


def observe(published: int, capacity: int) -> tuple[list[Observed], int]:
    async def inside() -> tuple[list[Observed], int]:
        hub = Hub()
        with hub.subscribe(capacity) as subscription:
            for event in events(published):
                hub.publish("a", 1.5, event)
            subscription.close()
            return [event async for event in subscription], subscription.dropped

    return asyncio.run(inside())


def test_events_arrive_in_order_with_their_session_and_time() -> None:
    observed, dropped = observe(5, 10)
    assert [o.event for o in observed] == events(5)
    assert {(o.session, o.at) for o in observed} == {("a", 1.5)}
    assert dropped == 0


def test_a_lagging_observer_loses_the_oldest_events_and_they_are_counted() -> None:
    observed, dropped = observe(25, 10)
    assert [o.event for o in observed] == events(25)[15:]
    assert dropped == 15


def test_an_observer_waits_for_what_is_published_later_and_others_are_not_held_up() -> None:
    async def inside() -> list[str]:
        hub = Hub()
        got: list[str] = []

        async def watch() -> None:
            async for observed in subscription:
                assert isinstance(observed.event, SpeechFailed)
                got.append(observed.event.reason)

        with hub.subscribe() as subscription, hub.subscribe():
            watcher = asyncio.create_task(watch())
            for event in events(3):
                hub.publish("a", 0, event)
                await asyncio.sleep(0)
            subscription.close()
            await asyncio.wait_for(watcher, 10)
        hub.publish("a", 0, events(1)[0])
        return got

    assert asyncio.run(inside()) == ["0", "1", "2"]
