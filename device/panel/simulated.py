"""A panel without a Raspberry Pi: the surface of RPi.GPIO in memory, and lights that are looked at.

Layer 2. Whoever has no pins gets this, and drives it: ``SimulatedGpio.drive`` stands for the world
that pulls at the pins. Constants have the values of RPi.GPIO 0.7.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from device.panel.gpio import GpioContacts
from device.settings import Panel
from device.types import Frame


class SimulatedGpio:
    """The module RPi.GPIO, as far as it is used; misuse raises as there."""

    BOARD, BCM = 10, 11
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1
    PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
    RISING, FALLING, BOTH = 31, 32, 33

    def __init__(self) -> None:
        self.mode: int | None = None
        self.directions: dict[int, int] = {}
        self.outputs: dict[int, int] = {}
        self.duties: dict[int, float] = {}
        """Per cent of each pin that is pulsed at present."""
        self._pulls: dict[int, int] = {}
        self._driven: dict[int, int] = {}
        self._callbacks: dict[int, Callable[[int], None]] = {}

    def setwarnings(self, on: bool, /) -> None:
        """Take it; nobody is warned."""

    def setmode(self, mode: int, /) -> None:
        """Number the pins by the chip or by the board."""
        if self.mode not in (None, mode):
            raise ValueError("A different mode has already been set!")
        self.mode = mode

    def setup(
        self, channel: int, direction: int, pull_up_down: int = PUD_OFF, initial: int = -1
    ) -> None:
        """Make a pin an input or an output."""
        if self.mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD/BCM)")
        if not 0 <= channel <= 27:
            raise ValueError("The channel sent is invalid on a Raspberry Pi")
        self.directions[channel], self._pulls[channel] = direction, pull_up_down
        if direction == self.OUT and initial >= 0:
            self.outputs[channel] = initial

    def input(self, channel: int, /) -> int:
        """Return the level of a pin: what drives it, else what pulls it, else low."""
        if channel not in self.directions:
            raise RuntimeError("You must setup() the GPIO channel first")
        pulled = self.HIGH if self._pulls.get(channel) == self.PUD_UP else self.LOW
        return self._driven.get(channel, pulled)

    def output(self, channel: int, level: int, /) -> None:
        """Set the level of an output."""
        if self.directions.get(channel) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self.outputs[channel] = level

    def add_event_detect(self, channel: int, edge: int, callback: Callable[[int], None]) -> None:
        """Call back at each edge; of all edges, as only ``BOTH`` is used."""
        if channel in self._callbacks:
            raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
        assert edge == self.BOTH, "the panel listens to both edges"
        self._callbacks[channel] = callback

    def remove_event_detect(self, channel: int, /) -> None:
        """Call back no more."""
        self._callbacks.pop(channel, None)

    def PWM(self, channel: int, hertz: float, /) -> SimulatedPwm:
        """Return a pulse for an output."""
        if self.directions.get(channel) != self.OUT:
            raise RuntimeError("You must setup() the GPIO channel as an output first")
        return SimulatedPwm(self, channel)

    def cleanup(self, channels: Sequence[int], /) -> None:
        """Let pins go."""
        for channel in channels:
            self.remove_event_detect(channel)
            for table in (self.directions, self.outputs, self._pulls):
                table.pop(channel, None)

    def drive(self, pin: int, level: int | None) -> None:
        """Have the world set the level of an input; None: it lets go, and the pull decides.

        The callback comes on the calling thread, which may be any.
        """
        before = self.input(pin) if pin in self.directions else None
        if level is None:
            self._driven.pop(pin, None)
        else:
            self._driven[pin] = level
        if before is not None and self.input(pin) != before and pin in self._callbacks:
            self._callbacks[pin](pin)

    def script(self, pin: int, course: Sequence[tuple[float, int | None]]) -> None:
        """Drive a pin to each level so many seconds from now: a press with its bouncing."""
        loop = asyncio.get_running_loop()
        for after, level in course:
            loop.call_later(after, self.drive, pin, level)


class SimulatedPwm:
    """The pulse of one pin."""

    def __init__(self, chip: SimulatedGpio, pin: int) -> None:
        self._chip, self._pin = chip, pin

    def start(self, duty: float, /) -> None:
        """Begin to pulse, at so many per cent."""
        self._chip.duties[self._pin] = duty

    def ChangeDutyCycle(self, duty: float, /) -> None:
        """Pulse at so many per cent from now on."""
        assert self._pin in self._chip.duties, "it pulses"
        self._chip.duties[self._pin] = duty

    def stop(self) -> None:
        """Pulse no more."""
        self._chip.duties.pop(self._pin, None)


class SimulatedContacts(GpioContacts):
    """The contacts of the settings, on a simulated chip."""

    def __init__(self, settings: Panel) -> None:
        self.chip = SimulatedGpio()
        super().__init__(settings, self.chip)


class SimulatedLights:
    """Lights that nobody sees, and also what stands for lights that are not there."""

    dimmable = True

    def __init__(self, settings: Panel) -> None:
        self.leds = settings.leds
        self.frames = 0
        """How many were shown."""

    def show(self, frame: Frame) -> None:
        """Count the frame."""
        self.frames += 1

    def close(self) -> None:
        """Nothing is to be let go."""
