"""A reply is cut into clauses that can be spoken, whatever pieces it arrives in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.conversation.clauses import ENDLESS, LONG, TOO_LONG, Clauses

WORDS = [
    *["I", "am", "so", "very", "sorry", "about", "that", "and", "this", "because", "it", "rained"],
    *[
        "Dr.",
        "e.g.",
        "etc.",
        "No.",
        "5.",
        "J.",
        "U.S.",
        "p.m.",
        "3.5",
        "10:30",
        "1.",
        "2)",
        "-",
        "*",
        "**",
        "v1.2.3",
        "https://a.b/c?d=1.",
    ],
    *[
        "yes,",
        "well;",
        "so:",
        "then",
        "—",
        "end.",
        "what?",
        "stop!",
        "wait...",
        "hmm…",
        '"Go."',
        "(no.)",
        "**Bold.**",
        "😀",
        "!",
    ],
]
REPLIES = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=120).flatmap(
        lambda words: st.lists(
            st.sampled_from([" ", " ", " ", "\n", "\n\n", "  "]),
            min_size=len(words),
            max_size=len(words),
        ).map(lambda gaps: "".join(w + g for w, g in zip(words, gaps, strict=True)))
    ),
    st.text(max_size=600),
)


def cut(text: str) -> list[str]:
    clauses = Clauses()
    return clauses.feed(text) + clauses.finish()


def dense(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("reply", "clauses"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("I saw Dr. Smith. He waved.", ["I saw Dr. Smith.", "He waved."]),
        ("It is 3.5 metres. Good.", ["It is 3.5 metres.", "Good."]),
        ("Eat fruit, e.g. apples. Yum.", ["Eat fruit, e.g. apples.", "Yum."]),
        ("Bring nuts etc. Then go.", ["Bring nuts etc.", "Then go."]),
        ("Bring nuts etc. and go.", ["Bring nuts etc. and go."]),
        ("I read J. K. Rowling. Nice.", ["I read J. K. Rowling.", "Nice."]),
        ("Come at 5 p.m. tomorrow. Bye.", ["Come at 5 p.m. tomorrow.", "Bye."]),
        ("Come at 5 p.m. Bring tea.", ["Come at 5 p.m.", "Bring tea."]),
        ("No. That is wrong.", ["No.", "That is wrong."]),
        ("See No. 5 there. Right.", ["See No. 5 there.", "Right."]),
        ("Use v1.2.3 today. Then rest.", ["Use v1.2.3 today.", "Then rest."]),
        ("Well... let me see. Yes.", ["Well... let me see.", "Yes."]),
        ("Look at www.example.com/a.b now. Ok.", ["Look at www.example.com/a.b now.", "Ok."]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("**Great.** Let us go.", ["**Great.**", "Let us go."]),
        ("Three things\n1. Milk\n2. Bread", ["Three things", "1. Milk", "2. Bread"]),
        ("- one\n- two\n", ["- one", "- two"]),
        ("It is 10:30 now. Late.", ["It is 10:30 now.", "Late."]),
        ("It costs 1,000 euros. Much.", ["It costs 1,000 euros.", "Much."]),
        ("😀 Hello there. Bye.", ["😀 Hello there.", "Bye."]),
        ("...\n\nHello.", ["...\n\nHello."]),
        ("你好。再见。", ["你好。", "再见。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_clause_ends_where_a_speaker_would_breathe(reply: str, clauses: list[str]) -> None:
    assert cut(reply) == clauses


def test_the_first_clause_ends_at_a_comma_so_that_speech_begins_early() -> None:
    reply = (
        "I am sorry to hear that, and I am here, if you want to talk. Tell me, friend of mine, all."
    )
    assert cut(reply) == [
        "I am sorry to hear that,",
        "and I am here, if you want to talk.",
        "Tell me, friend of mine, all.",
    ]


def test_a_word_or_two_before_a_comma_are_not_spoken_alone() -> None:
    assert cut("Yes, I can help you.") == ["Yes, I can help you."]


def test_a_clause_is_handed_over_as_soon_as_it_is_complete() -> None:
    clauses = Clauses()
    assert clauses.feed("I am so sorry.") == []
    assert clauses.feed(" ") == ["I am so sorry."]
    assert clauses.feed("What") == []
    assert clauses.finish() == ["What"]


def test_a_long_sentence_is_cut_at_a_comma_or_before_a_conjunction() -> None:
    head = "x" + " word" * 40
    assert cut(f"Oh. {head}, more words here.") == ["Oh.", f"{head},", "more words here."]
    assert cut(f"Oh. {head} and more words here.") == ["Oh.", head, "and more words here."]


def test_an_endless_sentence_is_cut_at_a_space_and_an_endless_word_anywhere() -> None:
    for clause in cut("word " * 400):
        assert LONG < len(clause) <= TOO_LONG + 5 or clause == cut("word " * 400)[-1]
    assert max(map(len, cut("w" * 3000))) <= ENDLESS


def test_it_is_ready_for_the_next_reply_after_finish() -> None:
    clauses = Clauses()
    clauses.feed("One two three, four")
    clauses.finish()
    assert clauses.feed("One two three, four") == ["One two three,"]


@given(REPLIES)
def test_nothing_is_lost_or_said_twice(reply: str) -> None:
    assert dense("".join(cut(reply))) == dense(reply)


@given(REPLIES, st.data())
def test_the_clauses_do_not_depend_on_the_pieces(reply: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=30)))
    clauses, found = Clauses(), []
    for start, end in zip([0, *places], [*places, len(reply)], strict=True):
        found += clauses.feed(reply[start:end])
    assert found + clauses.finish() == cut(reply)


@given(REPLIES)
def test_only_the_last_clause_may_have_nothing_to_pronounce(reply: str) -> None:
    for clause in cut(reply)[:-1]:
        assert any(character.isalnum() for character in clause)
