"""Turning the loudspeaker up and down without clicks.

Layer 2. Serves both lines; runs in the sound card's callback, so it takes no memory there.
"""

from __future__ import annotations

import numpy as np

from device.types import Pcm

LOUDEST = np.float32(32_767)
FAINTEST = np.float32(-32_768)


class Fader:
    """Multiplies blocks by a gain, gliding to a new one over one block.

    A step of -18 dB, as in ducking, is an audible click; over 20 ms it is not.
    """

    def __init__(self, block: int) -> None:
        self._gain = 1.0
        self._ramp = np.arange(1, block + 1, dtype=np.float32) / np.float32(block)
        self._scaled = np.empty(block, np.float32)

    def apply(self, block: Pcm, gain: float) -> None:
        """Scale ``block`` (int16, shape (n,), n as constructed) in place; clip what overflows."""
        if gain == self._gain == 1.0:
            return
        scaled = self._scaled
        np.multiply(self._ramp, np.float32(gain - self._gain), out=scaled)
        np.add(scaled, np.float32(self._gain), out=scaled)
        np.multiply(scaled, block, out=scaled)
        np.rint(scaled, out=scaled)
        np.clip(scaled, FAINTEST, LOUDEST, out=scaled)
        np.copyto(block, scaled, casting="unsafe")
        self._gain = gain
