"""What was heard becomes miss rates and false accepts an hour, with honest intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.terminal.bench_wake_clips import SYNTHETIC
from device.terminal.bench_wake_hearing import Heard
from device.terminal.bench_wake_report import cost, table
from device.terminal.bench_wake_trials import Trial, in_words, openings, poisson, wilson


def heard(
    *texts: str,
    spoken: str = "",
    seconds: float = 1800.0,
    corpus: str = "c",
    condition: str = "clean",
) -> Heard:
    return Heard(corpus, "r", condition, spoken, seconds, texts, {}, 0.1, 0.0)


def usual(trials: list[Trial]) -> Trial:
    return next(trial for trial in trials if trial.sensitivity == 0.5)


def test_what_was_said_and_not_recognised_is_missed() -> None:
    rows = [
        heard("Hey rapport.", spoken="hey rapport"),
        heard("Hey", "Hey report, stop.", spoken="hey rapport stop"),
        heard("Thank you.", spoken="hey rapport"),
        heard(spoken="hey rapport"),
    ]
    trial = usual(list(in_words(rows, "hey rapport", "us")))
    assert (trial.said, trial.missed, trial.woken) == (4, 2, 0)
    assert trial.hours == 0


def test_anything_else_that_wakes_is_a_false_accept_once_a_recording() -> None:
    rows = [
        heard("Hey rapport.", "Hey rapport, rapport.", spoken="hey robert"),
        heard("Good day.", spoken="good day"),
        heard("I know this rapport."),
    ]
    trial = usual(list(in_words(rows, "hey rapport", "us")))
    assert (trial.said, trial.woken, trial.hours) == (0, 1, 1.5)
    assert trial.false_rate[0] == pytest.approx(2 / 3)


def test_what_the_devices_voice_says_is_no_real_speech_to_be_woken_by() -> None:
    rows = [heard("Hey rapport.", spoken="hey jarvis", corpus=SYNTHETIC), heard("No.")]
    trial = usual(list(in_words(rows, "hey rapport", "us")))
    assert (trial.woken, trial.hours) == (0, 0.5)


def test_conditions_are_counted_apart() -> None:
    rows = [
        heard("Hey rapport.", spoken="hey rapport"),
        heard("Uh", spoken="hey rapport", condition="noisy"),
    ]
    trials = list(in_words(rows, "hey rapport", "us"))
    assert {(t.condition, t.missed) for t in trials} == {("clean", 0), ("noisy", 1)}


def test_each_read_sentence_lends_its_first_words_as_a_phrase() -> None:
    rows = [
        heard("The old mill stands.", spoken="the old mill stands", corpus="read"),
        heard("Green apples fell down.", spoken="green apples fell down", corpus="read"),
        heard("What?", corpus="other"),
    ]
    trial = usual(list(openings(rows, "read")))
    assert (trial.said, trial.missed) == (2, 0)
    assert trial.hours == 2 * 1.0
    assert "2 read sentences" in trial.phrase


def test_the_intervals_are_those_of_the_textbooks() -> None:
    assert wilson(0, 50) == pytest.approx((0, 0.0714), abs=1e-3)
    assert wilson(13, 720) == pytest.approx((0.0106, 0.0306), abs=1e-3)
    assert poisson(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert poisson(3) == pytest.approx((0.619, 8.767), abs=1e-3)


@given(st.integers(0, 300))
def test_the_count_lies_in_its_interval(count: int) -> None:
    low, high = poisson(count)
    assert low <= count <= high


@given(st.integers(1, 500), st.data())
def test_the_share_lies_in_its_interval(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    low, high = wilson(count, of)
    assert 0 <= low <= count / of + 1e-12
    assert count / of - 1e-12 <= high <= 1


def test_the_table_has_a_row_for_each_phrase_and_condition() -> None:
    rows = [heard("Hey rapport.", spoken="hey rapport"), heard("No.")]
    shown = table(list(in_words(rows, "hey rapport", "us")))
    assert shown.row_count == 1
    assert "recognise words" in cost(rows).plain
