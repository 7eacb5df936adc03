"""Calls into a driver that may hang, on threads that nobody waits for.

Layer 2. Serves ``keeper``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def on_thread(function: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
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
