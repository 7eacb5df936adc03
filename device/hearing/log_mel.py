"""The log-mel picture of speech that Whisper-like networks look at.

Layer 2 (numpy only, pure). Serves ``smart_turn``, and any network on the same features, on the
thread of the hearing worker. Everything is float32, and only the frames that hold sound are
computed: in front of a short utterance stand up to 8 s of padding, whose frames are all equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from device.types import HEARING_RATE, Floats, Pcm

SECONDS = 8
SAMPLES = SECONDS * HEARING_RATE
WINDOW = 400
HOP = 160
FRAMES = SAMPLES // HOP
MELS = 80
FLOOR = np.float32(1e-10)
VARIANCE_FLOOR = 1e-7
BLOCK = 16
"""Frames in one matrix product: small enough that OpenBLAS (as in numpy's wheels) computes it on
the calling thread. A bigger one wakes a second thread, which then spins for 50 ms of CPU, as much
as the whole turn network takes (2-core x86, 2026-11)."""


def log_mel(audio: Pcm) -> Floats:
    """Return the log-mel spectrogram of the last 8 s of ``audio``, float32 of shape (80, 800).

    ``audio`` is int16 at 16 kHz; less than 8 s is padded with zeros in front. The padded sound is
    brought to zero mean and unit variance, cut into frames of 25 ms every 10 ms around their
    centres, and the 80 mel energies are compressed as in Whisper (Radford et al. 2022; the
    parameters are those of the Smart Turn v3 model card).
    """
    sound = audio[-SAMPLES:].astype(np.float32)
    sound *= np.float32(1 / 32768)
    padding = SAMPLES - len(sound)
    mean, scale = _moments(sound)
    np.subtract(sound, mean, out=sound)
    sound *= scale
    picture = np.empty((MELS, FRAMES), np.float32)
    first = _first_sounding(padding)
    picture[:, first:] = _mel_energies(_frames(sound, -mean * scale, first)).T
    if first:
        silence = np.full((1, WINDOW), -mean * scale, np.float32)
        picture[:, :first] = _mel_energies(silence).T
    np.log10(np.maximum(picture, FLOOR, out=picture), out=picture)
    np.maximum(picture, picture.max() - np.float32(8), out=picture)
    picture += np.float32(4)
    picture *= np.float32(0.25)
    return picture


def _moments(sound: Floats) -> tuple[np.float32, np.float32]:
    """Return mean and 1 / standard deviation of ``sound`` padded with zeros to 8 s."""
    mean = float(sound.sum(dtype=np.float64)) / SAMPLES
    power = float(np.dot(sound, sound)) / SAMPLES
    variance = max(power - mean * mean, 0.0)
    return np.float32(mean), np.float32(1 / np.sqrt(variance + VARIANCE_FLOOR))


def _first_sounding(padding: int) -> int:
    """Return the first frame that reaches beyond the padding.

    Frame i covers the samples from 160 i - 200 up to 160 i + 200. What lies before sample 0 is a
    mirror image, which is padding too while there are more than 200 samples of it.
    """
    if padding <= WINDOW // 2:
        return 0
    return min((padding - WINDOW // 2) // HOP + 1, FRAMES)


def _frames(sound: Floats, silence: np.float32, first: int) -> Floats:
    """Return frames ``first`` to the last, shape (800 - first, 400), a view on padded sound."""
    half = WINDOW // 2
    start = first * HOP - half  # in samples of the 8 s
    padding = SAMPLES - len(sound)
    lead = np.full(max(padding - max(start, 0), 0), silence, np.float32)
    body = np.concatenate([lead, sound[max(start - padding, 0) :]])
    mirrored = np.pad(body, (max(-start, 0), half), mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(mirrored, WINDOW)[::HOP][: FRAMES - first]


def _mel_energies(frames: Floats) -> Floats:
    """Return the mel energies of ``frames`` (n, 400) as float32 (n, 80)."""
    rows = -(-len(frames) // BLOCK) * BLOCK
    power = np.zeros((rows, WINDOW // 2 + 1), np.float32)
    spectrum = np.fft.rfft(frames * _HANN)
    np.add(np.square(spectrum.real), np.square(spectrum.imag), out=power[: len(frames)])
    blocks = power.reshape(-1, BLOCK, WINDOW // 2 + 1) @ _FILTERS
    energies: Floats = blocks.reshape(rows, MELS)[: len(frames)]
    return energies


def _slaney_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return frequencies on Slaney's scale: linear to 1 kHz (mel 15), then 27 steps to 6.4 kHz."""
    above = 1000.0 * np.exp(np.log(6.4) / 27.0 * (mels - 15.0))
    return np.where(mels < 15.0, mels * (1000.0 / 15.0), above)


def _mel_filters() -> Floats:
    """Return 80 triangles of equal area from 0 to 8 kHz, shape (201, 80)."""
    top = 15.0 + 27.0 * np.log(HEARING_RATE / 2 / 1000.0) / np.log(6.4)
    corners = _slaney_hertz(np.linspace(0.0, top, MELS + 2))
    bins = np.linspace(0.0, HEARING_RATE / 2, WINDOW // 2 + 1)[:, None]
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    triangles = np.minimum((bins - left) / (peak - left), (right - bins) / (right - peak))
    return np.asarray(np.maximum(triangles, 0.0) * (2.0 / (right - left)), np.float32)


_HANN: Floats = np.asarray(np.hanning(WINDOW + 1)[:-1], np.float32)
_FILTERS: Floats = _mel_filters()
