"""A panel on a simulated chip, on virtual time: write what happens, play it, look at what came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from device.hub import Hub
from device.mute import Mute
from device.panel.gestures import Gesture
from device.panel.meaning import Layout
from device.panel.panel import ControlPanel, Reach
from device.panel.simulated import SimulatedContacts, SimulatedGpio
from device.panel.situation import LOCAL, Signal, Situation
from device.panel.wiring import Board
from device.settings import Panel
from device.types import Command, Event, Frame, MuteChanged, Muted, State, StateChanged
from device.virtual_time import VirtualLoop

TALK, MUTE, SWITCH = 17, 27, 22
BOUNCE = (0.0, 0.004, 0.006, 0.011)


class Film:
    """Lights that keep every frame, with its moment."""

    dimmable = True

    def __init__(self, leds: int) -> None:
        self.leds = leds
        self.frames: list[tuple[float, Frame]] = []
        self.closed = False

    def show(self, frame: Frame) -> None:
        self.frames.append((asyncio.get_running_loop().time(), frame))

    def close(self) -> None:
        self.closed = True


class Scene:
    def __init__(self, mode: str = "open", resets: bool = True, **settings: Any) -> None:
        self.settings = Panel(**({"talk_pin": TALK} | settings))
        self.contacts = SimulatedContacts(self.settings)
        self.chip: SimulatedGpio = self.contacts.chip
        self.film = Film(self.settings.leds)
        self.hub = Hub()
        self.mute = Mute(self._mute_changed)
        self.commands: list[tuple[float, Command]] = []
        self.signals: list[tuple[float, Signal]] = []
        self.gestures: list[Gesture] = []
        self.resets: list[float] = []
        self._mode, self._resettable = mode, resets
        self._acts: list[tuple[float, Callable[..., object], tuple[Any, ...]]] = []
        self.panel: ControlPanel

    def does(self, at: float, act: Callable[..., object], *arguments: Any) -> None:
        self._acts.append((at, act, arguments))

    def happens(self, at: float, event: Event, session: str = LOCAL) -> None:
        self.does(at, lambda: self.hub.publish(session, at, event))

    def becomes(self, at: float, state: State) -> None:
        self.happens(at, StateChanged(State.IDLE, state))

    def presses(self, at: float, seconds: float, pin: int = TALK) -> None:
        """A finger presses a button that bounces at both ends."""
        for start, level in ((at, 0), (at + seconds, None)):
            for number, after in enumerate((*BOUNCE, 0.013)):
                now = level if number % 2 == 0 else (None if level == 0 else 0)
                self.does(start + after, self.chip.drive, pin, now)

    def play(self, until: float) -> Scene:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(self._play(until))
        return self

    async def _play(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        resting = State.LISTENING if self._mode == "open" else State.IDLE
        self.panel = ControlPanel(
            self.settings,
            Board(self.contacts, self.film),
            self.hub,
            Reach(
                lambda command: self.commands.append((loop.time(), command)),
                self.mute,
                (lambda: self.resets.append(loop.time())) if self._resettable else None,
                lambda _, gesture: self.gestures.append(gesture),
            ),
            Situation(resting, resting),
            Layout(self._mode == "push-to-talk", self.settings.mute_pin >= 0),
        )
        running = asyncio.create_task(self.panel.run(lambda: None))
        await asyncio.sleep(0)
        for at, act, arguments in self._acts:
            loop.call_at(at, act, *arguments)
        while loop.time() < until and not running.done():
            shown = self.panel.view().signal
            if not self.signals or self.signals[-1][1] is not shown:
                self.signals.append((loop.time(), shown))
            await asyncio.sleep(0.01)
        if running.done():
            running.result()
        running.cancel()
        await asyncio.wait([running])

    def _mute_changed(self, on: bool, by_switch: bool) -> None:
        self.commands.append((asyncio.get_running_loop().time(), Muted(on)))
        self.hub.publish("device", 0.0, MuteChanged(on, by_switch))

    # What came of it

    @property
    def told(self) -> list[Command]:
        return [command for _, command in self.commands]

    @property
    def shown(self) -> list[Signal]:
        return [signal for _, signal in self.signals]

    def frames_between(self, start: float, end: float) -> int:
        return sum(start <= at < end for at, _ in self.film.frames)
