"""The voice answers the way the user sounded, and never cheers at trouble."""

from __future__ import annotations

import pytest

from device.mind.style import ANSWERS, STYLES, choose
from device.mind.style import adjusted as adjusted_style
from device.types import Expression, RapportError


def expression(confidence: float = 0.8, **emotions: float) -> Expression:
    return Expression(None, None, None, emotions, confidence)


@pytest.mark.parametrize(
    ("emotion", "style"),
    [
        ("Distress", "calm"),
        ("Fear", "calm"),
        ("Anxiety", "calm"),
        ("Anger", "apologetic"),
        ("Disappointment", "apologetic"),
        ("Sadness", "sympathetic"),
        ("Tiredness", "gentle"),
        ("Joy", "bright"),
        ("Excitement", "bright"),
        ("Amusement", "bright"),
        ("Calmness", "neutral"),
    ],
)
def test_each_expression_has_its_answer(emotion: str, style: str) -> None:
    assert choose(expression(**{emotion: 0.6})).name == style


def test_an_unsure_or_faint_measurement_changes_nothing() -> None:
    assert choose(None) == STYLES["neutral"]
    assert choose(Expression(None, None, None)) == STYLES["neutral"]
    assert choose(expression(confidence=0.1, Anger=0.9)).name == "neutral"
    assert choose(expression(Anger=0.1)).name == "neutral"


def test_the_strongest_expression_decides() -> None:
    assert choose(expression(Sadness=0.6, Anger=0.3, Joy=0.1)).name == "sympathetic"


def test_excitement_that_may_as_well_be_anger_is_not_answered_brightly() -> None:
    assert choose(expression(Excitement=0.5, Anger=0.45)).name == "gentle"
    assert choose(expression(Excitement=0.5, Anger=0.2)).name == "bright"


@pytest.mark.parametrize("name", STYLES)
def test_a_style_can_be_set_for_everything(name: str) -> None:
    assert choose(expression(Joy=0.9), name) is STYLES[name]


def test_an_unknown_style_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(RapportError, match=r"'loud'.*auto, neutral, calm"):
        choose(None, "loud")


def test_every_answer_is_a_style_and_no_expression_has_two() -> None:
    assert set(ANSWERS) <= set(STYLES)
    names = [emotion for emotions in ANSWERS.values() for emotion in emotions]
    assert len(names) == len(set(names))


def test_trouble_is_answered_slower_lower_and_softer_than_joy() -> None:
    bright = STYLES["bright"]
    for name in ("calm", "apologetic", "sympathetic", "gentle"):
        style = STYLES[name]
        assert style.rate < 1 < bright.rate
        assert style.pitch < 0 < bright.pitch
        assert style.level < 0 < bright.level
        assert style.pause > bright.pause


def test_a_voices_own_manner_goes_on_top_of_the_style() -> None:
    calm = STYLES["calm"]
    adjusted = adjusted_style(calm, rate=1.2, pitch=2.0, level=-1.0)
    assert adjusted.rate == pytest.approx(calm.rate * 1.2)
    assert (adjusted.pitch, adjusted.level) == (calm.pitch + 2.0, calm.level - 1.0)
    assert (adjusted.name, adjusted.pause) == (calm.name, calm.pause)
    assert adjusted_style(calm, 1.0, 0.0, 0.0) == calm
