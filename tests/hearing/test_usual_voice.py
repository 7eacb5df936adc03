"""What a speaker's voice is usually like is learnt from how neutral each utterance sounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.usual_voice import MEMORY, NEGLIGIBLE, PRIOR, UsualVoice
from device.types import Floats


def vector(value: float) -> Floats:
    return np.full(4, value, np.float32)


def test_of_a_stranger_nothing_is_known() -> None:
    usual = UsualVoice()
    assert usual.vector is None
    assert usual.known == 0.0


def test_the_first_neutral_utterance_counts_half_as_much_as_all_other_people() -> None:
    usual = UsualVoice()
    usual.add(vector(3.0), 1.0)
    np.testing.assert_allclose(usual.vector, vector(3.0))
    assert usual.known == pytest.approx(1 / (1 + PRIOR))


def test_an_outburst_hardly_moves_it() -> None:
    usual = UsualVoice()
    for _ in range(5):
        usual.add(vector(0.0), 1.0)
    usual.add(vector(10.0), 0.1)
    assert usual.vector is not None
    assert usual.vector[0] < 0.3


def test_a_lasting_change_is_followed() -> None:
    usual = UsualVoice()
    for _ in range(50):
        usual.add(vector(0.0), 1.0)
    for _ in range(int(2 * MEMORY)):
        usual.add(vector(1.0), 1.0)
    assert usual.vector is not None
    assert usual.vector[0] > 0.8


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1)), min_size=1, max_size=60))
def test_it_stays_among_what_was_heard_and_is_never_known_for_sure(
    heard: list[tuple[float, float]],
) -> None:
    usual = UsualVoice()
    for value, neutral in heard:
        usual.add(vector(value), neutral)
    counted = [value for value, neutral in heard if neutral >= NEGLIGIBLE]
    assert 0 <= usual.known < 1
    if not counted or usual.vector is None:
        assert usual.known == 0
        return
    assert min(counted) - 1e-3 <= usual.vector[0] <= max(counted) + 1e-3
