"""A model that runs in circles is noticed, one that repeats itself within reason is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.thinking.repetition import LONGEST, runs_away


@given(
    st.lists(st.integers(0, 9), max_size=20),
    st.lists(st.integers(0, 9), min_size=1, max_size=LONGEST),
)
def test_a_circle_of_any_length_is_noticed(before: list[int], circle: list[int]) -> None:
    assert runs_away(before + circle * 13)


@pytest.mark.parametrize(
    "tokens",
    [[], [1], [1] * 8, [1, 2] * 5, list(range(100)), [*range(10), *range(10), 99]],
)
def test_ordinary_text_is_not(tokens: list[int]) -> None:
    assert not runs_away(tokens)
