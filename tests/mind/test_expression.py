"""The voice tells arousal, the words tell valence; together they name an expression."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.emotions import emotion_scores
from device.mind.expression import combine, fused_valence
from device.mind.words import Wording, fitted_valence
from device.types import Expression, ModelIdentity


def voiced(arousal: float, dominance: float) -> Expression:
    """Return the expression of a voice of which no valence can be told."""
    names = emotion_scores(arousal, None, dominance, 0.6)
    return Expression(None, arousal, dominance, names, 0.6, {})


LOUD, QUIET, EVEN = voiced(0.8, 0.3), voiced(-0.5, -0.2), voiced(0.0, 0.0)


def top(expression: Expression, count: int) -> set[str]:
    ranked = sorted(expression.emotions, key=expression.emotions.__getitem__, reverse=True)
    return set(ranked[:count])


def test_frustrated_words_in_a_loud_voice_are_anger_and_distress() -> None:
    heard = combine(LOUD, "I lost my keys and I'm so frustrated.")
    assert heard.valence is not None
    assert heard.valence < -0.5
    assert top(heard, 3) == {"Anger", "Distress", "Disappointment"}
    assert heard.emotions["Anger"] > 0.5


def test_a_death_told_quietly_is_sadness() -> None:
    heard = combine(QUIET, "My grandmother died.")
    assert top(heard, 1) == {"Sadness"}
    assert heard.emotions["Sadness"] > 0.5
    assert heard.emotions.get("Joy", 0.0) == 0.0


def test_good_news_in_a_loud_voice_is_joy_and_excitement() -> None:
    heard = combine(LOUD, "I got the job!")
    assert top(heard, 2) == {"Joy", "Excitement"}
    assert "Anger" not in heard.emotions


def test_a_plain_question_in_an_even_voice_is_nothing() -> None:
    heard = combine(EVEN, "What is the capital of France?")
    assert heard.valence is None
    assert all(score < 0.1 for score in heard.emotions.values())


def test_a_plain_question_in_a_loud_voice_raises_only_suspicions() -> None:
    heard = combine(LOUD, "What time is it?")
    assert heard.valence is None
    assert heard.arousal == LOUD.arousal
    assert max(heard.emotions.values()) < 0.3


def test_what_measured_the_voice_and_its_categories_stay_the_voice_s() -> None:
    model, categories = ModelIdentity("head", "2", "MIT"), {"happy": 0.7, "sad": 0.3}
    voice = Expression(None, 0.8, None, {}, 0.6, {}, categories, model)
    heard = combine(voice, "I got the job!")
    assert (heard.categories, heard.model) == (categories, model)
    assert combine(None, "I got the job!").model is None


def test_words_speak_for_themselves_where_no_voice_was_measured() -> None:
    heard = combine(None, "I'm so happy")
    assert heard.dominance is None
    assert heard.measures == {}
    assert "Joy" in top(heard, 2)
    assert 0 < heard.confidence < 0.8


def test_nothing_heard_and_nothing_said_is_nothing_known() -> None:
    heard = combine(None, "")
    assert (heard.valence, heard.arousal, heard.confidence) == (None, None, 0.0)
    assert heard.emotions == {}


def test_voice_and_words_together_are_surer_than_either() -> None:
    text = "I'm so frustrated"
    assert combine(LOUD, text).confidence > max(LOUD.confidence, combine(None, text).confidence)


def test_what_was_measured_is_kept() -> None:
    assert combine(LOUD, "Hello").measures == LOUD.measures


def test_the_same_words_are_less_angry_in_a_quiet_voice() -> None:
    text = "I hate this"
    assert combine(QUIET, text).emotions["Anger"] < combine(LOUD, text).emotions["Anger"]


def test_names_that_an_engine_scored_are_kept_where_words_say_nothing() -> None:
    trained = Expression(valence=-0.4, arousal=0.2, dominance=None, emotions={"Fear": 0.6})
    assert combine(trained, "What time is it?").emotions == {"Fear": 0.6}


def test_a_valence_that_only_the_voice_tells_is_believed_in_part() -> None:
    trained = Expression(valence=-0.4, arousal=0.2, dominance=None, confidence=1.0)
    heard = combine(trained, "What time is it?").valence
    assert heard == pytest.approx(-0.4 * 0.45, abs=0.005)


def test_of_a_voice_that_tells_nothing_for_certain_no_valence_is_believed() -> None:
    guessed = Expression(valence=-0.4, arousal=0.2, dominance=None, confidence=0.0)
    assert combine(guessed, "What time is it?").valence == 0.0


def test_happy_words_in_a_displeased_voice_are_less_pleasant_than_in_a_pleased_one() -> None:
    def heard(valence: float) -> float:
        voice = Expression(valence, arousal=0.2, dominance=None, confidence=0.8)
        told = combine(voice, "I am happy").valence
        assert told is not None
        return told

    assert 0 < heard(-0.6) < heard(0.0) < heard(0.6) < 0.75


def test_words_alone_are_believed_about_as_far_as_readers_did() -> None:
    """People rated tweets 0.6 times as far from 0 as the words' valence says."""
    told = combine(None, "I am happy").valence
    assert told == pytest.approx(0.75 * 0.6, abs=0.05)


def test_a_word_that_only_has_a_valence_raises_no_arousal() -> None:
    heard = combine(None, "It tastes delicious")
    assert heard.arousal is None
    assert heard.valence is not None
    assert heard.valence > 0.3


VALENCES = st.floats(-1, 1)
SHARES = st.floats(0.02, 1)
CONFIDENCES = st.floats(0, 1)
ROUNDING = 0.0011


def said(valence: float, share: float) -> Wording:
    return Wording(valence, weight=abs(valence), share=share, arousal=0.0, categories={})


def heard(valence: float | None, confidence: float) -> Expression:
    return Expression(valence, arousal=None, dominance=None, confidence=confidence)


def fused(words: Wording, voice: Expression) -> float:
    valence = fused_valence(voice, words)
    assert valence is not None
    return valence


SILENT = said(0.0, 0.0)


@given(VALENCES, SHARES, VALENCES, CONFIDENCES)
def test_a_fused_valence_lies_between_its_sources_and_nothing(
    words: float, share: float, voice: float, confidence: float
) -> None:
    told = fused(said(words, share), heard(voice, confidence))
    assert min(words, voice, 0) - ROUNDING <= told <= max(words, voice, 0) + ROUNDING


@given(VALENCES, SHARES, SHARES, VALENCES, CONFIDENCES)
def test_the_more_of_the_words_are_known_the_nearer_it_is_to_them(
    words: float, share: float, other: float, voice: float, confidence: float
) -> None:
    few, many = sorted((share, other))
    voiced = heard(voice, confidence)
    far, near = (abs(fused(said(words, some), voiced) - words) for some in (few, many))
    assert near <= far + ROUNDING


@given(VALENCES, SHARES, VALENCES, CONFIDENCES, CONFIDENCES)
def test_the_surer_the_voice_the_nearer_it_is_to_it(
    words: float, share: float, voice: float, confidence: float, other: float
) -> None:
    unsure, sure = sorted((confidence, other))
    far, near = (
        abs(fused(said(words, share), heard(voice, some)) - voice) for some in (unsure, sure)
    )
    assert near <= far + ROUNDING


@given(VALENCES, SHARES, VALENCES, CONFIDENCES)
def test_pleasure_and_displeasure_are_treated_alike(
    words: float, share: float, voice: float, confidence: float
) -> None:
    told = fused(said(words, share), heard(voice, confidence))
    assert fused(said(-words, share), heard(-voice, confidence)) == -told


@given(st.floats(0.05, 1), st.floats(0.1, 1))
def test_a_voice_is_never_taken_at_its_word_where_words_say_nothing(
    voice: float, confidence: float
) -> None:
    assert 0 < fused(SILENT, heard(voice, confidence)) < 0.5 * voice


@given(VALENCES, SHARES, CONFIDENCES)
def test_a_voice_that_tells_no_valence_leaves_the_words_alone(
    words: float, share: float, confidence: float
) -> None:
    alone = fused(said(words, share), heard(None, confidence))
    assert alone == fused(said(words, share), heard(None, 0.0))
    assert abs(alone) <= abs(words) + ROUNDING


@given(VALENCES, SHARES, VALENCES, CONFIDENCES)
def test_fusing_is_what_bayes_has_it_be(
    words: float, share: float, voice: float, confidence: float
) -> None:
    """Against a posterior mean summed over a grid, with nothing assumed of its form."""
    spread, error = fitted_valence()["spread"], said(words, share).error
    weighed = total = 0.0
    for step in range(-300, 301):
        valence = step / 100
        exponent = (valence / spread) ** 2 + ((words - valence) / error) ** 2
        exponent += confidence * ((voice - valence) / 0.5) ** 2
        likely = math.exp(-0.5 * exponent)
        weighed += likely * valence
        total += likely
    told = fused(said(words, share), heard(voice, confidence))
    assert told == pytest.approx(weighed / total, abs=0.002)
