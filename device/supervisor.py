"""Keeps a service running: when it fails, it is started again, after a growing pause.

Layer 1. Serves the composition root. The failure is told to the hub and the log; it never ends
the program.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from device.types import RapportError, ServiceFailed, ServiceReady

log = logging.getLogger(__name__)

FIRST_RETRY, LAST_RETRY = 1.0, 30.0
"""Seconds before the first and between later tries, where the service does not want others."""

Ready = Callable[[], None]
Announce = Callable[[ServiceFailed | ServiceReady], None]


async def supervise(
    name: str,
    service: Callable[[Ready], Awaitable[None]],
    announce: Announce,
    pauses: tuple[float, float] = (FIRST_RETRY, LAST_RETRY),
) -> None:
    """Run ``service(ready)`` until it returns; when it raises, tell why and start it again.

    The service calls ``ready`` once it works, which also resets the pause. A failure that repeats
    itself word for word is logged once. ``pauses``: seconds before the first try, and the longest.
    """
    pause, told = pauses[0], ""

    def ready() -> None:
        nonlocal pause, told
        pause, told = pauses[0], ""
        announce(ServiceReady(name))

    while True:
        try:
            await service(ready)
            return
        except Exception as error:
            first = first_cause(error)
            reason = str(first) or type(first).__name__
            if reason != told:
                mendable = isinstance(first, RapportError)
                log.error("%s: %s", name, reason, exc_info=None if mendable else error)
                told = reason
            announce(ServiceFailed(name, reason, pause))
        await asyncio.sleep(pause)
        pause = min(pause * 2, pauses[1])


def first_cause(error: BaseException) -> BaseException:
    """Return the first error inside a group of them, or the error itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
