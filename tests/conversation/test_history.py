"""What is remembered of a conversation, and how it is kept within the model's context."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.conversation.history import UNASKED, History, fit
from device.types import Message, RapportError

PERSONA = [Message("system", "be kind")]


def count(messages: Sequence[Message]) -> int:
    return sum(len(m.content.split()) + 3 for m in messages)


def user(text: str) -> Message:
    return Message("user", text)


def test_a_reply_is_remembered_as_far_as_it_was_heard() -> None:
    history = History(PERSONA)
    history.add_user(user("hello"))
    history.add_reply("Good mor")
    assert [m.content for m in history.messages] == ["be kind", "hello", "Good mor"]


def test_words_without_an_answer_are_joined_to_the_next() -> None:
    history = History(PERSONA)
    history.add_user(user("my dog"))
    history.add_reply("")
    history.add_user(user("is ill"))
    assert history.messages[1:] == [user("my dog\nis ill")]


def test_roles_alternate_even_when_something_was_said_unasked() -> None:
    history = History(PERSONA)
    history.add_reply("Dinner is ready.")
    history.add_user(user("thanks"))
    history.add_reply("You are welcome.")
    history.add_reply("It is six o'clock.")
    assert [message.content for message in history.messages[1:]] == [
        UNASKED,
        "Dinner is ready.",
        "thanks",
        "You are welcome. It is six o'clock.",
    ]
    assert [message.role for message in history.messages[1:]] == ["user", "assistant"] * 2


def test_asking_for_a_prompt_changes_nothing() -> None:
    history = History(PERSONA)
    history.with_user(user("perhaps"))
    assert history.messages == PERSONA


words = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), min_size=1, max_size=30).map(" ".join)


@given(st.lists(st.tuples(words, words), max_size=20), words, st.integers(20, 400))
def test_a_prompt_always_fits_keeps_the_persona_and_ends_with_the_newest_words(
    exchanges: list[tuple[str, str]], last: str, room: int
) -> None:
    history = History(PERSONA)
    for said, replied in exchanges:
        history.add_user(user(said))
        history.add_reply(replied)
    prompt, dropped = fit(history.with_user(user(last)), history.fixed, count, room)

    assert count(prompt) <= room
    assert prompt[0] == PERSONA[0]
    assert prompt[-1].role == "user"
    assert prompt[-1].content.split()[-1] == last.split()[-1]  # noqa: PLC0207
    roles = [m.role for m in prompt[1:]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    history.forget(dropped)
    assert history.with_user(user(last))[: len(prompt) - 1] == prompt[:-1]


def test_the_prompts_beginning_stays_the_same_for_several_turns_after_some_fell_out() -> None:
    history, room, changes, last = History(PERSONA), 200, 0, None
    for turn in range(60):
        message = user(f"question number {turn}")
        prompt, dropped = fit(history.with_user(message), history.fixed, count, room)
        history.forget(dropped)
        changes += dropped > 0
        assert dropped == 0 or prompt[1] != last
        last = prompt[1]
        history.add_user(message)
        history.add_reply("an answer of some words")
    assert 1 <= changes <= 15, "the kept prefix must not change with every turn"


def test_a_persona_that_fills_the_context_is_refused_by_name() -> None:
    prompt = [Message("system", "word " * 100), user("hello")]
    with pytest.raises(RapportError, match=r"thinking\.persona takes \d+ tokens"):
        fit(prompt, 1, count, 50)
