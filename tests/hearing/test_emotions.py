"""Names are given sparingly, and only where the dimensions bear them out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.hearing.emotions import PLACES, emotion_scores, expression_from

dimension = st.one_of(st.none(), st.floats(-1, 1))


@given(arousal=dimension, valence=dimension, dominance=dimension, confidence=st.floats(0, 1))
def test_scores_are_from_0_to_1_and_have_known_names(
    arousal: float | None, valence: float | None, dominance: float | None, confidence: float
) -> None:
    scores = emotion_scores(arousal, valence, dominance, confidence)
    assert set(scores) <= set(PLACES)
    assert all(0 < score <= 0.7 for score in scores.values())


def test_nothing_known_gives_no_names() -> None:
    assert emotion_scores(None, None, 0.3, 1.0) == {}


def test_neither_agitated_nor_sleepy_gives_no_names() -> None:
    assert emotion_scores(0.05, None, 0.0, 1.0) == {}


def test_an_agitated_voice_alone_raises_suspicions_only() -> None:
    scores = emotion_scores(0.8, None, 0.4, 1.0)
    assert {"Anger", "Excitement"} <= set(scores)
    assert max(scores.values()) <= 0.3


def test_valence_tells_anger_from_excitement() -> None:
    bad, good = emotion_scores(0.8, -0.7, 0.4, 1.0), emotion_scores(0.8, 0.7, 0.4, 1.0)
    assert max(bad, key=bad.__getitem__) == "Anger"
    assert max(good, key=good.__getitem__) == "Excitement"


def test_dominance_tells_anger_from_fear() -> None:
    scores = emotion_scores(0.8, -0.7, -0.6, 1.0)
    assert scores["Fear"] > scores["Anger"]


def test_less_confidence_gives_lower_scores() -> None:
    sure, unsure = emotion_scores(0.6, -0.7, 0.4, 1.0), emotion_scores(0.6, -0.7, 0.4, 0.1)
    assert all(unsure[name] < sure[name] for name in unsure)


def test_an_expression_keeps_what_it_was_made_of() -> None:
    made = expression_from(0.5, None, 0.1, 0.6, {"pitch_hz": 210.0})
    assert (made.arousal, made.valence, made.dominance, made.confidence) == (0.5, None, 0.1, 0.6)
    assert made.measures == {"pitch_hz": 210.0}
