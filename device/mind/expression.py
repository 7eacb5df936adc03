"""One expression of an utterance, from how it sounded and what it said.

Layer 3, pure. Serves the ears and the conversation. The voice tells arousal and dominance, the
words tell valence; the names are scored from both together, and each side speaks for itself where
the other is silent.
"""

from __future__ import annotations

from dataclasses import replace

from device.hearing.emotions import LEAST, PLACES, emotion_scores
from device.mind.words import Wording, emotions_of, fitted_valence, read
from device.types import Expression

VOICE_ERROR = 0.5
"""Standard deviation of the error of a valence that the voice tells with confidence 1, -1 to 1.

The shipped heads are off by 0.49 to 0.54 on a corpus that they were not learnt from, and their
valence correlates with the acted one by 0.32 to 0.35 (2026-11-25). By confidence c the variance is
this squared over c: where the words say nothing, the voice's valence counts 0.45 at confidence 1
and 0.21 at 1/3. That is on the careful side, for a head's valence is drawn to the middle already:
what was acted is 0.77 times as far from it as the head says.
"""
SHIFT = 0.4
"""How far the words may move the arousal that the voice tells."""
WORDS_CEILING = 0.8
"""The highest score that words alone can give: they may be quoted, ironic or misheard."""
UNNAMED = 0.5
"""Factor on the names that the words do not give, once they give any."""
AGREEMENT = 0.5
"""How far a voice raises the score of a name whose arousal it fits, or lowers the other."""


def combine(expression: Expression | None, text: str) -> Expression:
    """Return what voice and words tell together.

    ``expression`` is the voice's, or None where it was not measured; ``text`` is the transcript.
    Valences that the voice and the words tell are averaged by how far each may be wrong, and drawn
    towards 0, where a valence is looked for before anything is known. Whatever else ``expression``
    says is kept.
    """
    wording = read(text)
    voice = expression or Expression(valence=None, arousal=None, dominance=None)
    valence = fused_valence(voice, wording)
    arousal = _arousal(voice, wording)
    confidence = _confidence(voice, wording)
    scores = emotion_scores(arousal, valence, voice.dominance, confidence, voice.categories)
    if voice.valence is not None and not voice.categories:  # the engine scores names its own way
        scores = dict(voice.emotions)
    named = emotions_of(wording.categories)
    if named:  # the words say which of the names near this place is meant
        scores = {
            name: round(score * (1 if name in named else UNNAMED), 3)
            for name, score in scores.items()
        }
    for name, score in named.items():
        worded = WORDS_CEILING * score * _agreement(name, voice)
        scores[name] = max(scores.get(name, 0.0), round(min(worded, 1.0), 3))
    return replace(
        voice,
        valence=valence,
        arousal=arousal,
        emotions={name: score for name, score in scores.items() if score >= LEAST},
        confidence=round(confidence, 3),
    )


def fused_valence(voice: Expression, wording: Wording) -> float | None:
    """Return the valence, -1 to 1, to be expected after ``voice`` and ``wording``; None: neither.

    Each measures it with a normal error and counts by the inverse of that error's variance. So does
    0, by the inverse variance of valence before anything is known: a voice alone, or few words of
    many, are not taken at their word.
    """
    if voice.valence is None and not wording.share:
        return None
    before = 1.0 / fitted_valence()["spread"] ** 2
    said = 1.0 / wording.error**2
    heard = 0.0 if voice.valence is None else voice.confidence / VOICE_ERROR**2
    told = said * wording.valence + heard * (voice.valence or 0.0)
    return round(told / (before + said + heard), 3)


def _arousal(voice: Expression, wording: Wording) -> float | None:
    shift = wording.arousal * wording.weight
    if voice.arousal is None:
        return round(shift, 3) if shift else None
    return round(max(-1.0, min(voice.arousal + SHIFT * shift, 1.0)), 3)


def _confidence(voice: Expression, wording: Wording) -> float:
    """Either source being right suffices, but words are never trusted beyond three quarters."""
    return 1.0 - (1.0 - voice.confidence) * (1.0 - 0.75 * wording.weight)


def _agreement(name: str, voice: Expression) -> float:
    """Return the factor by which the voice supports a name that the words gave, 0.5 to 1.5."""
    if voice.arousal is None or name not in PLACES:
        return 1.0
    fit = voice.arousal * PLACES[name][1] * voice.confidence
    return max(0.5, min(1.0 + 2 * AGREEMENT * fit, 1.5))
