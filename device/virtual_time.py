"""An event loop whose clock jumps to the next timer, and stands still while a thread computes.

Layer 1. Serves ``rapport talk --pace fast`` and the tests: ten minutes of conversation pass in the
seconds that its models need, and take the same course each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _JumpingSelector(selectors.DefaultSelector):
    """Waits in no time: the wait is added to the clock, unless threads are still at work."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.busy or timeout is None:
            return super().select(None)
        self.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time; ``asyncio.Runner(loop_factory=VirtualLoop)`` uses it.

    Work given to ``run_in_executor`` takes no virtual time however long it computes.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._jumping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run ``func`` on a thread, holding the clock until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.busy += 1
        future.add_done_callback(self._computed)
        return future

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Hold the clock while something else than the loop's executors is at work."""
        self._jumping.busy += 1
        try:
            yield
        finally:
            self._jumping.busy -= 1

    def _computed(self, _: asyncio.Future[Any]) -> None:
        self._jumping.busy -= 1
