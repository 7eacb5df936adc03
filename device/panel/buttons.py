"""Watches the contacts of the panel and tells what a hand did.

Layer 4, on the event loop. It looks when a contact has moved and when a press comes of age, and
sleeps otherwise.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from device.panel.gestures import Button, Contact, Gesture, Timing
from device.panel.meaning import SWITCH
from device.ports import Contacts
from device.settings import Panel

Did = Callable[[str, Gesture], None]
"""Gets the name of a button and the gesture."""
Switched = Callable[[bool], None]
"""Gets whether the mute switch is on."""


class Buttons:
    """The buttons and the switch, wired or pressed from elsewhere."""

    def __init__(
        self, contacts: Contacts, settings: Panel, resets: str, did: Did, switched: Switched
    ) -> None:
        """Make the buttons, of which the one called ``resets`` offers a factory reset."""
        self._contacts, self._did, self._switched = contacts, did, switched
        self._settings, self._resets = settings, resets
        self._buttons: dict[str, Button] = {}
        self._switch: Contact | None = None
        self._remote: dict[str, asyncio.TimerHandle] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin to watch; raises RapportError if a pin cannot be had."""
        self._contacts.open(self._moved)
        for name in self._contacts.names:
            if name != SWITCH:
                self._add(name, self._contacts.closed(name))
        if SWITCH in self._contacts.names:
            self._switch = Contact(self._contacts.closed(SWITCH))
            self._switched(self._switch.closed)

    def close(self) -> None:
        """Watch no more."""
        for timer in (*self._remote.values(), self._alarm):
            if timer is not None:
                timer.cancel()
        self._remote.clear()
        self._contacts.close()

    def press(self, name: str, seconds: float) -> None:
        """Have a button pressed for so long, as by a finger; wired or not.

        One that is pressed so already is let go at the later end.
        """
        if name not in self._buttons:
            self._add(name, False)
        loop = asyncio.get_running_loop()
        end, before = loop.time() + seconds, self._remote.get(name)
        if before is not None:
            before.cancel()
            end = max(end, before.when())
        self._remote[name] = loop.call_at(end, self._let_go, name)
        self._moved(name)

    def _let_go(self, name: str) -> None:
        del self._remote[name]
        self._moved(name)

    def _add(self, name: str, closed: bool) -> None:
        self._buttons[name] = Button(Timing.of(self._settings, name == self._resets), closed)

    def _moved(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        moving = self._switch if name == SWITCH else self._buttons.get(name)
        if moving is not None:
            moving.move(now)
            self._watch()

    def _watch(self) -> None:
        """Look at everything that is due, and come back when the next is."""
        loop = asyncio.get_running_loop()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = loop.time()
        for name, button in self._buttons.items():
            for gesture in button.look(self._down(name), now):
                self._did(name, gesture)
        due = min((button.due for button in self._buttons.values()), default=math.inf)
        if self._switch is not None:
            if self._switch.look(self._contacts.closed(SWITCH), now):
                self._switched(self._switch.closed)
            due = min(due, self._switch.due)
        if due < math.inf:
            self._alarm = loop.call_at(due, self._watch)

    def _down(self, name: str) -> bool:
        return name in self._remote or (
            name in self._contacts.names and self._contacts.closed(name)
        )
