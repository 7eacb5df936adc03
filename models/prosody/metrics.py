"""Figures of merit, and how sure they are.

Serves ``evaluate``. Intervals are of speakers, not of clips: thirty clips of one actor are not
thirty witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Names: TypeAlias = npt.NDArray[np.str_]
Interval: TypeAlias = tuple[float, float, float]
"""Value, and the ends of its 95 % interval."""

DRAWS = 1000
SEED = 11
BINS = 10


def average_recall(truth: Names, found: Names) -> float:
    """Return the unweighted average recall: the mean over categories of the share recognised."""
    return float(np.mean([np.mean(found[truth == name] == name) for name in set(truth)]))


def recalls(truth: Names, found: Names) -> dict[str, float]:
    """Return the share of each category that was recognised."""
    return {name: float(np.mean(found[truth == name] == name)) for name in sorted(set(truth))}


def concordance(found: Floats, truth: Floats) -> float:
    """Return Lin's concordance correlation coefficient (1989): 1 only for equal values."""
    covariance = float(np.mean((found - found.mean()) * (truth - truth.mean())))
    apart = float((found.mean() - truth.mean()) ** 2)
    return 2 * covariance / float(found.var() + truth.var() + apart)


def calibration_error(probabilities: Floats, truth: Names, categories: Sequence[str]) -> float:
    """Return the expected calibration error of the likeliest category, in ten bins."""
    sure = probabilities.max(axis=1)
    right = np.array(categories)[probabilities.argmax(axis=1)] == truth
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        np.mean(bins == at) * abs(right[bins == at].mean() - sure[bins == at].mean())
        for at in range(BINS)
        if np.any(bins == at)
    ]
    return float(np.sum(gaps))


def area_under_curve(higher: Floats, lower: Floats) -> float:
    """Return how often a value of ``higher`` exceeds one of ``lower``; equal ones count half."""
    difference = higher[:, None] - lower[None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def confusion(truth: Names, found: Names, categories: Sequence[str]) -> Floats:
    """Return shares of what was found (columns) for what was true (rows)."""
    return np.array(
        [[np.mean(found[truth == row] == column) for column in categories] for row in categories]
    )


def interval(speakers: Names, measure: Callable[[npt.NDArray[np.intp]], float]) -> Interval:
    """Return ``measure`` of all rows and its 95 % interval over speakers drawn anew.

    ``measure`` takes the indices of the rows to look at.
    """
    random = np.random.default_rng(SEED)
    rows = {name: np.flatnonzero(speakers == name) for name in sorted(set(speakers))}
    names = list(rows)
    drawn = [
        measure(
            np.concatenate([rows[names[at]] for at in random.integers(len(names), size=len(names))])
        )
        for _ in range(DRAWS)
    ]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return measure(np.arange(len(speakers))), float(low), float(high)
