"""The lights of the panel as text in their colours.

Layer 6. Serves ``rapport talk`` and ``rapport panel``.
"""

from __future__ import annotations

from rich.text import Text

from device.panel.panel import PanelView
from device.types import Colour


def lights(view: PanelView) -> Text:
    """Return the lights of one moment, and the signal they give."""
    text = Text()
    for colour in view.frame:
        text.append("●", f"rgb({','.join(map(str, _seen(colour)))})" if any(colour) else "grey30")
    return text.append(f" {view.signal.value}", "dim")


def _seen(colour: Colour) -> list[int]:
    """Return a screen's numbers for a colour: a lamp that is dim would look black on a screen."""
    return [round(255 * part**0.5) for part in colour]
