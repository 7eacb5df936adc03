"""The panel: buttons become commands, events become lights.

Layer 4, on the event loop. It knows the device from the hub and acts through ``Reach``, alone. One
task renders, sleeping until the picture changes; a failure is its own and ends in the supervisor.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from device.config import Config
from device.hub import Hub, Subscription
from device.mute import Mute
from device.panel.buttons import Buttons
from device.panel.gestures import Gesture
from device.panel.lights import FRAME_S, Look, picture
from device.panel.meaning import Act, Deed, Layout, Meaning
from device.panel.patterns import BLACK
from device.panel.situation import Signal, Situation, after, lasts_until, mood, signal
from device.panel.wiring import Board, choose, raspberry_pi
from device.settings import Panel
from device.types import Command, Frame, State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """All that the panel can do to the device."""

    command: Callable[[Command], object]
    mute: Mute
    reset: Callable[[], None] | None = None
    """Begins a factory reset; None: there is none here."""
    gesture: Callable[[str, Gesture], None] | None = None
    """Is told every gesture, by the name of its button."""


def control_panel(
    config: Config, hub: Hub, reach: Reach, state: State | None = None
) -> ControlPanel | None:
    """Return the panel of this machine, None where it is switched off.

    ``state`` is that of the local conversation, None if there is none yet. Raises RapportError for
    a pin, a bus or a library that cannot be had.
    """
    settings, mode = config.panel, config.conversation.mode
    choice = choose(settings, raspberry_pi())
    log.info("panel: %s (%s)", choice.engine, choice.why)
    if choice.engine == "off":
        return None
    resting = State.LISTENING if mode == "open" else State.IDLE
    start = Situation(resting, state or resting, muted=reach.mute.on)
    layout = Layout(mode == "push-to-talk", settings.mute_pin >= 0)
    return ControlPanel(settings, Board.of(settings, choice.engine), hub, reach, start, layout)


@dataclass(frozen=True, slots=True)
class PanelView:
    """What the panel shows at one moment."""

    signal: Signal
    frame: Frame


class ControlPanel:
    """Buttons and lights of one device."""

    def __init__(
        self,
        settings: Panel,
        board: Board,
        hub: Hub,
        reach: Reach,
        start: Situation,
        layout: Layout,
    ) -> None:
        self._lights, self._hub, self._reach = board.lights, hub, reach
        self._situation = start
        resets = layout.resets if reach.reset else ""
        self._layout = layout
        self._buttons = Buttons(board.contacts, settings, resets, self._did, reach.mute.switch)
        self._meanings: dict[str, Meaning] = {}
        self._look = Look.of(settings, board.lights.leds, board.lights.dimmable)
        self._forced: Signal | None = None
        self._signal, self._since = signal(start, math.inf), 0.0
        self._frame: Frame = (BLACK,) * board.lights.leds
        self._stirred = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Be the panel until cancelled; raises whatever fails, with the pins let go."""
        with self._hub.subscribe() as events:
            try:
                self._buttons.open()
                ready()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._follow(events))
                    tasks.create_task(self._render())
            finally:
                self._buttons.close()
                self._lights.close()

    def view(self) -> PanelView:
        """Return what is shown at present."""
        return PanelView(self._signal, self._frame)

    def press(self, button: str, seconds: float = 0.1) -> None:
        """Press a button for so long, as a finger would: "talk" or "mute", wired or not."""
        self._buttons.press(button, seconds)

    def force(self, shown: Signal | None) -> None:
        """Show this signal, whatever happens; None: what happens again."""
        self._forced = shown
        self._stirred.set()

    # Events become lights

    async def _follow(self, events: Subscription) -> None:
        loop = asyncio.get_running_loop()
        async for observed in events:
            self._become(after(self._situation, observed, loop.time()))

    def _become(self, situation: Situation) -> None:
        # Most events, as each piece of speech, are nothing to the lights, and must not wake them.
        if situation != self._situation:
            self._situation = situation
            self._stirred.set()

    async def _render(self) -> None:
        loop = asyncio.get_running_loop()
        self._lights.show(self._frame)
        self._since = loop.time()
        while True:
            self._stirred.clear()
            now = loop.time()
            until = self._show(now)
            await asyncio.sleep(FRAME_S)  # no more than 30 a second, whatever happens
            try:
                async with asyncio.timeout_at(None if until == math.inf else until):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    def _show(self, now: float) -> float:
        """Show what there is to tell, and return until when nothing of that will change."""
        told = self._forced or signal(self._situation, now)
        if told is not self._signal:
            self._signal, self._since = told, now
        seen = picture(told, now - self._since, self._look, mood(self._situation, now))
        if seen.frame != self._frame:
            self._frame = seen.frame
            self._lights.show(seen.frame)
        return min(self._since + seen.until, lasts_until(self._situation, now))

    # Buttons become commands

    def _did(self, button: str, gesture: Gesture) -> None:
        log.debug("button %s: %s", button, gesture)
        if self._reach.gesture is not None:
            self._reach.gesture(button, gesture)
        if button not in self._meanings:
            self._meanings[button] = Meaning(button, self._layout)
        replying = self._situation.state in (State.THINKING, State.SPEAKING)
        for act in self._meanings[button].of(gesture, replying):
            self._act(act)

    def _act(self, act: Act) -> None:
        match act:
            case Deed.TOGGLE_MUTE:
                self._reach.mute.toggle()
            case Deed.WARN_OF_RESET:
                self._become(replace(self._situation, reset=Signal.RESET_WARNING))
            case Deed.OFFER_RESET:
                self._become(replace(self._situation, reset=Signal.RESET_OFFERED))
            case Deed.CALM:
                self._become(replace(self._situation, reset=None))
            case Deed.RESET:
                # The lights go on with it until everything starts afresh.
                self._become(replace(self._situation, reset=Signal.RESET_OFFERED))
                if self._reach.reset is not None:
                    self._reach.reset()
            case _:
                self._reach.command(act)
