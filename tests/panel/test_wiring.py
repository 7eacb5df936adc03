"""Which panel a machine has, and which settings of it are refused."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from device.config import ConfigError, parse
from device.panel.simulated import SimulatedContacts, SimulatedLights
from device.panel.wiring import Board, choose, raspberry_pi
from device.settings import Panel
from tests.conftest import ROOT

PI = "Raspberry Pi 5 Model B Rev 1.0"


@pytest.mark.parametrize(
    ("settings", "board", "engine"),
    [
        ({}, "", "simulated"),
        ({}, PI, "simulated"),
        ({"talk_pin": 17}, "", "simulated"),
        ({"talk_pin": 17}, PI, "gpio"),
        ({"light": "apa102"}, PI, "gpio"),
        ({"engine": "gpio", "talk_pin": 17}, "", "gpio"),
        ({"engine": "simulated", "talk_pin": 17}, PI, "simulated"),
        ({"engine": "off", "talk_pin": 17}, PI, "off"),
    ],
)
def test_the_pins_are_used_where_there_are_pins_and_something_is_wired(
    settings: dict[str, Any], board: str, engine: str
) -> None:
    chosen = choose(Panel(**settings), board)
    assert chosen.engine == engine and chosen.why


def test_a_raspberry_pi_says_which_it_is(tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert raspberry_pi(model) == ""
    model.write_bytes(PI.encode() + b"\0")
    assert raspberry_pi(model) == PI
    model.write_text("QEMU Virtual Machine")
    assert raspberry_pi(model) == ""


def test_a_simulated_board_needs_no_library_whatever_is_configured() -> None:
    board = Board.of(Panel(talk_pin=17, light="apa102", leds=12), "simulated")
    assert isinstance(board.contacts, SimulatedContacts)
    assert isinstance(board.lights, SimulatedLights)
    assert board.lights.leds == 12


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"talk_pin": 28}, "panel.talk_pin = 28: .*less than or equal to 27"),
        ({"talk_pin": 17, "mute_pin": 17}, "talk_pin = 17 and mute_pin = 17 must differ"),
        ({"talk_pin": 4, "light": "led", "led_pin": 4}, "talk_pin = 4 and led_pin = 4 must differ"),
        ({"light": "rgb", "red_pin": 5}, "green_pin = -1 must be a pin, 0 to 27, for light = 'rgb"),
        ({"light": "apa102", "talk_pin": 10}, r"talk_pin = 10 must be another: spi = '0\.0'"),
        ({"reset": 9}, "reset = 9.0 must be more than reset_warning = 10.0"),
        ({"light": "neopixel"}, "panel.light = 'neopixel': .*'led', 'rgb' or 'apa102'"),
        ({"spi": "/dev/spidev0.0"}, "panel.spi = '/dev/spidev0.0': .*pattern"),
    ],
)
def test_wrong_wiring_is_told_by_key_and_value(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse({"panel": settings}, "the test")


def test_pins_of_lights_that_are_not_chosen_are_free() -> None:
    assert parse({"panel": {"talk_pin": 5, "red_pin": 5}}, "the test").panel.pins == {"talk_pin": 5}


@pytest.mark.parametrize(
    ("board", "kernel", "extra"),
    [
        (PI, "6.1.0-rpi7-rpi-2712", "pi5"),
        ("Raspberry Pi Compute Module 5 Rev 1.0", "6.1.0", "pi5"),
        ("Raspberry Pi 4 Model B Rev 1.1", "6.1.21-v8+", "pi"),
        ("Raspberry Pi 4 Model B Rev 1.1", "6.6.31+rpt-rpi-v8", "pi5"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "6.12.25+rpt-rpi-v8", "pi5"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "5.15.84-v8+", "pi"),
        ("QEMU Virtual Machine", "6.1.0", ""),
        ("", "6.18.44", ""),
    ],
)
def test_setup_installs_the_library_that_knows_the_board_and_its_kernel(
    board: str, kernel: str, extra: str
) -> None:
    script = '. provisioning/steps.sh; pins_extra "$1" "$2"'
    done = subprocess.run(
        ["bash", "-euc", script, "setup", board, kernel],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == extra
