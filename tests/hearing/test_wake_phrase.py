"""The wake phrase is found at the beginning of what was recognised, however it was spelt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.wake_phrase import WakePhrase, sounds, weakness

PHRASES = (
    "hey rapport",
    "kids are talking",
    "okay nabu",
    "good morning kitchen",
    "grüß dich kasten",
)
USUAL = WakePhrase("hey rapport", 0.5)
SENTENCES = st.sampled_from(
    ("what time is it?", "Turn on the light.", "I am sad today", "and then, you know, he left")
)
WORDS = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "heard",
    [
        "Hey Rapport.", "Hey, rapport", "Hey report", "A rapport.", "Hey rapper", "A. Rep. Or.",
        "A-report", "HEY RAPPORT!", "hey, rap port", "A repor.", "Ey, ra'pport.",
    ],
)  # fmt: skip
def test_a_recognizers_spellings_of_the_phrase_wake(heard: str) -> None:
    assert USUAL.match(heard) is not None


@pytest.mark.parametrize(
    "heard",
    [
        "", "...", "Are you there?", "I really like the new Rapport.",
        "He asked: would hey rapport do?",
        "Kids are talking by the door.", "Thank you.", "Hey Bob!", "What a day, hey rapport",
        "嘿小智", "12 30",
    ],
)  # fmt: skip
def test_other_words_and_talk_about_the_device_do_not(heard: str) -> None:
    assert USUAL.match(heard) is None


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("Hey Rapport, what time is it?", "what time is it?"),
        ("A rep or turn on the light.", "turn on the light."),
        ("Hey, report. How's it going?", "How's it going?"),
        ("It is late. Hey rapport, good night.", "good night."),
        ("Hey Rapport...", ""),
    ],
)
def test_what_follows_is_kept_as_it_was_recognised(heard: str, rest: str) -> None:
    found = USUAL.match(heard)
    assert found is not None
    assert found.rest == rest


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("Hey, rep one, what time is it?", "what time is it?"),
        ("Hey, Raphael. What time is it?", "What time is it?"),
        ("What time is it?", "What time is it?"),
        ("", ""),
    ],
)
def test_once_it_is_known_to_be_said_any_spelling_is_taken_off(heard: str, rest: str) -> None:
    assert USUAL.rest(heard) == rest


def test_a_phrase_in_a_script_without_blanks_is_found_too() -> None:
    found = WakePhrase("嘿小智", 0.5).match("嘿小智,今天天气怎么样")
    assert found is not None
    assert found.rest == "今天天气怎么样"


def test_accents_and_case_do_not_matter() -> None:
    assert WakePhrase("grüß dich kasten", 0).match("GRUSS DICH, KASTEN!") is not None


@given(st.sampled_from(PHRASES), SENTENCES, st.floats(0, 1))
def test_the_phrase_itself_wakes_at_any_sensitivity(
    phrase: str, sentence: str, sensitivity: float
) -> None:
    found = WakePhrase(phrase, sensitivity).match(f"{phrase.title()}, {sentence}")
    assert found is not None
    assert found.similarity == pytest.approx(1)
    assert found.rest == sentence


@given(st.text(max_size=200), st.sampled_from(PHRASES), st.floats(0, 1), st.floats(0, 1))
def test_more_sensitive_wakes_on_whatever_less_sensitive_does(
    heard: str, phrase: str, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    if WakePhrase(phrase, less).match(heard) is not None:
        assert WakePhrase(phrase, more).match(heard) is not None


@given(st.text(max_size=300), st.text(min_size=1, max_size=60), st.floats(0, 1))
def test_any_text_and_any_phrase_can_be_compared(
    heard: str, phrase: str, sensitivity: float
) -> None:
    found = WakePhrase(phrase, sensitivity).match(heard)
    if found is not None:
        assert 0 <= found.similarity <= 1
        assert heard.endswith(found.rest)


@given(SENTENCES, st.sampled_from(("Yesterday I bought a", "We were told about the old")))
def test_the_phrase_later_in_a_sentence_is_no_call(sentence: str, before: str) -> None:
    assert WakePhrase("hey rapport", 0.5).match(f"{before} hey rapport {sentence}") is None


@given(WORDS)
def test_every_sound_of_a_word_costs_something_to_miss(word: str) -> None:
    assert all(loss > 0 for _, loss in sounds(word))


@pytest.mark.parametrize(
    ("phrase", "what"),
    [
        ("ok", "short"),
        ("hey bob", "short"),
        ("good morning", "everyday"),
        ("hey seven", "number"),
        ("room 12", "number"),
        ("?!", "letters"),
    ],
)
def test_a_weak_phrase_is_told_in_a_sentence_with_a_remedy(phrase: str, what: str) -> None:
    told = weakness(phrase)
    assert told is not None
    assert what in told
    assert ";" in told


@pytest.mark.parametrize("phrase", ["hey rapport", "computer", "hey jarvis", "okay nabu", "alexa"])
def test_a_fit_phrase_is_not_found_fault_with(phrase: str) -> None:
    assert weakness(phrase) is None
