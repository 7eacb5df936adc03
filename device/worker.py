"""One thread that owns one model, and runs its blocking generators step by step.

Layer 1. Serves everything that computes: an engine's author writes a plain function or generator,
the event loop gets awaitables and async iterators that can be cancelled at every step.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Event as StopSignal
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
M = TypeVar("M")

_END = object()


class Worker:
    """A thread for one model: calls are served in turn, urgent ones first, and a model is never
    entered twice.

    Cancelling a call returns when the step in progress has ended, so whoever comes next finds the
    model free. Used by any number of conversations on one loop.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._queue = _Queue()

    async def call(self, function: Callable[..., T], *arguments: Any, urgent: bool = False) -> T:
        """Run ``function(*arguments)`` on the thread and return what it returns."""
        async with self._queue.turn(urgent):
            return await self._until_done(function, *arguments)

    async def stream(
        self, make: Callable[[StopSignal], Iterator[T]], urgent: bool = False
    ) -> AsyncGenerator[T, None]:
        """Yield what the generator ``make(stop)`` yields, one step on the thread at a time.

        ``stop`` is set when the consumer goes away, so a step that watches it ends early. Consume
        it under ``aclosing``: the thread is free again once the iterator is closed.
        """
        stop = StopSignal()
        async with self._queue.turn(urgent), self._closing(make(stop), stop) as steps:
            while True:
                item = await self._until_done(next, steps, _END, stop=stop)
                if item is _END:
                    return
                yield cast(T, item)

    def close(self) -> None:
        """Let the thread end after the step in progress."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _closing(self, steps: Iterator[T], stop: StopSignal) -> AsyncIterator[Iterator[T]]:
        try:
            yield steps
        finally:
            stop.set()
            close = getattr(steps, "close", None)
            if close is not None:
                await self._until_done(close)

    async def _until_done(
        self, function: Callable[..., T], *arguments: Any, stop: StopSignal | None = None
    ) -> T:
        """Wait for one step even when cancelled, then pass the cancellation on.

        A thread cannot be cancelled; returning earlier would let the next caller in beside it.
        """
        loop = asyncio.get_running_loop()
        step = loop.run_in_executor(self._thread, function, *arguments)
        cancelled: asyncio.CancelledError | None = None
        while not step.done():
            try:
                await asyncio.shield(step)
            except asyncio.CancelledError as error:
                if step.cancelled():
                    raise
                cancelled = error
                if stop is not None:
                    stop.set()
            except Exception:  # raised below, from result(), unless a cancellation goes first
                break
        if cancelled is not None:
            if not step.cancelled():
                step.exception()  # a cancelled caller has no use for it; mark it as seen
            raise cancelled
        return step.result()


class _Queue:
    """A lock that goes to whoever has waited longest, the urgent ones before the others."""

    def __init__(self) -> None:
        self._busy = False
        self._arrivals = 0
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, urgent: bool) -> AsyncIterator[None]:
        """Wait for the lock, hold it inside the block, and pass it on."""
        if self._busy:
            await self._wait(urgent)
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, urgent: bool) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (not urgent, self._arrivals, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():  # it was this one's turn already
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, granted = heapq.heappop(self._waiting)
            if not granted.done():
                granted.set_result(None)
                return
        self._busy = False


@dataclass(frozen=True, slots=True)
class Owned(Generic[M]):
    """A model together with the thread that owns it: the only way to reach the model."""

    model: M
    worker: Worker
    urgent: bool = False
    """Whether this holder's calls go before those of others that wait."""

    async def call(self, use: Callable[[M], T]) -> T:
        """Return ``use(model)``, run on the owning thread."""
        return await self.worker.call(use, self.model, urgent=self.urgent)

    def stream(self, use: Callable[[M, StopSignal], Iterator[T]]) -> AsyncGenerator[T, None]:
        """Yield from the generator ``use(model, stop)``; consume it under ``aclosing``."""
        return self.worker.stream(lambda stop: use(self.model, stop), self.urgent)
