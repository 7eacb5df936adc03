"""A worker runs one step at a time, can be cancelled at each, and lets nobody in beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from device.worker import Owned, Worker


@asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    worker = Worker("test")
    try:
        yield worker
    finally:
        worker.close()


def run(test: Callable[[Worker], Any]) -> None:
    async def inside() -> None:
        async with asyncio.timeout(30), working() as worker:
            await test(worker)

    asyncio.run(inside())


def test_a_call_returns_what_the_function_returns_from_the_workers_own_thread() -> None:
    async def story(worker: Worker) -> None:
        assert await worker.call(lambda a, b: a + b, 1, 2) == 3
        threads = {await worker.call(threading.get_ident) for _ in range(3)}
        assert len(threads) == 1 and threading.get_ident() not in threads

    run(story)


def test_callers_are_served_in_order_and_urgent_ones_first() -> None:
    async def story(worker: Worker) -> None:
        served: list[str] = []
        gate = threading.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.call(gate.wait, 30))
            await asyncio.sleep(0)
            for name, urgent in (("a", False), ("b", False), ("local", True), ("c", False)):
                tasks.create_task(worker.call(served.append, name, urgent=urgent))
            await asyncio.sleep(0)
            gate.set()
        assert served == ["local", "a", "b", "c"]

    run(story)


def test_a_caller_that_gives_up_while_waiting_keeps_nobody_out() -> None:
    async def story(worker: Worker) -> None:
        gate = threading.Event()
        first = asyncio.create_task(worker.call(gate.wait, 30))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(worker.call(lambda: 1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.set()
        await first
        waiting[1].cancel()  # at the very moment when it is its turn
        assert await waiting[2] == 1
        assert await worker.call(lambda: 2) == 2

    run(story)


def test_an_error_on_the_thread_reaches_the_caller() -> None:
    async def story(worker: Worker) -> None:
        with pytest.raises(ZeroDivisionError):
            await worker.call(lambda: 1 / 0)
        assert await worker.call(lambda: "still there") == "still there"

    run(story)


def test_a_stream_yields_in_order_and_an_error_inside_it_reaches_the_consumer() -> None:
    def steps(stop: threading.Event) -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("third step")

    async def story(worker: Worker) -> None:
        got = []
        with pytest.raises(ValueError, match="third step"):
            async for item in worker.stream(steps):
                got.append(item)
        assert got == [1, 2]

    run(story)


def test_leaving_a_stream_early_sets_stop_and_closes_the_generator() -> None:
    ended: list[bool] = []

    def steps(stop: threading.Event) -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.append(stop.is_set())

    async def story(worker: Worker) -> None:
        async with aclosing(worker.stream(steps)) as stream:
            async for _ in stream:
                break
        assert ended == [True]

    run(story)


def test_cancelling_waits_for_the_step_in_progress_and_the_next_caller_never_overlaps() -> None:
    inside = 0
    most = 0
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        entered.set()
        leave.wait(20)
        inside -= 1

    async def story(worker: Worker) -> None:
        first = asyncio.create_task(worker.call(slow))
        await asyncio.to_thread(entered.wait, 20)
        first.cancel()
        second = asyncio.create_task(worker.call(slow))
        await asyncio.sleep(0.05)
        assert not first.done(), "the caller left while its step was still running"
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        assert most == 1

    run(story)


def test_cancelling_a_stream_sets_stop_at_once_so_that_a_long_step_can_end() -> None:
    entered = threading.Event()

    def steps(stop: threading.Event) -> Iterator[int]:
        entered.set()
        assert stop.wait(20), "stop was never set"
        yield 1

    async def consume(worker: Worker) -> None:
        async with aclosing(worker.stream(steps)) as stream:
            async for _ in stream:
                pass

    async def story(worker: Worker) -> None:
        task = asyncio.create_task(consume(worker))
        await asyncio.to_thread(entered.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await worker.call(lambda: "free") == "free"

    run(story)


def test_an_owned_model_is_used_on_its_own_thread() -> None:
    async def story(worker: Worker) -> None:
        owned = Owned([1, 2, 3], worker)
        assert await owned.call(len) == 3
        assert [i async for i in owned.stream(lambda model, stop: iter(model))] == [1, 2, 3]

    run(story)
