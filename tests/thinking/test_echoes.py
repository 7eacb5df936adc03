"""What a small model echoes from its prompt does not reach the listener."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.thinking.echoes import without_echoes

PARTS = st.lists(
    st.sampled_from(
        ["[", "]", "(", ")", " ", "\n", "\n\n", "As an AI", ", ", "I am", "Assistant:", "fine", ":"]
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Hello there. How are you?", "Hello there. How are you?"),
        ("[sounds sad] I am sorry.", "I am sorry."),
        ("I am sorry. [sounds sad]", "I am sorry."),
        ("I am [sounds sad] sorry.", "I am sorry."),
        ("See [the map](https://a.b) now.", "See [the map](https://a.b) now."),
        ("An open [bracket", "An open [bracket"),
        ("As an AI language model, I like tea.", "I like tea."),
        ("As an AI, it is fine.", "It is fine."),
        ("I'm an AI assistant. Hello.", "I'm an AI assistant. Hello."),
        ("As a language model, I like tea.", "I like tea."),
        ("As an aim, I like tea.", "As an aim, I like tea."),
        ("Assistant: Hello.", "Hello."),
        ("assistant\nHello.", "assistant\nHello."),
        ("As an aside, I like tea.", "As an aside, I like tea."),
        ("I am a bit tired.", "I am a bit tired."),
        ("Take care!\n\nBest,\nAlex", "Take care!"),
        ("Take care!\n", "Take care!"),
        ("Three things:\n\n1. Tea\n2. Milk\n\nBye", "Three things:\n\n1. Tea\n2. Milk"),
        ("  \n\n Hello.", "Hello."),
        ("[sounds sad]", ""),
        ("", ""),
    ],
)
def test_only_speech_is_left(written: str, kept: str) -> None:
    assert "".join(without_echoes(iter([written]))) == kept
    assert "".join(without_echoes(iter(written))) == kept


@given(PARTS)
def test_what_is_left_does_not_depend_on_the_pieces(parts: list[str]) -> None:
    whole = "".join(without_echoes(iter(["".join(parts)])))
    assert "".join(without_echoes(iter(parts))) == whole
    assert "".join(without_echoes(iter("".join(parts)))) == whole


def test_an_ordinary_beginning_is_not_held_back() -> None:
    taken: list[str] = []

    def pieces() -> object:
        for piece in ("The", " sea", " is", " wide"):
            taken.append(piece)
            yield piece

    assert next(without_echoes(pieces())) == "The"  # type: ignore[arg-type]
    assert taken == ["The"]
