"""The one table of what each signal looks like.

Layer 4, data. ``lights`` turns a row and a moment into colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.panel.situation import Signal
from device.types import Colour


class Shape(StrEnum):
    """How a light moves. What does not move costs nothing."""

    STEADY = "steady"
    BREATHE = "breathe"
    """Swells and fades."""
    BLINK = "blink"
    """On for the first half of the period."""
    SPIN = "spin"
    """A comet runs around the lights; a single light breathes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one signal looks like."""

    colour: Colour
    shape: Shape = Shape.STEADY
    period: float = 1.0
    """Seconds until it looks the same again."""
    beat: tuple[float, ...] = ()
    """On a light without brightness: seconds on, off, on, ...; empty: as lit as the colour is."""
    tinted: bool = False
    """Whether the user's expression may tint it."""


BLACK: Colour = (0.0, 0.0, 0.0)
RED: Colour = (1.0, 0.0, 0.0)
ORANGE: Colour = (1.0, 0.35, 0.0)
WHITE: Colour = (1.0, 0.9, 0.8)
CYAN: Colour = (0.0, 0.7, 1.0)
GREEN: Colour = (0.0, 0.9, 0.3)
YELLOW: Colour = (1.0, 0.7, 0.0)
VIOLET: Colour = (0.6, 0.1, 1.0)

PATTERNS: dict[Signal, Pattern] = {
    Signal.RESET_OFFERED: Pattern(RED, Shape.BLINK, 0.15, beat=(0.07, 0.08)),
    Signal.RESET_WARNING: Pattern(RED, Shape.BLINK, 0.8, beat=(0.4, 0.4)),
    Signal.ERROR: Pattern(RED, Shape.BLINK, 1.5, beat=(0.1, 0.2, 0.1, 0.2, 0.1, 1.3)),
    # In one place day and night: neither moves, or a muted or listening device would never rest.
    Signal.MUTED: Pattern((0.35, 0.0, 0.0), beat=(0.05, 2.95)),
    Signal.OFFLINE: Pattern(ORANGE, Shape.BLINK, 4.0, beat=(0.1, 0.2, 0.1, 3.6)),
    Signal.UPDATING: Pattern(VIOLET, Shape.SPIN, 2.0, beat=(1.0, 1.0)),
    Signal.WOKEN: Pattern(WHITE, beat=(0.1, 0.1)),
    Signal.LISTENING: Pattern(CYAN, tinted=True),
    Signal.THINKING: Pattern(YELLOW, Shape.SPIN, 1.0, beat=(0.25, 0.25)),
    Signal.SPEAKING: Pattern(GREEN, Shape.BREATHE, 1.6, beat=(0.8, 0.2), tinted=True),
    Signal.IDLE: Pattern(BLACK),
}
