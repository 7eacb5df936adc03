"""Silero voice activity detection: which 32 ms of sound are speech.

Layer 2, on onnxruntime. Serves the ears of each line, on the thread of the hearing worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np

from device.hearing.onnx_session import Session, load
from device.settings import Hearing
from device.types import HEARING_RATE, Pcm, RapportError

FRAME = 512
CONTEXT = 64
"""The network wants the last samples of the frame before in front of each frame."""
FULL_SCALE = np.float32(1 / 32768)


class Silero:
    """Silero VAD 6.2 (MIT), a port of ``VoiceActivity``.

    The network is shared, the memory of what was heard is not: make one ``Silero(files, settings)``
    for the device and one ``fresh()`` of it for each line.
    """

    frame = FRAME

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the network in ``files["model"]``; raises RapportError if it cannot be loaded."""
        # One thread: a frame takes 0.1 ms, less than waking a second thread.
        self._begin(load(files["model"], frozenset({"input", "state", "sr"}), threads=1))

    def fresh(self) -> Self:
        """Return another detector on the same network that has heard nothing yet."""
        other = object.__new__(type(self))
        other._begin(self._session)
        return other

    def probability(self, frame: Pcm) -> float:
        """Return how likely ``frame`` (int16, shape (512,), 16 kHz) is speech, 0 to 1.

        Raises RapportError if the frame has another length.
        """
        if frame.shape != (FRAME,):
            raise RapportError(
                f"voice activity: a frame has shape {frame.shape}; give it ({FRAME},) samples"
            )
        np.multiply(frame, FULL_SCALE, out=self._input[0, CONTEXT:], casting="unsafe")
        probability, state = self._session.run(None, self._feed)
        np.copyto(self._state, state)
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        return float(probability[0, 0])

    def reset(self) -> None:
        """Forget the frames before."""
        self._input.fill(0)
        self._state.fill(0)

    def _begin(self, session: Session) -> None:
        self._session = session
        self._input = np.zeros((1, CONTEXT + FRAME), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)
        rate = np.array(HEARING_RATE, np.int64)
        self._feed = {"input": self._input, "state": self._state, "sr": rate}
