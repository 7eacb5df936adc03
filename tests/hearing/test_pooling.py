"""One vector for an utterance: of the frames that sound, whatever silence surrounds them."""

from __future__ import annotations

import numpy as np
import pytest

from device.hearing.log_mel import log_mel
from device.hearing.pooling import CLIPPED, overdriven, pooled, sounding
from device.types import HEARING_RATE, Pcm


def burst(silence: int, sound: int) -> Pcm:
    """Return so many samples of near silence, then of noise."""
    random = np.random.default_rng(2)
    parts = [random.normal(0, 2, silence), random.normal(0, 3_000, sound)]
    return np.concatenate(parts).astype(np.int16)


def test_the_frames_that_sound_are_found() -> None:
    heard = sounding(log_mel(burst(HEARING_RATE, HEARING_RATE)))
    assert heard.shape == (400,)
    assert heard[-48:].mean() > 0.9
    assert not heard[:348].any()


def test_silence_sounds_nowhere() -> None:
    assert not sounding(log_mel(np.zeros(HEARING_RATE, np.int16))).any()


def test_mean_and_deviation_are_of_the_sounding_frames_alone() -> None:
    picture = log_mel(burst(HEARING_RATE, HEARING_RATE))
    layers = np.zeros((400, 3), np.float32)
    layers[sounding(picture)] = [1.0, 2.0, 3.0]
    layers[~sounding(picture)] = 99.0
    np.testing.assert_allclose(pooled(layers, sounding(picture)), [1, 2, 3, 0, 0, 0], atol=1e-5)


def test_where_more_was_heard_than_was_looked_at_its_end_belongs_to_the_layers() -> None:
    picture = log_mel(burst(HEARING_RATE, HEARING_RATE))
    layers = np.random.default_rng(3).random((400, 5)).astype(np.float32)
    np.testing.assert_allclose(
        pooled(layers[-60:], sounding(picture)), pooled(layers, sounding(picture)), rtol=1e-5
    )


def test_layers_of_silence_are_pooled_whole() -> None:
    picture = log_mel(np.zeros(HEARING_RATE, np.int16))
    layers = np.arange(800, dtype=np.float32).reshape(400, 2)
    np.testing.assert_allclose(pooled(layers, sounding(picture))[:2], layers.mean(axis=0))


@pytest.mark.parametrize(("share", "expected"), [(0.0, False), (0.005, False), (0.02, True)])
def test_a_recording_with_many_samples_at_the_end_of_the_scale_is_overdriven(
    share: float, expected: bool
) -> None:
    audio = burst(0, HEARING_RATE)
    audio[: int(share * len(audio))] = CLIPPED
    assert overdriven(audio) is expected
    assert overdriven(-audio) is expected


def test_nothing_is_not_overdriven() -> None:
    assert not overdriven(np.zeros(0, np.int16))
