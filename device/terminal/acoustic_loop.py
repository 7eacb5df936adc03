"""A room between a loudspeaker and a microphone, computed block by block.

Layer 6. Serves ``bench duplex`` and the tests: what the device plays comes back into what it hears,
late, through the walls, distorted, on another clock and with noise, under somebody who talks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from device.types import HEARING_RATE, Pcm

FULL = 32_768.0
REACH = 16
"""Samples on each side from which one between two is made."""


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What happens to sound on its way from the loudspeaker to the microphone."""

    name: str
    answer: npt.NDArray[np.float32]
    """The room's impulse response at 16 kHz, shape (n,); scaled so that its energy is one."""
    delay_ms: float = 60.0
    """Of the sound card's buffers and the air."""
    loss_db: float = 10.0
    """How much softer speech comes back than it was played."""
    drift_ppm: float = 0.0
    """By how much the loudspeaker's clock is faster than the microphone's."""
    clipping: float = 0.0
    """0: a good loudspeaker; 1: one that is driven far into saturation."""


class AcousticLoop:
    """The room at work. Sample-exact: it knows no clock but the blocks it is given."""

    def __init__(self, room: Room, noise: Pcm, noise_db: float = -60.0) -> None:
        """``noise`` (16 kHz) is repeated for ever at ``noise_db`` dB of full scale."""
        self.room = room
        energy = float(np.sqrt(np.sum(np.square(room.answer, dtype=np.float64)))) or 1.0
        self._answer = (room.answer / energy * 10 ** (-room.loss_db / 20)).astype(np.float32)
        self._tail = np.zeros(len(self._answer) - 1, np.float32)
        level = float(np.sqrt(np.mean(np.square(noise.astype(np.float64))))) or 1.0
        self._noise = noise.astype(np.float32) * (FULL * 10 ** (noise_db / 20) / level)
        self._past = np.zeros(HEARING_RATE, np.float32)
        self._at = 0

    def hear(self, played: Pcm, talk: Pcm) -> Pcm:
        """Return what the microphone hears while ``played`` is played and ``talk`` is said.

        All int16 at 16 kHz and of one length, shape (n,).
        """
        came = self._reverberate(self._late(self._distort(played)))
        places = (self._at + np.arange(len(played))) % len(self._noise)
        self._at += len(played)
        heard = came + talk.astype(np.float32) + self._noise[places]
        return np.clip(np.rint(heard), -FULL, FULL - 1).astype(np.int16)

    def _distort(self, played: Pcm) -> npt.NDArray[np.float32]:
        sound = played.astype(np.float32)
        if not self.room.clipping:
            return sound
        drive = 1 + 9 * self.room.clipping
        bent: npt.NDArray[np.float32] = np.tanh(sound / FULL * drive) * (FULL / drive)
        return bent

    def _late(self, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Delay by the room's delay, which wanders with the drift, also between two samples."""
        self._past = np.concatenate((self._past, sound))[-HEARING_RATE - len(sound) :]
        now = self._at + np.arange(len(sound))
        late = self.room.delay_ms / 1000 * HEARING_RATE - self.room.drift_ppm * 1e-6 * now
        place = HEARING_RATE + np.arange(len(sound)) - np.maximum(late, float(REACH))
        whole = np.floor(place).astype(int)
        taps = np.arange(1 - REACH, REACH + 1)
        away = taps - (place - whole)[:, np.newaxis]
        kernel = np.sinc(away) * np.cos(np.pi * away / (2 * REACH + 2)) ** 2
        moved = np.sum(self._past[whole[:, np.newaxis] + taps] * kernel, axis=1)
        came: npt.NDArray[np.float32] = moved.astype(np.float32)
        return came

    def _reverberate(self, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        length = len(sound) + len(self._answer) - 1
        size = 1 << length.bit_length()
        spectrum = np.fft.rfft(sound, size) * np.fft.rfft(self._answer, size)
        whole = np.fft.irfft(spectrum, size)[:length].astype(np.float32)
        whole[: len(self._tail)] += self._tail
        self._tail = whole[len(sound) :]
        came: npt.NDArray[np.float32] = whole[: len(sound)]
        return came
