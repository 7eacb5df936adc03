"""Noise, rooms, microphones, speed and gain: what speech goes through before a device hears it.

Serves ``features``: training sees every clip disturbed at random, the tests see it with noises and
rooms that training never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr  # type: ignore[import-untyped]

from device.types import HEARING_RATE, Floats

SPEED = (0.92, 1.08)
"""Factors on the speed; pitch goes along, as between taller and shorter speakers."""
GAIN_DB = (-14.0, 6.0)
SNR_DB = (4.0, 25.0)
REVERBERATION_S = (0.15, 0.7)
"""Time in which a made room's echo falls by 60 dB: furnished room to bare hall."""
DIRECT_DB = (-4.0, 12.0)
"""How far the direct sound stands above its echo: across the room to close by."""
COLOUR_DB = 6.0
"""Standard deviation of a microphone's response, at five places from 100 Hz to 8 kHz."""


@dataclass(frozen=True)
class Disturber:
    """Disturbs clips at random, the same way for the same seed."""

    noises: Sequence[Floats]

    def __call__(self, sound: Floats, random: np.random.Generator) -> Floats:
        """Return ``sound`` (float32, 16 kHz) as another microphone elsewhere would hear it."""
        if random.random() < 0.5:
            factor = random.uniform(*SPEED)
            sound = soxr.resample(sound, HEARING_RATE * factor, HEARING_RATE)
        if random.random() < 0.6:
            sound = in_room(sound, made_room(random))
        if random.random() < 0.5:
            sound = coloured(sound, random)
        if random.random() < 0.8:
            noise = self.noises[int(random.integers(len(self.noises)))]
            sound = with_noise(sound, noise, random.uniform(*SNR_DB), random)
        return np.asarray(sound * 10 ** (random.uniform(*GAIN_DB) / 20), np.float32)


def made_room(random: np.random.Generator) -> Floats:
    """Return an impulse response: the direct sound, then noise that dies away, high notes first."""
    time = random.uniform(*REVERBERATION_S)
    length = int(time * HEARING_RATE)
    rest = np.arange(length) / length
    low, high = (random.standard_normal(length) for _ in range(2))
    low = np.convolve(low, np.ones(8) / 8, "same")
    echo = low * np.exp(-6.9 * rest) * 2 + high * np.exp(-6.9 * rest * random.uniform(1.5, 4))
    echo[: random.integers(16, 160)] = 0  # the nearest wall is half a metre to five metres away
    echo *= 10 ** (-random.uniform(*DIRECT_DB) / 20) / np.linalg.norm(echo)
    echo[0] = 1.0
    return np.asarray(echo, np.float32)


def in_room(sound: Floats, response: Floats) -> Floats:
    """Return ``sound`` as heard in a room, at its level before and without the room's delay."""
    size = 1 << int(np.ceil(np.log2(len(sound) + len(response))))
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size))
    first = int(np.abs(response).argmax())
    wet = wet[first : first + len(sound)]
    level = np.linalg.norm(sound) / max(float(np.linalg.norm(wet)), 1e-9)
    return np.asarray(wet * level, np.float32)


def coloured(sound: Floats, random: np.random.Generator) -> Floats:
    """Return ``sound`` through a microphone whose response is drawn at random."""
    corners = np.log2([100.0, 300.0, 1000.0, 3000.0, 8000.0])
    gains = random.normal(0.0, COLOUR_DB, len(corners))
    spectrum = np.fft.rfft(sound)
    hertz = np.maximum(np.fft.rfftfreq(len(sound), 1 / HEARING_RATE), 50.0)
    response = 10 ** (np.interp(np.log2(hertz), corners, gains - gains.mean()) / 20)
    return np.asarray(np.fft.irfft(spectrum * response, len(sound)), np.float32)


def with_noise(sound: Floats, noise: Floats, snr_db: float, random: np.random.Generator) -> Floats:
    """Return ``sound`` with a random stretch of ``noise``, so many decibels below its own level.

    The level of the speech is that of its louder half, so that pauses do not count.
    """
    start = random.integers(max(len(noise) - len(sound), 1))
    stretch = np.resize(noise[start:], len(sound))
    frames = np.square(sound[: len(sound) // 320 * 320]).reshape(-1, 320).mean(axis=1)
    speech = float(np.mean(frames[frames >= np.median(frames)])) if len(frames) else 0.0
    power = float(np.mean(np.square(stretch))) + 1e-12
    return np.asarray(sound + stretch * np.sqrt(speech / power / 10 ** (snr_db / 10)), np.float32)
