"""The lexicon finds how words feel, with negation and intensifiers, and says how much it found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.mind.words import emotions_of, word_valence


@pytest.mark.parametrize(
    "text",
    ["What is the capital of France?", "Turn on the kitchen lights.", "", "?!", "Set a timer"],
)
def test_words_without_feeling_have_no_weight(text: str) -> None:
    assert word_valence(text) == (0.0, 0.0, {})


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I lost my keys and I'm so frustrated", "frustration"),
        ("My grandmother died", "grief"),
        ("I'm scared of the dark", "fear"),
        ("I hated every minute", "anger"),
        ("I'm exhausted", "tiredness"),
    ],
)
def test_unpleasant_words_have_a_negative_valence_and_a_category(text: str, category: str) -> None:
    valence, weight, categories = word_valence(text)
    assert valence < -0.3
    assert weight > 0.3
    assert category in categories


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I got the job!", "excitement"),
        ("I can\u2019t wait for tomorrow", "excitement"),
        ("Thank you, you helped me a lot", "gratitude"),
        ("She makes me happy", "joy"),
    ],
)
def test_pleasant_words_have_a_positive_valence_and_a_category(text: str, category: str) -> None:
    valence, weight, categories = word_valence(text)
    assert valence > 0.3
    assert weight > 0.3
    assert category in categories


def test_negation_turns_pleasure_into_mild_disappointment() -> None:
    plain, negated = word_valence("I am happy"), word_valence("I am not happy")
    assert plain[0] > 0 > negated[0]
    assert abs(negated[0]) < plain[0]
    assert negated[2].keys() == {"disappointment"}


def test_negated_displeasure_names_no_displeasure() -> None:
    valence, _, categories = word_valence("It's not bad, and I'm not sad")
    assert valence > 0
    assert categories == {}


def test_a_negation_ends_with_its_clause() -> None:
    assert word_valence("No, I am happy")[0] > 0
    assert word_valence("I didn't sleep but I'm happy")[0] > 0


def test_two_negations_cancel() -> None:
    assert word_valence("I'm never not happy")[0] > 0


def test_intensifiers_strengthen_and_weaken() -> None:
    plain = word_valence("I am sad")[0]
    assert word_valence("I am really sad")[0] < plain
    assert word_valence("I am slightly sad")[0] > plain


def test_a_phrase_goes_before_its_words() -> None:
    assert word_valence("I lost my job")[2].keys() == {"sadness"}


@given(st.text())
def test_any_text_gives_values_in_range(text: str) -> None:
    valence, weight, categories = word_valence(text)
    assert -1 <= valence <= 1
    assert 0 <= weight <= 1
    assert all(0 <= strength <= 1 for strength in categories.values())


def test_every_category_stands_for_names_that_the_protocol_has() -> None:
    assert emotions_of({"frustration": 1.0}) == {
        "Anger": 0.6,
        "Distress": 0.5,
        "Disappointment": 0.4,
    }
