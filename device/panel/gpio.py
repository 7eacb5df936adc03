"""Buttons and simple lights on the pins of a Raspberry Pi, through RPi.GPIO.

Layer 2. rpi-lgpio provides the same module for the Pi 5 and for new kernels. Its callbacks come on
a thread of its own, and do nothing there but wake the event loop; all else runs on the loop. The
module is a parameter, so that the simulated chip goes through the same code.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from device.settings import LIGHT_PINS, Panel
from device.types import Frame, RapportError

PWM_HZ = 200
"""Flicker is not seen at 200 Hz; RPi.GPIO makes it on a thread for each pin, at its cost."""


class Pwm(Protocol):
    """A pin that is switched on and off quickly."""

    def start(self, duty: float, /) -> None: ...
    def ChangeDutyCycle(self, duty: float, /) -> None: ...
    def stop(self) -> None: ...


class Gpio(Protocol):
    """What is used of the module RPi.GPIO; channels are BCM numbers."""

    BCM: int
    IN: int
    OUT: int
    LOW: int
    HIGH: int
    PUD_OFF: int
    PUD_UP: int
    PUD_DOWN: int
    BOTH: int

    def setwarnings(self, on: bool, /) -> None: ...
    def setmode(self, mode: int, /) -> None: ...
    def setup(
        self, channel: int, direction: int, pull_up_down: int = ..., initial: int = ...
    ) -> None: ...
    def input(self, channel: int, /) -> int: ...
    def output(self, channel: int, level: int, /) -> None: ...
    def add_event_detect(
        self, channel: int, edge: int, callback: Callable[[int], None]
    ) -> None: ...
    def remove_event_detect(self, channel: int, /) -> None: ...
    def PWM(self, channel: int, hertz: float, /) -> Pwm: ...
    def cleanup(self, channels: Sequence[int], /) -> None: ...


def raspberry_pi() -> Gpio:
    """Return the module of this board's pins, ready for BCM numbers.

    Raises RapportError where it is not installed, or this is no Raspberry Pi.
    """
    # lgpio makes a pipe in the working folder, which a service may not write to.
    os.environ.setdefault("LG_WD", tempfile.gettempdir())
    try:
        from RPi import GPIO  # noqa: PLC0415  fails on anything but a Raspberry Pi
    except ImportError:
        raise RapportError(
            "the Python package RPi.GPIO is not installed; run provisioning/setup, or: "
            "pip install rpi-lgpio (Pi 5, or kernel 6.6 and later), pip install RPi.GPIO (else)"
        ) from None
    except RuntimeError as error:
        raise RapportError(
            f"RPi.GPIO does not work on this machine ({_plain(error)}); on a Raspberry Pi run "
            'provisioning/setup, elsewhere set panel.engine = "auto"'
        ) from None
    return cast(Gpio, GPIO)


@dataclass(frozen=True, slots=True)
class Wire:
    """How a button or switch is connected."""

    key: str
    pin: int
    active_low: bool


def wires(settings: Panel) -> dict[str, Wire]:
    """Return the contacts that the settings name a pin for, by name."""
    low = {"switch": settings.switch_active_low}
    pins = {name: int(getattr(settings, f"{name}_pin")) for name in ("talk", "mute", "switch")}
    return {
        name: Wire(f"{name}_pin", pin, low.get(name, settings.buttons_active_low))
        for name, pin in pins.items()
        if pin >= 0
    }


class GpioContacts:
    """The buttons and the switch that are wired to pins."""

    def __init__(self, settings: Panel, gpio: Gpio | None = None) -> None:
        """Take the wiring; ``gpio`` is None for this board's own pins."""
        self._wires, self._pull = wires(settings), settings.pull
        self.names = tuple(self._wires)
        self._gpio = gpio or (raspberry_pi() if self._wires else None)
        self._ours: list[int] = []
        self._open = False

    def open(self, changed: Callable[[str], None]) -> None:
        """Call ``changed`` on the running loop at every edge; RapportError if a pin is refused."""
        gpio = self._gpio
        if gpio is None:
            return
        self._open = True
        _prepare(gpio)
        for name, wire in self._wires.items():
            pull = gpio.PUD_OFF
            if self._pull:
                pull = gpio.PUD_UP if wire.active_low else gpio.PUD_DOWN
            with _refusals(wire.key, wire.pin):
                gpio.setup(wire.pin, gpio.IN, pull_up_down=pull)
                self._ours.append(wire.pin)
                gpio.add_event_detect(
                    wire.pin, gpio.BOTH, callback=self._waker(partial(changed, name))
                )

    def _waker(self, tell: Callable[[], None]) -> Callable[[int], None]:
        loop = asyncio.get_running_loop()

        def on_loop() -> None:
            if self._open:
                tell()

        def on_edge(_: int) -> None:  # on the thread of RPi.GPIO
            loop.call_soon_threadsafe(on_loop)

        return on_edge

    def closed(self, name: str) -> bool:
        """Return whether a button is down, or the switch on."""
        wire = self._wires[name]
        assert self._gpio is not None, "what is wired has a chip"
        return bool(self._gpio.input(wire.pin)) != wire.active_low

    def close(self) -> None:
        """Let the pins go; edges on their way are passed over."""
        self._open = False
        if self._gpio is not None and self._ours:
            for pin in self._ours:
                self._gpio.remove_event_detect(pin)
            self._gpio.cleanup(self._ours)
            self._ours = []


class GpioLed:
    """One light that is on or off."""

    leds, dimmable = 1, False

    def __init__(self, settings: Panel, gpio: Gpio | None = None) -> None:
        """Take the pin; raises RapportError if it cannot be had."""
        self._gpio = gpio or raspberry_pi()
        self._pin, self._low = settings.led_pin, settings.lights_active_low
        _prepare(self._gpio)
        with _refusals("led_pin", self._pin):
            self._gpio.setup(self._pin, self._gpio.OUT, initial=self._level(False))

    def show(self, frame: Frame) -> None:
        """Be on, unless the frame is black."""
        self._gpio.output(self._pin, self._level(any(frame[0])))

    def close(self) -> None:
        """Go dark and let the pin go."""
        self._gpio.output(self._pin, self._level(False))
        self._gpio.cleanup([self._pin])

    def _level(self, on: bool) -> int:
        return self._gpio.HIGH if on != self._low else self._gpio.LOW


class GpioRgb:
    """One light of three colours, each dimmed by pulses on its pin."""

    leds, dimmable = 1, True

    def __init__(self, settings: Panel, gpio: Gpio | None = None) -> None:
        """Take the three pins; raises RapportError if one cannot be had."""
        self._gpio = gpio or raspberry_pi()
        self._low = settings.lights_active_low
        _prepare(self._gpio)
        self._pins: list[int] = []
        for key in LIGHT_PINS["rgb"]:
            pin = int(getattr(settings, key))
            with _refusals(key, pin):
                self._gpio.setup(pin, self._gpio.OUT, initial=self._level(False))
                self._pins.append(pin)
        self._pulses = [self._gpio.PWM(pin, PWM_HZ) for pin in self._pins]
        self._pulsing = [False] * len(self._pins)

    def show(self, frame: Frame) -> None:
        """Show the colour of the first light."""
        for number, share in enumerate(frame[0]):
            self._dim(number, share)

    def close(self) -> None:
        """Go dark and let the pins go."""
        self.show(((0.0, 0.0, 0.0),))
        for pulse, pulsing in zip(self._pulses, self._pulsing, strict=True):
            if pulsing:
                pulse.stop()
        self._pulses = []  # RPi.GPIO allows one at a time for a pin
        self._gpio.cleanup(self._pins)

    def _dim(self, number: int, share: float) -> None:
        pulse, pulsing = self._pulses[number], self._pulsing[number]
        duty = 100 * (1 - share if self._low else share)
        if pulsing and duty == 0:
            # Low is where RPi.GPIO's thread leaves a pin when it ends, at whatever moment.
            pulse.stop()
        elif pulsing:
            pulse.ChangeDutyCycle(duty)
        elif 0 < duty < 100:
            pulse.start(duty)
        self._pulsing[number] = duty > 0 if pulsing else 0 < duty < 100
        if not self._pulsing[number]:  # a level needs no thread to make it
            self._gpio.output(self._pins[number], self._gpio.HIGH if duty else self._gpio.LOW)

    def _level(self, on: bool) -> int:
        return self._gpio.HIGH if on != self._low else self._gpio.LOW


def _prepare(gpio: Gpio) -> None:
    gpio.setwarnings(False)  # a pin left as it was by a program that was killed is ours
    try:
        gpio.setmode(gpio.BCM)
    except Exception as error:  # lgpio opens the chip here, and has an exception of its own
        raise RapportError(
            f"the pins of this board cannot be used ({_plain(error)}); see that the user is in "
            "the group gpio and that there is a /dev/gpiochip0"
        ) from None


@contextmanager
def _refusals(key: str, pin: int) -> Iterator[None]:
    """Tell in one sentence why a pin cannot be had."""
    try:
        yield
    except Exception as error:  # RPi.GPIO raises RuntimeError, lgpio an Exception of its own
        raise RapportError(
            f"panel.{key} = {pin} cannot be used ({_plain(error)}); see that no other program has "
            "the pin and that the user is in the group gpio, and run provisioning/setup again "
            "after a new kernel"
        ) from None


def _plain(error: Any) -> str:
    return " ".join(str(error).split()).rstrip(".!") or type(error).__name__
