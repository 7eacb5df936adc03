"""What waits for a client is in order, bounded, and its sound is dropped when it is out of date."""

from __future__ import annotations

import asyncio
import json

from device.evi.messages import Sent, assistant_end, audio_output, user_message
from device.evi.outbox import Outbox

TEXT = user_message("Hello \ud800.", None, (0, 0), from_text=True, interim=False)


class Client:
    """Reads as many messages as it is let."""

    def __init__(self, reads: int) -> None:
        self.seen: list[Sent] = []
        self._reads = asyncio.Semaphore(reads)

    async def send(self, text: str) -> None:
        await self._reads.acquire()
        text.encode("utf-8")
        self.seen.append(json.loads(text))


def test_messages_are_sent_in_order_and_a_lone_surrogate_breaks_nothing() -> None:
    async def story() -> None:
        outbox, client = Outbox(10_000), Client(10)
        for message in (TEXT, audio_output("a", 0, b"wav"), assistant_end()):
            outbox.put(message)
        sending = asyncio.create_task(outbox.run(client.send))
        assert await outbox.drained(10)
        sending.cancel()
        assert [message["type"] for message in client.seen] == [
            "user_message", "audio_output", "assistant_end",
        ]  # fmt: skip
        assert client.seen[0]["message"]["content"] == "Hello ?."

    asyncio.run(story())


def test_sound_that_was_not_sent_is_dropped_when_the_user_speaks_into_it() -> None:
    async def story() -> None:
        outbox, client = Outbox(10_000), Client(10)
        outbox.put(audio_output("a", 0, b"wav"))
        outbox.put(assistant_end())
        outbox.forget_audio()
        sending = asyncio.create_task(outbox.run(client.send))
        assert await outbox.drained(10)
        sending.cancel()
        assert [message["type"] for message in client.seen] == ["assistant_end"]

    asyncio.run(story())


def test_a_client_that_does_not_read_is_noticed_and_nothing_more_is_kept_for_it() -> None:
    async def story() -> None:
        outbox, client = Outbox(1_000), Client(1)
        sending = asyncio.create_task(outbox.run(client.send))
        for number in range(100):
            outbox.put(audio_output("a", number, bytes(100)))
            await asyncio.sleep(0)
        assert outbox.full.is_set()
        assert not await outbox.drained(0.01)
        sending.cancel()

    asyncio.run(story())
