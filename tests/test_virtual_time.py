"""The clock jumps when nothing is to be done, and waits while a thread computes."""

from __future__ import annotations

import asyncio
import threading
import time

from device.virtual_time import VirtualLoop


def test_a_day_of_sleep_takes_no_time_and_timers_keep_their_order() -> None:
    order: list[int] = []

    async def sleeper(hours: int) -> None:
        await asyncio.sleep(3600 * hours)
        order.append(hours)

    async def main() -> float:
        async with asyncio.TaskGroup() as tasks:
            for hours in (24, 1, 12):
                tasks.create_task(sleeper(hours))
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        passed = runner.run(main())
    assert order == [1, 12, 24]
    assert 24 * 3600 <= passed < 24 * 3600 + 1


def test_the_clock_stands_still_while_a_thread_computes() -> None:
    async def main() -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        late = loop.create_task(asyncio.sleep(0.01))
        release = threading.Timer(0.2, (gate := threading.Event()).set)
        release.start()
        before = loop.time()
        await asyncio.sleep(0)
        await loop.run_in_executor(None, gate.wait, 20)
        return loop.time() - before, late.done()

    begun = time.monotonic()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        passed, late_was_done = runner.run(main())
    assert time.monotonic() - begun >= 0.2, "the thread did not really compute"
    assert passed == 0 and not late_was_done
