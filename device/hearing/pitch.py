"""The pitch of a voice over time, from how well the sound repeats itself.

Layer 2 (numpy only, pure). Serves ``prosody_head``, on the thread of the prosody worker. Short-time
autocorrelation over that of the window (Boersma 1993, "Accurate short-term analysis of the
fundamental frequency"), at 8 kHz: a tenth of the cost of the SwiftF0 network, whose median pitches
it matches with r .99 (48 acted clips, 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.types import HEARING_RATE, Floats

HOP = 256
"""Samples at 16 kHz from one value to the next: 62.5 values per second."""
RATE = HEARING_RATE // 2
WINDOW = 376
"""Samples at 8 kHz, 47 ms: three periods of a voice at 64 Hz. With the longest lag it fits 512."""
TRANSFORM = 512
LOWEST, HIGHEST = 60.0, 600.0
"""Hertz. Deep male speech reaches 60, a frightened child about 600; whistles go beyond."""
SILENT = 1e-3
"""Frames peaking below this get confidence 0: what repeats in them is the converter's own noise."""
OCTAVE_COST = 0.06
"""So much less repetition than the pitch an octave below still wins: two periods repeat as well."""
UNVOICED = 0.3
"""Repetition that noise reaches too. From here to 1 the confidence rises from 0 to 1, so that a
frame is voiced from 0.5, as ``measures`` expects: agrees with SwiftF0 in 90 % of the frames of 48
acted clips, and where both are sure 98 % of the pitches do (2026-11)."""
_LAGS = np.arange(int(RATE / HIGHEST), int(RATE / LOWEST) + 2)


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """Pitch in steps of 16 ms; frame i covers the samples from 256 i up to 256 (i + 1)."""

    hertz: Floats
    """Shape (n,); means nothing where ``confidence`` is low."""
    confidence: Floats
    """Shape (n,), 0 to 1; a frame is voiced from 0.5."""


def track(sound: Floats) -> PitchTrack:
    """Return the pitch of ``sound``: float32, shape (n,), 16 kHz, full scale 1.

    Shorter than 47 ms gives an empty track.
    """
    half = _halved(sound)
    count = len(sound) // HOP if len(half) >= WINDOW else 0
    if not count:
        return PitchTrack(np.empty(0, np.float32), np.empty(0, np.float32))
    margin = WINDOW // 2 - HOP // 4
    padded = np.pad(half, (margin, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:: HOP // 2][:count]
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(frames * _WINDOW, TRANSFORM)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    repeats = np.fft.irfft(power)[:, : _LAGS[-1] + 2]
    loudness = np.maximum(repeats[:, :1], np.float32(1e-9))
    repeats = repeats / loudness / _WINDOW_REPEATS
    lag, strength = _best(np.asarray(repeats, np.float32))
    quiet = np.abs(sound[: count * HOP]).reshape(count, HOP).max(axis=1) < SILENT
    sure = np.clip((strength - UNVOICED) / (1 - UNVOICED), 0, 1)
    return PitchTrack(
        _calmed(np.float32(RATE) / lag), np.where(quiet, np.float32(0), sure).astype(np.float32)
    )


def _halved(sound: Floats) -> Floats:
    """Return ``sound`` at 8 kHz, above 3 kHz softened: harmonics up there tell no pitch."""
    even = len(sound) // 2 * 2
    padded = np.pad(sound[:even], (2, 2))
    smooth = np.convolve(padded, np.array([1, 3, 4, 3, 1], np.float32) / np.float32(12), "valid")
    return np.asarray(smooth[::2], np.float32)


def _best(repeats: Floats) -> tuple[Floats, Floats]:
    """Return the lag in samples, interpolated, and the repetition there, one for each frame."""
    within = repeats[:, _LAGS]
    peaks = (within >= repeats[:, _LAGS - 1]) & (within >= repeats[:, _LAGS + 1])
    worth = np.where(peaks, within - _COSTS, np.float32(-1))
    at = _LAGS[worth.argmax(axis=1)]
    rows = np.arange(len(repeats))
    left, peak, right = (repeats[rows, at + step] for step in (-1, 0, 1))
    bend = np.minimum(left - 2 * peak + right, np.float32(-1e-6))
    shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return np.asarray(at + shift, np.float32), np.asarray(peak, np.float32)


def _calmed(hertz: Floats) -> Floats:
    """Return the median of each frame and its neighbours: single octave errors go."""
    padded = np.pad(hertz, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 3)
    return np.asarray(np.median(around, axis=1), np.float32)


def _autocorrelation_of_window() -> Floats:
    power = np.square(np.abs(np.fft.rfft(_WINDOW, TRANSFORM)))
    repeats = np.fft.irfft(power)[: _LAGS[-1] + 2]
    return np.asarray(repeats / repeats[0], np.float32)


_WINDOW: Floats = np.hanning(WINDOW).astype(np.float32)
_WINDOW_REPEATS: Floats = _autocorrelation_of_window()
_COSTS: Floats = (OCTAVE_COST * np.log2(_LAGS / _LAGS[0])).astype(np.float32)
