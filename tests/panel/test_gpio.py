"""The pins of a Raspberry Pi, through the surface of RPi.GPIO that the simulated chip has too."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from device.panel.gpio import GpioContacts, GpioLed, GpioRgb, raspberry_pi
from device.panel.simulated import SimulatedGpio
from device.settings import Panel
from device.types import RapportError
from device.virtual_time import VirtualLoop

WIRED = Panel(talk_pin=17, switch_pin=22, switch_active_low=False)
RGB = Panel(light="rgb", red_pin=5, green_pin=6, blue_pin=13)


def test_an_edge_on_a_foreign_thread_is_told_on_the_loop() -> None:
    chip, told = SimulatedGpio(), list[tuple[str, bool]]()

    async def main() -> None:
        contacts = GpioContacts(WIRED, chip)
        # Whoever is not on the loop gets no running loop, and an exception.
        contacts.open(lambda name: told.append((name, asyncio.get_running_loop() is loop)))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, chip.drive, 17, 0)
        await asyncio.sleep(0)
        assert contacts.closed("talk") and not contacts.closed("switch")
        await loop.run_in_executor(None, chip.drive, 22, 1)
        await asyncio.sleep(0)
        assert contacts.closed("switch")
        chip.drive(17, 1)
        contacts.close()  # with that edge on its way
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    assert told == [("talk", True), ("switch", True)]
    assert chip.directions == {}


def test_open_contacts_are_pulled_to_their_level_of_rest() -> None:
    chip = SimulatedGpio()

    async def main() -> None:
        contacts = GpioContacts(WIRED, chip)
        contacts.open(lambda name: None)
        assert (chip.input(17), chip.input(22)) == (1, 0)
        assert not contacts.closed("talk") and not contacts.closed("switch")
        contacts.close()

    asyncio.run(main())


def test_a_pin_that_cannot_be_had_is_named_with_its_key() -> None:
    class Kernel66(SimulatedGpio):
        def add_event_detect(
            self, channel: int, edge: int, callback: Callable[[int], None]
        ) -> None:
            raise RuntimeError("Failed to add edge detection")

    async def main() -> None:
        contacts = GpioContacts(WIRED, Kernel66())
        with pytest.raises(
            RapportError, match=r"panel.talk_pin = 17 .*Failed to add edge .*group gpio"
        ):
            contacts.open(lambda name: None)
        contacts.close()

    asyncio.run(main())


def test_a_board_whose_pins_cannot_be_opened_is_told() -> None:
    class Closed(SimulatedGpio):
        def setmode(self, mode: int, /) -> None:
            raise Exception("'can not open gpiochip'")  # lgpio.error

    with pytest.raises(RapportError, match=r"can not open gpiochip.*group gpio"):
        GpioLed(Panel(light="led", led_pin=4), Closed())


@pytest.mark.parametrize("low", [False, True])
def test_a_led_is_on_unless_the_frame_is_black(low: bool) -> None:
    chip = SimulatedGpio()
    led = GpioLed(Panel(light="led", led_pin=4, lights_active_low=low), chip)
    dark, lit = (1, 0) if low else (0, 1)
    assert chip.outputs[4] == dark
    led.show(((0.1, 0.0, 0.0),))
    assert chip.outputs[4] == lit
    led.show(((0.0, 0.0, 0.0),))
    assert chip.outputs[4] == dark
    led.close()
    assert 4 not in chip.outputs


def light_of(chip: SimulatedGpio, pin: int) -> float:
    """Per cent of the time that a pin is high."""
    return chip.duties.get(pin, 100.0 * chip.outputs[pin])


@pytest.mark.parametrize("low", [False, True])
def test_three_pins_make_a_colour(low: bool) -> None:
    chip = SimulatedGpio()
    rgb = GpioRgb(RGB.model_copy(update={"lights_active_low": low}), chip)
    for colour in [(1.0, 0.25, 0.0), (0.5, 0.5, 0.5), (0.0, 1.0, 0.1), (0.0, 0.0, 0.0), (1, 1, 1)]:
        rgb.show((colour,))
        for pin, share in zip((5, 6, 13), colour, strict=True):
            assert light_of(chip, pin) == pytest.approx(100 * (1 - share if low else share))
    rgb.close()
    assert not chip.duties and not chip.directions


def test_a_dark_light_makes_no_pulses() -> None:
    chip = SimulatedGpio()
    rgb = GpioRgb(RGB, chip)
    assert not chip.duties
    rgb.show(((0.4, 0.0, 0.0),))
    assert list(chip.duties) == [5]
    rgb.show(((0.0, 0.0, 0.0),))
    assert not chip.duties


def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(RapportError, match=r"RPi\.GPIO is not installed.*rpi-lgpio"):
        raspberry_pi()


def test_on_another_machine_the_library_is_told_not_to_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Elsewhere(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("This module can only be run on a Raspberry Pi!")

    monkeypatch.setitem(sys.modules, "RPi", Elsewhere("RPi"))
    with pytest.raises(RapportError, match=r"only be run on a Raspberry Pi.*panel.engine"):
        raspberry_pi()


def test_without_wires_no_library_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    contacts = GpioContacts(Panel())
    contacts.open(lambda name: None)
    assert contacts.names == ()
    contacts.close()
