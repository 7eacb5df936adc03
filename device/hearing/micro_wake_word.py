"""microWakeWord: a small network that hears one phrase, which it was trained for.

Layer 2, on pymicro-wakeword (TensorFlow Lite). Serves the ears of each line. The networks are 52 to
81 kB, streaming: each 30 ms of sound are looked at once. Made by Kevin Ahrendt for ESPHome from
synthetic voices (Apache-2.0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pymicro_wakeword import MicroWakeWord as Network
from pymicro_wakeword import MicroWakeWordFeatures

from device.settings import Hearing
from device.types import Pcm, RapportError

SUREST, LOOSEST = 0.99, 0.5
"""Probability that is needed at sensitivity 0 and 1; at 0.5 it is what the maker chose."""
_MAGIC = b"TFL3"


class MicroWakeWord:
    """One phrase of microWakeWord's, a port of ``WakeWord``. Used on one thread at a time."""

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the network in ``files["model"]``, described in ``files["description"]``.

        Raises RapportError if they are missing or not what they are called.
        """
        self._description = files["description"]
        self._chosen, self.phrase = _read(self._description, files["model"])
        self._begin()

    def hear(self, pcm: Pcm) -> float:
        """Return how likely the phrase has just ended, 0 to 1; the highest of the moments in pcm.

        ``pcm`` is int16 at 16 kHz, of any length. Each probability is a mean over 150 ms; 0 until
        so much was heard.
        """
        highest = 0.0
        for features in self._features.process_streaming(pcm.tobytes()):
            highest = max(highest, self._network.process_streaming_prob(features) or 0.0)
        return highest

    def threshold(self, sensitivity: float) -> float:
        """Return the probability that is needed: the maker's at 0.5, towards 1 for less."""
        if sensitivity <= 0.5:
            return SUREST + (self._chosen - SUREST) * sensitivity * 2
        return self._chosen + (LOOSEST - self._chosen) * (sensitivity - 0.5) * 2

    def reset(self) -> None:
        """Forget what was heard."""
        self._features.reset()
        self._network.reset()

    def fresh(self) -> Self:
        """Return one for another line, which has heard nothing."""
        other = object.__new__(type(self))
        other._description, other._chosen = self._description, self._chosen
        other.phrase = self.phrase
        other._begin()
        return other

    def _begin(self) -> None:
        # The network keeps what it heard inside, so each line has one of its own, some 100 kB.
        self._network = Network.from_config(self._description)
        self._features = MicroWakeWordFeatures()


def _read(description: Path, model: Path) -> tuple[float, str]:
    """Return the probability its maker chose and the phrase; raises RapportError."""
    remedy = "run: rapport models fetch"
    try:
        # TensorFlow Lite ends the process over a file that is no network.
        if model.read_bytes()[4:8] != _MAGIC:
            raise RapportError(f"wake word: {model} is no TensorFlow Lite network; {remedy}")
        described = json.loads(description.read_text(encoding="utf-8"))
        if described["model"] != model.name or description.parent != model.parent:
            raise RapportError(f"wake word: {description} describes another network; {remedy}")
        return float(described["micro"]["probability_cutoff"]), described["wake_word"].lower()
    except OSError as error:
        raise RapportError(
            f"wake word: {error.filename} cannot be read ({error.strerror}); {remedy}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RapportError(f"wake word: {description} is damaged ({error!r}); {remedy}") from None
