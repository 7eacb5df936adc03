"""Short things that people say to a device: how often the words have the right sign.

The things are in ``spoken.toml``; nothing was fitted to them. The floors are what was measured when
they were first looked at, 2026-11-25: a change may be better, and then raises them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from device.mind.words import read

NEUTRAL = 0.1
SAID: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("spoken.toml").read_text(encoding="utf-8")
)


def sign(text: str) -> str:
    valence = read(text).valence
    if abs(valence) < NEUTRAL:
        return "neutral"
    return "positive" if valence > 0 else "negative"


def everything() -> list[tuple[str, str]]:
    return [
        (wanted, text)
        for wanted, manners in SAID.items()
        for texts in manners.values()
        for text in texts
    ]


def felt() -> list[str]:
    return [text for wanted, text in everything() if wanted != "neutral"]


def test_the_set_is_balanced() -> None:
    signs = [wanted for wanted, _ in everything()]
    assert {wanted: signs.count(wanted) for wanted in SAID} == {
        "negative": 32,
        "positive": 32,
        "neutral": 32,
    }
    assert len({text for _, text in everything()}) == 96


@pytest.mark.parametrize(
    ("wanted", "manner", "floor"),
    [
        ("negative", "plain", 13),  # of 16
        ("negative", "negated", 4),  # of 8: "isn't working", "never understand" are not found
        ("negative", "idiomatic", 3),  # of 8
        ("positive", "plain", 14),  # of 17
        ("positive", "negated", 7),  # of 8
        ("positive", "idiomatic", 0),  # of 7: no table of words can
        ("neutral", "plain", 28),  # of 30: "War and Peace", "gloomy"
        ("neutral", "idiomatic", 1),  # of 2: "Kill the lights"
    ],
)
def test_the_sign_is_right_as_often_as_it_was(wanted: str, manner: str, floor: int) -> None:
    texts = SAID[wanted][manner]
    wrong = [text for text in texts if sign(text) != wanted]
    assert len(texts) - len(wrong) >= floor, wrong


def test_of_all_of_them_seven_in_ten_have_the_right_sign() -> None:
    right = sum(sign(text) == wanted for wanted, text in everything())
    assert right >= 70, right


def test_a_feeling_is_seldom_taken_for_its_opposite() -> None:
    opposite = {"positive": "negative", "negative": "positive"}
    wrong = [text for wanted, text in everything() if sign(text) == opposite.get(wanted)]
    assert len(wrong) <= 5, wrong


def test_rated_words_find_more_feeling_than_the_lexicon_does_alone() -> None:
    alone = sum(read(text, {}).weight > 0 for text in felt())
    together = sum(read(text).weight > 0 for text in felt())
    assert alone >= 34, alone
    assert together >= 46, together
