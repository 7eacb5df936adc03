"""The small learnt network that reads an expression off the vector of an utterance.

Layer 2, on onnxruntime. Serves ``prosody_head``. Made by ``models/prosody/train``; the file says
itself what it is called, what it was learnt from and under which licence it may be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.hearing.onnx_session import load
from device.types import Floats, ModelIdentity, RapportError

INPUTS = frozenset({"vector", "usual", "known"})
_FACTS = ("name", "version", "licence", "network", "categories")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a head makes of one utterance."""

    categories: Mapping[str, float]
    """Calibrated probability of each category."""
    arousal: float
    valence: float
    dominance: float
    speech: float
    """How much it is like speech at all, 0 to 1; music and engines stay below one half."""


class Head:
    """A learnt head. It keeps nothing between calls."""

    def __init__(self, model: Path) -> None:
        """Load the head in ``model``; raises RapportError if it is none."""
        self._session = load(model, INPUTS, threads=1)
        facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        lacking = [name for name in _FACTS if name not in facts]
        if lacking:
            raise RapportError(
                f"{model}: does not say its {', '.join(lacking)}; "
                "make it again with: python -m models.prosody.train"
            )
        self.identity = ModelIdentity(facts["name"], facts["version"], facts["licence"])
        self.network = facts["network"]
        """The network whose layers the vectors must come from."""
        self.categories: tuple[str, ...] = tuple(facts["categories"].split())
        self.size: int = self._session.get_inputs()[0].shape[1]
        """How many numbers a vector has."""

    def read(self, vector: Floats, usual: Floats | None = None, known: float = 0.0) -> Reading:
        """Return what ``vector``, shape (size,), says of a speaker whose ``usual`` vector it is.

        ``known``, 0 to 1: how much that counts against what is usual for people in general.
        """
        feed = {
            "vector": vector[None],
            "usual": (vector if usual is None else usual)[None],
            "known": np.array([[0.0 if usual is None else known]], np.float32),
        }
        shares, dimensions, speech = self._session.run(
            ["probabilities", "dimensions", "speech"], feed
        )
        arousal, valence, dominance = (float(value) for value in dimensions[0])
        return Reading(
            dict(zip(self.categories, (float(share) for share in shares[0]), strict=True)),
            arousal,
            valence,
            dominance,
            float(speech[0, 0]),
        )
