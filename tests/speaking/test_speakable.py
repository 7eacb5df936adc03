"""What is read aloud of a reply: its words, and none of its markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.speaking.speakable import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello, how are you?", "Hello, how are you?"),
        ("This is **very** *good* and `fine`.", "This is very good and fine."),
        ("__Bold__ and _thin_ and snake_case.", "Bold and thin and snake_case."),
        ("## A heading", "A heading"),
        ("- one thing", "one thing"),
        ("* another", "another"),
        ("2. Bread", "2, Bread"),
        ("> quoted", "quoted"),
        ("See [the map](https://a.b/c?d=1) now.", "See the map now."),
        ("Go to https://www.example.com/a/b?c=1.", "Go to example.com."),
        ("| tea | 3 |", "tea, 3"),
        ("|---|:---:|", ""),
        ("```python", ""),
        ("Great! 😀🎉", "Great!"),
        ("I ❤️ it 👍🏽", "I it"),
        ("[laughs] Oh dear.", "Oh dear."),
        ("*smiles warmly* Hello.", "Hello."),
        ("(chuckles) Right.", "Right."),
        ("It is *so* nice (really).", "It is so nice (really)."),
        ("It costs $5.", "It costs 5 dollars."),
        ("It costs $1.", "It costs 1 dollar."),
        ("It costs $5.50 or €1,000.", "It costs 5 dollars and 50 cents or 1,000 euros."),
        ("£3 million", "3 million pounds"),
        ("At 10:30 or 10:05 or 7:00.", "At 10 30 or 10 oh 5 or 7 o'clock."),
        ("At 7:00 pm", "At 7 p.m."),
        ("It is 21°C, 1 km away.", "It is 21 degrees Celsius, 1 kilometre away."),
        ("5km at 10 km/h", "5 kilometres at 10 kilometres per hour"),
        ("Take 5-10 minutes.", "Take 5 to 10 minutes."),
        ("20% of 3.5", "20 percent of 3.5"),
        ("2 + 2 = 4", "2 plus 2 equals 4"),
        ("3 x 4 and 8 / 2", "3 times 4 and 8 divided by 2"),
        ("in 1984 and 2024", "in 19 84 and 20 24"),
        ("in 2005 and 1900", "in 2005 and 1900"),
        ("on 2026-11-22", "on November 22nd, 20 26"),
        ("1/2 a cup", "a half a cup"),
        ("#1 and No. 5", "number 1 and number 5"),
        ("No. 5 days", "number 5 days"),
        ("No. That is it.", "No. That is it."),
        ("tea & milk, e.g. hot", "tea and milk, for example hot"),
        ("cats/dogs and/or birds", "cats or dogs and or birds"),
        ("", ""),
        ("...!? --- ***", ""),
        ("😀", ""),
        ("\n", ""),
    ],
)
def test_a_clause_is_read_as_a_person_would_read_it(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@given(st.text(max_size=300))
def test_any_text_gives_one_line_of_words_or_nothing(text: str) -> None:
    spoken = speakable(text)
    assert spoken == "" or any(character.isalnum() for character in spoken)
    assert spoken == spoken.strip() and "\n" not in spoken
    assert not set(spoken) & set("`|<>{}~")


@given(
    st.lists(
        st.sampled_from(
            ["I", "am", "fine,", "thanks.", "You", "were", "there", "12", "times!", "why?", "ok"]
        )
    )
)
def test_plain_words_are_left_alone(words: list[str]) -> None:
    text = " ".join(words).strip(",")
    assert speakable(text) == text
