"""How a reply is to sound, chosen from how the user sounded.

Layer 3, pure. The two tables are meant to be read and edited: what styles there are, and which
expression of the user asks for which.
"""

from __future__ import annotations

from device.types import Expression, RapportError, Style

STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style("neutral"),
        Style("calm", rate=0.88, pitch=-0.7, level=-2.5, pause=0.28),
        Style("apologetic", rate=0.92, pitch=-0.5, level=-3.5, pause=0.22),
        Style("sympathetic", rate=0.86, pitch=-1.2, level=-3.0, pause=0.3),
        Style("gentle", rate=0.93, pitch=-0.3, level=-2.0, pause=0.22),
        Style("bright", rate=1.07, pitch=1.2, level=1.5, pause=0.12),
    )
}

ANSWERS: dict[str, tuple[str, ...]] = {
    # Style of the reply: the user's expressions, by EVI's names, that ask for it.
    "apologetic": ("Anger", "Contempt", "Disappointment", "Disgust"),
    "calm": ("Distress", "Fear", "Anxiety", "Horror", "Pain"),
    "sympathetic": ("Sadness", "Guilt", "Shame", "Nostalgia"),
    "bright": ("Joy", "Excitement", "Amusement", "Triumph", "Ecstasy", "Surprise (positive)"),
    "gentle": ("Tiredness", "Boredom", "Confusion", "Awkwardness", "Embarrassment"),
}

NOTICEABLE = 0.25
"""Below this score an expression does not change the voice."""


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
        name: max((expression.emotions.get(emotion, 0.0) for emotion in emotions), default=0.0)
        for name, emotions in ANSWERS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return STYLES[best] if scores[best] >= NOTICEABLE else STYLES["neutral"]
