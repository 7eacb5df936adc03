"""From dimensions to names: which expressions an arousal, a valence and a dominance may stand for.

Pure, no library. Serves ``acoustic`` and ``mind.expression``.

Nobody has compared these scores with listeners. They are a reading of three numbers, kept low on
purpose: CREMA-D's listeners, hearing only the voice, named the acted emotion in 40 % of the clips.
The names are among the 48 of the EVI protocol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from device.types import Expression

PLACES: dict[str, tuple[float, float, float]] = {
    # name: valence, arousal, dominance; by hand, after Russell (1980) and Fontaine et al. (2007)
    "Joy": (0.8, 0.4, 0.3),
    "Excitement": (0.7, 0.8, 0.3),
    "Amusement": (0.6, 0.3, 0.2),
    "Satisfaction": (0.6, -0.1, 0.3),
    "Contentment": (0.5, -0.3, 0.2),
    "Calmness": (0.3, -0.6, 0.3),
    "Tiredness": (-0.1, -0.7, -0.2),
    "Boredom": (-0.4, -0.5, 0.0),
    "Sadness": (-0.7, -0.4, -0.4),
    "Disappointment": (-0.6, -0.1, -0.2),
    "Anxiety": (-0.5, 0.4, -0.4),
    "Distress": (-0.7, 0.6, -0.4),
    "Fear": (-0.6, 0.8, -0.6),
    "Anger": (-0.7, 0.7, 0.5),
}
"""Where each expression lies, -1 to 1."""
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
"""Standard deviation of the bell around each place."""
DOMINANCE_WEIGHT = 0.3
"""Dominance counts less than the others: it is the worst measured."""
CEILING_BOTH, CEILING_VALENCE, CEILING_AROUSAL = 0.7, 0.5, 0.3
"""The highest score, by what is known. Half of all names share an arousal, hence the low third."""
FAR = 0.6
"""So far from neutral (0, 0) an expression is fully there; nearer, it is fainter in proportion."""
LEAST = 0.02
"""Scores below this are left out."""


def expression_from(
    arousal: float | None,
    valence: float | None,
    dominance: float | None,
    confidence: float,
    measures: Mapping[str, float],
) -> Expression:
    """Return the expression with these dimensions (-1 to 1, None: unknown), its names scored."""
    emotions = emotion_scores(arousal, valence, dominance, confidence)
    return Expression(
        valence=valence,
        arousal=arousal,
        dominance=dominance,
        emotions=emotions,
        confidence=confidence,
        measures=dict(measures),
    )


def emotion_scores(
    arousal: float | None, valence: float | None, dominance: float | None, confidence: float
) -> dict[str, float]:
    """Return the score, 0 to 1, of each expression that the dimensions give reason to suspect.

    Unknown dimensions are None; where neither arousal nor valence is known there are no scores.
    """
    if arousal is None and valence is None:
        return {}
    if valence is None:
        ceiling, names = CEILING_AROUSAL, OF_AROUSAL
    else:
        ceiling, names = (CEILING_VALENCE if arousal is None else CEILING_BOTH), tuple(PLACES)
    strength = min(math.hypot(arousal or 0.0, valence or 0.0) / FAR, 1.0) ** 2
    top = ceiling * strength * (0.4 + 0.6 * confidence)
    scores = {
        name: round(top * _closeness(PLACES[name], valence, arousal, dominance), 3)
        for name in names
    }
    return {name: score for name, score in scores.items() if score >= LEAST}


def _closeness(
    place: tuple[float, float, float],
    valence: float | None,
    arousal: float | None,
    dominance: float | None,
) -> float:
    weights = (1.0, 1.0, DOMINANCE_WEIGHT)
    known = zip(weights, place, (valence, arousal, dominance), strict=True)
    distance = sum(
        weight * (here - there) ** 2 for weight, there, here in known if here is not None
    )
    return math.exp(-0.5 * distance / WIDTH**2)
