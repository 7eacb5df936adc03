"""One vector for a whole utterance, from what the early layers of a network say of each 20 ms.

Layer 2 (numpy only, pure). Serves ``prosody_head``, and the training in ``models/prosody``, which
must see exactly what the device sees.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from device.types import Floats, Pcm

Flags: TypeAlias = npt.NDArray[np.bool_]

DEPTH = 0.75
"""So far below the loudest moments a frame counts as pause: 30 dB on the scale of ``log_mel``,
where 1 is 40 dB."""
LOUDEST = 97.0
"""Percentile of the frames that stands for the loudest moments; a click is louder still."""
CLIPPED = 32_700
"""Magnitude from which a sample lies at the end of the scale."""
OVERDRIVEN = 0.01
"""Share of such samples that a recording may have: a shout into a good microphone stays below
0.1 %, and at 1 % the harmonics of the clipping are the loudest thing in the upper spectrum."""


def sounding(picture: Floats) -> Flags:
    """Return which 20 ms of a log-mel ``picture`` (80, 2 n) hold sound: shape (n,)."""
    level = picture.max(axis=0).reshape(-1, 2).max(axis=1)
    padding = level.min()  # the silence in front of a short utterance says nothing of its level
    if padding == level.max():
        return np.zeros(len(level), np.bool_)
    return np.asarray(level > _loudest(level[level > padding]) - DEPTH)


def pooled(layers: Floats, heard: Flags) -> Floats:
    """Return means, then deviations, of ``layers`` (n, d) over the frames ``heard``: shape (2 d,).

    Where ``heard`` is longer, its end belongs to the layers; where nothing was heard, all frames
    count. Mean and deviation of early Whisper-like layers tell more of the expression than those of
    late ones or than any measures by hand (measured 2026-11, see the model card).
    """
    chosen = layers[heard[-len(layers) :]]
    if not len(chosen):
        chosen = layers
    return np.concatenate([chosen.mean(axis=0), chosen.std(axis=0)])


def _loudest(levels: Floats) -> float:
    """Return the percentile LOUDEST, interpolated; numpy's own takes ten times as long."""
    place = (len(levels) - 1) * LOUDEST / 100
    below = int(place)
    above = min(below + 1, len(levels) - 1)
    ordered = np.partition(levels, [below, above])
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def of_first_layer(vector: Floats, layers: int = 2) -> Floats:
    """Return what a vector pooled over so many ``layers`` holds of the first of them."""
    size = len(vector) // (2 * layers)
    return np.concatenate([vector[:size], vector[layers * size : (layers + 1) * size]])


def overdriven(audio: Pcm) -> bool:
    """Tell whether ``audio`` was clipped so much that its expression cannot be told."""
    if not len(audio):
        return False
    peaks = np.count_nonzero((audio >= CLIPPED) | (audio <= -CLIPPED))
    return bool(peaks > OVERDRIVEN * len(audio))
