"""What is given to the voice's network at once: short enough to be stopped between."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from device.speaking.sherpa import LONGEST_PHRASE, phrases

words = st.sampled_from(["a", "and", "fox", "wonderful,", "sea.", "because", "x" * 30])


@example("a a a a a and and wonderful, wonderful, wonderful, " + "x" * 30)
@given(st.lists(words, max_size=80).map(" ".join))
def test_no_word_is_lost_and_no_phrase_is_too_long(text: str) -> None:
    parts = phrases(text)
    assert " ".join(parts).split() == text.split()
    assert all(len(part) <= LONGEST_PHRASE for part in parts)


def test_a_short_sentence_stays_whole() -> None:
    text = "I went to the sea, and it was cold."
    assert phrases(text) == [text]


def test_a_long_stretch_is_parted_before_a_conjunction() -> None:
    text = "The towering mountains that stand around the endless lake look down on it and " * 2
    assert all(part.split()[0] in {"The", "and", "that"} for part in phrases(text))


def test_what_cannot_be_pronounced_is_left_out() -> None:
    assert phrases("... -- !") == []
