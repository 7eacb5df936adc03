"""Sample rates and sound files: everything becomes int16 mono at the rate that is wanted.

Layer 2. Serves the lines, the composition (voice to line) and the command line. Resampling is by
libsoxr, files by libsndfile.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]
import soxr  # type: ignore[import-untyped]

from device.types import HEARING_RATE, Pcm, RapportError

Floats = npt.NDArray[np.float32]

SLOWEST_FILE = 4_000
FASTEST_FILE = 384_000
"""Files at other rates are refused: a header that claims 1 Hz would ask for gigabytes."""


class Resampler:
    """Changes the rate of a stream piece by piece, as if it were one piece.

    Used by one stream, on one thread at a time. Equal rates pass through untouched. ``quality`` is
    soxr's; output lags behind input. Measured for 20 ms blocks from 48 and 44.1 kHz to 16 kHz:
    LQ 6 and 21 ms (but -3 dB at 6.5 kHz), MQ 15 and 30 ms, HQ 21 and 22 ms.
    """

    def __init__(
        self, from_rate: int, to_rate: int, channels: int = 1, quality: str = "HQ"
    ) -> None:
        self.from_rate = from_rate
        self.to_rate = to_rate
        # float32 inside: soxr dithers int16, which would add noise to silence
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, channels, "float32", quality)
        )

    def process(self, pcm: Pcm) -> Pcm:
        """Return what is ready after ``pcm`` was added.

        int16, shape (n,), or (n, channels) if there are several; n may be zero, both ways.
        """
        if self._stream is None:
            return pcm
        return _to_int16(self._stream.resample_chunk(pcm.astype(np.float32)))

    def flush(self) -> Pcm:
        """Return the rest of the stream (int16, shape (n,)) and be ready for another one.

        All pieces together are as long as the stream, to the nearest sample. Mono only.
        """
        if self._stream is None:
            return np.empty(0, np.int16)
        rest = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        self._stream.clear()
        return _to_int16(rest)


def resample(pcm: Pcm, from_rate: int, to_rate: int) -> Pcm:
    """Return a whole sound (int16 mono, shape (n,)) at another rate."""
    if from_rate == to_rate or not len(pcm):
        return pcm
    return _to_int16(soxr.resample(pcm.astype(np.float32), from_rate, to_rate))


def read_speech(path: str | Path) -> Pcm:
    """Return a sound file as int16 mono at 16 kHz, shape (n,), n > 0.

    WAV of any width, FLAC, OGG and whatever else libsndfile reads; channels are averaged. Reads a
    second at a time: ten minutes of 48 kHz stereo take 20 MB, not 230.
    Raises RapportError if there is no such file, it is a directory, not sound, or without a sample.
    """
    path = Path(path)
    if path.is_dir():
        raise RapportError(f"{path}: is a directory; name a sound file such as a WAV")
    try:
        with path.open("rb") as file, _opened(file, path) as sound:
            resampler = Resampler(_sane_rate(sound.samplerate, path), HEARING_RATE)
            pieces = [resampler.process(piece) for piece in _mono(sound)]
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be read ({error.strerror}); name a readable sound file"
        ) from None
    except soundfile.LibsndfileError as error:
        raise RapportError(
            f"{path}: is damaged ({error.error_string}); record or convert it again"
        ) from None
    speech = np.concatenate([*pieces, resampler.flush()])
    if not len(speech):
        raise RapportError(f"{path}: has no sound in it (zero samples); record it again")
    return speech


def write_wav(path: str | Path, pcm: Pcm, rate: int) -> None:
    """Write int16 mono ``pcm``, shape (n,), as a 16-bit WAV file.

    Raises RapportError if it cannot be written there.
    """
    # Through memory, since libsndfile reports a full or read-only disk as "System error".
    encoded = io.BytesIO()
    soundfile.write(encoded, pcm, rate, subtype="PCM_16", format="WAV")
    try:
        Path(path).write_bytes(encoded.getbuffer())
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name a file in a writable folder"
        ) from None


def _opened(file: io.BufferedReader, path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:
        # TypeError: a name ending in .raw, which soundfile wants described
        reason = getattr(error, "error_string", "headerless sound")
        raise RapportError(
            f"{path}: is not a sound file ({reason}); convert it to WAV, FLAC or OGG"
        ) from None


def _sane_rate(rate: int, path: Path) -> int:
    if not SLOWEST_FILE <= rate <= FASTEST_FILE:
        raise RapportError(
            f"{path}: has {rate} samples/s; convert it to one between "
            f"{SLOWEST_FILE} and {FASTEST_FILE}"
        )
    return rate


def _mono(sound: soundfile.SoundFile) -> Iterator[Pcm]:
    for piece in sound.blocks(sound.samplerate, dtype="float32", always_2d=True):
        # a float file may hold anything, also what is no number
        yield _to_int16(np.nan_to_num(piece.mean(axis=1), posinf=1.0, neginf=-1.0) * 32_768)


def _to_int16(samples: Floats) -> Pcm:
    return np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)
