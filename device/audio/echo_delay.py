"""How late the loudspeaker is heard by the microphone, and how fast that changes.

Layer 2, pure. Serves ``echo_path``. The generalised cross-correlation with phase transform (Knapp &
Carter, IEEE TASSP 24(4), 1976), averaged over the seconds in which something was played.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from device.types import HEARING_RATE, Pcm

WINDOW = 8192
"""Samples of the microphone in one look: 0.5 s."""
HOP = WINDOW // 2
FARTHEST = 8192
"""The longest delay that is sought, in samples: 0.5 s, which a Bluetooth loudspeaker needs."""
SIZE = 2 * WINDOW
KEEP = 0.7
"""Share of the past in each new average: looks are 0.26 s apart."""
LOUD = 100.0
"""Root mean square of the far end below which a look tells nothing: -50 dB of full scale."""
CLEAR = 9.0
"""How far the peak must stand out of the rest, in standard deviations."""
AGREEING = 16
"""Samples within which successive looks agree: 1 ms."""
LOOKS_FOR_DRIFT = 12
"""Looks that a drift is read from: 3 s at the least."""


class EchoDelay:
    """Watches the two ends and knows the delay between them."""

    def __init__(self) -> None:
        self.delay: float | None = None
        """Samples from the far end to its first echo; None: not known yet."""
        self._near = np.zeros(WINDOW, np.float32)
        self._far = np.zeros(SIZE, np.float32)
        self._new = 0
        self._looks = 0
        self._cross: npt.NDArray[np.complex128] | None = None
        self._window = np.hanning(WINDOW).astype(np.float32)
        self._recent: deque[tuple[int, float]] = deque(maxlen=40)

    def watch(self, near: Pcm, far: Pcm) -> bool:
        """Take sound of both ends (16 kHz, one length); return whether ``delay`` was renewed."""
        count = len(near)
        self._near = np.concatenate((self._near[count:], near.astype(np.float32)))
        self._far = np.concatenate((self._far[count:], far.astype(np.float32)))
        self._new += count
        if self._new < HOP:
            return False
        self._new -= HOP
        self._looks += 1
        return self._look()

    def drift(self) -> float | None:
        """Return by how many samples a second the delay grows; None: not enough was seen."""
        if len(self._recent) < LOOKS_FOR_DRIFT:
            return None
        looks, delays = np.array(self._recent).T
        # Theil and Sen: a look that went astray moves a median, not a mean, by nothing.
        first, second = np.triu_indices(len(looks), len(looks) // 3)
        slopes = (delays[second] - delays[first]) / (looks[second] - looks[first])
        return float(np.median(slopes)) * HEARING_RATE / HOP

    def shifted(self, samples: float) -> None:
        """Take note that the far end comes ``samples`` later from now on."""
        self._recent.clear()
        self._cross = None
        if self.delay is not None:
            self.delay -= samples

    def _look(self) -> bool:
        if float(np.sqrt(np.mean(np.square(self._far[-WINDOW - FARTHEST // 4 :])))) < LOUD:
            return False
        near = np.fft.rfft(self._near * self._window, SIZE)
        # The near window lies at the end of the far one: a lag of WINDOW is no delay at all.
        far = np.fft.rfft(self._far, SIZE)
        cross = near * np.conj(far)
        cross /= np.abs(cross) + 1e-9
        kept = self._cross
        self._cross = cross if kept is None else KEEP * kept + (1 - KEEP) * cross
        shape = np.fft.irfft(self._cross, SIZE)
        # near[n] = far[n + WINDOW - delay]: the peak is at delay - WINDOW, modulo SIZE.
        lags = np.roll(shape, WINDOW)[: FARTHEST + 1]
        at = int(np.argmax(lags))
        if lags[at] < CLEAR * float(np.std(lags)):
            return False
        return self._accept(at + _between(lags, at))

    def _accept(self, delay: float) -> bool:
        if self._recent and abs(self._recent[-1][1] - delay) > AGREEING:
            self._recent.clear()
        self._recent.append((self._looks, delay))
        if len(self._recent) < 2:
            return False
        self.delay = delay
        return True


def _between(values: npt.NDArray[np.float64], at: int) -> float:
    """Return where the peak lies beside its highest sample, by a parabola through three."""
    if not 0 < at < len(values) - 1:
        return 0.0
    left, middle, right = values[at - 1 : at + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend else 0.0
