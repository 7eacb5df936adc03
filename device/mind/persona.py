"""What the language model is told: who it is, what was said, and how it sounded.

Layer 3, pure.
"""

from __future__ import annotations

from device.types import Expression, Message

NOTICEABLE = 0.25
"""An expression below this score is not mentioned."""


def opening(persona: str) -> list[Message]:
    """Return the messages that every prompt begins with."""
    return [Message("system", persona)]


def in_words(expression: Expression | None) -> str:
    """Return how the user sounds in a few words, empty if nothing is notable."""
    if expression is None or not expression.emotions:
        return ""
    name, score = max(expression.emotions.items(), key=lambda item: item[1])
    return f"sounds: {name.lower()}" if score >= NOTICEABLE else ""


def user(text: str, expression: Expression | None) -> Message:
    """Return what the user said, with the way it sounded beside it."""
    note = in_words(expression)
    return Message("user", f"{text} [{note}]" if note else text)
