"""What words mean that are spoken into a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.conversation.interruption import Kind, echoes, is_farewell, kind, words


@pytest.mark.parametrize(
    "text", ["Mm-hm.", "Mm-hmm,", "Hmmmm", "Uh-huh.", "Yeah.", "Yeah, yeah", "Okay, I see.", "Wow!"]
)
def test_a_backchannel_takes_no_turn(text: str) -> None:
    assert kind(text) is Kind.BACKCHANNEL


@pytest.mark.parametrize("text", ["Stop!", "Be quiet.", "Stop it", "STOP, STOP", "That's enough."])
def test_stop_is_stop(text: str) -> None:
    assert kind(text) is Kind.STOP


@pytest.mark.parametrize("text", ["Yeah, but I have to go.", "Wait.", "No.", "What is a wood?"])
def test_whatever_else_is_said_takes_the_turn(text: str) -> None:
    assert kind(text) is Kind.WORDS


@pytest.mark.parametrize("text", ["", "...", "?!"])
def test_sound_without_words_is_nothing(text: str) -> None:
    assert kind(text) is Kind.NOTHING


def test_the_devices_own_words_are_its_echo() -> None:
    said = words("Mix them, wait an hour, and then bake it until it is brown.")
    assert kind("and then take it until it", said) is Kind.ECHO
    assert kind("How long do I bake it?", said) is Kind.WORDS


def test_stop_stops_even_if_the_device_has_just_said_so() -> None:
    said = words("I will stop the timer.")
    assert kind("Stop.", said) is Kind.STOP
    assert kind("Stop the timer", said) is Kind.WORDS


def test_words_are_compared_in_their_order() -> None:
    assert not echoes(words("brown is hour an"), words("an hour is brown"))


def test_a_farewell_is_told_from_a_mention_of_one() -> None:
    assert is_farewell("That's all.")
    assert is_farewell("Good bye!")
    assert not is_farewell("How do you say goodbye in French?")


@given(st.text(max_size=200))
def test_any_text_is_something(text: str) -> None:
    assert isinstance(kind(text), Kind)
