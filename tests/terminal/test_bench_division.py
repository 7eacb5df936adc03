"""A gap divides among those who were waited for, and the parts add up to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.terminal.bench_division import (
    PARTS,
    Milestones,
    Span,
    analysis,
    divide,
    first_sound_made,
)

EAGER = Milestones(
    speech_end=10.0,
    analysis_begun=10.2,
    analysed=10.3,
    first_clause=10.45,
    synthesized=10.55,
    decided=10.4,
    first_audio=10.57,
)

moments = st.builds(
    Milestones,
    speech_end=st.floats(0, 10),
    analysis_begun=st.floats(0, 20),
    analysed=st.floats(0, 20),
    first_clause=st.floats(0, 20),
    synthesized=st.floats(0, 20),
    decided=st.floats(0, 20),
    first_audio=st.floats(10, 20),
)


@given(moments)
def test_the_parts_add_up_to_the_gap_and_none_is_negative(any_order: Milestones) -> None:
    parts = divide(any_order)
    assert tuple(parts) == PARTS
    assert sum(parts.values()) == pytest.approx(any_order.gap)
    assert min(parts.values()) >= 0


def test_work_that_outlasts_the_decision_leaves_no_endpoint_to_wait_for() -> None:
    parts = divide(EAGER)
    assert parts["endpoint"] == 0
    assert parts["first silence"] == pytest.approx(0.2)
    assert (parts["ASR"], parts["LLM"], parts["TTS"]) == pytest.approx((0.1, 0.15, 0.1))
    assert parts["line"] == pytest.approx(0.02)


def test_a_decision_that_outlasts_the_work_is_waited_for() -> None:
    late = replace(EAGER, decided=11.0, first_audio=11.02)
    assert divide(late)["endpoint"] == pytest.approx(0.45)
    assert late.hidden == pytest.approx(0.35)
    assert late.exposed == 0


def test_work_is_hidden_until_the_decision_and_exposed_after_it() -> None:
    assert EAGER.hidden == pytest.approx(0.2)
    assert EAGER.exposed == pytest.approx(0.15)
    begun_late = replace(EAGER, decided=10.1)
    assert begun_late.hidden == 0
    assert begun_late.exposed == pytest.approx(0.35), "waiting for the pause is no work"


def test_an_analysis_begun_before_the_speech_really_ended_is_counted_from_its_end() -> None:
    early = replace(EAGER, analysis_begun=9.9)
    assert divide(early)["first silence"] == 0
    assert divide(early)["ASR"] == pytest.approx(0.3)


SPANS = [
    Span("turn", 1.0, 1.1),  # a pause after which the user went on
    Span("recognizer", 1.0, 1.2),
    Span("recognizer", 2.0, 2.4),  # words in between
    Span("turn", 2.5, 2.55),
    Span("prosody", 2.5, 2.7),
    Span("recognizer", 2.5, 2.65),
    Span("voice", 2.9, 3.0),
    Span("turn", 4.0, 4.1),  # the user's next utterance
    Span("voice", 3.1, 4.2),
]


def test_the_analysis_of_a_reply_is_the_last_before_its_first_token() -> None:
    assert analysis(SPANS, first_token=2.8) == (2.5, 2.7)
    assert analysis(SPANS, first_token=1.5) == (1.0, 1.2)
    assert analysis(SPANS, first_token=0.5) is None


def test_the_first_sound_is_that_of_the_first_clause_not_of_an_older_one() -> None:
    assert first_sound_made(SPANS, first_clause=2.85) == 3.0
    assert first_sound_made(SPANS, first_clause=3.05) == 4.2
    assert first_sound_made(SPANS, first_clause=5.0) is None
