"""What is done to a synthesized phrase can be measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.speaking import effects
from device.speaking.effects import Sound

RATE = 22_050


def tone(hertz: float, seconds: float = 1.0, size: float = 0.3) -> Sound:
    time = np.arange(int(seconds * RATE)) / RATE
    return (size * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE), np.float32)


def frequency(sound: Sound) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound))


def level(sound: Sound) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound**2))))


def test_silence_at_the_ends_is_cut_away() -> None:
    cut = effects.trimmed(np.concatenate([silence(0.4), tone(200), silence(0.5)]), RATE)
    assert len(cut) / RATE == pytest.approx(1.0 + effects.LEAD_S + effects.TAIL_S, abs=0.02)


def test_nothing_but_silence_leaves_nothing() -> None:
    assert len(effects.trimmed(silence(1.0), RATE)) == 0
    assert len(effects.trimmed(silence(0.0), RATE)) == 0


@pytest.mark.parametrize("semitones", [-3.0, -1.0, 1.0, 3.0])
def test_pitch_moves_by_semitones_and_shortens_by_the_same_factor(semitones: float) -> None:
    factor = effects.pitch_factor(semitones)
    moved = effects.shifted(tone(200), RATE, semitones)
    assert frequency(moved) == pytest.approx(200 * factor, rel=0.01)
    assert len(moved) == pytest.approx(RATE / factor, rel=0.001)


@pytest.mark.parametrize("size", [0.05, 0.2, 0.8])
def test_faint_and_loud_phrases_come_out_equally_loud(size: float) -> None:
    assert level(effects.leveled(tone(200, size=size), RATE, 0.0)) == pytest.approx(
        effects.TARGET_DB, abs=0.5
    )


def test_a_level_in_decibels_is_what_it_says() -> None:
    plain, softer = (effects.leveled(tone(200), RATE, decibels) for decibels in (0.0, -6.0))
    assert level(plain) - level(softer) == pytest.approx(6.0, abs=0.1)


def test_a_breath_is_not_blown_up_to_a_shout() -> None:
    assert level(effects.leveled(tone(200, size=0.005), RATE, 0.0)) < -30


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=200))
def test_nothing_ever_clips(samples: list[float]) -> None:
    limited = effects.limited(np.array(samples, np.float32))
    assert np.abs(limited).max() <= effects.CEILING + 1e-6
    assert np.abs(effects.to_pcm(limited).astype(int)).max() < 32_767


@given(st.floats(0, 0.6875, width=32))
def test_quiet_samples_pass_the_limiter_unchanged(sample: float) -> None:
    assert effects.limited(np.array([sample], np.float32))[0] == np.float32(sample)


def test_a_fade_begins_and_ends_in_silence() -> None:
    faded = effects.faded(np.ones(RATE, np.float32), RATE)
    assert faded[0] == 0 and faded[-1] == 0 and faded[RATE // 2] == 1
    assert len(effects.faded(silence(0.0), RATE)) == 0
