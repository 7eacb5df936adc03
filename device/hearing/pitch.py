"""The pitch of a voice over time, by the SwiftF0 network.

Layer 2, on onnxruntime. Serves ``acoustic``, on the thread of the hearing worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.hearing.log_mel import Floats
from device.hearing.onnx_session import load

HOP = 256
"""Samples from one value to the next: 62.5 values per second."""
LOWEST = np.array(60.0, np.float32)
HIGHEST = np.array(600.0, np.float32)
"""Hertz. Deep male speech reaches 60, a frightened child about 600; whistles go beyond."""
SHORTEST = 2048
"""Samples of one analysis window of the network."""
SILENT = 1e-3
"""Frames peaking below this get confidence 0: on digital silence the network answers at random."""


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """Pitch in steps of 16 ms; frame i covers the samples from 256 i up to 256 (i + 1)."""

    hertz: Floats
    """Shape (n,); means nothing where ``confidence`` is low."""
    confidence: Floats
    """Shape (n,), 0 to 1; a frame is voiced from 0.5."""


class Pitch:
    """SwiftF0 0.3 (Nieradzik 2025, MIT): 46 to 2,094 Hz, here limited to voices."""

    def __init__(self, model: Path) -> None:
        """Load the network; raises RapportError if it cannot be loaded."""
        self._session = load(model, frozenset({"audio", "fmin", "fmax"}), threads=1)

    def track(self, sound: Floats) -> PitchTrack:
        """Return the pitch of ``sound``: float32, shape (n,), 16 kHz, full scale 1.

        Shorter than 128 ms gives an empty track.
        """
        if len(sound) < SHORTEST:
            return PitchTrack(np.empty(0, np.float32), np.empty(0, np.float32))
        feed = {"audio": sound[None], "fmin": LOWEST, "fmax": HIGHEST}
        pitch, confidence = self._session.run(["pitch", "confidence"], feed)
        count = min(pitch.shape[1], len(sound) // HOP)
        peaks = np.abs(sound[: count * HOP]).reshape(count, HOP).max(axis=1)
        sure = np.where(peaks < SILENT, np.float32(0), confidence[0, :count])
        return PitchTrack(pitch[0, :count], sure)
