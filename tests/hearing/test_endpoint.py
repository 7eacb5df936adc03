"""When speech begins, pauses and ends, from frames of voice activity alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.endpoint import Endpoint, Mark, finished
from device.settings import Hearing

FRAME = 0.032
SETTINGS = Hearing()


def frames(seconds: float, probability: float) -> list[float]:
    return [probability] * round(seconds / FRAME)


def marks(probabilities: list[float], verdict: float | None = None) -> list[tuple[float, Mark]]:
    """Return the marks and their times; each pause gets ``verdict``, if one is given."""
    endpoint, found = Endpoint(SETTINGS, FRAME), []
    for number, probability in enumerate(probabilities, 1):
        mark = endpoint.hear(probability)
        if mark is not None:
            found.append((number * FRAME, mark))
        if mark is Mark.PAUSED and verdict is not None:
            endpoint.judge(verdict)
    return found


def names(found: list[tuple[float, Mark]]) -> list[Mark]:
    return [mark for _, mark in found]


SPEECH = frames(0.5, 0.0) + frames(1.0, 0.9)


def test_speech_is_suspected_at_its_first_frame_and_confirmed_within_a_tenth_of_a_second() -> None:
    (suspected, first), (started, second) = marks(SPEECH)
    assert (first, second) == (Mark.SUSPECTED, Mark.STARTED)
    assert suspected == pytest.approx(0.5, abs=2 * FRAME)
    assert started - 0.5 <= 0.11


def test_an_onset_that_wavers_is_speech_all_the_same() -> None:
    printing = [0.68, 0.56, 0.35, 0.43, 0.49, 0.52, 0.45, 0.96]  # "Printing", read aloud
    started = [at for at, mark in marks(frames(0.5, 0.0) + printing) if mark is Mark.STARTED]
    assert started[0] - 0.5 <= 0.12


def test_a_click_is_suspected_and_dismissed() -> None:
    found = names(marks(frames(0.3, 0) + frames(0.04, 0.9) + frames(0.5, 0)))
    assert found == [Mark.SUSPECTED, Mark.DISMISSED]


def test_a_turn_that_sounds_finished_ends_after_the_shortest_silence() -> None:
    found = marks(SPEECH + frames(3, 0.0), verdict=1.0)
    assert names(found)[-2:] == [Mark.PAUSED, Mark.ENDED]
    assert found[-1][0] - 1.5 == pytest.approx(SETTINGS.shortest_silence, abs=0.05)


def test_a_turn_that_sounds_unfinished_ends_after_the_longest_silence() -> None:
    found = marks(SPEECH + frames(3, 0.0), verdict=0.0)
    assert found[-1][0] - 1.5 == pytest.approx(SETTINGS.longest_silence, abs=0.05)


def test_the_surer_the_verdict_the_shorter_the_wait() -> None:
    waits = [marks(SPEECH + frames(3, 0.0), v / 10)[-1][0] for v in range(11)]
    assert waits == sorted(waits, reverse=True) and waits[0] > waits[5] > waits[-1]


def test_a_turn_does_not_end_before_its_verdict() -> None:
    assert names(marks(SPEECH + frames(20, 0.0)))[-1] is Mark.PAUSED


def test_going_on_after_a_pause_resumes_the_same_utterance() -> None:
    found = names(marks(SPEECH + frames(0.3, 0) + frames(0.5, 0.9) + frames(3, 0), verdict=1.0))
    assert found == [
        Mark.SUSPECTED, Mark.STARTED, Mark.PAUSED, Mark.RESUMED, Mark.PAUSED, Mark.ENDED,
    ]  # fmt: skip


def test_a_lone_voiced_frame_in_a_pause_does_not_prolong_the_turn() -> None:
    plain = marks(SPEECH + frames(3, 0), 1.0)[-1][0]
    clicked = marks(SPEECH + frames(0.256, 0) + [0.9] + frames(3, 0), 1.0)[-1][0]
    assert clicked - plain <= 2 * FRAME


@given(st.lists(st.floats(0, 1), max_size=400), st.floats(0, 1))
def test_marks_always_come_in_an_order_that_makes_sense(
    probabilities: list[float], verdict: float
) -> None:
    follows = {
        None: {Mark.SUSPECTED},
        Mark.SUSPECTED: {Mark.STARTED, Mark.DISMISSED},
        Mark.DISMISSED: {Mark.SUSPECTED},
        Mark.STARTED: {Mark.PAUSED},
        Mark.PAUSED: {Mark.RESUMED, Mark.ENDED},
        Mark.RESUMED: {Mark.PAUSED},
        Mark.ENDED: {Mark.SUSPECTED},
    }
    last = None
    for mark in names(marks(probabilities, verdict)):
        assert mark in follows[last]
        last = mark


@pytest.mark.parametrize(
    ("likelier", "unlikelier"),
    [
        ("Tell me about the sea.", "Tell me about the"),
        ("What is it?", "What is it, and"),
        ("I went home.", "I went home,"),
        ("I am done.", "I am done because"),
        ("What are you up to?", "I want to"),
    ],
)
def test_words_that_hang_in_the_air_speak_against_the_end(likelier: str, unlikelier: str) -> None:
    assert finished(0.7, likelier) > finished(0.7, unlikelier)


@pytest.mark.parametrize("text", ["Thank you.", "How are you.", "I like that.", "Come in."])
def test_words_that_often_end_a_sentence_do_not_hold_it_open(text: str) -> None:
    assert finished(0.9, text) > 0.8


@given(st.floats(0, 1), st.text(max_size=60))
def test_the_verdict_is_always_a_share(probability: float, text: str) -> None:
    assert 0 <= finished(probability, text) <= 1
