"""The language model is told who it is and, in a few words, how the user sounds."""

from __future__ import annotations

import pytest

from device.mind.persona import in_words, opening, user
from device.types import Expression, Message


def expression(
    arousal: float | None = None,
    valence: float | None = None,
    confidence: float = 0.8,
    **emotions: float,
) -> Expression:
    return Expression(valence, arousal, None, emotions, confidence)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (expression(0.7, -0.7, Anger=0.6), "sounds angry"),
        (expression(-0.5, -0.6, Sadness=0.3), "sounds sad, perhaps"),
        (expression(0.6, 0.7, Joy=0.5, Excitement=0.4), "sounds happy"),
        (expression(0.8, None, Anger=0.3, Excitement=0.3), "sounds lively"),
        (expression(-0.6, -0.5, Sadness=0.1), "sounds quiet and unhappy"),
        (expression(-0.6, 0.1, Calmness=0.8), ""),
        (expression(0.1, 0.1), ""),
        (expression(0.9, -0.9, confidence=0.1, Anger=0.9), ""),
        (expression(Unheard_of=0.9), ""),
        (None, ""),
    ],
)
def test_an_expression_is_told_in_a_few_plain_words(
    measured: Expression | None, words: str
) -> None:
    assert in_words(measured) == words


def test_the_note_stands_beside_the_words() -> None:
    assert user("I lost my job.", expression(Sadness=0.6)) == Message(
        "user", "I lost my job. [sounds sad]"
    )


def test_words_without_a_notable_expression_stand_alone() -> None:
    assert user("Hello.", None) == Message("user", "Hello.")


def test_every_chat_begins_with_the_persona_and_the_same_exchanges() -> None:
    messages = opening("You are Ada.")
    assert messages[0] == Message("system", "You are Ada.")
    assert messages == opening("You are Ada.")
    assert [m.role for m in messages[1:]] == ["user", "assistant"] * (len(messages) // 2)


def test_the_examples_answer_without_the_note() -> None:
    answers = [m.content for m in opening("x") if m.role == "assistant"]
    assert answers
    assert not any("[" in answer or "sounds" in answer for answer in answers)
