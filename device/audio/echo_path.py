"""From a microphone that hears the loudspeaker to one that hears the user.

Layer 2. Serves the sound card, on the loop's thread. The way from the far end to its echo is long
(buffers, air) and its length may creep, since two crystals are never alike; the filter behind it is
short and wants it to stand still. So the delay is measured all the time, and the far end is given
to the filter later by as much.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from device.audio.echo import FRAME, Speex, WebRtc
from device.audio.echo_delay import FARTHEST, EchoDelay
from device.types import HEARING_RATE, AudioChunk, Pcm

log = logging.getLogger(__name__)

LEAD = 64
"""Samples by which the far end stays ahead of its echo: 4 ms, for what the measure is off."""
JUMP = 48
"""A delay that is off by so many samples (3 ms) has not crept there: the filter begins anew."""
JUMPED_LOOKS = 3
FOLLOW = 0.2
"""Share of a small error that is made good at each look."""
TAPS = 16
HALF = TAPS // 2
"""Of the kernel that reads between samples: flat to 7 kHz."""

FAR_SILENT = 300.0
"""Power of the far end, -65 dB of full scale, below which there is nothing to be an echo of."""
FAR_FADES = 0.9
"""Of the far end's power in each 20 ms: an echo outlasts it by the delay and the room's answer."""


def open_echo_path(kind: Literal["speex", "webrtc", "off"]) -> EchoPath | None:
    """Return what cancels the echo of a line, as line.echo names it; None for "off".

    Raises RapportError if its library is not there.
    """
    if kind == "off":
        return None
    return EchoPath(Speex, WebRtc()) if kind == "speex" else EchoPath(WebRtc)


class Filter(Protocol):
    """Takes 10 ms of the far end out of 10 ms of the near end."""

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        """Return the near end without the far end: int16, shape (160,)."""
        ...


class EchoPath:
    """Cancels the echo of one line; its state lives as long as the line is open."""

    def __init__(self, make: Callable[[], Filter], witness: Filter | None = None) -> None:
        """``make`` makes the filter, and another one when the delay has jumped.

        ``witness`` is one that takes away more and learns faster: what even it leaves over is no
        echo.
        """
        self._make = make
        self._witness = Witness(witness) if witness else None
        self._filter: Filter | None = None
        self._watch = EchoDelay()
        self._past = np.zeros(FARTHEST + TAPS, np.float32)
        self._shift = float(HALF)
        self._creep = 0.0
        self._off = 0

    @property
    def delay(self) -> float | None:
        """Seconds from the loudspeaker's sample to its echo; None: not known yet."""
        return None if self._watch.delay is None else self._watch.delay / HEARING_RATE

    @property
    def drift_ppm(self) -> float:
        """By how much the echo's clock is slower than the microphone's."""
        return self._creep / HEARING_RATE * 1e6

    def clean(self, chunk: AudioChunk) -> AudioChunk:
        """Return the chunk (16 kHz) without the loudspeaker; without a far end it is unchanged.

        Its length must be a multiple of 10 ms.
        """
        if chunk.far is None:
            return chunk
        if self._watch.watch(chunk.pcm, chunk.far):
            self._follow()
        late = self._late(chunk.far)
        clean = _cancel(self._filter, chunk.pcm, late) if self._filter else chunk.pcm
        strict = self._witness.hear(clean, chunk.far) if self._witness else None
        return replace(chunk, pcm=clean, strict=strict)

    def _follow(self) -> None:
        """Bring the far end to where the last look saw its echo."""
        assert self._watch.delay is not None
        wanted = max(float(HALF), self._watch.delay - LEAD)
        error = wanted - self._shift
        if self._filter is not None and abs(error) < JUMP:
            self._off = 0
            self._shift += FOLLOW * error
            self._creep = self._watch.drift() or self._creep
            return
        self._off += 1
        if self._filter is None or self._off >= JUMPED_LOOKS:
            log.info("echo after %.0f ms", self._watch.delay / HEARING_RATE * 1000)
            self._filter, self._shift, self._creep, self._off = self._make(), wanted, 0.0, 0

    def _late(self, far: Pcm) -> Pcm:
        """Return the far end as it was ``_shift`` samples ago, which may lie between two."""
        self._past = np.concatenate((self._past, far.astype(np.float32)))[-len(self._past) :]
        late = []
        for at in range(0, len(far), FRAME):
            self._shift = max(float(HALF), self._shift + self._creep * FRAME / HEARING_RATE)
            whole = int(self._shift)
            begin = len(self._past) - len(far) + at - whole - HALF
            needed = self._past[begin : begin + FRAME + TAPS - 1]
            late.append(np.convolve(needed, _between(self._shift - whole), "valid"))
        return np.clip(np.rint(np.concatenate(late)), -32_768, 32_767).astype(np.int16)


class Witness:
    """A second, harder filter behind the first: it lets less of everything through."""

    def __init__(self, filter_: Filter) -> None:
        self._filter = filter_
        self._far = 0.0

    def hear(self, clean: Pcm, far: Pcm) -> Pcm | None:
        """Return what it leaves over of what the first filter left.

        None where nothing was played that could echo.
        """
        strict = _cancel(self._filter, clean, far)  # always: it keeps the room in mind
        self._far = max(_power(far), FAR_FADES * self._far)
        return strict if self._far > FAR_SILENT else None


def _cancel(filter_: Filter, near: Pcm, far: Pcm) -> Pcm:
    """Run a filter over a chunk whose length is a multiple of 10 ms."""
    return np.concatenate(
        [
            filter_.cancel(near[at : at + FRAME], far[at : at + FRAME])
            for at in range(0, len(near), FRAME)
        ]
    )


def _power(pcm: Pcm) -> float:
    return float(np.mean(np.square(pcm, dtype=np.float32))) + 1.0


def _between(part: float) -> npt.NDArray[np.float64]:
    """Return the taps that delay by ``HALF`` samples less one, and ``part`` of one."""
    places = np.arange(TAPS) - (HALF - 1) - part
    taps: npt.NDArray[np.float64] = np.sinc(places) * np.cos(np.pi * places / (TAPS + 1)) ** 2
    taps /= taps.sum()
    return taps
