"""Loudness changes without a jump and never wraps around."""

from __future__ import annotations

import numpy as np

from device.audio.gain import Fader


def constant(level: int) -> np.ndarray:
    return np.full(320, level, np.int16)


def test_gain_one_changes_nothing() -> None:
    block = np.arange(-160, 160, dtype=np.int16)
    Fader(320).apply(block, 1.0)
    assert block.tolist() == list(range(-160, 160))


def test_a_new_gain_is_glided_to_and_then_held() -> None:
    fader = Fader(320)
    first, second = constant(8000), constant(8000)
    fader.apply(first, 0.125)
    fader.apply(second, 0.125)
    assert first[-1] == 1000
    assert np.abs(np.diff(first.astype(int))).max() <= 22
    assert (second == 1000).all()


def test_what_would_overflow_is_clipped() -> None:
    fader = Fader(320)
    for level, limit in ((20_000, 32_767), (-20_000, -32_768)):
        block = constant(level)
        fader.apply(block, 4.0)
        fader.apply(block, 4.0)
        assert (block == limit).all()
