"""Two tables find how words feel, with negation and intensifiers, and say how much they found."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.mind.words import emotions_of, in_lexicon, rated_words, read, word_valence


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "Turn on the kitchen lights.",
        "",
        "?!",
        "Set a timer",
        "Please play the next song",
        "Yes, cancel the alarm",
        "Where can I find a pension fund?",  # neither "fine" nor "fun"
    ],
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


def test_pleasant_and_unpleasant_words_make_each_other_less() -> None:
    both = word_valence("I am happy, and sad")
    assert word_valence("I am sad")[0] < both[0] < word_valence("I am happy")[0]
    assert both[1] > word_valence("I am happy")[1]


def test_more_pleasant_words_are_more_pleasant() -> None:
    assert word_valence("great, wonderful")[0] > word_valence("wonderful")[0]


def test_a_rated_word_has_a_valence_and_no_name() -> None:
    wording = read("The soup was delicious")
    assert wording.valence > 0.5
    assert wording.weight > 0.5
    assert (wording.arousal, wording.categories) == (0.0, {})


def test_a_rated_word_is_negated_and_intensified_like_the_lexicons() -> None:
    plain = read("It was delicious").valence
    assert read("It was very delicious").valence > plain
    assert -plain < read("It was not delicious").valence < 0
    assert read("It was not delicious").categories == {}


def test_rated_words_leave_the_arousal_to_the_lexicon() -> None:
    assert read("I'm furious, it's a disaster").arousal == read("I'm furious, it's mine").arousal


def test_no_rated_word_stands_in_the_way_of_the_lexicon() -> None:
    assert [word for word in rated_words() if in_lexicon(word)] == []


def test_rated_words_are_many_and_their_valences_in_range() -> None:
    assert len(rated_words()) > 2000
    assert all(0 < abs(valence) <= 1 for valence in rated_words().values())


def test_a_longer_sentence_with_the_same_feeling_was_found_to_a_smaller_share() -> None:
    short, long = read("I am sad"), read("I am sad that the next bus leaves at seven")
    assert short.valence == long.valence
    assert short.share == pytest.approx(1 / 3)
    assert long.share == pytest.approx(1 / 10)
    assert short.error < long.error < math.inf


def test_all_words_of_a_phrase_count_as_found() -> None:
    assert read("can't wait").share == 1.0


def test_of_words_that_say_nothing_the_error_has_no_bound() -> None:
    assert read("What time is it?").error == math.inf


def test_a_phrase_that_tells_no_valence_hides_the_words_in_it() -> None:
    assert (read("Oh my god").weight, read("Oh my god").share) == (0.0, 0.0)
    assert read("My god").weight > 0.0


@given(st.text())
def test_any_text_gives_values_in_range(text: str) -> None:
    valence, weight, categories = word_valence(text)
    assert -1 <= valence <= 1
    assert 0 <= weight <= 1
    assert all(0 <= strength <= 1 for strength in categories.values())
    assert 0 <= read(text).share <= 1
    assert abs(valence) <= weight + 0.001


def test_every_category_stands_for_names_that_the_protocol_has() -> None:
    assert emotions_of({"frustration": 1.0}) == {
        "Anger": 0.6,
        "Distress": 0.5,
        "Disappointment": 0.4,
    }
