"""What is made of clips before heads see them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.types import HEARING_RATE, Floats
from models.prosody.corpora import Clip
from models.prosody.features import LONG_S, Features, as_pcm, cut, joined, music, scaled


def part(value: float, seconds: float) -> Floats:
    return np.full(int(seconds * HEARING_RATE), value, np.float32)


@given(st.integers(0, 50), st.lists(st.floats(0.5, 4.0), min_size=1, max_size=5))
def test_a_long_utterance_ends_with_the_clip_itself_and_has_others_before_it(
    seed: int, seconds: list[float]
) -> None:
    parts = [part(at + 1.0, length) for at, length in enumerate(seconds)]
    long = joined(parts, np.random.default_rng(seed))
    assert len(long) <= LONG_S[1] * HEARING_RATE
    whole = sum(len(one) for one in parts)
    assert len(long) == whole or len(long) >= LONG_S[0] * HEARING_RATE
    own = min(len(parts[0]), len(long))
    assert np.all(long[-own:] == 1.0)
    assert set(np.unique(long)) <= {at + 1.0 for at in range(len(parts))}


def test_a_window_lies_within_the_clip_and_a_short_clip_is_taken_whole() -> None:
    ramp = np.arange(5 * HEARING_RATE, dtype=np.float32)
    window = cut(ramp, np.random.default_rng(1))
    assert len(window) == 2 * HEARING_RATE
    np.testing.assert_array_equal(np.diff(window), 1)
    assert len(cut(ramp[:100], np.random.default_rng(1))) == 100


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=20))
def test_samples_are_clipped_and_never_wrap_round(values: list[float]) -> None:
    sound = np.array(values, np.float32)
    back = scaled(as_pcm(sound))
    np.testing.assert_allclose(back, np.clip(sound, -1, 32767 / 32768), atol=2e-5)


def test_made_music_is_sound_of_five_seconds_the_same_for_the_same_seed() -> None:
    one, same, other = (music(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert len(one) == 5 * HEARING_RATE
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.abs(one).max() > 3_000


def test_the_first_layers_part_keeps_the_clips_and_halves_the_vectors() -> None:
    clips = [Clip("c", "a", "c/1", "neutral", "", "", "")]
    # means of layers 1 and 2, then deviations of layers 1 and 2
    rows = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]], np.float32)
    first = Features(clips, {"clean": rows}).of_first_layer()
    assert first.clips == clips
    np.testing.assert_array_equal(first.vectors["clean"], [[1.0, 2.0, 5.0, 6.0]])
