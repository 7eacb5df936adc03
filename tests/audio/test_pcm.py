"""Raw samples of any rate and number of channels become what is heard, however they are cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.container import PcmDecoder
from device.audio.rates import resample
from device.types import HEARING_RATE, Pcm, RapportError
from tests.audio.encodings import sentence


@pytest.fixture(scope="module")
def speech(speech_data: Path) -> Pcm:
    return sentence(speech_data, 1.0)


def fed(decoder: PcmDecoder, data: bytes, places: list[int]) -> Pcm:
    cuts = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return np.concatenate([decoder.feed(data[a:b]) for a, b in pairwise(cuts)])


@given(places=st.lists(st.integers(0, 10**6), max_size=50), channels=st.integers(1, 8))
def test_any_cutting_gives_the_same_samples(places: list[int], channels: int) -> None:
    chance = np.random.default_rng(1)
    samples = chance.integers(-32_768, 32_767, (500, channels), np.int16, endpoint=True)
    found = fed(PcmDecoder(HEARING_RATE, channels), samples.tobytes(), places)
    assert np.array_equal(found, samples.astype(int).sum(axis=1) // channels)


@pytest.mark.parametrize("rate", [4_000, 8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_speech_at_any_rate_is_the_same_speech(rate: int, speech: Pcm) -> None:
    data = resample(speech, HEARING_RATE, rate).tobytes()
    decoder = PcmDecoder(rate)
    found = np.concatenate([fed(decoder, data, list(range(0, len(data), 961))), decoder.finish()])
    assert abs(len(found) - len(speech)) <= 2
    short = min(len(found), len(speech))
    alike = np.corrcoef(found[:short].astype(float), speech[:short].astype(float))[0, 1]
    assert alike > (0.7 if rate < HEARING_RATE else 0.99)


@pytest.mark.parametrize(("rate", "most_ms"), [(16_000, 0), (48_000, 2), (44_100, 2), (8_000, 3)])
def test_little_is_held_back(rate: int, most_ms: float, speech: Pcm) -> None:
    decoder, blocks = PcmDecoder(rate), resample(speech, HEARING_RATE, rate)
    blocks = blocks[: rate // 50 * 40]
    found = sum(len(decoder.feed(block.tobytes())) for block in np.split(blocks, 40))
    assert 800 - found / HEARING_RATE * 1000 <= most_ms


@pytest.mark.parametrize(("rate", "channels"), [(3_999, 1), (192_001, 1), (16_000, 0), (8_000, 9)])
def test_what_cannot_be_heard_is_refused_with_what_can(rate: int, channels: int) -> None:
    with pytest.raises(RapportError, match="cannot be heard; use"):
        PcmDecoder(rate, channels)
