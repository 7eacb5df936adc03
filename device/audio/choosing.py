"""Which of the sound devices is used: the named one, and the next best while it is away.

Layer 2, pure. Serves ``portaudio`` and ``keeper``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from device.audio.listing import Device
from device.settings import LineSettings
from device.types import RapportError

Direction = Literal["input", "output"]
NOUN: dict[Direction, str] = {"input": "microphone", "output": "loudspeaker"}

PLACE = re.compile(r"\s*\((hw|plughw):\d+,\d+\)\s*$")
"""Where ALSA has put a card: another number each time it is plugged in."""
NO_HARDWARE = re.compile(
    r"monitor of|^(null|samplerate|speexrate|lavrate|jack|oss|speex|upmix|vdownmix|dmix|dsnoop)$"
    r"|^(iec958|spdif|surround\d+|modem|phoneline)",
    re.IGNORECASE,
)
"""What ALSA and PulseAudio list beside real devices, or what nobody has connected."""
NO_LOUDSPEAKER = re.compile("hdmi", re.IGNORECASE)
"""A screen may be without a loudspeaker, and a Raspberry Pi always has two of these."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one direction."""

    direction: Direction
    named: str
    """Part of a name, from the settings; empty: the system's default."""
    before: str = ""
    """The device that was used last."""
    home: str = ""
    """The device that was used first, which is wanted again if none is named."""
    avoided: frozenset[str] = frozenset()
    """Names of devices that are there and give no sound."""
    barred: frozenset[str] = frozenset()
    """Names of devices whose driver has not come back from an earlier call."""
    fallback: bool = True
    """Whether another than the named one will do."""

    def met_by(self, device: str) -> bool:
        """Whether a device of this name is what is wanted, not a makeshift."""
        if self.named:
            return self.named.casefold() in device.casefold()
        return not self.home or plain(self.home) == plain(device)


def wish(settings: LineSettings, direction: Direction) -> Wish:
    """Return what the settings want, before any device was used."""
    return Wish(direction, getattr(settings, direction), fallback=settings.fallback)


def plain(name: str) -> str:
    """Return a device's name without the place that ALSA gave it."""
    return PLACE.sub("", name).casefold()


def able(found: Sequence[Device], direction: Direction) -> list[Device]:
    """Return the devices that have this direction."""
    return [it for it in found if (it.inputs if direction == "input" else it.outputs)]


def ranked(found: Sequence[Device], wanted: Wish) -> list[Device]:
    """Return the devices that will do, the best first.

    The named one, then the one used before, then the system's default, then any other; what is
    obviously no sound hardware only where there is nothing else, and a device that gave no sound
    after all that may. Without ``fallback`` only the named one.
    """
    candidates = [it for it in able(found, wanted.direction) if it.name not in wanted.barred]
    if wanted.named and not wanted.fallback:
        candidates = [it for it in candidates if wanted.met_by(it.name)]
    real = [it for it in candidates if not NO_HARDWARE.search(it.name) or _meant(it, wanted)]
    return sorted(real or candidates, key=lambda it: _order(it, wanted))


def _meant(device: Device, wanted: Wish) -> bool:
    return bool(wanted.named) and wanted.met_by(device.name)


def _order(device: Device, wanted: Wish) -> tuple[bool, int, bool]:
    known = [wanted.home, wanted.before] if not wanted.named else [wanted.before]
    places = [plain(name) for name in known if name]
    if _meant(device, wanted):
        rank = 0
    elif plain(device.name) in places:
        rank = 1 + places.index(plain(device.name))
    elif wanted.direction in device.default.split():
        rank = 3
    else:
        rank = 4
    dumb = wanted.direction == "output" and bool(NO_LOUDSPEAKER.search(device.name))
    return device.name in wanted.avoided, rank, dumb and rank == 4


def none_found(found: Sequence[Device], wanted: Wish) -> RapportError:
    """Return why no device will do, with those that there are."""
    noun, key = NOUN[wanted.direction], f"line.{wanted.direction}"
    candidates = able(found, wanted.direction)
    if not candidates:
        others = ", ".join(f'"{device.name}"' for device in found) or "none"
        return RapportError(
            f"no {noun} was found (sound devices here: {others}); plug one in and, if it is not "
            f"the system's default, set {key} to a part of its name"
        )
    names = ", ".join(f'"{device.name}"' for device in candidates)
    if wanted.barred:
        stuck = ", ".join(sorted(wanted.barred))
        return RapportError(
            f"the driver of {stuck} is stuck, and no other {noun} was found; plug it in again, or "
            "restart the device"
        )
    return RapportError(
        f"{key} = {wanted.named!r}: no {noun} has this in its name; those here are: {names}"
    )
