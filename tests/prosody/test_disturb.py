"""Disturbing a clip changes what it says it changes, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from device.types import Floats
from models.prosody.disturb import Disturber, coloured, in_room, made_room, with_noise


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(6)


def speech(seconds: float = 1.0) -> Floats:
    """Return loud and quiet stretches of noise, as levels go in speech."""
    random = np.random.default_rng(1)
    parts = [random.standard_normal(1_600) * level for level in (0.1, 0.001) * 50]
    return np.concatenate(parts)[: int(seconds * 16_000)].astype(np.float32)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_stands_so_far_below_the_speech(snr_db: float, random: np.random.Generator) -> None:
    clean, noise = speech(), random.standard_normal(40_000).astype(np.float32)
    added = with_noise(clean, noise, snr_db, random) - clean
    loud = np.abs(clean) > 0.005
    found = 10 * np.log10(np.mean(clean[loud] ** 2) / np.mean(added**2))
    assert found == pytest.approx(snr_db, abs=1.0)


def test_a_short_noise_is_repeated(random: np.random.Generator) -> None:
    added = with_noise(speech(), np.ones(100, np.float32), 10, random) - speech()
    assert np.ptp(added) < 1e-4


def test_a_room_keeps_the_level_the_length_and_the_moment(random: np.random.Generator) -> None:
    clean, room = speech(), np.concatenate([np.zeros(500, np.float32), made_room(random)])
    wet = in_room(clean, room)
    assert len(wet) == len(clean)
    assert np.linalg.norm(wet) == pytest.approx(np.linalg.norm(clean), rel=1e-3)
    lags = np.correlate(wet[4_000:8_000], clean[3_800:8_200], "valid")
    assert int(lags.argmax()) == 200  # the delay of the direct sound is taken out


def test_a_microphones_colour_moves_the_spectrum_and_keeps_the_length(
    random: np.random.Generator,
) -> None:
    clean = speech()
    other = coloured(clean, random)
    assert len(other) == len(clean)
    change = np.abs(np.fft.rfft(other)) / np.maximum(np.abs(np.fft.rfft(clean)), 1e-6)
    assert 20 * np.log10(np.percentile(change, 90) / np.percentile(change, 10)) > 3


def test_the_same_seed_disturbs_the_same_way() -> None:
    disturb = Disturber([speech()])
    one, same, other = (disturb(speech(), np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or not np.allclose(one, other)
