"""Smart Turn v3: does this sound like the end of what the speaker wanted to say?

Layer 2, on onnxruntime. Serves the ears, on the thread of the hearing worker.

The early layers of this network carry the best embedding of prosody found so far (those after
layers 1 and 2 of its Whisper-like encoder). The catalogue's file shows them, see ``convert``, so
that the run which gives the verdict gives them too: ``listen``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from device.convert import SMART_TURN, SMART_TURN_LAYERS
from device.hearing.log_mel import log_mel
from device.hearing.onnx_session import load
from device.settings import Hearing
from device.types import Embedding, Floats, Pcm, Verdict


class SmartTurn:
    """Smart Turn v3.2 (BSD-2), a port of ``TurnDetector``. It keeps nothing between calls."""

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the network in ``files["model"]``; raises RapportError if it cannot be loaded."""
        # One thread whatever the settings say: it runs beside recognition, on the other core.
        self._session = load(files["model"], frozenset({"input_features"}), threads=1)
        outputs = [output.name for output in self._session.get_outputs()]
        self._decision = outputs[0]
        self._layers = SMART_TURN_LAYERS if set(SMART_TURN_LAYERS) <= set(outputs) else ()

    def probability(self, audio: Pcm) -> float:
        """Return how likely the turn is over, 0 to 1; int16 at 16 kHz, the last 8 s are used.

        No sound at all is no turn: 0.
        """
        if not len(audio):
            return 0.0
        (decision,) = self._run(log_mel(audio), ())
        return float(decision[0, 0])

    def listen(self, audio: Pcm) -> Verdict:
        """Return the same probability, with the early layers of the same run.

        Of no sound at all, and by a file that does not show its layers, there is no embedding.
        """
        if not len(audio):
            return Verdict(0.0)
        picture = log_mel(audio)
        decision, *layers = self._run(picture, self._layers)
        probability = float(decision[0, 0])
        if not layers:
            return Verdict(probability)
        side_by_side = np.concatenate([layer[0] for layer in layers], axis=-1)
        return Verdict(probability, Embedding(SMART_TURN, picture, side_by_side))

    def _run(self, picture: Floats, layers: Sequence[str]) -> list[Floats]:
        # The first output is called logits, but a sigmoid has already been applied to it.
        wanted = [self._decision, *layers]
        return list(self._session.run(wanted, {"input_features": picture[None]}))
