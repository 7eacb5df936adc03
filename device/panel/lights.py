"""From a signal and a moment to the colours of the lights.

Layer 4, pure. Beside each frame stands the moment of the next, so that whoever shows them can sleep
until then: for ever, where nothing moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from device.panel.patterns import BLACK, PATTERNS, WHITE, Pattern, Shape
from device.panel.situation import Mood, Signal
from device.settings import Panel
from device.types import Colour, Frame

FRAME_S = 1 / 30
"""Between two frames of what moves; faster looks no smoother."""
DIMMEST = 0.08
"""To which a breath fades: seen to be on in a bright room."""
TAIL = 0.5
"""The part of the circle that a comet's tail takes."""
PLEASANT: Colour = (1.0, 0.6, 0.1)
UNPLEASANT: Colour = (0.7, 0.0, 0.9)
STRONGEST_TINT = 0.6
"""How much of a colour the strongest expression takes: what is told must stay recognisable."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the lights are able and allowed to show."""

    leds: int
    dimmable: bool = True
    brightness: float = 1.0
    on: bool = True
    mood: bool = True

    @staticmethod
    def of(settings: Panel, leds: int, dimmable: bool) -> Look:
        """Return what the settings allow lights of this kind."""
        return Look(leds, dimmable, settings.brightness, settings.lights, settings.mood)


@dataclass(frozen=True, slots=True)
class Picture:
    """What to show, and until when it stays as it is."""

    frame: Frame
    until: float
    """Seconds after the signal began; infinity: for ever."""


def picture(signal: Signal, elapsed: float, look: Look, mood: Mood | None = None) -> Picture:
    """Return what to show for a signal that began so many seconds ago."""
    pattern = PATTERNS[signal]
    if not look.on:
        return Picture((BLACK,) * look.leds, math.inf)
    if not look.dimmable:
        lit, until = _beat(pattern, elapsed)
        return Picture((WHITE if lit else BLACK,) * look.leds, until)
    colour = pattern.colour
    if look.mood and mood is not None and pattern.tinted:
        colour = tint(colour, mood)
    levels, until = _levels(pattern, elapsed, look.leds)
    return Picture(tuple(_dimmed(colour, level * look.brightness) for level in levels), until)


def tint(colour: Colour, mood: Mood) -> Colour:
    """Return a colour on its way to what a mood looks like: the stronger, the further."""
    toward = PLEASANT if mood.valence >= 0 else UNPLEASANT
    share = STRONGEST_TINT * min(1.0, abs(mood.valence) * (0.75 + 0.25 * mood.arousal))
    red, green, blue = (a + (b - a) * share for a, b in zip(colour, toward, strict=True))
    return (red, green, blue)


def _levels(pattern: Pattern, elapsed: float, leds: int) -> tuple[list[float], float]:
    """Return the brightness of each light, 0 to 1, and until when they stay so."""
    turn = elapsed / pattern.period
    phase = turn % 1.0
    match pattern.shape:
        case Shape.BLINK:
            until = (math.floor(turn * 2) + 1) / 2 * pattern.period
            return [1.0 if phase < 0.5 else 0.0] * leds, until
        case Shape.SPIN if leds > 1:
            behind = [(phase - led / leds) % 1.0 for led in range(leds)]
            return [max(0.0, 1 - gap / TAIL) ** 2 for gap in behind], elapsed + FRAME_S
        case Shape.SPIN | Shape.BREATHE:
            # Squared: the eye sees half the light as much more than half as bright.
            swell = (0.5 - 0.5 * math.cos(2 * math.pi * phase)) ** 2
            return [DIMMEST + (1 - DIMMEST) * swell] * leds, elapsed + FRAME_S
    return [1.0] * leds, math.inf


def _beat(pattern: Pattern, elapsed: float) -> tuple[bool, float]:
    """Return whether a light that knows only on and off is on, and until when."""
    if not pattern.beat:
        return pattern.colour != BLACK, math.inf
    length = sum(pattern.beat)
    begun = math.floor(elapsed / length) * length
    end = begun
    for number, lasts in enumerate(pattern.beat):
        end += lasts
        if elapsed < end:
            return number % 2 == 0, end
    return True, end + pattern.beat[0]  # elapsed is a rounding error past the end of the beat


def _dimmed(colour: Colour, level: float) -> Colour:
    # Rounded, so that frames which look the same are the same.
    red, green, blue = (round(min(1.0, max(0.0, part * level)), 3) for part in colour)
    return (red, green, blue)
