"""Which panel this machine has: the pins of a Raspberry Pi, a simulated one, or none.

Layer 4. ``choose`` is pure; ``Board.of`` takes the pins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from device.engines import engine
from device.ports import Contacts, Lights
from device.settings import Panel

MODEL = Path("/proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it is the one."""

    engine: Literal["gpio", "simulated", "off"]
    why: str


def raspberry_pi(model: Path = MODEL) -> str:
    """Return which Raspberry Pi this is, empty if it is none."""
    try:
        name = model.read_text(encoding="ascii", errors="replace").strip("\0\n ")
    except OSError:
        return ""
    return name if "Raspberry Pi" in name else ""


def choose(settings: Panel, board: str) -> Choice:
    """Return the engine for a board (empty: no Raspberry Pi)."""
    if settings.engine != "auto":
        return Choice(settings.engine, f'panel.engine = "{settings.engine}"')
    if not board:
        return Choice("simulated", "this is no Raspberry Pi")
    if not settings.pins and settings.light == "none":
        return Choice("simulated", "no pin and no light is configured")
    return Choice("gpio", board)


@dataclass(frozen=True, slots=True)
class Board:
    """The contacts and the lights of a panel."""

    contacts: Contacts
    lights: Lights

    @classmethod
    def of(cls, settings: Panel, name: Literal["gpio", "simulated"]) -> Self:
        """Return the board of an engine; raises RapportError for what is missing or refused."""
        real = name == "gpio"
        contacts = engine("gpio" if real else "simulated-contacts")(settings)
        shown = real and settings.light != "none"
        return cls(contacts, engine(settings.light if shown else "simulated-lights")(settings))
