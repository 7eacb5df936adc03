"""Back to how the device came: erases what it has kept of its people.

Layer 4. Only files that Rapport makes itself are erased, never a folder: its owner may have named
one that holds other things too. What else keeps something there adds its pattern here. The
configuration and the models stay: they are its owner's, and no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from device.hub import Hub
from device.panel.situation import LOCAL
from device.store import FILE
from device.types import Command, RapportError, Replied, Say, TurnFailed

log = logging.getLogger(__name__)

KEPT = (FILE, f"{FILE}-*", "tls-certificate.pem", "tls-key.pem")
"""Patterns of the files in the state folder: database with its journals, generated certificate."""
FAREWELL = "I am forgetting everything now."
PATIENCE = 10.0
"""Seconds that the farewell may take; a device without a voice resets too."""


class FactoryReset(RapportError):
    """Everything is to stop, so that what was kept can be erased and all can start afresh."""

    def __init__(self) -> None:
        super().__init__("reset to how it came, by a very long press; starting afresh")


async def say_farewell(hub: Hub, command: Callable[[Command], bool]) -> None:
    """Say that everything will be forgotten, and return when that was said, or takes too long.

    ``command`` returns whether there is anybody to say it.
    """
    with hub.subscribe() as events:
        if not command(Say(FAREWELL)):
            return
        try:
            async with asyncio.timeout(PATIENCE):
                async for observed in events:
                    if observed.session == LOCAL and _said(observed.event):
                        return
        except TimeoutError:
            log.info("the farewell before the reset was not heard to its end")


def _said(event: object) -> bool:
    match event:
        case Replied(reply):
            return reply.text.strip() == FAREWELL
        case TurnFailed():
            return True
    return False


def erase(folder: Path) -> list[str]:
    """Erase what the device keeps in its state folder and return the names of those files.

    Nothing may have them open. Raises RapportError if one cannot be erased.
    """
    erased = []
    for path in sorted({path for pattern in KEPT for path in folder.glob(pattern)}):
        if not (path.is_file() or path.is_symlink()):
            continue
        try:
            path.unlink()
        except OSError as error:
            raise RapportError(
                f"{path}: cannot be erased ({error.strerror}); give the user that runs rapport "
                "the right to write in that folder, and reset again"
            ) from None
        erased.append(path.name)
    log.warning("reset: erased %s in %s", ", ".join(erased) or "nothing", folder)
    return erased
