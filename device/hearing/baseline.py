"""What is usual for one speaker, learnt while he or she speaks.

Layer 2 (numpy not needed, pure). Serves the prosody engines. A voice says little by itself: one
person's shouting is another's small talk. Every measure is therefore judged against the speaker's
own usual one, which is unknown at first and is estimated as a mean between two sources: what is
known of people in general, and what this speaker has said so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from device.hearing.measures import VoiceMeasures

MEMORY = 20.0
"""Utterances. What is older counts less and less: a cold or a moved microphone wears off."""


@dataclass(frozen=True, slots=True)
class Population:
    """What is known of one measure before a speaker has said anything."""

    mean: float
    between: float
    """Standard deviation of the usual values of different speakers."""
    within: float
    """Standard deviation of one speaker's utterances in everyday, moderately lively talk."""


class Baseline:
    """The running estimate for one measure of one speaker (a normal mean with a normal prior).

    An utterance far from the usual moves it little: weight 1 / (1 + z^2), so that one outburst does
    not become the new normal, while a lasting change is followed within about twenty utterances.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._weight = 0.0
        self._sum = 0.0

    @property
    def usual(self) -> float:
        """The speaker's usual value, as far as it is known."""
        prior = (self._population.within / self._population.between) ** 2
        return (self._population.mean * prior + self._sum) / (prior + self._weight)

    @property
    def certainty(self) -> float:
        """How well the usual value is known, 0 to 1; low for an unknown speaker."""
        return self._population.within / self._deviation

    def score(self, value: float) -> float:
        """Return how many deviations ``value`` is above the usual; small while that is unknown."""
        return (value - self.usual) / self._deviation

    def add(self, value: float) -> None:
        """Learn from an utterance."""
        weight = 1.0 / (1.0 + self.score(value) ** 2)
        keep = 1.0 - 1.0 / MEMORY
        self._weight = self._weight * keep + weight
        self._sum = self._sum * keep + weight * value

    @property
    def _deviation(self) -> float:
        prior = (self._population.within / self._population.between) ** 2
        return self._population.within * math.sqrt(1.0 + 1.0 / (prior + self._weight))


POPULATIONS = {
    # Means and deviations between speakers, of 79 neutral clips of EMO-DB (ten actors, both sexes:
    # 86.7 +- 4.4 st, 6.4 +- 1.4 st, -17 +- 1 dB, 5.0 +- 0.2 /s, -11.6 +- 2.8 dB) and of 32 clips
    # of LJ Speech (one reader: 93.7 st, 8.3 st, -22 dB, 4.3 /s, -10.4 dB), 2026-11. The level is
    # that of the microphone as much as of the speaker, hence its wide deviation. Within one
    # speaker: by hand, two to three times the spread of those calm clips (1.1 st, 1.2 st, 1.0 dB,
    # 0.4 /s, 1.5 dB), since everyday talk is livelier.
    "pitch": Population(mean=88.0, between=5.5, within=2.5),
    "pitch_range": Population(mean=7.0, between=2.0, within=2.5),
    "level": Population(mean=-28.0, between=12.0, within=4.0),
    "rate": Population(mean=4.7, between=0.6, within=0.9),
    "brightness": Population(mean=-11.0, between=3.5, within=2.8),
}
"""Semitones above 1 Hz, semitones, decibels below full scale, syllables per second, decibels."""


class UsualMeasures:
    """What is usual for one speaker in each measure of the voice."""

    def __init__(self) -> None:
        self._usual = {name: Baseline(population) for name, population in POPULATIONS.items()}

    def scores(self, voice: VoiceMeasures) -> dict[str, float]:
        """Return by measure how many deviations ``voice`` is above this speaker's usual."""
        return {name: self._usual[name].score(value) for name, value in _values(voice).items()}

    def certainty(self, name: str) -> float:
        """Return how well the usual value of a measure is known, 0 to 1."""
        return self._usual[name].certainty

    def add(self, voice: VoiceMeasures) -> None:
        """Learn from an utterance."""
        for name, value in _values(voice).items():
            self._usual[name].add(value)


def told(voice: VoiceMeasures, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the measures of ``voice`` by name with unit, and each against the usual as ``_z``."""
    return {
        "pitch_hz": round(voice.pitch_hz, 1),
        "pitch_range_st": round(voice.pitch_range_st, 2),
        "level_db": round(voice.level_db, 1),
        "level_range_db": round(voice.level_range_db, 1),
        "rate_sps": round(voice.rate_sps, 2),
        "brightness_db": round(voice.brightness_db, 1),
        "pauses_share": round(voice.pauses_share, 3),
        "voiced_s": round(voice.voiced_s, 2),
        **{f"{name}_z": round(score, 2) for name, score in scores.items()},
    }


def _values(voice: VoiceMeasures) -> dict[str, float]:
    return {
        "pitch": 12 * math.log2(voice.pitch_hz),
        "pitch_range": voice.pitch_range_st,
        "level": voice.level_db,
        "rate": voice.rate_sps,
        "brightness": voice.brightness_db,
    }
