"""The 48 expressions of EVI, by their exact names and in their order, and scores for all of them.

Layer 4, pure. Clients refuse a message that has some of the names and not all.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from device.hearing.emotions import NAMES, tiers
from device.types import Expression


def scores(expression: Expression) -> dict[str, float]:
    """Return all 48 scores, 0 to 1; 0 for what was not measured or cannot be told from a voice."""
    return {name: round(float(expression.emotions.get(name, 0.0)), 6) for name in NAMES}


def prosody(expression: Expression, final: bool) -> dict[str, Any]:
    """Return what a message tells of an expression: the 48 scores, as EVI has them, and ours.

    ``final``: it also tells under ``measured`` what the scores were made of, which EVI never did.
    """
    told: dict[str, Any] = {"scores": scores(expression)}
    if final:
        told["measured"] = measured(expression)
    return told


def measured(expression: Expression) -> dict[str, Any]:
    """Return the dimensions of an expression, its model's categories, and which model that is.

    Dimensions run from -1 to 1 and are None where nothing told them; valence is that of voice and
    words together. The probabilities of the categories sum to 1, if the model has any. ``tiers``
    say of each of the 48 names how far it can be told of a voice.
    """
    model = expression.model
    return {
        "valence": _rounded(expression.valence),
        "arousal": _rounded(expression.arousal),
        "dominance": _rounded(expression.dominance),
        "confidence": _rounded(expression.confidence),
        "categories": {name: _rounded(share) for name, share in expression.categories.items()},
        "model": asdict(model) if model else None,
        "tiers": tiers(expression.categories),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


OF_STYLE: dict[str, dict[str, float]] = {
    "neutral": {"Calmness": 0.2, "Interest": 0.2},
    "calm": {"Calmness": 0.6, "Sympathy": 0.2},
    "apologetic": {"Guilt": 0.3, "Sympathy": 0.4},
    "sympathetic": {"Sympathy": 0.6, "Sadness": 0.2},
    "gentle": {"Calmness": 0.4, "Sympathy": 0.3},
    "bright": {"Joy": 0.5, "Excitement": 0.3, "Interest": 0.3},
}
"""What each style of the device's own voice is meant to convey; set by hand, not measured."""


def scores_of_style(style: str) -> dict[str, float]:
    """Return all 48 scores of a style of speaking."""
    meant = OF_STYLE.get(style, {})
    return {name: meant.get(name, 0.0) for name in NAMES}
