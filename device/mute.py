"""Whether the device is muted: by its switch, which wins, or by anybody's wish.

Layer 1. Serves the panel and every other face: there is one such object, and what it decides is
told to the conversation and the hub by whoever made it. On the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable

Changed = Callable[[bool, bool], None]
"""Gets whether the device is muted now, and whether by its switch."""


class Mute:
    """The one state of being muted."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._wished = self.by_switch = False

    @property
    def on(self) -> bool:
        """Whether the device is muted."""
        return self._wished or self.by_switch

    def wish(self, on: bool) -> None:
        """Mute or unmute; without effect while the switch is on."""
        if not self.by_switch and on != self._wished:
            self._wished = on
            self._changed(self.on, self.by_switch)

    def toggle(self) -> None:
        """Mute if it is not, unmute if it is; without effect while the switch is on."""
        self.wish(not self._wished)

    def switch(self, on: bool) -> None:
        """Follow the switch; switched off, it is as muted as it was before."""
        if on != self.by_switch:
            self.by_switch = on
            self._changed(self.on, on)
