"""What the language model is told: who it is, what was said, and how it sounded.

Layer 3, pure. Serves the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from device.types import Expression, Message

SURE = 0.3
"""Below this confidence nothing is told: a wrong remark on a user's mood is worse than none."""
NOTICEABLE, LIKELY = 0.25, 0.45
"""Score from which an expression is told as "perhaps", and as a fact of the sound."""
MARKED = 0.35
"""Arousal and valence this far from the middle are told."""

ADJECTIVES: dict[str, str] = {
    # EVI's nouns as one says them of a person; names that are missing are not told.
    # Left out, too: how a voice sounds in which nothing stirs (calm, interested, content).
    "Admiration": "admiring", "Amusement": "amused", "Anger": "angry", "Annoyance": "annoyed",
    "Anxiety": "anxious", "Awkwardness": "awkward", "Boredom": "bored", "Confusion": "confused",
    "Contempt": "scornful", "Disappointment": "disappointed", "Disgust": "disgusted",
    "Distress": "distressed", "Doubt": "doubtful", "Ecstasy": "overjoyed",
    "Embarrassment": "embarrassed", "Enthusiasm": "enthusiastic", "Excitement": "excited",
    "Fear": "afraid", "Gratitude": "grateful", "Guilt": "guilty", "Horror": "horrified",
    "Joy": "happy", "Love": "loving", "Nostalgia": "nostalgic",
    "Pain": "in pain", "Pride": "proud", "Relief": "relieved", "Sadness": "sad",
    "Shame": "ashamed",
    "Surprise (negative)": "unpleasantly surprised",
    "Surprise (positive)": "pleasantly surprised", "Sympathy": "sympathetic", "Tiredness": "tired",
    "Triumph": "triumphant",
}  # fmt: skip

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Hello.", "Hello! It's good to hear from you. What's on your mind?"),
    ("Thanks, goodbye.", "You're welcome. Take care, and talk to you soon!"),
    (
        "Who are you, and what can you do?",
        "I'm a voice assistant. I can talk with you, answer questions, and listen.",
    ),
    (
        "I failed my driving test. [sounds sad]",
        "I'm so sorry to hear that. It must feel very disappointing. Do you want to talk about it?",
    ),
    (
        "The bus is late again! [sounds angry]",
        "That is really frustrating, and you have every right to be upset. How can I help?",
    ),
    (
        "We won the match! [sounds happy]",
        "That's wonderful, congratulations! How did it feel?",
    ),
    ("How tall is Mount Everest?", "Mount Everest is about 8,849 meters tall."),
)
"""Exchanges that every chat begins with, and that name nobody. Without them the smallest model
answers "I'm sorry for your loss" to a passed exam and does not know the capital of France (28
prompts, 2026-11). They show how long an answer is, and that the note is never spoken of. A plain
question stands last: what stands last colours the answers most."""


def opening(persona: str) -> list[Message]:
    """Return the messages that every prompt begins with; always the same for one persona."""
    messages = [Message("system", persona)]
    for said, answered in EXAMPLES:
        messages += [Message("user", said), Message("assistant", answered)]
    return messages


def in_words(expression: Expression | None) -> str:
    """Return how the user sounds in a few words, empty if nothing is notable or sure."""
    if expression is None or expression.confidence < SURE:
        return ""
    known = {name: s for name, s in expression.emotions.items() if name in ADJECTIVES}
    name = max(known, key=lambda each: known[each], default="")
    if name and known[name] >= LIKELY:
        return f"sounds {ADJECTIVES[name]}"
    if name and known[name] >= NOTICEABLE and expression.valence is not None:
        return f"sounds {ADJECTIVES[name]}, perhaps"
    arousal, valence = expression.arousal or 0.0, expression.valence or 0.0
    mood = "pleased" if valence > MARKED else "unhappy" if valence < -MARKED else ""
    # A calm voice alone is not told: "sounds quiet" has the smallest model offer its condolences.
    energy = "lively" if arousal > MARKED else "quiet" if arousal < -MARKED and mood else ""
    told = " and ".join(word for word in (energy, mood) if word)
    return f"sounds {told}" if told else ""


def user(text: str, expression: Expression | None, notes: Sequence[str] = ()) -> Message:
    """Return what the user said, with the way it sounded beside it in brackets.

    ``notes`` are added in braces, as EVI adds the context of a session; empty ones are left out.
    """
    sounds = in_words(expression)
    said = f"{text} [{sounds}]" if sounds else text
    return Message("user", " ".join([said, *(f"{{Context: {note}}}" for note in notes if note)]))
