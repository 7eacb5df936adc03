"""What can be measured of a voice without training: pitch, level, rate, brightness, pauses.

Layer 2 (numpy only, pure). Serves ``prosody_head``. The measures are those of the Geneva
minimalistic set (Eyben et al. 2016, GeMAPS) as far as they can be had of frames of 32 ms every 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from device.hearing.pitch import HOP, PitchTrack
from device.types import HEARING_RATE, Floats

Flags: TypeAlias = npt.NDArray[np.bool_]

WINDOW = 2 * HOP
FRAME_SECONDS = HOP / HEARING_RATE
VOICED = 0.5
"""Confidence of the pitch from which a frame is voiced."""
DEPTH_DB = 30.0
"""Frames so far below the loudest tenth are echo or background, not the speaker."""
LEAST_VOICED = 15
"""Frames, 0.24 s: with less there is no voice to measure."""
LEAST_CLARITY = 0.7
"""Mean confidence of the pitch: engines, rain and fire reach 0.57 to 0.71 (medians), voices 0.73 to
0.93 (2nd and 90th percentile of acted ones, 2026-11)."""
PAUSE = 0.2
"""Seconds. Shorter gaps between voiced sounds are consonants (Goldman-Eisler's bound is 0.25)."""
DIP_DB = 2.0
"""A syllable rises so far above the dips around it (de Jong and Wempe 2009)."""


@dataclass(frozen=True, slots=True)
class VoiceMeasures:
    """One utterance in numbers."""

    pitch_hz: float
    """Median pitch of the voiced frames."""
    pitch_range_st: float
    """Semitones between the 20th and 80th percentile of pitch."""
    level_db: float
    """Median level of the voiced frames, decibels below full scale."""
    level_range_db: float
    """Decibels between the 20th and 80th percentile of the voiced frames' level."""
    rate_sps: float
    """Syllables per second of speech, pauses not counted."""
    brightness_db: float
    """Energy of 1-5 kHz over that of 50 Hz-1 kHz in the voiced frames (GeMAPS: -alpha ratio)."""
    pauses_share: float
    """Share of the time between first and last voiced frame that is pause, 0 to 1."""
    voiced_s: float
    """Seconds of voiced sound that all this was measured on."""
    clarity: float
    """Mean confidence of the pitch in the voiced frames, 0.5 to 1."""


def measure_voice(sound: Floats, track: PitchTrack) -> VoiceMeasures | None:
    """Return the measures of ``sound`` (float32, 16 kHz, full scale 1); None if it has no voice.

    ``track`` is its pitch.
    """
    count = min(len(track.hertz), max((len(sound) - WINDOW) // HOP + 1, 0))
    if not count:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:count]
    level = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-10)
    near = level > np.percentile(level, 90) - DEPTH_DB
    voiced = (track.confidence[:count] >= VOICED) & near
    if np.count_nonzero(voiced) < LEAST_VOICED:
        return None
    clarity = float(track.confidence[:count][voiced].mean())
    if clarity < LEAST_CLARITY:
        return None
    pitch = 12 * np.log2(track.hertz[:count][voiced])
    speech, pauses = _speech_and_pauses(voiced)
    return VoiceMeasures(
        pitch_hz=float(2 ** (np.median(pitch) / 12)),
        pitch_range_st=_spread(pitch),
        level_db=float(np.median(level[voiced])),
        level_range_db=_spread(level[voiced]),
        rate_sps=_syllables(level, voiced) / max(speech, PAUSE),
        brightness_db=_brightness(frames[voiced]),
        pauses_share=pauses / (speech + pauses),
        voiced_s=float(np.count_nonzero(voiced)) * FRAME_SECONDS,
        clarity=clarity,
    )


def _spread(values: npt.NDArray[np.floating]) -> float:
    low, high = np.percentile(values, (20, 80))
    return float(high - low)


def _speech_and_pauses(voiced: Flags) -> tuple[float, float]:
    """Return seconds of speech and of pause between the first and the last voiced frame."""
    places = np.flatnonzero(voiced)
    gaps = (np.diff(places) - 1) * FRAME_SECONDS
    pauses = float(gaps[gaps > PAUSE].sum())
    return float(places[-1] - places[0] + 1) * FRAME_SECONDS - pauses, pauses


def _syllables(level: npt.NDArray[np.floating], voiced: Flags) -> int:
    """Count the nuclei: voiced maxima of the smoothed level, dips between them of 2 dB or more."""
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.hanning(7)[1:-1] / 3.0, mode="valid")
    floor = float(np.median(smooth[voiced])) - 12.0
    count, rising, extreme = 0, True, -np.inf
    for value, sounds in zip(smooth.tolist(), voiced.tolist(), strict=True):
        if rising:
            if sounds and value > floor:
                extreme = max(extreme, value)
            if value < extreme - DIP_DB:  # past a nucleus: look for the dip behind it
                count, rising, extreme = count + 1, False, value
        else:
            extreme = min(extreme, value)
            if value > extreme + DIP_DB:
                rising, extreme = True, -np.inf
    return count + int(rising and extreme > -np.inf)


def _brightness(frames: Floats) -> float:
    spectrum = np.fft.rfft(frames * _HANN)
    power = (np.square(spectrum.real) + np.square(spectrum.imag)).sum(axis=0)
    low, high = power[_LOW].sum(), power[_HIGH].sum()
    return float(10 * np.log10((high + 1e-12) / (low + 1e-12)))


_HANN: Floats = np.hanning(WINDOW).astype(np.float32)
_LOW, _HIGH = (
    slice(int(start * WINDOW / HEARING_RATE), int(end * WINDOW / HEARING_RATE))
    for start, end in ((63, 1000), (1000, 5000))
)
