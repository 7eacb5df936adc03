"""From what was measured to names: which of EVI's 48 expressions a voice may stand for.

Pure. Serves the prosody engines and ``mind.expression``. The table ``expressions.toml`` is meant to
be read and edited.

Nobody has compared these scores with listeners. They are a reading of a few numbers, kept low on
purpose: CREMA-D's listeners, hearing only the voice, named the acted emotion in 40 % of the clips.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

_TABLE = tomllib.loads(Path(__file__).with_name("expressions.toml").read_text(encoding="utf-8"))

NAMES: tuple[str, ...] = tuple(_TABLE)
"""The 48 expressions in EVI's order."""
PLACES: dict[str, tuple[float, float, float]] = {
    name: (entry["place"][0], entry["place"][1], entry["place"][2])
    for name, entry in _TABLE.items()
}
"""Where each expression lies: valence, arousal, dominance, -1 to 1."""
CATEGORIES: dict[str, dict[str, float]] = {
    name: entry["categories"] for name, entry in _TABLE.items()
}
"""How much each category of a trained model stands for an expression."""
MEASURED, INFERRED, NOT_IDENTIFIABLE = "measured", "inferred", "not_identifiable"

OF_DIMENSIONS: tuple[str, ...] = (
    *("Joy", "Excitement", "Amusement", "Satisfaction", "Contentment", "Calmness", "Tiredness"),
    *("Boredom", "Sadness", "Disappointment", "Anxiety", "Distress", "Fear", "Anger"),
)
"""What may be suspected where a model has no categories, from arousal and valence."""
OF_AROUSAL: tuple[str, ...] = (
    "Excitement",
    "Anger",
    "Distress",
    "Calmness",
    "Tiredness",
    "Sadness",
)
"""What may be suspected where only the voice's arousal and not its valence is known."""

WIDTH = 0.4
"""Standard deviation of the bell around each place, where dimensions alone decide."""
DOMINANCE_WEIGHT = 0.3
"""Dominance counts less than the others: it is the worst measured."""
CEILING_BOTH, CEILING_VALENCE, CEILING_AROUSAL = 0.7, 0.5, 0.3
"""The highest score, by what is known. Half of all names share an arousal, hence the low third."""
FAR = 0.6
"""So far from neutral (0, 0) an expression is fully there; nearer, it is fainter in proportion."""

OF_CATEGORIES, OF_PLACE = 0.7, 0.3
"""Exponents: how much a model's categories and its dimensions say in a score, where both are."""
WIDE = 0.5
"""Standard deviation of the bell around each place beside categories."""
VALENCE_WEIGHT = 0.3
"""A trained voice model's valence is as weak as its dominance: r .35 on an unseen corpus."""
CAP = 0.2
"""The highest score of what a voice cannot tell."""
FAINT = 0.4
"""Share of a score that is left without any confidence in the measurement."""
LEAST = 0.02
"""Scores below this are left out."""


def tiers(categories: Collection[str] = ()) -> dict[str, str]:
    """Return for each of the 48 names how far it can be told of a voice.

    ``categories`` are those of the model: what would be one of them and is not is only inferred.
    """
    return {name: _tier(name, categories) for name in NAMES}


def emotion_scores(
    arousal: float | None,
    valence: float | None,
    dominance: float | None,
    confidence: float,
    categories: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the score, 0 to 1, of each expression that the measurement gives reason to suspect.

    Unknown dimensions are None; ``categories`` are a trained model's probabilities. Where neither
    categories nor arousal nor valence are known there are no scores.
    """
    if categories:
        scores = _projected(categories, (valence, arousal, dominance), confidence)
    elif arousal is None and valence is None:
        return {}
    else:
        scores = _suspected(arousal, valence, dominance, confidence)
    return {name: score for name, score in scores.items() if score >= LEAST}


def _tier(name: str, categories: Collection[str]) -> str:
    tier: str = _TABLE[name]["tier"]
    strongest = max(CATEGORIES[name], key=lambda category: CATEGORIES[name][category])
    return INFERRED if tier == MEASURED and strongest not in categories else tier


def _projected(
    categories: Mapping[str, float],
    dimensions: tuple[float | None, float | None, float | None],
    confidence: float,
) -> dict[str, float]:
    """Score every name by its categories' probabilities, and by how near its place is.

    The projection of the project's prosody study: geometric mean of the two, capped for what a
    voice cannot tell.
    """
    weights = (VALENCE_WEIGHT, 1.0, DOMINANCE_WEIGHT)
    faith = FAINT + (1 - FAINT) * confidence
    scores = {}
    for name, shares in CATEGORIES.items():
        base = sum(share * categories.get(category, 0.0) for category, share in shares.items())
        near = _closeness(PLACES[name], dimensions, weights, WIDE)
        score = min(base, 1.0) ** OF_CATEGORIES * near**OF_PLACE * faith
        if _TABLE[name]["tier"] == NOT_IDENTIFIABLE:
            score = min(score, CAP)
        scores[name] = round(score, 3)
    return scores


def _suspected(
    arousal: float | None, valence: float | None, dominance: float | None, confidence: float
) -> dict[str, float]:
    if valence is None:
        ceiling, names = CEILING_AROUSAL, OF_AROUSAL
    else:
        ceiling, names = (CEILING_VALENCE if arousal is None else CEILING_BOTH), OF_DIMENSIONS
    strength = min(math.hypot(arousal or 0.0, valence or 0.0) / FAR, 1.0) ** 2
    top = ceiling * strength * (FAINT + (1 - FAINT) * confidence)
    dimensions, weights = (valence, arousal, dominance), (1.0, 1.0, DOMINANCE_WEIGHT)
    return {
        name: round(top * _closeness(PLACES[name], dimensions, weights, WIDTH), 3) for name in names
    }


def _closeness(
    place: tuple[float, float, float],
    dimensions: tuple[float | None, float | None, float | None],
    weights: tuple[float, float, float],
    width: float,
) -> float:
    """Return 1 at ``place``, less the further away; unknown dimensions do not count."""
    known = zip(weights, place, dimensions, strict=True)
    distance = sum(
        weight * (here - there) ** 2 for weight, there, here in known if here is not None
    )
    return math.exp(-0.5 * distance / width**2)
