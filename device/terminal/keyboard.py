"""Keys of the terminal as buttons of the panel.

Layer 6, on the event loop. Serves ``rapport talk`` and ``rapport panel``. Where there is no
terminal, or it belongs to another program at the moment, there are no keys and nothing is touched.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from device.panel.meaning import TALK
from device.panel.panel import ControlPanel

HINT = "Keys: space or enter presses the button, r twice, m long."
PRESS_S, GAP_S = 0.1, 0.08
"""A press, and the pause within a double press: as short as can be told from bouncing."""
BEYOND_S = 0.2
"""So much more than the limit is surely a long press."""


def press_key(panel: ControlPanel, key: str, hold: float) -> bool:
    """Press what a key stands for; return whether it stands for anything.

    ``hold``: seconds from which a press is long.
    """
    match key:
        case " " | "\n" | "\r":
            panel.press(TALK, PRESS_S)
        case "r":
            panel.press(TALK, PRESS_S)
            loop = asyncio.get_running_loop()
            loop.call_later(PRESS_S + GAP_S, panel.press, TALK, PRESS_S)
        case "m":
            panel.press(TALK, hold + BEYOND_S)
        case _:
            return False
    return True


@contextmanager
def typed_keys(take: Callable[[str], object], keyboard: int | None = None) -> Iterator[bool]:
    """Within the block call ``take`` with each key that is typed; yields whether any can be.

    ``keyboard`` is the descriptor of a terminal, None for standard input.
    """
    descriptor = _terminal() if keyboard is None else keyboard
    if descriptor is None:
        yield False
        return
    before, loop = termios.tcgetattr(descriptor), asyncio.get_running_loop()

    def read() -> None:
        typed = os.read(descriptor, 64)
        if not typed:
            loop.remove_reader(descriptor)  # the terminal went away
        for key in typed.decode("utf-8", "ignore"):
            take(key)

    tty.setcbreak(descriptor)  # each key at once and unseen, while Ctrl-C goes on working
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _terminal() -> int | None:
    """Return the descriptor of standard input, if keys typed there are meant for this program."""
    try:
        descriptor = sys.stdin.fileno()
        # In the background, touching the terminal would stop the program.
        ours = os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # closed, or not a file
        return None
    return descriptor if ours else None
