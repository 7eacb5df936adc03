"""The line of a chat hears a stream however it arrives, and reckons what the far end has played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import numpy as np
import pytest

from device.evi.line import AHEAD_S, BACKLOG_S, GRACE_S, RATE, REST_S, ChatLine
from device.types import HEARING_RATE, AudioChunk, Pcm
from device.virtual_time import VirtualLoop


def sound(seconds: float, value: int = 1000) -> Pcm:
    return np.full(round(seconds * HEARING_RATE), value, np.int16)


def told(story: Callable[[ChatLine], Awaitable[None]]) -> list[AudioChunk]:
    """Everything the line hears while a story is told, on virtual time."""
    heard: list[AudioChunk] = []

    async def inside() -> None:
        async with ChatLine("test") as line:

            async def listen() -> None:
                async for chunk in line.chunks():
                    heard.append(chunk)

            listening = asyncio.create_task(listen())
            await asyncio.sleep(0)
            await story(line)
            line.close()
            await listening

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(inside())
    return heard


def test_sound_in_uneven_pieces_is_heard_as_one_stream() -> None:
    pieces = np.split(np.arange(HEARING_RATE, dtype=np.int16), [1, 7, 500, 501, 9000])

    async def story(line: ChatLine) -> None:
        for piece in pieces:
            await line.feed(piece)
        await asyncio.sleep(0.25)

    heard = np.concatenate([chunk.pcm for chunk in told(story)])
    assert np.array_equal(heard[:HEARING_RATE], np.concatenate(pieces))


def test_chunks_follow_each_other_without_gap_or_overlap() -> None:
    async def story(line: ChatLine) -> None:
        for wait in (0.0, 0.5, 6.0, 0.01):
            await asyncio.sleep(wait)
            await line.feed(sound(0.3))
        await asyncio.sleep(1)

    heard = told(story)
    gaps = [after.start - before.start - len(before.pcm) for before, after in pairwise(heard)]
    assert all(gap >= 0 for gap in gaps)
    # only where the line rested was time skipped
    assert len([gap for gap in gaps if gap]) == 1


def test_silence_is_heard_where_a_client_stops_sending_and_then_the_line_rests() -> None:
    async def story(line: ChatLine) -> None:
        await line.feed(sound(1.0))
        await asyncio.sleep(60)

    heard = told(story)
    seconds = sum(len(chunk.pcm) for chunk in heard) / HEARING_RATE
    assert seconds == pytest.approx(1.0 + REST_S, abs=0.3)
    assert not heard[-1].pcm.any()


def test_a_late_packet_does_not_put_silence_into_a_word() -> None:
    async def story(line: ChatLine) -> None:
        await line.feed(sound(0.2))
        await asyncio.sleep(0.2 + GRACE_S * 0.5)
        await line.feed(sound(0.2))
        await asyncio.sleep(0.1)

    assert all(chunk.pcm.all() for chunk in told(story)[:20])


def test_a_recording_sent_at_once_is_heard_faster_than_it_was_spoken_but_not_all_at_once() -> None:
    taken: list[float] = []

    async def story(line: ChatLine) -> None:
        await line.feed(sound(8.0))
        begun = asyncio.get_running_loop().time()
        while line.waiting:
            await asyncio.sleep(0.01)
        taken.append(asyncio.get_running_loop().time() - begun)

    told(story)
    assert 0.5 < taken[0] < 4.0


def test_whoever_sends_too_much_waits() -> None:
    waited: list[float] = []

    async def story(line: ChatLine) -> None:
        for _ in range(4):
            await line.feed(sound(BACKLOG_S / 2))
        waited.append(asyncio.get_running_loop().time())

    told(story)
    assert waited[0] > 1.0


def test_the_clock_never_goes_back_and_is_never_behind_what_was_heard() -> None:
    async def story(line: ChatLine) -> None:
        last = 0.0
        for wait in (0.0, 0.1, 0.5, 7.0, 0.0, 0.02):
            await line.feed(sound(0.25))
            await asyncio.sleep(wait)
            assert line.now() >= last
            last = line.now()

    heard = told(story)
    assert heard[-1].ended <= 20


def test_what_was_sent_is_played_in_its_own_time_and_what_was_cleared_never() -> None:
    async def story(line: ChatLine) -> None:
        assert line.write(np.zeros(RATE, np.int16)) == RATE
        await asyncio.sleep(0.25)
        assert line.played == pytest.approx(RATE * 0.25, abs=RATE * 0.03)
        line.clear()
        await asyncio.sleep(3)
        assert line.played == pytest.approx(RATE * 0.25, abs=RATE * 0.03)
        line.write(np.zeros(RATE, np.int16))
        await asyncio.sleep(0.5)
        assert line.played == pytest.approx(RATE * 0.75, abs=RATE * 0.05)
        await asyncio.sleep(5)
        assert line.played == pytest.approx(RATE * 1.25, abs=RATE * 0.03)

    told(story)


def test_no_more_is_sent_than_the_far_end_may_be_ahead() -> None:
    async def story(line: ChatLine) -> None:
        much = np.zeros(round(RATE * AHEAD_S * 2), np.int16)
        assert line.write(much) == round(RATE * AHEAD_S)
        assert line.write(much) == 0
        await asyncio.sleep(1)
        assert line.write(much) == pytest.approx(RATE, abs=RATE * 0.03)

    told(story)
