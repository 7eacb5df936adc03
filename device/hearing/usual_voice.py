"""What a speaker's voice is like when nothing stirs it, learnt while he or she speaks.

Layer 2 (numpy only, pure). Serves ``prosody_head``. ``baseline`` does the same for single measures;
this is for the vector that a network makes of an utterance.
"""

from __future__ import annotations

import numpy as np

from device.types import Floats

PRIOR = 2.0
"""How many utterances the corpus's speakers together count as, beside the speaker's own."""
MEMORY = 30.0
"""Utterances. What is older counts less and less: a cold or a moved microphone wears off."""
NEGLIGIBLE = 1e-3
"""So little neutrality teaches nothing, and would vanish in the rounding of a sum."""


class UsualVoice:
    """The running mean of a speaker's vectors, each weighed by how neutral it sounded."""

    def __init__(self) -> None:
        self._sum: Floats | None = None
        self._weight = 0.0

    @property
    def vector(self) -> Floats | None:
        """The mean so far, shape (d,); None while nothing is known."""
        if self._sum is None:
            return None
        return np.asarray(self._sum / np.float32(self._weight), np.float32)

    @property
    def known(self) -> float:
        """How much it counts against what is usual for people in general, 0 to below 1."""
        return self._weight / (self._weight + PRIOR)

    def add(self, vector: Floats, neutral: float) -> None:
        """Learn from an utterance that sounded neutral to this degree, 0 to 1.

        An outburst hardly counts: with every utterance counting the same, a user who is angry for
        a while would be measured against that anger.
        """
        if neutral < NEGLIGIBLE:
            return
        keep = 1.0 - 1.0 / MEMORY
        self._weight = self._weight * keep + neutral
        added = vector * np.float32(neutral)
        self._sum = added if self._sum is None else self._sum * np.float32(keep) + added
