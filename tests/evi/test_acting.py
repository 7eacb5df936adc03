"""Acting instructions change the voice as their words ask."""

from __future__ import annotations

import pytest

from device.evi.acting import directed
from device.mind.style import STYLES


@pytest.mark.parametrize(
    ("description", "style"),
    [
        (None, "neutral"),
        ("", "neutral"),
        ("a well-informed newsreader", "neutral"),
        ("Calm, like a lake at dawn", "calm"),
        ("joyfully!", "bright"),
        ("she is sorry for what she did", "apologetic"),
        ("MOURNFUL", "sympathetic"),
        ("warm and kind", "gentle"),
    ],
)
def test_a_mood_becomes_a_style(description: str | None, style: str) -> None:
    assert directed(description) == STYLES[style]


def test_a_manner_changes_rate_pitch_and_level() -> None:
    plain = STYLES["neutral"]
    assert directed("slowly").rate < plain.rate < directed("a rapid speaker").rate
    assert directed("deep voice").pitch < plain.pitch < directed("high voice").pitch
    assert directed("whispering").level < plain.level < directed("shouting").level


def test_mood_and_manner_add_up() -> None:
    both = directed("cheerful, slow and quiet")
    assert both.name == "bright"
    assert both.rate < STYLES["bright"].rate and both.level < STYLES["bright"].level
    assert both.pitch == STYLES["bright"].pitch


def test_only_whole_words_count() -> None:
    assert directed("yellow highway, slowpoke") == STYLES["neutral"]
