"""What is usual for one speaker, learnt while he or she speaks.

Layer 2 (numpy not needed, pure). Serves ``acoustic``. A voice says little by itself: one person's
shouting is another's small talk. Every measure is therefore judged against the speaker's own usual
one, which is unknown at first and is estimated as a mean between two sources: what is known of
people in general, and what this speaker has said so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

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


def baselines(populations: Mapping[str, Population]) -> dict[str, Baseline]:
    """Return a new speaker's baselines, one for each measure."""
    return {name: Baseline(population) for name, population in populations.items()}
