"""When a chat has lasted, or been silent, for too long, and what is said about it.

Layer 4, on the loop's clock. Serves the chat.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from device.evi import faults
from device.evi.faults import Fault
from device.evi.resolved import ResolvedConfig
from device.settings import Api

GREETING = "Hello! What's on your mind?"
INACTIVE = "I haven't heard from you for a while, so I'll go now. Goodbye!"
TOO_LONG = "Our time is up for now. Goodbye!"
NUDGE = "Are you still there?"
"""Spoken where a configuration wants something said and does not say what. EVI lets the language
model make it up; the models that fit a small board make up the wrong thing."""
LONGEST_LOOK, SHORTEST_LOOK = 5.0, 0.02
"""Seconds between two looks at the clock."""
NUDGE_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now."""

    ends: str = ""
    """The status to end the chat with; empty: it goes on."""
    fault: Fault | None = None
    says: str = ""
    again: float = LONGEST_LOOK
    """Seconds until there may be something to do."""


class Clock:
    """The time limits of one chat, from the moment it is made."""

    def __init__(self, limits: Api, chosen: ResolvedConfig | None) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._active_at = self._nudged_at = self._now()
        self._chosen = chosen
        self._lasts = limits.max_duration
        self._waits: float | None = limits.inactivity
        self._nudges: float | None = None
        if chosen is None:
            return
        if chosen.max_duration is not None and chosen.max_duration.duration_secs is not None:
            self._lasts = min(self._lasts, chosen.max_duration.duration_secs)
        if chosen.inactivity is not None:
            asked = chosen.inactivity.duration_secs
            self._waits = (asked or limits.inactivity) if chosen.inactivity.enabled else None
        if chosen.nudges is not None and chosen.nudges.enabled:
            self._nudges = chosen.nudges.interval_secs or NUDGE_AFTER

    def active(self) -> None:
        """The user or the assistant said something."""
        self._active_at = self._nudged_at = self._now()

    def due(self, *, resting: bool) -> Due:
        """Return what is to be done now; while the assistant is at work nobody is inactive."""
        now = self._now()
        if not resting:
            self._active_at = self._nudged_at = now
        left = [self._began + self._lasts - now]
        if left[0] <= 0:
            fault = faults.max_duration(self._lasts)
            return Due("MAX_DURATION_TIMEOUT", fault, self._said("max_duration", TOO_LONG))
        if self._waits is not None:
            left.append(self._active_at + self._waits - now)
            if left[-1] <= 0:
                fault = faults.inactivity(self._waits)
                return Due("INACTIVITY_TIMEOUT", fault, self._said("inactivity", INACTIVE))
        says = ""
        if self._nudges is not None:
            if self._nudged_at + self._nudges <= now:
                says, kept = NUDGE, self._active_at
                self._nudged_at, self._active_at = now, kept
            left.append(self._nudged_at + self._nudges - now)
        return Due(says=says, again=min(max(min(left), SHORTEST_LOOK), LONGEST_LOOK))

    def _said(self, what: str, otherwise: str) -> str:
        if self._chosen is None:
            return ""
        spec = (
            self._chosen.on_max_duration if what == "max_duration" else self._chosen.on_inactivity
        )
        return (spec.text or otherwise) if spec is not None and spec.enabled else ""


def greeting_of(chosen: ResolvedConfig | None) -> str:
    """Return what is said at the beginning of a chat, empty if nothing is."""
    spec = chosen.on_new_chat if chosen is not None else None
    return (spec.text or GREETING) if spec is not None and spec.enabled else ""
