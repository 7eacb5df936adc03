"""Check of the panel: which engine it has and why, its pins, and the libraries it needs.

Layer 6. Serves ``rapport doctor``. It touches no pin: a device that runs has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from device.panel.gpio import raspberry_pi as gpio_module
from device.panel.wiring import choose, raspberry_pi
from device.settings import Panel
from device.terminal.findings import Finding, ok, warning
from device.terminal.panel import describe
from device.types import RapportError

PART = "panel"
WORKS = "; conversation works without buttons and lights"


def check_panel(settings: Panel) -> Iterator[Finding]:
    """Yield which panel there is, and whether it can be used."""
    if choose(settings, raspberry_pi()).engine != "gpio":
        yield ok(PART, describe(settings))
        return
    try:
        if settings.pins:
            gpio_module()
    except RapportError as error:
        fault, _, remedy = str(error).partition("; ")
        yield warning(PART, f"{describe(settings)}: {fault}{WORKS}", remedy)
        return
    yield _chain(settings) if settings.light == "apa102" else ok(PART, describe(settings))


def _chain(settings: Panel) -> Finding:
    device = Path(f"/dev/spidev{settings.spi}")
    if find_spec("spidev") is None:
        found = f"{describe(settings)}: the Python package spidev is not installed"
        return warning(PART, found + WORKS, "run provisioning/setup, or: pip install spidev")
    if not device.exists():
        found = f"{describe(settings)}: there is no {device}"
        return warning(PART, found + WORKS, "run: sudo raspi-config nonint do_spi 0")
    return ok(PART, describe(settings))
