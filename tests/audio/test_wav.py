"""The simulated line: what is fed is heard, what is written is recorded, to the sample."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

import numpy as np
import pytest

from device.audio.rates import resample
from device.audio.wav import LAG, WavLine
from device.ports import Line
from device.types import AudioChunk, Pcm, RapportError
from device.virtual_time import VirtualLoop

T = TypeVar("T")


def virtually(story: Coroutine[Any, Any, T]) -> T:
    """Run ``story`` on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


def noise(seconds: float, rate: int, seed: int = 1) -> Pcm:
    count = round(seconds * rate)
    return (np.random.default_rng(seed).standard_normal(count) * 3000).astype(np.int16)


async def listen(line: WavLine, seconds: float) -> list[AudioChunk]:
    """Take chunks until the line's time ``seconds``."""
    taken: list[AudioChunk] = []
    async with aclosing(line.chunks()) as chunks:
        async for chunk in chunks:
            taken.append(chunk)
            if chunk.ended >= seconds:
                break
    return taken


def heard(chunks: list[AudioChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def far(chunks: list[AudioChunk]) -> Pcm:
    return np.concatenate([chunk.far for chunk in chunks if chunk.far is not None])


def test_it_is_a_line() -> None:
    line: Line = WavLine()
    assert line.rate == 22_050


def test_what_is_fed_is_heard_to_the_sample_when_promised() -> None:
    first, second = noise(0.333, 16_000, 1), noise(0.1, 16_000, 2)

    async def story() -> tuple[list[AudioChunk], list[float]]:
        async with WavLine() as line:
            times = [line.feed(first), line.feed(second), line.fed_until]
            await asyncio.sleep(1.005)
            times += [line.feed(first), line.fed_until]
            return await listen(line, 2.0), times

    chunks, times = virtually(story())
    assert times == pytest.approx([0.0, 0.333, 0.433, 1.02, 1.353])
    pcm = heard(chunks)
    assert pcm[: 5328 + 1600].tolist() == [*first.tolist(), *second.tolist()]
    assert not pcm[6928:16_320].any()
    assert pcm[16_320 : 16_320 + 5328].tolist() == first.tolist()
    assert not pcm[16_320 + 5328 :].any()
    assert [chunk.start for chunk in chunks] == list(range(0, 320 * len(chunks), 320))
    assert {len(chunk.pcm) for chunk in chunks} == {320}


def test_a_chunk_comes_when_its_sound_has_ended() -> None:
    async def story() -> list[float]:
        async with WavLine() as line, aclosing(line.chunks()) as chunks:
            late: list[float] = []
            async for chunk in chunks:
                late.append(line.now() - chunk.ended)
                if chunk.ended >= 5:
                    return late
        return []

    late = virtually(story())
    assert len(late) == 250
    assert max(map(abs, late)) < 1e-6


def test_what_is_written_is_recorded_to_the_sample_and_not_before_it_was_written() -> None:
    sound = noise(0.5, 22_050)

    async def story() -> WavLine:
        async with WavLine() as line:
            await asyncio.sleep(0.99)
            assert line.write(sound) == len(sound)
            assert (line.played, line.first_sound) == (0, None)
            await asyncio.sleep(1.0)
            assert line.played == len(sound)
        return line

    line = virtually(story())
    start = 22_050
    assert not line.recording[:start].any()
    assert line.recording[start : start + len(sound)].tolist() == sound.tolist()
    assert not line.recording[start + len(sound) :].any()
    assert line.first_sound == pytest.approx(1.0, abs=1e-3)
    assert line.last_sound == pytest.approx(1.5, abs=1e-3)


def test_played_counts_a_block_when_it_is_over() -> None:
    async def story() -> list[tuple[float, int]]:
        async with WavLine() as line:
            line.write(noise(0.05, 22_050))
            seen = []
            for _ in range(5):
                await line.tick()
                seen.append((round(line.now(), 6), line.played))
            return seen

    assert virtually(story()) == [(0.0, 0), (0.02, 441), (0.04, 882), (0.06, 1102), (0.08, 1102)]


def test_only_as_much_is_accepted_as_there_is_room_for() -> None:
    async def story() -> tuple[int, int, int]:
        async with WavLine() as line:
            first = line.write(np.ones(100_000, np.int16))
            second = line.write(np.ones(10, np.int16))
            await line.tick()
            return first, second, line.write(np.ones(1000, np.int16))

    assert virtually(story()) == (44_100, 0, 441)


def test_clear_drops_what_was_not_played_and_it_never_counts() -> None:
    long, other = noise(1.5, 22_050, 1), noise(0.2, 22_050, 2)

    async def story() -> tuple[WavLine, list[int]]:
        async with WavLine() as line:
            line.write(long)
            await asyncio.sleep(0.5)
            line.clear()
            counts = [line.played]
            await asyncio.sleep(0.5)
            counts.append(line.played)
            assert line.write(other) == len(other)
            await asyncio.sleep(0.5)
            counts.append(line.played)
        return line, counts

    line, (at_clear, later, in_all) = virtually(story())
    assert at_clear == later
    assert later == pytest.approx(0.5 * 22_050, abs=441)
    assert in_all == later + len(other)
    assert line.recording[:later].tolist() == long[:later].tolist()
    assert not line.recording[later:22_000].any()


def test_what_is_written_right_after_clear_is_played() -> None:
    async def story() -> WavLine:
        async with WavLine() as line:
            line.write(np.full(20_000, 1, np.int16))
            await asyncio.sleep(0.1)
            line.clear()
            line.write(np.full(500, 2, np.int16))
            await asyncio.sleep(0.5)
        return line

    recording = virtually(story()).recording
    assert np.count_nonzero(recording == 2) == 500
    assert recording[recording != 0][-500:].tolist() == [2] * 500


def test_a_full_buffer_that_was_cleared_has_room_again() -> None:
    async def story() -> WavLine:
        async with WavLine() as line:
            while line.write(np.full(line.rate, 1, np.int16)):
                pass
            await asyncio.sleep(0.1)
            while line.write(np.full(line.rate, 1, np.int16)):
                pass
            line.clear()
            await asyncio.sleep(0.1)
            assert line.write(np.full(500, 2, np.int16)) == 500
            await asyncio.sleep(0.5)
        return line

    assert np.count_nonzero(virtually(story()).recording == 2) == 500


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_the_far_end_is_what_was_played_in_the_same_time(rate: int) -> None:
    bursts = [noise(0.3, rate, seed) for seed in range(3)]

    async def story() -> tuple[WavLine, list[AudioChunk]]:
        async with WavLine(rate) as line:
            for burst in bursts:
                line.write(burst)
                await asyncio.sleep(0.5)
            return line, await listen(line, 1.5)

    line, chunks = virtually(story())
    played = resample(line.recording, rate, 16_000)
    got = far(chunks)
    apart = np.std(got - played[: len(got)].astype(float)) / np.std(got.astype(float))
    assert len(got) == 24_000
    assert np.std(got.astype(float)) > 500
    assert apart < 0.003


def test_gain_applies_from_now_on_and_to_the_far_end() -> None:
    async def story() -> tuple[WavLine, list[AudioChunk]]:
        async with WavLine(16_000) as line:
            line.write(np.full(32_000, 8000, np.int16))
            await asyncio.sleep(0.5)
            line.gain = 0.125
            await asyncio.sleep(0.5)
            line.gain = 1.0
            return line, await listen(line, 1.5)

    line, chunks = virtually(story())
    recording = line.recording
    assert (recording[:8000] == 8000).all()
    assert (recording[9000:15_900] == 1000).all()
    assert (recording[17_000:24_000] == 8000).all()
    assert np.abs(np.diff(recording[:24_000].astype(int))).max() <= 22
    assert far(chunks).tolist() == recording[: len(far(chunks))].tolist()


def test_a_slow_consumer_loses_nothing_in_virtual_time_and_playing_goes_on() -> None:
    question, answer = noise(100.0, 16_000, 1), noise(1.0, 22_050, 2)

    async def story() -> tuple[WavLine, list[AudioChunk]]:
        async with WavLine() as line:
            line.feed(question)
            line.write(answer)
            async with aclosing(line.chunks()) as chunks:
                first = await anext(chunks)
                await asyncio.sleep(100)
                assert line.played == len(answer)
                rest = [await anext(chunks) for _ in range(4999)]
            return line, [first, *rest]

    line, chunks = virtually(story())
    assert line.dropped == 0
    assert heard(chunks).tolist() == question.tolist()


def test_ten_minutes_are_simulated_without_growing_or_drifting() -> None:
    async def story() -> tuple[WavLine, int]:
        async with WavLine() as line:
            line.feed(noise(600.0, 16_000))
            count = 0
            async with aclosing(line.chunks()) as chunks:
                async for chunk in chunks:
                    count += 1
                    line.write(np.full(441, 7, np.int16))
                    if chunk.ended >= 600:
                        break
            assert line.now() == pytest.approx(600, abs=1e-3)
            return line, count

    line, count = virtually(story())
    assert count == 30_000
    assert len(line.recording) == pytest.approx(600 * 22_050, abs=2 * 441)


def test_close_ends_the_chunks_after_what_was_heard() -> None:
    async def story() -> list[AudioChunk]:
        async with WavLine() as line:
            await asyncio.sleep(0.105)
            line.close()
            return [chunk async for chunk in line.chunks()]

    assert len(virtually(story())) == 5


def test_leaving_the_line_ends_a_consumer_that_waits() -> None:
    async def story() -> int:
        async def count() -> int:
            return len([chunk async for chunk in line.chunks()])

        async with WavLine() as line:
            counting = asyncio.create_task(count())
            await asyncio.sleep(0.105)
        async with asyncio.timeout(5):
            return await counting

    assert virtually(story()) == 5


def test_a_line_that_does_not_record_still_plays() -> None:
    async def story() -> WavLine:
        async with WavLine(record=False) as line:
            line.write(noise(0.1, 22_050))
            await asyncio.sleep(0.5)
        return line

    line = virtually(story())
    assert len(line.recording) == 0
    assert line.played == 2205
    assert line.last_sound == pytest.approx(0.1, abs=1e-3)


def test_a_rate_without_whole_blocks_is_refused() -> None:
    for rate in (0, -50, 11_025):
        with pytest.raises(RapportError, match=f"{rate} samples/s"):
            WavLine(rate)


def test_in_real_time_it_keeps_the_loops_clock_and_makes_up_for_stalls() -> None:
    question = noise(0.5, 16_000)

    async def story() -> tuple[list[AudioChunk], WavLine]:
        async with WavLine() as line:
            assert line.feed(question) == 0.0
            line.write(noise(0.3, 22_050))
            await asyncio.sleep(0.05)
            busy_until = asyncio.get_running_loop().time() + 0.2
            while asyncio.get_running_loop().time() < busy_until:
                pass  # a loop that is held up
            chunks = await listen(line, 0.6)
            assert line.now() >= 0.6
            return chunks, line

    chunks, line = asyncio.run(story())
    assert heard(chunks)[: len(question)].tolist() == question.tolist()
    assert line.dropped == 0
    assert line.played == 6615
    assert line.first_sound == pytest.approx(0.0, abs=1e-3)


def test_in_real_time_a_consumer_that_lags_too_far_loses_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("device.audio.wav.LAG", 5)

    async def story() -> tuple[WavLine, list[AudioChunk]]:
        async with WavLine() as line:
            while line.now() < 0.3:
                await line.tick()
            line.close()
            return line, [chunk async for chunk in line.chunks()]

    line, chunks = asyncio.run(story())
    assert LAG > 5
    assert len(chunks) == 5
    assert line.dropped > 0
    assert chunks[0].start == line.dropped * 320
