"""Sound that needs no decoder: raw samples, and WAV as a stream.

Layer 2. Serves ``container`` and the chats of the API. Any cutting of the bytes gives the
same sound, and hardly any of it is held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from device.audio.conversion import Converter
from device.types import Pcm, RapportError

Kind = Literal["integer", "float"]

SLOWEST, FASTEST, MOST_CHANNELS = 4_000, 192_000, 8
"""What raw sound may be: samples per second, and channels."""
_UNKNOWN_SIZE = 0x7FFF_0000
"""A WAV that claims so many bytes or more was written by somebody who did not know how many."""
_LONGEST_HEADER = 1_000_000
"""Bytes that may come before a WAV's samples: a picture fits in, a whole recording does not."""
_AFTER_SOUND = frozenset(
    [b"LIST", b"id3 ", b"ID3 ", b"cue ", b"fact", b"bext", b"smpl", b"PEAK", b"JUNK", b"_PMX"]
)
"""What may follow the samples of a WAV. Anything else there is more sound: its writer put a wrong
size into the header and went on."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


class UndecodableAudio(RapportError):
    """A stream that no sound can be had from."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The sound cannot be decoded ({reason}); send WebM, MP4, WAV, Ogg, MP3 or FLAC from "
            "its beginning"
        )
        self.reason = reason
        """A few words, without a full stop."""


class PcmDecoder:
    """Turns raw little-endian samples into int16 mono at 16 kHz.

    It holds back 1 or 2 ms, and nothing at 16 kHz.
    """

    def __init__(
        self, rate: int, channels: int = 1, kind: Kind = "integer", width: int = 2
    ) -> None:
        """``width``: bytes of a sample; integers of 1 (unsigned, as WAV has it) to 4, floats of 4
        or 8.

        Raises RapportError if the rate or the number of channels is out of range.
        """
        if not SLOWEST <= rate <= FASTEST:
            raise RapportError(
                f"a sample rate of {rate} cannot be heard; use one from {SLOWEST} to {FASTEST}"
            )
        if not 1 <= channels <= MOST_CHANNELS:
            raise RapportError(
                f"{channels} channels cannot be heard; use 1 to {MOST_CHANNELS} of them"
            )
        self._channels, self._kind, self._width = channels, kind, width
        self._frame = channels * width
        self._rest = b""
        self._converter = Converter(rate)

    def feed(self, data: bytes) -> Pcm:
        """Return what can be heard now; bytes of an incomplete frame wait for the rest of it."""
        data = self._rest + data
        whole = len(data) // self._frame * self._frame
        self._rest = data[whole:]
        if not whole:
            return np.empty(0, np.int16)
        return self._converter.process(self._mono(data[:whole]))

    def finish(self) -> Pcm:
        """Return what was still held, and be ready for another stream."""
        self._rest = b""
        return self._converter.flush()

    def _mono(self, data: bytes) -> Pcm:
        if self._kind == "integer" and self._width == 2:
            plain: Pcm = np.frombuffer(data, "<i2").astype(np.int16)
            if self._channels == 1:
                return plain
            summed = plain.reshape(-1, self._channels).sum(axis=1, dtype=np.int32)
            averaged: Pcm = (summed // self._channels).astype(np.int16)
            return averaged
        samples = self._scaled(data).reshape(-1, self._channels).mean(axis=1)
        # a float may be anything, also what is no number
        samples = np.nan_to_num(samples, posinf=32_767.0, neginf=-32_768.0)
        rounded: Pcm = np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)
        return rounded

    def _scaled(self, data: bytes) -> npt.NDArray[np.float64]:
        """Return samples of any width as numbers from -32768 to 32767."""
        if self._kind == "float":
            floats: npt.NDArray[np.float64] = np.frombuffer(data, f"<f{self._width}").astype(float)
            with np.errstate(over="ignore", invalid="ignore"):
                return floats * 32_768
        if self._width == 1:
            return (np.frombuffer(data, np.uint8).astype(float) - 128) * 256
        # The upper bytes of each sample, put into the upper bytes of an int32.
        parts = np.frombuffer(data, np.uint8).reshape(-1, self._width)
        wide = np.zeros((len(parts), 4), np.uint8)
        wide[:, 4 - self._width :] = parts
        return wide.reshape(-1).view("<i4").astype(float) / 65_536


@dataclass(frozen=True, slots=True)
class _Format:
    kind: Kind
    width: int
    channels: int
    rate: int


class WavDecoder:
    """Turns a WAV that arrives piece by piece into int16 mono at 16 kHz.

    Sizes in its header may be unknown (0, or as large as can be) or wrong.
    """

    def __init__(self) -> None:
        self._waiting = b""
        self._decoder: PcmDecoder | None = None
        self._format: _Format | None = None
        self._left: int | None = 0
        """Bytes of sound that the header promises and that have not come; None: it is unknown."""
        self._over = False

    def feed(self, data: bytes) -> Pcm:
        """Return what can be heard now; raises UndecodableAudio if it is no WAV of plain sound."""
        if self._over:
            return np.empty(0, np.int16)
        if self._decoder is None:
            self._waiting += data
            data = self._after_header()
        if self._decoder is None:
            return np.empty(0, np.int16)
        return self._decoder.feed(self._sound(data))

    def finish(self) -> Pcm:
        """Return what was still held."""
        return np.empty(0, np.int16) if self._decoder is None else self._decoder.finish()

    def _after_header(self) -> bytes:
        """Return the bytes behind the header once that is complete, and know the decoder then."""
        held = self._waiting
        if len(held) >= 12 and not (held[:4] == b"RIFF" and held[8:12] == b"WAVE"):
            raise UndecodableAudio("it is no WAV")
        at = 12
        while len(held) >= at + 8:
            name, size = held[at : at + 4], int.from_bytes(held[at + 4 : at + 8], "little")
            if name == b"data":
                if self._format is None:
                    raise UndecodableAudio("its WAV header does not tell the format")
                made = self._format
                self._decoder = PcmDecoder(made.rate, made.channels, made.kind, made.width)
                self._left = None if size == 0 or size >= _UNKNOWN_SIZE else size
                self._waiting = b""
                return held[at + 8 :]
            if at + size > _LONGEST_HEADER:
                raise UndecodableAudio("its WAV header has no end")
            if name == b"fmt ":
                if len(held) < at + 8 + size:
                    break
                self._format = _wav_format(held[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        return b""

    def _sound(self, data: bytes) -> bytes:
        """Return the part of ``data`` that is sound."""
        if self._left is None:
            return data
        if len(data) <= self._left:
            self._left -= len(data)
            return data
        inside, self._waiting = data[: self._left], self._waiting + data[self._left :]
        self._left = 0
        if len(self._waiting) < 4:
            return inside
        if self._waiting[:4] in _AFTER_SOUND or self._waiting[1:5] in _AFTER_SOUND:
            self._over, self._waiting = True, b""
            return inside
        more, self._left, self._waiting = self._waiting, None, b""
        return inside + more


def _wav_format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise UndecodableAudio("its WAV header is cut short")
    tag, channels, rate, bits = (
        int.from_bytes(chunk[start:end], "little")
        for start, end in ((0, 2), (2, 4), (4, 8), (14, 16))
    )
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    known = (tag == _PCM and bits in (8, 16, 24, 32)) or (tag == _FLOAT and bits in (32, 64))
    if not known:
        raise UndecodableAudio(f"a WAV with codec {tag} and {bits} bits is not plain sound")
    if not SLOWEST <= rate <= FASTEST:
        raise UndecodableAudio(f"its rate is {rate} samples per second")
    if not 1 <= channels <= MOST_CHANNELS:
        raise UndecodableAudio(f"it has {channels} channels")
    return _Format("float" if tag == _FLOAT else "integer", bits // 8, channels, rate)
