"""The fast log-mel picture equals a plain one computed in double precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hearing.log_mel import FRAMES, MELS, SAMPLES, log_mel
from device.types import Pcm


def plain(audio: Pcm) -> npt.NDArray[np.float64]:
    """The definition, step by step, frame by frame, filter by filter."""
    sound = audio[-SAMPLES:] / 32768
    sound = np.concatenate([np.zeros(SAMPLES - len(sound)), sound])
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    mirrored = np.concatenate([sound[200:0:-1], sound, sound[-2:-202:-1]])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.array(
        [
            np.abs(np.fft.rfft(mirrored[160 * frame : 160 * frame + 400] * window)) ** 2
            for frame in range(FRAMES)
        ]
    )

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * np.log(8) / np.log(6.4)
    corners = [hertz(top * place / (MELS + 1)) for place in range(MELS + 2)]
    picture = np.zeros((MELS, FRAMES))
    for row in range(MELS):
        left, peak, right = corners[row : row + 3]
        for place in range(201):
            rise, fall = (40 * place - left) / (peak - left), (right - 40 * place) / (right - peak)
            picture[row] += max(0.0, min(rise, fall)) * 2 / (right - left) * power[:, place]
    logarithm = np.log10(np.maximum(picture, 1e-10))
    return (np.maximum(logarithm, logarithm.max() - 8) + 4) / 4


def speechlike(length: int, offset: int = 0) -> Pcm:
    """A buzzing, swelling sound with noise and, if wanted, a constant offset."""
    time = np.arange(length) / 16_000
    tone = np.sign(np.sin(2 * np.pi * 140 * time)) * (1 + np.sin(2 * np.pi * 4 * time))
    noise = np.random.default_rng(1).normal(0, 60, length)
    return (2_000 * tone + noise + offset).astype(np.int16)


@pytest.mark.parametrize(
    "length", [0, 1, 2_000, 32_000, 127_799, 127_801, 127_999, 128_000, 150_000]
)
@pytest.mark.parametrize("offset", [0, 900])
def test_it_equals_the_plain_definition(length: int, offset: int) -> None:
    audio = speechlike(length, offset)
    assert np.abs(log_mel(audio) - plain(audio)).max() < 1e-3


def test_silence_is_one_grey() -> None:
    picture = log_mel(np.zeros(40_000, np.int16))
    assert np.all(picture == picture[0, 0])


@given(length=st.integers(0, 140_000), offset=st.integers(-2_000, 2_000))
def test_any_length_gives_a_finite_picture_of_the_same_shape(length: int, offset: int) -> None:
    picture = log_mel(speechlike(length, offset))
    assert picture.shape == (MELS, FRAMES)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()


def test_frames_of_padding_are_all_equal() -> None:
    picture = log_mel(speechlike(16_000))
    first_sound = (SAMPLES - 16_000 - 200) // 160
    assert np.all(picture[:, :first_sound] == picture[:, :1])
    assert not np.all(picture[:, first_sound + 5] == picture[:, 0])
