"""How often a wake phrase is missed, and how often something else is taken for it.

Layer 6, pure. Serves ``rapport bench wake``: what was heard goes in, counts come out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from device.hearing.wake_phrase import WakePhrase, threshold
from device.ports import WakeWord
from device.terminal.bench_wake_hearing import Heard

SENSITIVITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
OPENING_WORDS = 3
_Z = 1.96
"""Of a 95 % interval."""

Score = Callable[[Heard], float]


@dataclass(frozen=True, slots=True)
class Trial:
    """One phrase at one sensitivity in one condition."""

    phrase: str
    engine: str
    """words: found in what was recognised; acoustic: by a network trained for it."""
    voices: str
    """Who said the phrase."""
    condition: str
    sensitivity: float
    said: int
    missed: int
    woken: int
    """Recordings of something else that woke it."""
    hours: float
    """Length of all recordings of something else."""

    @property
    def miss_rate(self) -> tuple[float, float, float]:
        """Share of the phrases that were missed, and its 95 % interval (Wilson)."""
        return (self.missed / self.said if self.said else math.nan, *wilson(self.missed, self.said))

    @property
    def false_rate(self) -> tuple[float, float, float]:
        """False accepts an hour, and the 95 % interval (Poisson)."""
        if not self.hours:
            return math.nan, 0.0, math.inf
        low, high = poisson(self.woken)
        return self.woken / self.hours, low / self.hours, high / self.hours


def in_words(heard: Sequence[Heard], phrase: str, voices: str) -> Iterator[Trial]:
    """Yield the trials of ``phrase``, found in the recognised words."""
    wake = WakePhrase(phrase, 0.5)
    yield from _trials(heard, phrase, f"words/{voices}", lambda one: _best(wake, one), threshold)


def in_sound(heard: Sequence[Heard], word: WakeWord, voices: str) -> Iterator[Trial]:
    """Yield the trials of the phrase of an acoustic wake word."""
    kind = f"acoustic/{voices}"
    yield from _trials(heard, word.phrase, kind, lambda one: one.peaks[word.phrase], word.threshold)


def openings(heard: Sequence[Heard], corpus: str) -> Iterator[Trial]:
    """Yield trials of phrases that nobody chose: how each recording of ``corpus`` begins.

    False accepts are those of the average phrase.
    """
    clean = [one for one in heard if one.condition == "clean"]
    rows = [one for one in clean if one.corpus == corpus]
    begun = {" ".join(one.spoken.split()[:OPENING_WORDS]) for one in rows if one.spoken}
    totals: dict[float, list[Trial]] = {}
    for phrase in sorted(begun):
        for trial in in_words(clean, phrase, corpus):
            totals.setdefault(trial.sensitivity, []).append(trial)
    for sensitivity, trials in totals.items():
        yield Trial(
            f"the first {OPENING_WORDS} words of {len(trials)} read sentences",
            "words",
            corpus,
            "clean",
            sensitivity,
            sum(trial.said for trial in trials),
            sum(trial.missed for trial in trials),
            sum(trial.woken for trial in trials),
            sum(trial.hours for trial in trials),
        )


def _trials(
    heard: Sequence[Heard],
    phrase: str,
    kind: str,
    score: Score,
    needed: Callable[[float], float],
) -> Iterator[Trial]:
    engine, _, voices = kind.partition("/")
    for condition in dict.fromkeys(one.condition for one in heard):
        rows = [one for one in heard if one.condition == condition]
        said = [score(one) for one in rows if says(one, phrase)]
        # Of synthetic voices only the phrase itself counts: what they say else is no real speech.
        others = [one for one in rows if not says(one, phrase) and not one.synthetic]
        scores = [score(one) for one in others]
        hours = sum(one.seconds for one in others) / 3600
        for sensitivity in SENSITIVITIES:
            least = needed(sensitivity)
            missed = sum(value < least for value in said)
            woken = sum(value >= least for value in scores)
            yield Trial(
                phrase, engine, voices, condition, sensitivity, len(said), missed, woken, hours
            )


def says(one: Heard, phrase: str) -> bool:
    """Tell whether a recording is known to begin with ``phrase``."""
    return f"{one.spoken} ".startswith(f"{phrase} ")


def _best(wake: WakePhrase, one: Heard) -> float:
    found = (wake.nearest(text) for text in one.texts)
    return max((match.similarity for match in found if match is not None), default=0.0)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share; 0 to 1 of nothing."""
    if not of:
        return 0.0, 1.0
    share, weight = count / of, _Z**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / of + weight / of / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of how many such events are to be expected."""
    return (
        0.0 if count == 0 else _mean_where(lambda mean: 1 - _at_most(count - 1, mean), 0.025),
        _mean_where(lambda mean: -_at_most(count, mean), -0.025),
    )


def _mean_where(rising: Callable[[float], float], value: float) -> float:
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return low


def _at_most(count: int, mean: float) -> float:
    """Return how likely at most ``count`` events are where ``mean`` are expected."""
    if mean <= 0:
        return 1.0
    terms = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1))
    return min(1.0, sum(math.exp(term) for term in terms))
