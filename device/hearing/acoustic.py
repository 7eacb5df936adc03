"""How an utterance sounds, from what can be measured without training.

Layer 2; its network is that of ``pitch``. Serves the ears, on the thread of the hearing worker.

Arousal is read from the voice: louder, higher, brighter, livelier and faster than this speaker
usually is. Dominance is guessed from level against pitch. **Valence is None**: without training it
cannot be had of a voice, and hardly with it; the words have to tell (``mind.expression``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from device.config import Hearing
from device.hearing.baseline import Baseline, Population, baselines
from device.hearing.emotions import expression_from
from device.hearing.measures import VoiceMeasures, measure_voice
from device.hearing.pitch import Pitch
from device.types import HEARING_RATE, Embedding, Expression, ModelIdentity, Pcm

LONGEST = 8 * HEARING_RATE
"""Samples; of a longer utterance the last 8 s are measured, as for the end of the turn."""

POPULATIONS = {
    # Means and deviations between speakers: of the neutral clips of RAVDESS (24 actors, both sexes:
    # 87.2 +- 5.5 st, 4.5 +- 1.4 st, -43 +- 4 dB, 4.8 +- 0.5 /s, -8.6 +- 3.0 dB) and of 32 clips of
    # LJ Speech (one reader: 93.1 st, 7.8 st, -21 dB, 4.5 /s, -10.2 dB), 2026-11. The level is that
    # of the microphone as much as of the speaker, hence its wide deviation. Within one speaker: by
    # hand, two to four times the spread of those calm clips (1.0 st, 1.3 st, 1.2 dB, 0.4 /s,
    # 1.4 dB), since everyday talk is livelier.
    "pitch": Population(mean=88.0, between=5.5, within=2.5),
    "pitch_range": Population(mean=5.5, between=2.0, within=2.5),
    "level": Population(mean=-33.0, between=12.0, within=4.0),
    "rate": Population(mean=4.7, between=0.6, within=0.9),
    "brightness": Population(mean=-9.0, between=3.5, within=2.8),
}
"""Semitones above 1 Hz, semitones, decibels below full scale, syllables per second, decibels."""

AROUSAL = {"level": 0.30, "pitch": 0.30, "brightness": 0.20, "pitch_range": 0.10, "rate": 0.10}
"""Weights by hand, not fitted. All five rise with activation in Laukka, Juslin and Bresin (2005, "A
dimensional approach to vocal expression of emotion") and Eyben et al. (2016, GeMAPS), level and
pitch most. RAVDESS was looked at while they were set and then gave an area under the curve of 0.91
and 0.90 (two orders of clips): an evaluation, but not a blind one."""
DOMINANCE = {"level": 0.40, "brightness": 0.20, "pitch": -0.30}
"""By hand: power sounds loud and low (Goudbeek and Scherer 2010); weak, so it is halved below."""


class Acoustic:
    """The untrained prosody engine, a port of ``ProsodyModel``.

    The network is shared, what is usual for a speaker is not: make one
    ``Acoustic(files, settings)`` for the device and one ``fresh()`` of it for each speaker (each
    chat). Utterances are to be measured in the order they were spoken, each once.
    """

    identity = ModelIdentity("acoustic", "1", "Apache-2.0")

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the network in ``files["model"]``; raises RapportError if it cannot be loaded."""
        self._begin(Pitch(files["model"]))

    def fresh(self) -> Self:
        """Return another engine on the same network, for a speaker it knows nothing of."""
        other = object.__new__(type(self))
        other._begin(self._pitch)
        return other

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        """Return the expression of ``audio`` (int16, 16 kHz), or None if no voice is in it.

        ``embedding`` is not used by this engine.
        """
        sound = audio[-LONGEST:].astype(np.float32) * np.float32(1 / 32768)
        voice = measure_voice(sound, self._pitch.track(sound))
        if voice is None:
            self._measured = {}
            return None
        values = _values(voice)
        scores = {name: self._usual[name].score(value) for name, value in values.items()}
        known = sum(AROUSAL[name] * self._usual[name].certainty for name in AROUSAL)
        self._measured = values
        expression = expression_from(
            arousal=round(math.tanh(0.8 * _weighed(AROUSAL, scores)), 3),
            valence=None,
            dominance=round(0.5 * math.tanh(_weighed(DOMINANCE, scores)), 3),
            confidence=round(_confidence(voice, known), 3),
            measures=_measures(voice, scores),
        )
        return replace(expression, model=self.identity)

    def learn(self) -> None:
        """Let the speaker's usual voice follow the utterance measured last, once."""
        for name, value in self._measured.items():
            self._usual[name].add(value)
        self._measured = {}

    def _begin(self, pitch: Pitch) -> None:
        self._pitch = pitch
        self._measured = {}
        self._usual: dict[str, Baseline] = baselines(POPULATIONS)


def _values(voice: VoiceMeasures) -> dict[str, float]:
    return {
        "pitch": 12 * math.log2(voice.pitch_hz),
        "pitch_range": voice.pitch_range_st,
        "level": voice.level_db,
        "rate": voice.rate_sps,
        "brightness": voice.brightness_db,
    }


def _weighed(weights: Mapping[str, float], scores: Mapping[str, float]) -> float:
    """Sum the scores, none counting beyond 4 deviations: that is an error of measurement."""
    return sum(weight * max(-4.0, min(scores[name], 4.0)) for name, weight in weights.items())


def _confidence(voice: VoiceMeasures, known: float) -> float:
    """Return 0 to 1: how long and clear the voice was, times how well the speaker is known."""
    length = voice.voiced_s / (voice.voiced_s + 0.3)
    clear = min(max((voice.clarity - 0.5) / 0.4, 0.0), 1.0)
    return length * clear * known


def _measures(voice: VoiceMeasures, scores: Mapping[str, float]) -> dict[str, float]:
    return {
        "pitch_hz": round(voice.pitch_hz, 1),
        "pitch_range_st": round(voice.pitch_range_st, 2),
        "level_db": round(voice.level_db, 1),
        "level_range_db": round(voice.level_range_db, 1),
        "rate_sps": round(voice.rate_sps, 2),
        "brightness_db": round(voice.brightness_db, 1),
        "pauses_share": round(voice.pauses_share, 3),
        "voiced_s": round(voice.voiced_s, 2),
        **{f"{name}_z": round(score, 2) for name, score in scores.items()},
    }
