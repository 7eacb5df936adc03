"""How an utterance sounds, from the early layers of the end-of-turn network and a learnt head.

Layer 2, on onnxruntime. Serves the ears, on the thread of the prosody worker. At the end of an
utterance the layers come from the end-of-turn network's own run; while somebody speaks, from the
short-window cut of the same network.

It measures expression, not feeling. What it was learnt from, how good it is and what it must not be
used for stands in ``models/prosody/MODEL_CARD.md``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from device.hearing.baseline import UsualMeasures, told
from device.hearing.emotions import emotion_scores
from device.hearing.head import Head, Reading
from device.hearing.measures import VoiceMeasures, measure_voice
from device.hearing.pitch import track
from device.hearing.pooling import of_first_layer, overdriven, pooled, sounding
from device.hearing.trunk import Trunk
from device.hearing.usual_voice import UsualVoice
from device.settings import Hearing
from device.types import HEARING_RATE, Embedding, Expression, Floats, ModelIdentity, Pcm

log = logging.getLogger(__name__)

LONGEST = 8 * HEARING_RATE
"""Samples; of a longer utterance the last 8 s are measured, as for the end of the turn."""
SHORTEST = HEARING_RATE // 2
"""Samples. Half a second, silence around it included, is a syllable: too little for a verdict."""
WINDOW = 2 * HEARING_RATE
"""Samples that are looked at while somebody speaks."""
FRAMES_A_SECOND = 50
"""Of the network's layers."""
HALF_SURE_S = 0.25
"""Seconds of sound after which half of all that can be told is told."""
SPEECH = 0.5
"""Below this the sound is rather not speech."""
CALM: Mapping[str, float] = {"neutral": 1.0, "calm": 1.0, "boredom": 0.5}
"""How neutral each category is: how much an utterance like it tells of the usual voice."""
LEAST_NEUTRAL = 0.2
"""Every utterance tells at least this much of the usual voice. Without it a speaker whose neutral
voice is taken for something else stays a stranger for good. From 0.1 to 0.3 little changes for
RAVDESS and EMO-DB, but fewer neutral utterances are false alarms (2026-11)."""
STRANGER = 0.6
"""Trust in a measurement of somebody of whom nothing is known, against a well-known speaker."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was measured last, until it is learnt from."""

    vector: Floats
    neutral: float
    voice: VoiceMeasures


@dataclass(frozen=True, slots=True)
class Networks:
    """What all speakers of a device share."""

    head: Head
    """Reads the layers of the end-of-turn network's own run."""
    window_head: Head
    """Reads the first layer alone, of the short-window cut."""
    trunk: Trunk
    """The short-window cut."""


class ProsodyHead:
    """The learnt prosody engine, a port of ``ProsodyModel``.

    The networks are shared, what is usual for a speaker is not: make one
    ``ProsodyHead(files, settings)`` for the device and one ``fresh()`` of it for each speaker (each
    chat). Utterances are to be measured in the order they were spoken.
    """

    _heard: _Heard | None
    _warned: bool

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load ``files``: head, window_head, trunk; raises RapportError if one cannot be loaded."""
        head, window_head = Head(files["head"]), Head(files["window_head"])
        self._begin(Networks(head, window_head, Trunk(files["trunk"], window_head.network)))

    @property
    def identity(self) -> ModelIdentity:
        """Which head this is, its version and its licence."""
        return self._networks.head.identity

    def fresh(self) -> Self:
        """Return another engine on the same networks, for a speaker it knows nothing of."""
        other = object.__new__(type(self))
        other._begin(self._networks)
        return other

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        """Return the expression of ``audio`` (int16, 16 kHz), None if it cannot be told.

        That is so of silence, of less than half a second, of what is clipped, and of what is rather
        noise or music than a voice. ``embedding`` is that of the same audio, if the end-of-turn
        network has just looked at it; without, the short-window cut looks, which is less exact.
        """
        self._heard = None
        audio = audio[-LONGEST:]
        if len(audio) < SHORTEST or overdriven(audio):
            return None
        sound = audio.astype(np.float32) * np.float32(1 / 32768)
        voice = measure_voice(sound, track(sound))
        if voice is None:
            return None
        head, usual = self._networks.head, self._usual
        if embedding is None or embedding.network != head.network:
            self._warn_once(embedding)
            head, usual = self._networks.window_head, self._usual_window
            embedding = self._networks.trunk.embed(audio)
        vector = pooled(embedding.layers, sounding(embedding.picture))
        reading = head.read(vector, usual.vector, usual.known)
        if reading.speech < SPEECH:
            return None
        self._heard = _Heard(vector, neutrality(reading.categories), voice)
        confidence = round(sureness(voice) * trust(usual.known), 3)
        measures = told(voice, self._usual_measures.scores(voice))
        return express(reading, confidence, measures, self.identity)

    def preview(self, audio: Pcm) -> Expression | None:
        """Return the expression of speech that goes on, from its last 2 s; None as of ``measure``.

        A third of the cost: by the short-window cut alone, without measures of pitch and the like.
        """
        audio = audio[-WINDOW:]
        if len(audio) < SHORTEST or overdriven(audio):
            return None
        embedding = self._networks.trunk.embed(audio)
        heard = sounding(embedding.picture)
        spoken = float(np.count_nonzero(heard)) / FRAMES_A_SECOND
        vector, usual = pooled(embedding.layers, heard), self._usual_window
        reading = self._networks.window_head.read(vector, usual.vector, usual.known)
        if reading.speech < SPEECH:
            return None
        confidence = round(spoken / (spoken + HALF_SURE_S) * trust(usual.known), 3)
        return express(reading, confidence, {}, self.identity)

    def learn(self) -> None:
        """Let the speaker's usual voice follow the utterance measured last, once."""
        heard, self._heard = self._heard, None
        if heard is None:
            return
        self._usual_measures.add(heard.voice)
        if len(heard.vector) == self._networks.head.size:
            self._usual.add(heard.vector, heard.neutral)
            self._usual_window.add(of_first_layer(heard.vector), heard.neutral)
        else:
            self._usual_window.add(heard.vector, heard.neutral)

    def _warn_once(self, embedding: Embedding | None) -> None:
        if self._warned:
            return
        self._warned = True
        given = embedding.network if embedding is not None else "no network"
        log.warning(
            "prosody: the end of the turn gives the layers of %s, and %s reads those of %s; the "
            "expression is measured by the short-window cut, less exactly (models.turn chooses)",
            given,
            self.identity.name,
            self._networks.head.network,
        )

    def _begin(self, networks: Networks) -> None:
        self._networks = networks
        self._usual, self._usual_window = UsualVoice(), UsualVoice()
        self._usual_measures = UsualMeasures()
        self._heard = None
        self._warned = False


def neutrality(categories: Mapping[str, float]) -> float:
    """Return how much an utterance of these probabilities tells of the usual voice, 0 to 1."""
    neutral = sum(CALM.get(name, 0.0) * share for name, share in categories.items())
    return max(min(neutral, 1.0), LEAST_NEUTRAL)


def sureness(voice: VoiceMeasures) -> float:
    """Return 0 to 1: how long and how clear a voice was heard."""
    length = voice.voiced_s / (voice.voiced_s + HALF_SURE_S)
    return length * min(max((voice.clarity - 0.5) / 0.3, 0.0), 1.0)


def trust(known: float) -> float:
    """Return 0 to 1: how far to trust a measurement of a speaker who is ``known`` so well."""
    return STRANGER + (1 - STRANGER) * known


def express(
    reading: Reading, confidence: float, measures: Mapping[str, float], identity: ModelIdentity
) -> Expression:
    """Return the expression that a head's ``reading`` makes, with this ``confidence`` in it."""
    arousal, valence, dominance = reading.arousal, reading.valence, reading.dominance
    return Expression(
        valence=round(valence, 3),
        arousal=round(arousal, 3),
        dominance=round(dominance, 3),
        emotions=emotion_scores(arousal, valence, dominance, confidence, reading.categories),
        confidence=confidence,
        measures=measures,
        categories={name: round(share, 4) for name, share in reading.categories.items()},
        model=identity,
    )
