"""Names are given sparingly, and only where the dimensions bear them out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.hearing.emotions import (
    CAP,
    CATEGORIES,
    INFERRED,
    MEASURED,
    NAMES,
    NOT_IDENTIFIABLE,
    PLACES,
    emotion_scores,
    tiers,
)

dimension = st.one_of(st.none(), st.floats(-1, 1))


@given(arousal=dimension, valence=dimension, dominance=dimension, confidence=st.floats(0, 1))
def test_scores_are_from_0_to_1_and_have_known_names(
    arousal: float | None, valence: float | None, dominance: float | None, confidence: float
) -> None:
    scores = emotion_scores(arousal, valence, dominance, confidence)
    assert set(scores) <= set(NAMES)
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


LEARNT = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "boredom")


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    parts = [draw(st.floats(0.001, 1)) for _ in LEARNT]
    return dict(zip(LEARNT, (part / sum(parts) for part in parts), strict=True))


def certain(
    category: str, arousal: float, valence: float, confidence: float = 1.0
) -> dict[str, float]:
    probabilities = {name: 0.9 if name == category else 0.1 / 8 for name in LEARNT}
    return emotion_scores(arousal, valence, 0.0, confidence, probabilities)


def test_there_are_the_48_names_of_the_protocol_each_with_a_place_and_a_tier() -> None:
    assert len(NAMES) == len(set(NAMES)) == 48
    assert set(PLACES) == set(CATEGORIES) == set(tiers()) == set(NAMES)
    assert all(-1 <= value <= 1 for place in PLACES.values() for value in place)
    assert all(set(found) <= set(LEARNT) for found in CATEGORIES.values())


def test_only_a_category_of_the_model_itself_is_measured() -> None:
    learnt, few = tiers(LEARNT), tiers(("neutral", "angry"))
    assert (learnt["Anger"], learnt["Joy"], learnt["Love"]) == (
        MEASURED,
        MEASURED,
        NOT_IDENTIFIABLE,
    )
    assert (few["Anger"], few["Joy"], few["Love"]) == (MEASURED, INFERRED, NOT_IDENTIFIABLE)
    assert MEASURED not in tiers().values()


@given(shares(), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_what_a_voice_cannot_tell_is_never_more_than_suspected(
    categories: dict[str, float], arousal: float, valence: float, dominance: float, sure: float
) -> None:
    scores = emotion_scores(arousal, valence, dominance, sure, categories)
    assert all(0 < score <= 1 for score in scores.values())
    unknown = [name for name, tier in tiers(LEARNT).items() if tier == NOT_IDENTIFIABLE]
    assert all(scores.get(name, 0) <= CAP for name in unknown)


@given(shares(), st.floats(-1, 1))
def test_the_less_sure_the_lower_every_score(categories: dict[str, float], arousal: float) -> None:
    sure, unsure = (emotion_scores(arousal, 0.0, 0.0, c, categories) for c in (1.0, 0.2))
    assert all(score <= sure[name] for name, score in unsure.items())


def test_a_sure_category_leads_to_its_own_name() -> None:
    for category, name, arousal, valence in (
        ("angry", "Anger", 0.8, -0.6),
        ("happy", "Joy", 0.6, 0.8),
        ("sad", "Sadness", -0.4, -0.6),
        ("fearful", "Fear", 0.6, -0.6),
        ("disgust", "Disgust", 0.2, -0.6),
        ("boredom", "Boredom", -0.6, -0.3),
        ("calm", "Calmness", -0.6, 0.3),
    ):
        scores = certain(category, arousal, valence)
        assert max(scores, key=scores.__getitem__) == name
        assert scores[name] > 0.8


def test_a_model_that_cannot_decide_gives_low_scores_to_all() -> None:
    even = {name: 1 / len(LEARNT) for name in LEARNT}
    assert max(emotion_scores(0.0, 0.0, 0.0, 1.0, even).values()) < 0.35
