"""What is done to synthesized sound: trimming, pitch, loudness, fades.

Layer 2, on soxr, otherwise pure. Serves the voices; a whole phrase at a time, float32 from -1 to 1.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]

from device.types import Pcm

Sound: TypeAlias = npt.NDArray[np.float32]
"""Mono samples, float32, shape (n,), full scale at -1 and 1."""

TARGET_DB = -20.0
"""Root mean square of a phrase at level 0, decibels below full scale: Piper's voices lie between
-18 and -26, phrase by phrase, which is heard as a voice that comes and goes."""
MOST_GAIN_DB = 12.0
"""A phrase is raised by no more than this: what is fainter is breath, not speech."""
KNEE = 0.7
"""Above this share of full scale the limiter begins to bend."""
CEILING = 0.97
"""The limiter's output never exceeds this share of full scale."""
AUDIBLE_DB = -38.0
"""Sound this far below the phrase's peak counts as silence when it is trimmed."""
FRAME_S = 0.005
"""Length of the frames that silence is looked for in, seconds."""
LEAD_S, TAIL_S = 0.008, 0.04
"""Seconds kept before and after the audible part: the onset of a plosive, the end of a breath."""
FADE_S = 0.004
"""Length of the fades at both ends, seconds: enough against clicks, too short to be heard."""


def trimmed(sound: Sound, rate: int) -> Sound:
    """Return ``sound`` without the silence at its ends, empty if there is nothing else.

    Piper begins with 40 to 80 ms of silence and ends with 40 to 200 ms (measured): a listener
    waits for the first, and the second belongs to the style.
    """
    frame = max(1, int(FRAME_S * rate))
    levels = _levels(sound, frame)
    if not len(levels) or levels.max() < 1e-4:
        return sound[:0]
    audible = np.flatnonzero(levels > levels.max() * 10 ** (AUDIBLE_DB / 20))
    first = max(0, int(audible[0]) * frame - int(LEAD_S * rate))
    last = (int(audible[-1]) + 1) * frame + int(TAIL_S * rate)
    return sound[first:last]


def shifted(sound: Sound, rate: int, semitones: float) -> Sound:
    """Return ``sound`` raised by ``semitones``, and shorter by the same factor.

    Whoever wants the old duration has the phrase spoken slower by ``pitch_factor`` first. The
    formants move along, so keep to about two semitones.
    """
    if semitones == 0 or not len(sound):
        return sound
    raised: Sound = soxr.resample(sound, rate * pitch_factor(semitones), rate, quality="HQ")
    return raised


def pitch_factor(semitones: float) -> float:
    """Return the ratio of two frequencies so many semitones apart."""
    return float(2.0 ** (semitones / 12))


def leveled(sound: Sound, rate: int, decibels: float) -> Sound:
    """Return ``sound`` at the common loudness plus ``decibels``, limited softly: it never clips."""
    if not len(sound):
        return sound
    levels = _levels(sound, max(1, int(0.02 * rate)))
    # Pauses inside a phrase must not make it louder: only its upper, voiced frames are measured.
    voiced = levels[levels > levels.max() * 0.1] if len(levels) else np.array([np.abs(sound).max()])
    loudness = float(np.sqrt(np.mean(voiced**2)))
    if loudness <= 0:
        return sound
    gain_db = min(TARGET_DB - 20 * np.log10(loudness), MOST_GAIN_DB) + decibels
    return limited(sound * np.float32(10 ** (gain_db / 20)))


def limited(sound: Sound) -> Sound:
    """Return ``sound`` with its peaks bent to stay below full scale; the rest is untouched."""
    size = np.abs(sound)
    room = CEILING - KNEE
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    result: Sound = np.where(size > KNEE, np.sign(sound) * bent, sound).astype(np.float32)
    return result


def faded(sound: Sound, rate: int) -> Sound:
    """Return ``sound`` with a short fade at both ends."""
    length = min(int(FADE_S * rate), len(sound) // 2)
    if not length:
        return sound
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    result = sound.copy()
    result[:length] *= ramp
    result[-length:] *= ramp[::-1]
    return result


def to_pcm(sound: Sound) -> Pcm:
    """Return ``sound`` as int16."""
    return np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)


def _levels(sound: Sound, frame: int) -> Sound:
    """Return the root mean square of each whole frame of ``frame`` samples."""
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    levels: Sound = np.sqrt(np.mean(frames**2, axis=1, dtype=np.float32))
    return levels
