"""The voice tells arousal, the words tell valence; together they name an expression."""

from __future__ import annotations

from device.hearing.emotions import expression_from
from device.mind.expression import combine
from device.types import Expression, ModelIdentity

LOUD = expression_from(0.8, None, 0.3, 0.6, {"level_z": 2.0})
QUIET = expression_from(-0.5, None, -0.2, 0.6, {})
EVEN = expression_from(0.0, None, 0.0, 0.6, {})


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


def test_a_valence_that_an_engine_measured_is_kept_where_words_say_nothing() -> None:
    trained = Expression(valence=-0.4, arousal=0.2, dominance=None, emotions={"Fear": 0.6})
    heard = combine(trained, "What time is it?")
    assert heard.valence == -0.4
    assert heard.emotions == {"Fear": 0.6}
