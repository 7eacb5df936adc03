"""How a reply is to sound, chosen from how the user sounded.

Layer 3, pure. Serves the conversation. The two tables are meant to be read and edited: what styles
there are, and which expression of the user asks for which.
"""

from __future__ import annotations

from dataclasses import replace

from device.types import Expression, RapportError, Style

STYLES: dict[str, Style] = {
    # Differences that listeners notice without the voice becoming another person's: about a tenth
    # in rate, one to two semitones in pitch, three decibels in level.
    style.name: style
    for style in (
        Style("neutral"),
        Style("calm", rate=0.87, pitch=-1.0, level=-3.0, pause=0.32),
        Style("apologetic", rate=0.92, pitch=-0.6, level=-3.5, pause=0.24),
        Style("sympathetic", rate=0.88, pitch=-1.4, level=-3.0, pause=0.32),
        Style("gentle", rate=0.93, pitch=-0.4, level=-2.0, pause=0.24),
        Style("bright", rate=1.08, pitch=1.6, level=2.0, pause=0.12),
    )
}

ANSWERS: dict[str, tuple[str, ...]] = {
    # Style of the reply: the user's expressions, by EVI's names, that ask for it.
    "calm": ("Distress", "Fear", "Anxiety", "Horror", "Pain"),
    "apologetic": ("Anger", "Disappointment", "Contempt", "Disgust"),
    "sympathetic": ("Sadness", "Empathic Pain", "Guilt", "Shame", "Nostalgia"),
    "gentle": ("Tiredness", "Boredom", "Confusion", "Doubt", "Awkwardness", "Embarrassment"),
    "bright": (
        *("Joy", "Excitement", "Amusement", "Triumph", "Ecstasy", "Pride"),
        *("Surprise (positive)", "Relief", "Enthusiasm", "Gratitude"),
    ),
}
NOTICEABLE = 0.22
"""An expression whose score times confidence is below this does not change the voice. With it 97 %
of RAVDESS's neutral clips are answered neutrally, and 94 % of the angry ones are not, by heads that
did not know the speakers (2026-11-25)."""
AHEAD = 1.5
"""Brightness must be so many times likelier than any trouble: cheer in answer to anger or fear does
harm, a gentle answer to joy does none."""


def adjusted(style: Style, rate: float, pitch: float, level: float) -> Style:
    """Return a style with a voice's own adjustments on top: a factor, semitones, decibels."""
    return replace(
        style, rate=style.rate * rate, pitch=style.pitch + pitch, level=style.level + level
    )


def choose(expression: Expression | None, setting: str = "auto") -> Style:
    """Return the style for a reply to ``expression``, or the one that ``setting`` names.

    Raises RapportError if there is no such style.
    """
    if setting != "auto":
        if setting not in STYLES:
            known = ", ".join(["auto", *STYLES])
            raise RapportError(f"speaking.style = {setting!r}: there is no such style; use {known}")
        return STYLES[setting]
    if expression is None:
        return STYLES["neutral"]
    scores = {
        name: expression.confidence
        * max(expression.emotions.get(emotion, 0.0) for emotion in emotions)
        for name, emotions in ANSWERS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < NOTICEABLE:
        return STYLES["neutral"]
    trouble = max(score for name, score in scores.items() if name != "bright")
    if best == "bright" and scores[best] < AHEAD * trouble:
        return STYLES["gentle"]
    return STYLES[best]
