"""How something is to be spoken, from words that describe it: acting instructions.

Layer 4, pure. Serves text-to-speech. The two tables are meant to be read and edited; words that are
in neither change nothing, and the order of the words does not matter.
"""

from __future__ import annotations

import re

from device.mind.style import STYLES, adjusted
from device.types import Style

MOODS: dict[str, str] = {
    # Words that ask for a style; the first style that fits counts.
    "apologetic": "apologetic sorry regretful remorseful ashamed contrite",
    "sympathetic": "sympathetic compassionate empathetic empathic sad sorrowful mournful sombre "
    "somber melancholy melancholic grieving consoling",
    "gentle": "gentle gently tender tenderly kind kindly warm warmly caring shy timid hesitant",
    "calm": "calm calmly relaxed soothing peaceful serene meditative measured composed sleepy",
    "bright": "bright brightly cheerful cheerfully happy happily joyful joyfully excited excitedly "
    "enthusiastic enthusiastically energetic upbeat lively playful amused",
}

MANNERS: tuple[tuple[str, float, float, float], ...] = (
    # Words, and what they do to rate (factor), pitch (semitones) and level (decibels).
    ("slow slowly unhurried deliberate drawn", 0.85, 0.0, 0.0),
    ("fast quick quickly rapid rapidly hurried brisk briskly", 1.2, 0.0, 0.0),
    ("low deep deeply", 1.0, -2.0, 0.0),
    ("high squeaky childlike", 1.0, 2.0, 0.0),
    ("loud loudly shouting shouted yelling", 1.0, 0.0, 5.0),
    ("soft softly quiet quietly hushed whisper whispered whispering murmured", 1.0, 0.0, -6.0),
)


def directed(description: str | None) -> Style:
    """Return the style that a description asks for, neutral if it names none."""
    words = set(re.findall(r"[a-z]+", (description or "").lower()))
    fitting = (name for name, known in MOODS.items() if words & set(known.split()))
    style = STYLES[next(fitting, "neutral")]
    for known, rate, pitch, level in MANNERS:
        if words & set(known.split()):
            style = adjusted(style, rate, pitch, level)
    return style
