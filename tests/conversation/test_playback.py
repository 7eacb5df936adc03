"""The right to the speaker, and what was heard of what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.wav import WavLine
from device.conversation.playback import Playback, PlaybackStopped
from device.virtual_time import VirtualLoop

RATE = 16_000


def sound(seconds: float) -> np.ndarray:
    return np.full(round(seconds * RATE), 500, np.int16)


def on_a_line(story: Callable[[WavLine, list[float]], Awaitable[None]]) -> WavLine:
    async def main() -> WavLine:
        async with WavLine(rate=RATE) as line:
            await story(line, [])
            return line

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_what_is_played_to_the_end_was_heard_whole_and_its_first_sound_is_told() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        await asyncio.sleep(1.0)
        playback = Playback(line, told.append)
        await playback.play(sound(1.0), 0, "Good morning.")
        await playback.play(sound(0.5), 1, "How are you?")
        await playback.drained()
        assert playback.heard() == "Good morning. How are you?"
        assert told == [pytest.approx(1.0, abs=0.05)]
        assert line.now() == pytest.approx(2.5, abs=0.1)

    on_a_line(story)


def test_a_stopped_reply_was_heard_up_to_the_word_that_was_playing() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        await playback.play(sound(1.0), 0, "Good morning.")
        await playback.play(sound(1.0), 1, "one two three four")
        await asyncio.sleep(1.5)
        playback.stop()
        assert playback.heard() == "Good morning. one two"

    on_a_line(story)


def test_after_stop_nothing_more_can_be_played_and_the_line_is_silent() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        await playback.play(sound(1.0), 0, "Good morning.")
        await asyncio.sleep(0.5)
        playback.stop()
        heard = playback.heard()
        with pytest.raises(PlaybackStopped):
            await playback.play(sound(1.0), 1, "ghost")
        await asyncio.sleep(1.0)
        assert playback.heard() == heard == "Good"

    line = on_a_line(story)
    assert not np.any(line.recording[round(0.55 * RATE) :])


def test_a_writer_that_waits_for_room_is_turned_away_when_the_right_is_lost() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        writer = asyncio.create_task(playback.play(sound(60), 0, "a very long word"))
        await asyncio.sleep(1.0)
        assert not writer.done()
        playback.stop()
        with pytest.raises(PlaybackStopped):
            await writer

    on_a_line(story)


def test_nothing_was_heard_of_what_was_never_played() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        playback.stop()
        assert playback.heard() == "" and told == []

    on_a_line(story)


def test_ducking_lowers_the_voice_and_a_new_right_to_speak_begins_at_full_level() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        await playback.play(sound(1.0), 0, "Good morning.")
        await asyncio.sleep(0.3)
        playback.duck(True)
        await asyncio.sleep(0.3)
        playback.stop()
        again = Playback(line, told.append)
        await again.play(sound(0.2), 0, "Again.")
        await again.drained()

    recording = on_a_line(story).recording
    ducked = recording[round(0.4 * RATE) : round(0.55 * RATE)]
    assert set(np.unique(ducked)) <= {62, 63}
    assert recording[np.flatnonzero(recording)[-1]] == 500


@given(
    pauses=st.lists(st.tuples(st.floats(0.05, 0.7), st.floats(0.05, 0.7)), min_size=1, max_size=4),
    pieces=st.lists(st.floats(0.05, 0.9), min_size=1, max_size=5),
)
@settings(deadline=None, max_examples=40)
def test_a_held_voice_is_silent_and_goes_on_without_losing_a_sample(
    pauses: list[tuple[float, float]], pieces: list[float]
) -> None:
    whole = np.arange(1, round(sum(pieces) * RATE) + 1, dtype=np.int64) % 30_000 + 1

    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)

        async def speak() -> None:
            at = 0
            for number, seconds in enumerate(pieces):
                piece = whole[at : at + round(seconds * RATE)].astype(np.int16)
                at += len(piece)
                await playback.play(piece, number, f"clause {number}")
            await playback.drained()

        speaking = asyncio.ensure_future(speak())
        for before, during in pauses:
            await asyncio.sleep(before)
            playback.hold(True)
            await asyncio.sleep(0.04)  # what the card already has still sounds
            begin = line.now()
            await asyncio.sleep(during)
            silent = line.recording[round(begin * RATE) : round(line.now() * RATE)]
            assert not silent.any()
            playback.hold(False)
        await speaking
        assert playback.heard() == " ".join(f"clause {n}" for n in range(len(pieces)))

    recording = on_a_line(story).recording
    sounded = recording[recording != 0]
    steps = np.diff(sounded.astype(np.int64)) % 30_000
    assert len(sounded) >= len(whole) * 0.99
    # Nothing is skipped: where it goes on, at most a block that was on its way is said twice.
    assert np.all((steps == 1) | (steps >= 30_000 - RATE // 40) | (steps == 0))


def test_what_was_stopped_while_held_was_heard_up_to_there() -> None:
    async def story(line: WavLine, told: list[float]) -> None:
        playback = Playback(line, told.append)
        await playback.play(sound(1.0), 0, "one two three four")
        await asyncio.sleep(0.5)
        playback.hold(True)
        await asyncio.sleep(2)
        playback.stop()
        assert playback.heard() == "one two"

    on_a_line(story)
