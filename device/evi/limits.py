"""How much clients may ask for: requests per second, and chats at a time.

Layer 4. Serves the REST routes (``RateLimit``, a dependency of theirs) and the chat socket
(``Places``). Everything here runs on the event loop.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from device.evi import faults
from device.evi.access import Caller, Refused

MOST_CLIENTS = 10_000
"""So many are told apart at a time; each takes about 200 bytes."""
ROUNDING = 1e-6
"""Seconds that a request may come too early: thousands of additions to a large number of seconds
err by less."""


class Rate:
    """A bucket of tokens for each client: full at first, and refilled steadily.

    Kept as one number per client, the moment at which its bucket will be full again.
    """

    def __init__(self, per_second: float, now: Callable[[], float]) -> None:
        """``now``: a clock in seconds that never goes back."""
        self._now = now
        self._interval = 1 / per_second
        self.burst = max(1.0, per_second)
        """Requests that one client may make at once."""
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str) -> float:
        """Return 0.0 if the client may go ahead, else the seconds it has to wait."""
        now = self._now()
        self._forget_idle(now)
        if client not in self._full_at and len(self._full_at) >= MOST_CLIENTS:
            return next(iter(self._full_at.values())) - now
        full_at = max(now, self._full_at.get(client, now))
        due = full_at - (self.burst - 1) * self._interval
        if now < due - ROUNDING:
            return due - now
        self._full_at[client] = full_at + self._interval
        self._full_at.move_to_end(client)
        return 0.0

    @property
    def clients(self) -> int:
        """How many are remembered at present."""
        return len(self._full_at)

    def _forget_idle(self, now: float) -> None:
        # In order of their last request. Behind a busy one an idle one may wait its turn to be
        # forgotten, but no longer than a bucket takes to fill.
        while self._full_at and next(iter(self._full_at.values())) <= now:
            self._full_at.popitem(last=False)


class RateLimit:
    """A dependency of routes that refuses, with 429, a client that asks too often.

    Goes after ``Access.required``, which tells by what key the client came. The rate may be
    replaced while requests are served.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate

    async def __call__(self, connection: HTTPConnection) -> None:
        """Let the request pass, or raise Refused."""
        wait = self.rate.take(_client(connection))
        if wait:
            seconds = max(1, math.ceil(wait))
            raise Refused(
                429,
                f"Too many requests: this device takes {self.rate.burst:g} a second from one "
                "client; slow down, or raise api.requests_per_second.",
                {"Retry-After": str(seconds)},
            )


class Places:
    """A fixed number of places for chats."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0

    @property
    def free(self) -> int:
        """How many more chats there is room for."""
        return max(0, self.most - self._taken)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one place inside the block; raises faults.too_many_chats if none is free."""
        if not self.free:
            raise faults.too_many_chats(self.most)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def _client(connection: HTTPConnection) -> str:
    caller: Caller | None = getattr(connection.state, "caller", None)
    if caller is not None and caller.keyed:
        return f"key {caller.name}"
    return connection.client.host if connection.client else ""
