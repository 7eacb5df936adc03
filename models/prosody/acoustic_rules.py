"""Expression by rules of thumb and nothing learnt: what the heads have to beat.

Serves ``field``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from device.hearing.baseline import UsualMeasures
from device.hearing.emotions import emotion_scores
from device.hearing.measures import VoiceMeasures, measure_voice
from device.hearing.pitch import track
from device.types import HEARING_RATE, Pcm

LONGEST = 8 * HEARING_RATE
AROUSAL = {"level": 0.30, "pitch": 0.30, "brightness": 0.20, "pitch_range": 0.10, "rate": 0.10}
"""Weights by hand, not fitted. All five rise with activation in Laukka, Juslin and Bresin (2005, "A
dimensional approach to vocal expression of emotion") and Eyben et al. (2016, GeMAPS), level and
pitch most."""
DOMINANCE = {"level": 0.40, "brightness": 0.20, "pitch": -0.30}
"""By hand: power sounds loud and low (Goudbeek and Scherer 2010); weak, so it is halved below."""
CATEGORIES = {
    "Anger": "angry", "Excitement": "happy", "Distress": "fearful", "Calmness": "calm",
    "Tiredness": "calm", "Sadness": "sad",
}  # fmt: skip
"""What the names that arousal alone gives are taken for; none of them is neutral."""


class AcousticRules:
    """Judges one speaker's utterances against what is usual for him or her."""

    def __init__(self) -> None:
        self._usual = UsualMeasures()

    def hear(self, audio: Pcm) -> VoiceMeasures | None:
        """Return the measures of ``audio`` (int16, 16 kHz), None if no voice is in it."""
        sound = audio[-LONGEST:].astype(np.float32) * np.float32(1 / 32768)
        return measure_voice(sound, track(sound))

    def judge(self, voice: VoiceMeasures) -> tuple[str, float]:
        """Return the category of an utterance and its arousal, -1 to 1."""
        scores = self._usual.scores(voice)
        arousal = math.tanh(0.8 * _weighed(AROUSAL, scores))
        dominance = 0.5 * math.tanh(_weighed(DOMINANCE, scores))
        names = emotion_scores(arousal, None, dominance, 1.0)
        best = max(names, key=names.__getitem__, default="")
        return CATEGORIES.get(best, "neutral"), arousal

    def learn(self, voice: VoiceMeasures) -> None:
        """Let the speaker's usual follow an utterance."""
        self._usual.add(voice)


def _weighed(weights: Mapping[str, float], scores: Mapping[str, float]) -> float:
    """Sum the scores, none counting beyond 4 deviations: that is an error of measurement."""
    return sum(weight * max(-4.0, min(scores[name], 4.0)) for name, weight in weights.items())
