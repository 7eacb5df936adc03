"""The first layer of the end-of-turn network by itself, for any window up to 8 s.

Layer 2, on onnxruntime. Serves ``prosody_head`` where the end-of-turn network did not run, above
all while somebody still speaks. Cut from Smart Turn by ``models/prosody/trunk.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from device.hearing.log_mel import HOP, SAMPLES, log_mel
from device.hearing.onnx_session import load
from device.types import Embedding, Floats, Pcm

SHORTEST = 20
"""Log-mel frames, 0.2 s: the network is never given less."""


class Trunk:
    """Smart Turn 3.2 up to one of its first encoder layers (BSD-2); it keeps nothing."""

    def __init__(self, model: Path, network: str) -> None:
        """Load the cut in ``model``; ``network`` is the name of what it was cut from.

        Raises RapportError if it cannot be loaded.
        """
        self._session = load(model, frozenset({"input_features"}), threads=1)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._network = network

    def embed(self, audio: Pcm) -> Embedding:
        """Return the embedding of the last 8 s of ``audio`` (int16, 16 kHz), no padding in it.

        2 s of sound take 1.3 ms on an x86 core, where the whole network takes 33.
        """
        frames = min(len(audio), SAMPLES) // HOP // 2 * 2
        picture = np.ascontiguousarray(log_mel(audio)[:, -max(frames, SHORTEST) :])
        return Embedding(self._network, picture, self.layers(picture))

    def layers(self, picture: Floats) -> Floats:
        """Return the layers, side by side, of a log-mel ``picture`` (80, 2 n): shape (n, 384 k)."""
        found = self._session.run(self._outputs, {"input_features": picture[None]})
        return np.concatenate([layer[0] for layer in found], axis=-1)
