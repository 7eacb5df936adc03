"""To int16 mono at 16 kHz with hardly any delay, by FFmpeg's resampler.

Layer 2, on PyAV. Serves what arrives over the network: raw samples, and frames of ``demux``. The
device's own resampler, libsoxr, is the better filter and holds more back: measured for blocks of
20 ms (2026-11-24), 38 ms at 48 and 44.1 kHz and 117 ms at 8 kHz, where this one holds 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from device.types import HEARING_RATE, Pcm

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler

BLOCK = 65_536
"""Samples converted at once."""


class Converter:
    """Changes the rate of a stream piece by piece, as if it were one piece.

    Used by one stream, on one thread at a time. Equal rates pass through untouched.
    """

    def __init__(self, rate: int) -> None:
        """``rate``: of samples that ``process`` takes; frames tell their own."""
        self._rate = rate
        self._resampler: AudioResampler | None = None

    def process(self, pcm: Pcm) -> Pcm:
        """Return what is ready after ``pcm`` (int16 mono) was added; may be empty, both ways."""
        if self._rate == HEARING_RATE or not len(pcm):
            return pcm
        from av import AudioFrame  # noqa: PLC0415  17 MB of memory that only some streams need

        pieces: list[Pcm] = []
        for at in range(0, len(pcm), BLOCK):
            block = np.ascontiguousarray(pcm[np.newaxis, at : at + BLOCK])
            frame = AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate = self._rate
            pieces.append(self.process_frame(frame))
        return np.concatenate(pieces)

    def process_frame(self, frame: AudioFrame) -> Pcm:
        """Return what is ready after a frame was added; all frames must be of one kind."""
        from av import AudioResampler  # noqa: PLC0415

        if self._resampler is None:
            self._resampler = AudioResampler("s16", "mono", HEARING_RATE)
        frame.pts = None  # a gap in the clock is none in the sound
        return _joined(self._resampler.resample(frame))

    def flush(self) -> Pcm:
        """Return the rest of the stream and be ready for another one."""
        held, self._resampler = self._resampler, None
        return _joined(held.resample(None) if held is not None else ())


def _joined(frames: Iterable[AudioFrame]) -> Pcm:
    pieces = [frame.to_ndarray().reshape(-1).astype(np.int16, copy=False) for frame in frames]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int16)
