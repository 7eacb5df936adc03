"""Sound as the API sends it: WAV, MP3 or bare samples, in whole files or piece by piece.

Layer 4, on libsndfile (for MP3 only). Serves the chats and text-to-speech.
"""

from __future__ import annotations

import io
import os
import struct
from typing import Literal, TypeAlias

import numpy as np
import soundfile  # type: ignore[import-untyped]

from device.types import Pcm

Encoding: TypeAlias = Literal["mp3", "pcm", "wav"]

CONTENT_TYPES: dict[Encoding, str] = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "wav": "audio/wav"}
MP3 = "MPEG_LAYER_III"
UNKNOWN_SIZE = 0xFFFF_FFFF
"""What a WAV says of its size while it is still being made."""


def wav(pcm: Pcm, rate: int) -> bytes:
    """Return int16 mono ``pcm`` as a WAV file with the plain header of 44 bytes.

    Hume's Python SDK cuts off exactly 44 bytes to join such files.
    """
    return _wav_header(rate, 2 * len(pcm)) + _samples(pcm)


def encoded(pcm: Pcm, rate: int, encoding: Encoding) -> bytes:
    """Return int16 mono ``pcm`` as a whole file; ``pcm`` is bare 16-bit little-endian samples."""
    if encoding == "wav":
        return wav(pcm, rate)
    if encoding == "pcm":
        return _samples(pcm)
    file = io.BytesIO()
    audible = pcm if len(pcm) else np.zeros(1, np.int16)  # nothing at all is no MP3
    soundfile.write(file, audible, rate, subtype=MP3, format="MP3")
    return file.getvalue()


class Encoder:
    """Makes one file piece by piece, while its sound is still being made.

    Nothing that was handed out is changed later; a WAV therefore does not know its size.
    """

    def __init__(self, rate: int, encoding: Encoding) -> None:
        self._header = _wav_header(rate, None) if encoding == "wav" else b""
        self._file = _Growing()
        self._mp3 = None
        if encoding == "mp3":
            self._mp3 = soundfile.SoundFile(self._file, "w", rate, 1, subtype=MP3, format="MP3")

    def feed(self, pcm: Pcm) -> bytes:
        """Return the bytes that ``pcm`` (int16 mono) adds; of MP3, what of it is complete."""
        if self._mp3 is not None:
            self._mp3.write(pcm)
            return self._file.taken()
        header, self._header = self._header, b""
        return header + _samples(pcm)

    def finish(self) -> bytes:
        """Return the end of the file."""
        if self._mp3 is not None:
            self._mp3.close()
            return self._file.taken()
        header, self._header = self._header, b""
        return header


class _Growing(io.RawIOBase):
    """A file that is read while it is written. What was read cannot be written again.

    libsndfile goes back in the end to note an MP3's length in its first frame, which is silent;
    whoever plays a stream does without.
    """

    def __init__(self) -> None:
        self._begin = self._place = 0
        self._bytes = bytearray()

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        part = bytes(self._bytes)
        self._begin += len(part)
        self._bytes.clear()
        return part

    def write(self, data: object) -> int:
        """Write at the present place, as files do."""
        part = bytes(data)  # type: ignore[call-overload]
        at = self._place - self._begin
        if at >= 0:
            self._bytes[at : at + len(part)] = part
        self._place += len(part)
        size: int = len(part)
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as in files."""
        end = self._begin + len(self._bytes)
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: end}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """Return the present place."""
        return self._place


def _samples(pcm: Pcm) -> bytes:
    return pcm.astype("<i2", copy=False).tobytes()


def _wav_header(rate: int, size: int | None) -> bytes:
    """Return the header of mono 16-bit samples; ``size`` in bytes, None: it is not known yet."""
    whole = UNKNOWN_SIZE if size is None else 36 + size
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", whole, b"WAVE"),
        *(b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16),
        *(b"data", UNKNOWN_SIZE if size is None else size),
    )
