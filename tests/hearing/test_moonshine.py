"""Which transcripts are believed, and where long sound is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.moonshine import LONGEST, pieces, plausible, sounding_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Kids are talking by the door.", 1.8),
        ("Yes.", 0.4),
        ("Thank you.", 0.8),
        ("No, no, no.", 1.0),
        ("Set a timer for 15 minutes.", 1.6),
        ("21, 22, 23 go", 2.0),
        ("You are very kind.", 1.2),
        ("Thank you for watching my dog yesterday while I was out, it helped.", 4.0),
    ],
)
def test_what_people_say_is_left_as_it_is(text: str, seconds: float) -> None:
    assert plausible(f" {text} ", seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("You", 5.0),
        ("Thank you for watching!", 3.0),
        ("Thanks for watching.", 1.5),
        ("♪ Oh ♪", 2.0),
        ("大家啊啊啊", 2.0),
        ("© transcript Emily Beynon", 2.0),
        ("the first is " * 25, 5.0),
        ("Oh", 5.0),
        ("", 1.0),
        ("...", 1.0),
    ],
)
def test_what_the_network_invents_on_noise_is_refused(text: str, seconds: float) -> None:
    assert plausible(text, seconds) == ""


def test_a_loop_is_cut_to_one_of_its_rounds() -> None:
    looping = "It was late. I want to go, I want to go, I want to go, I want to go"
    assert plausible(looping, 6.0) == "It was late. I want to go"


def test_what_is_said_three_times_was_meant() -> None:
    assert plausible("Stop it, stop it, stop it!", 2.0) == "Stop it, stop it, stop it!"


def test_only_sound_near_the_loudest_counts_as_sounding() -> None:
    second = (3_000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
    assert sounding_seconds(np.concatenate([second, second // 200, second])) == 2.0
    assert sounding_seconds(np.zeros(0, np.int16)) == 0.0


@given(length=st.integers(0, 5 * LONGEST))
def test_pieces_lose_nothing_and_are_short_enough(length: int) -> None:
    audio = (np.arange(length) % 30_011).astype(np.int16)
    parts = list(pieces(audio))
    assert np.array_equal(np.concatenate(parts), audio)
    assert all(len(part) <= LONGEST for part in parts)


def test_long_sound_is_cut_in_its_pause() -> None:
    audio = np.full(12 * 16_000, 5_000, np.int16)
    audio[7 * 16_000 : 7 * 16_000 + 4_000] = 0
    first, second = pieces(audio)
    assert 7 * 16_000 <= len(first) <= 7 * 16_000 + 4_000
    assert len(first) + len(second) == len(audio)
