"""The pitch of made and of real voices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.pitch import HOP, track
from device.types import HEARING_RATE, Floats

TIME = np.arange(HEARING_RATE) / HEARING_RATE


def buzz(hertz: float, harmonics: int = 12, level: float = 0.1) -> Floats:
    """Return a second of a sound with as many harmonics as a voice, falling as a voice's do."""
    numbers = [n for n in range(1, harmonics + 1) if n * hertz < 7_500]
    sound = sum(np.sin(2 * np.pi * n * hertz * TIME + n) / n for n in numbers)
    return np.asarray(level * sound, np.float32)


@given(st.floats(70, 500))
def test_the_pitch_of_a_voice_like_sound_is_found(hertz: float) -> None:
    found = track(buzz(hertz))
    within = slice(3, -3)  # the first and last frames hang over the edge
    assert np.all(found.confidence[within] > 0.8)
    np.testing.assert_allclose(found.hertz[within], hertz, rtol=0.02)


@pytest.mark.parametrize("gain", [0.05, 1.0, 5.0])
def test_loudness_changes_nothing(gain: float) -> None:
    usual, other = track(buzz(140)), track(buzz(140) * np.float32(gain))
    np.testing.assert_allclose(usual.hertz[3:-3], other.hertz[3:-3], rtol=1e-3)


def test_noise_and_silence_are_not_voiced() -> None:
    noise = np.random.default_rng(1).standard_normal(HEARING_RATE).astype(np.float32) * 0.1
    assert np.mean(track(noise).confidence > 0.5) < 0.1
    assert not np.any(track(np.zeros(HEARING_RATE, np.float32)).confidence)
    assert not np.any(track(noise * np.float32(1e-3)).confidence)


@pytest.mark.parametrize("length", [0, 1, 700, 752, 1_000, 4_096, 100_000])
def test_there_is_a_value_for_each_256_samples(length: int) -> None:
    found = track(np.resize(buzz(120), length))
    assert len(found.hertz) == len(found.confidence) == (length // HOP if length >= 752 else 0)


def test_a_glide_is_followed() -> None:
    hertz = np.linspace(110, 220, HEARING_RATE)
    phase = 2 * np.pi * np.cumsum(hertz) / HEARING_RATE
    sound = sum(np.sin(n * phase) / n for n in range(1, 10)).astype(np.float32) * np.float32(0.1)
    found = track(sound)
    middles = np.minimum(np.arange(len(found.hertz)) * HOP + HOP // 2, HEARING_RATE - 1)
    np.testing.assert_allclose(found.hertz[3:-3], hertz[middles][3:-3], rtol=0.03)
