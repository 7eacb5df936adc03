"""What waits to be sent to one client: in order, bounded, and forgotten when it is out of date.

Layer 4, on the event loop. Serves the chat and whoever watches it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable

from device.evi.messages import Sent

Send = Callable[[str], Awaitable[None]]


class Outbox:
    """Messages on their way; ``put`` never waits, ``run`` sends."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._waiting: deque[tuple[bool, str]] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.full = asyncio.Event()
        """Set once more waits than is allowed: the client does not read."""

    def put(self, message: Sent) -> None:
        """Send a message after those before it."""
        text = json.dumps(message, ensure_ascii=False)
        # A lone surrogate, which JSON can carry and UTF-8 cannot, goes out as a question mark.
        text = text.encode("utf-8", "replace").decode("utf-8")
        if self._size + len(text) > self._most:
            self.full.set()
            return
        self._waiting.append((message["type"] == "audio_output", text))
        self._size += len(text)
        self._idle.clear()
        self._changed.set()

    def forget_audio(self) -> None:
        """Drop the sound that has not been sent: the user spoke into it."""
        kept = [(audio, text) for audio, text in self._waiting if not audio]
        self._waiting = deque(kept)
        self._size = sum(len(text) for _, text in kept)

    async def run(self, send: Send) -> None:
        """Send what there is until cancelled."""
        while True:
            while self._waiting:
                _, text = self._waiting.popleft()
                self._size -= len(text)
                await send(text)
            self._idle.set()
            self._changed.clear()
            await self._changed.wait()

    async def drained(self, patience: float) -> bool:
        """Return whether all was sent within ``patience`` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
