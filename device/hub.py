"""Events out: whoever wants to know what happens on the device subscribes here.

Layer 1. Publishing never waits: an observer that does not keep up loses the oldest events, and
how many is counted. Used on the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from device.types import Event, Observed

CAPACITY = 1000
"""Events an observer may lag behind: about a minute of a lively conversation."""


class Subscription:
    """One observer's events, in order, as an async iterator that ends when the hub closes."""

    def __init__(self, capacity: int) -> None:
        self.dropped = 0
        self._waiting: deque[Observed] = deque(maxlen=capacity)
        self._arrived = asyncio.Event()
        self._closed = False

    def put(self, event: Observed) -> None:
        """Add an event, dropping the oldest if the observer lags too far behind."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(event)
        self._arrived.set()

    def close(self) -> None:
        """End the iteration once what is waiting has been taken."""
        self._closed = True
        self._arrived.set()

    async def __aiter__(self) -> AsyncIterator[Observed]:
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._closed:
                return
            self._arrived.clear()
            await self._arrived.wait()


class Hub:
    """Hands every published event to every observer."""

    def __init__(self) -> None:
        self._observers: list[Subscription] = []

    @property
    def observers(self) -> int:
        """How many are subscribed at present."""
        return len(self._observers)

    def publish(self, session: str, at: float, event: Event) -> None:
        """Tell all observers; returns at once."""
        observed = Observed(session, at, event)
        for observer in self._observers:
            observer.put(observed)

    @contextmanager
    def subscribe(self, capacity: int = CAPACITY) -> Iterator[Subscription]:
        """Observe from now until the end of the ``with`` block."""
        subscription = Subscription(capacity)
        self._observers.append(subscription)
        try:
            yield subscription
        finally:
            self._observers.remove(subscription)
            subscription.close()
