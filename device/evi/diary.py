"""What happened in one chat, written to the archive as it happens, without anyone waiting for it.

Layer 4, on the event loop. Serves the chat.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time

from device.evi.archive import NewEvent
from device.evi.messages import Prosody, Sent
from device.evi.records import Records
from device.worker import Owned

log = logging.getLogger(__name__)

BEHIND = 1_000
"""Events that may wait for the disk; a database that is stuck for longer loses the oldest."""


class Diary:
    """The events of one chat on their way to the database; ``run`` it beside."""

    def __init__(self, records: Owned[Records], chat_id: str) -> None:
        self._records, self._chat_id = records, chat_id
        self._waiting: asyncio.Queue[NewEvent] = asyncio.Queue(BEHIND)

    def note(self, role: str, kind: str, text: str | None = None, **more: str | None) -> None:
        """Write down an event; ``more``: ``emotion_features`` and ``metadata``, JSON texts."""
        if self._waiting.full():
            self._waiting.get_nowait()
            log.warning("chat %s: an event was not kept, the database is too slow", self._chat_id)
        self._waiting.put_nowait(NewEvent(role, kind, now_ms(), text, **more))

    def note_message(self, message: Sent) -> None:
        """Write down what was sent to the client, as far as it belongs into the history."""
        match message["type"]:
            case "user_message" if not message["interim"]:
                self._note_words(message["message"]["content"], message["models"].get("prosody"))
            case "user_interruption":
                self.note("USER", "USER_INTERRUPTION")
            case "assistant_prosody":
                features = json.dumps(message["models"]["prosody"]["scores"])
                self.note("AGENT", "ASSISTANT_PROSODY", emotion_features=features)
            case "tool_call":
                self.note("AGENT", "FUNCTION_CALL", json.dumps(message))
            case "tool_response":
                self.note("TOOL", "FUNCTION_CALL_RESPONSE", json.dumps(message))

    def _note_words(self, text: str, prosody: Prosody | None) -> None:
        """Write down what the user said; clients look for the 48 scores and no more in one place.

        What was measured is the event's metadata.
        """
        features, about = "", None
        if prosody is not None:
            features = json.dumps(prosody["scores"])
            about = json.dumps({"measured": prosody["measured"]})
        self.note("USER", "USER_MESSAGE", text, emotion_features=features, metadata=about)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._write(await self._waiting.get())

    async def finish(self) -> None:
        """Write what is left."""
        while not self._waiting.empty():
            await self._write(self._waiting.get_nowait())

    async def _write(self, event: NewEvent) -> None:
        await self._records.call(lambda r: r.archive.add_event(self._chat_id, event))


def now_ms() -> int:
    """Return the time of day as Unix milliseconds."""
    return round(time.time() * 1000)
