"""Smart Turn v3: does this sound like the end of what the speaker wanted to say?

Layer 2, on onnxruntime. Serves the ears, on the thread of the hearing worker.

The early layers of this network carry the best embedding of prosody found so far (layer 1 of its
Whisper-like encoder): a later prosody engine can read it from the same run, so the features are
computed apart from the decision and both can be had of one call of ``features``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from device.config import Hearing
from device.hearing.log_mel import Floats, log_mel
from device.hearing.onnx_session import load
from device.types import Pcm


class SmartTurn:
    """Smart Turn v3.2 (BSD-2), a port of ``TurnDetector``. It keeps nothing between calls."""

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the network in ``files["model"]``; raises RapportError if it cannot be loaded."""
        # One thread whatever the settings say: it runs beside recognition, on the other core.
        self._session = load(files["model"], frozenset({"input_features"}), threads=1)

    def probability(self, audio: Pcm) -> float:
        """Return how likely the turn is over, 0 to 1; int16 at 16 kHz, the last 8 s are used.

        No sound at all is no turn: 0.
        """
        if not len(audio):
            return 0.0
        return self.decide(self.features(audio))

    def features(self, audio: Pcm) -> Floats:
        """Return what the network looks at, float32 of shape (80, 800)."""
        return log_mel(audio)

    def decide(self, features: Floats) -> float:
        """Return how likely the turn is over, from ``features``."""
        # The output is called logits, but a sigmoid has already been applied to it.
        (decision,) = self._session.run(None, {"input_features": features[None]})
        return float(decision[0, 0])
