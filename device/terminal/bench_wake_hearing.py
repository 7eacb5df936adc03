"""What the device would recognise in a recording, and what that costs.

Layer 6. Serves ``rapport bench wake``. Voice activity, the endpoint, its settings and the
recognizer are the device's own, in the order of ``hearing.ears``; only the silence that ends an
utterance is always the shortest, and interim words are sought at the full pace.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from device.hearing.endpoint import Endpoint, Mark
from device.ports import Recognizer, VoiceActivity, WakeWord
from device.settings import Hearing
from device.terminal.bench_wake_clips import SYNTHETIC, Recording
from device.types import HEARING_RATE, Pcm

CHUNK = HEARING_RATE // 50
"""Samples that an acoustic wake word is given at a time: a block of the sound card."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised in one recording."""

    corpus: str
    name: str
    condition: str
    spoken: str
    """What is known to be said in it; empty: not known, or nothing."""
    seconds: float
    texts: tuple[str, ...]
    """All that was recognised: interim words and those of finished utterances."""
    peaks: Mapping[str, float]
    """Highest probability of each acoustic wake word, by its phrase."""
    cpu_s: float
    """Processor time of voice activity and recognition."""
    acoustic_cpu_s: float
    """Processor time of all acoustic wake words together."""

    @property
    def synthetic(self) -> bool:
        """Whether a voice of the device said it."""
        return self.corpus == SYNTHETIC


class Listener:
    """Hears recordings one after another."""

    def __init__(
        self,
        voice_activity: VoiceActivity,
        recognizer: Recognizer,
        settings: Hearing,
        acoustic: Sequence[WakeWord],
    ) -> None:
        self._voice_activity = voice_activity
        self._recognizer = recognizer
        self._settings = settings
        self._acoustic = acoustic

    def hear(self, recording: Recording, pcm: Pcm, condition: str) -> Heard:
        """Return what was heard of ``recording``, which sounds like ``pcm`` in this condition."""
        begun = time.process_time()
        texts = self.texts(pcm)
        recognised = time.process_time()
        peaks = {word.phrase: peak(word, pcm) for word in self._acoustic}
        return Heard(
            recording.corpus,
            recording.name,
            condition,
            recording.spoken,
            recording.seconds,
            tuple(texts),
            peaks,
            recognised - begun,
            time.process_time() - recognised,
        )

    def texts(self, pcm: Pcm) -> list[str]:
        """Return what is recognised in ``pcm``: on the way, and when an utterance is over."""
        self._voice_activity.reset()
        size = self._voice_activity.frame
        frame_s = size / HEARING_RATE
        endpoint = Endpoint(self._settings, frame_s)
        lead = max(1, round(self._settings.lead / frame_s))
        found: list[str] = []
        begun, due = 0, 0.0
        for end in range(size, len(pcm) + 1, size):
            mark = endpoint.hear(self._voice_activity.probability(pcm[end - size : end]))
            now = end / HEARING_RATE
            speaking = endpoint.speaking and endpoint.silence == 0
            if mark is Mark.STARTED:
                begun, due = max(0, end - lead * size), now + self._settings.interim
            elif mark is Mark.PAUSED:
                endpoint.judge(1.0)
            elif mark is Mark.ENDED:
                found.append(self._recognizer.transcribe(pcm[begun:end]))
            elif self._settings.interim and speaking and now >= due:
                found.append(self._recognizer.transcribe(pcm[begun:end]))
                due = now + self._settings.interim
        if endpoint.speaking:
            found.append(self._recognizer.transcribe(pcm[begun:]))
        return [text for text in found if text]


def peak(word: WakeWord, pcm: Pcm) -> float:
    """Return the highest probability of a wake word in ``pcm``.

    It is not reset before: all recordings are one long stream to it, as on a device that listens
    all day.
    """
    return max(word.hear(chunk) for chunk in np.split(pcm, range(CHUNK, len(pcm), CHUNK)))
