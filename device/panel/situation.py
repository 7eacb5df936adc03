"""From the events of the hub to the one thing that the lights should tell.

Layer 4, pure: a situation is a value, and an event makes another of it. Moments are seconds on the
caller's clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from device.types import (
    Event,
    Expressed,
    MuteChanged,
    Observed,
    ServiceFailed,
    ServiceReady,
    State,
    StateChanged,
    TurnFailed,
    Updating,
    WakeHeard,
)

LOCAL = "local"
"""The session whose conversation the panel belongs to."""
TALKING = "local line"
"""The service without which the device cannot converse; when any other fails, it is offline."""
OWN = "panel"
"""The panel's own service: it does not tell of itself."""
WOKEN_S, FAILED_S, MOOD_S = 0.6, 2.0, 30.0
"""How long is shown that the wake phrase was heard, that a turn failed, and the last mood."""


class Signal(StrEnum):
    """What the lights tell, the most important first."""

    RESET_OFFERED = "reset offered"
    """Let the button go now, and all that the device has kept is erased."""
    RESET_WARNING = "reset warning"
    ERROR = "error"
    MUTED = "muted"
    OFFLINE = "offline"
    UPDATING = "updating"
    WOKEN = "wake heard"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Mood:
    """How the user sounded last: what of an expression the lights can show."""

    valence: float
    """Unpleasant -1 to pleasant +1."""
    arousal: float
    """Sleepy -1 to agitated +1."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the lights depend on."""

    resting: State
    """Where a conversation begins, by its mode."""
    state: State
    muted: bool = False
    mood: Mood | None = None
    mood_until: float = -math.inf
    failed: frozenset[str] = frozenset()
    """Services that do not work at present."""
    updating: bool = False
    woken_until: float = -math.inf
    failed_until: float = -math.inf
    reset: Signal | None = None
    """How far a very long press has come."""


def after(before: Situation, observed: Observed, now: float) -> Situation:
    """Return the situation after an event; the same object if that changes nothing."""
    match observed.event:
        case MuteChanged(on):
            return replace(before, muted=on)
        case Updating(on):
            return replace(before, updating=on)
        case ServiceFailed(name) | ServiceReady(name) if name != OWN:
            return _served(before, name, isinstance(observed.event, ServiceReady))
    return _told(before, observed.event, now) if observed.session == LOCAL else before


def _served(before: Situation, name: str, works: bool) -> Situation:
    """Return the situation after a service failed or got ready."""
    if not works:
        return replace(before, failed=before.failed | {name})
    mended = replace(before, failed=before.failed - {name})
    # A new line begins a new conversation, which does not tell where it begins.
    return replace(mended, state=before.resting, mood=None) if name == TALKING else mended


def _told(before: Situation, event: Event, now: float) -> Situation:
    """Return the situation after an event of the local conversation."""
    match event:
        case StateChanged(_, new):
            rested = new is State.IDLE
            return replace(before, state=new, mood=None if rested else before.mood)
        case WakeHeard():
            return replace(before, woken_until=now + WOKEN_S)
        case TurnFailed():
            return replace(before, failed_until=now + FAILED_S)
        case Expressed(expression) if expression.valence is not None or expression.arousal:
            sounded = Mood(expression.valence or 0.0, expression.arousal or 0.0)
            return replace(before, mood=sounded, mood_until=now + MOOD_S)
    return before


def signal(situation: Situation, now: float) -> Signal:
    """Return what to tell at this moment."""
    if situation.reset is not None:
        return situation.reset
    told = {
        Signal.ERROR: TALKING in situation.failed or now < situation.failed_until,
        Signal.MUTED: situation.muted,
        Signal.OFFLINE: bool(situation.failed),
        Signal.UPDATING: situation.updating,
        Signal.WOKEN: now < situation.woken_until,
    }
    return next((one for one, is_so in told.items() if is_so), Signal(situation.state.value))


def mood(situation: Situation, now: float) -> Mood | None:
    """Return how the user sounded, if that was not long ago."""
    return situation.mood if now < situation.mood_until else None


def lasts_until(situation: Situation, now: float) -> float:
    """Return until when signal and mood hold if nothing happens; infinity: for ever."""
    ends = (situation.woken_until, situation.failed_until, situation.mood_until)
    return min((end for end in ends if end > now), default=math.inf)
