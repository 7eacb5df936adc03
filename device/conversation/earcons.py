"""Short tones that tell something without words.

Layer 3, pure. Serves the conversation.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from device.types import Pcm

LEVEL = 0.12
"""Of full scale: about as loud as the voice."""
FADE_S = 0.012
"""A tone that begins or ends at once clicks."""

TONES: dict[str, tuple[tuple[float, float], ...]] = {
    # name: (hertz, seconds) one after the other
    "woken": ((659.3, 0.07), (987.8, 0.11)),
    "resting": ((659.3, 0.07), (440.0, 0.11)),
}


@cache
def earcon(name: str, rate: int) -> Pcm:
    """Return the tones called ``name``: int16 mono, shape (n,), a fifth of a second or so."""
    pieces = []
    for hertz, seconds in TONES[name]:
        time = np.arange(round(seconds * rate)) / rate
        fade = np.minimum(1.0, np.minimum(time, time[::-1]) / FADE_S)
        pieces.append(np.sin(2 * np.pi * hertz * time) * fade)
    sound: Pcm = (np.concatenate(pieces) * LEVEL * 32_767).astype(np.int16)
    sound.flags.writeable = False
    return sound
