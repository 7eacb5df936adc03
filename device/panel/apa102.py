"""A chain of APA102 (or SK9822) lights on SPI, through spidev.

Layer 2, on the event loop: 64 lights are on their way in 0.6 ms.
"""

from __future__ import annotations

import math
from typing import Any

from device.settings import Panel
from device.types import Colour, Frame, RapportError

HERTZ = 4_000_000
"""Well below what the chips take, as the cable to them may be long."""
START = bytes(4)
MARK, LEVELS = 0b1110_0000, 31
"""What each light's four bytes begin with, and the steps of its own dimmer."""


class Apa102:
    """The chain."""

    dimmable = True

    def __init__(self, settings: Panel) -> None:
        """Open the bus; raises RapportError if it cannot be had."""
        self.leds = settings.leds
        bus, device = map(int, settings.spi.split("."))
        try:
            import spidev  # noqa: PLC0415  a Raspberry Pi's
        except ImportError:
            raise RapportError(
                "the lights (panel.light = apa102) need the Python package spidev; run "
                "provisioning/setup, or: pip install spidev"
            ) from None
        self._spi: Any = spidev.SpiDev()
        try:
            self._spi.open(bus, device)
            self._spi.max_speed_hz = HERTZ
        except OSError as error:
            raise RapportError(
                f"panel.spi = {settings.spi}: /dev/spidev{settings.spi} cannot be opened "
                f"({error.strerror}); switch SPI on with: sudo raspi-config nonint do_spi 0, and "
                "see that the user is in the group spi"
            ) from None

    def show(self, frame: Frame) -> None:
        """Show the frame."""
        self._spi.writebytes2(encoded(frame))

    def close(self) -> None:
        """Go dark and close the bus."""
        self.show(((0.0, 0.0, 0.0),) * self.leds)
        self._spi.close()


def encoded(frame: Frame) -> bytes:
    """Return the bytes that show a frame.

    32 zero bits, four bytes for each light, 32 zero bits that SK9822 needs to show them at once,
    and half a bit for each light: every chip delays the data by half a clock.
    """
    end = bytes(4 + math.ceil(len(frame) / 16))
    return START + b"".join(map(_light, frame)) + end


def _light(colour: Colour) -> bytes:
    """Return a light's four bytes: mark and dimmer, blue, green, red.

    The dimmer is set as low as the brightest colour allows, which leaves dim light, as in a breath,
    31 times as many steps.
    """
    level = min(LEVELS, max(1, math.ceil(max(colour) * LEVELS)))
    red, green, blue = (min(255, round(part * 255 * LEVELS / level)) for part in colour)
    return bytes((MARK | level, blue, green, red))
