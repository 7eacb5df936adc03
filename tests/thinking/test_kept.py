"""States of a language model are found again by the tokens they stand for, within a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.thinking.kept import Kept, KeptStates, shared

tokens = st.lists(st.integers(0, 2), max_size=12).map(tuple)


def test_the_state_with_the_longest_common_beginning_is_found() -> None:
    states = KeptStates(100)
    states.put(Kept((1, 2, 3), b"a"))
    states.put(Kept((1, 2, 9, 9), b"b"))
    found, length = states.best([1, 2, 3, 4])
    assert found is not None and found.state == b"a" and length == 3
    assert states.best([7]) == (None, 0)


def test_a_state_takes_the_place_of_those_it_continues() -> None:
    states = KeptStates(100)
    states.put(Kept((1, 2), b"old"))
    states.put(Kept((1, 2, 3), b"new"))
    assert states.size == 3


def test_the_least_recently_used_is_given_up_first() -> None:
    states = KeptStates(2)
    states.put(Kept((1,), b"a"))
    states.put(Kept((2,), b"b"))
    states.best([1])
    states.put(Kept((3,), b"c"))
    assert states.best([2]) == (None, 0)
    assert states.best([1])[1] == states.best([3])[1] == 1


@given(st.lists(tokens, max_size=20), tokens, st.integers(0, 40))
def test_it_never_holds_more_than_it_may_nor_finds_what_does_not_match(
    put: list[tuple[int, ...]], wanted: tuple[int, ...], most: int
) -> None:
    states = KeptStates(most)
    for each in put:
        states.put(Kept(each, bytes(len(each))))
        assert states.size <= most
    found, length = states.best(wanted)
    if found is not None:
        assert found.tokens[:length] == wanted[:length]
        assert length == shared(found.tokens, wanted) > 0
