"""The panel at the terminal: keys press its button, its lights are shown, the doctor checks it."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from device.panel.panel import PanelView
from device.panel.situation import Signal
from device.settings import Panel
from device.terminal.check_panel import check_panel
from device.terminal.findings import Health
from device.terminal.keyboard import typed_keys
from device.terminal.panel import describe
from device.terminal.panel_view import lights
from tests.conftest import ROOT
from tests.terminal.conftest import Rapport

FRAMES = 60
"""Pictures of the lights on the screen within which a press must show: five seconds of them."""


def test_without_a_terminal_every_light_is_named_and_it_ends(rapport: Rapport) -> None:
    done = rapport("panel", "test", "--lights-only", "--seconds", "0.1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("simulated (this is no Raspberry Pi); nothing is wired\n")
    for signal in Signal:
        assert f": {signal.value}\n" in done.stdout


def test_a_panel_that_is_off_is_told_with_the_way_to_switch_it_on(
    rapport: Rapport, tmp_path: Path
) -> None:
    (tmp_path / "off.toml").write_text('[panel]\nengine = "off"\n')
    done = rapport("panel", "test", "--config", tmp_path / "off.toml")
    assert done.returncode == 1
    assert 'set panel.engine = "auto"' in done.stderr


def test_at_a_terminal_keys_press_the_button_and_ctrl_c_ends() -> None:
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "device", "panel", "test", "--seconds", "0.1"]
    running = subprocess.Popen(
        ["setsid", "--ctty", *program], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = ""

    def until(text: str, key: bytes = b"") -> None:
        """Type a key and read up to a text; again, if a busy machine made too much of the press."""
        nonlocal shown
        for _ in range(20):
            os.write(ours, key)
            frames = shown.count("lights") + FRAMES
            while text not in shown and shown.count("lights") < frames:
                try:
                    shown += os.read(ours, 4096).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"it ended before {text!r}: {shown}") from None
            if text in shown:
                return
        running.kill()
        raise AssertionError(f"no {text!r} in {shown}")

    until("Keys: space")
    until("Pressed(button='talk')", b" ")
    until("Repeat()", b"r")
    until("MuteChanged(on=True", b"m")
    os.write(ours, b"\x03")
    with pytest.raises(AssertionError, match="it ended"):
        until("what never comes")
    assert running.wait(timeout=60) == 130
    assert "●" in shown
    os.close(ours)


def test_keys_come_at_once_and_the_terminal_is_left_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)

    async def main() -> list[str]:
        typed, enough = list[str](), asyncio.Event()

        def take(key: str) -> None:
            typed.append(key)
            if len(typed) == 3:
                enough.set()

        with typed_keys(take, theirs) as any_keys:
            assert any_keys
            os.write(ours, "mé ".encode())
            await enough.wait()
        return typed

    assert asyncio.run(main()) == ["m", "é", " "]
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_lights_are_dots_in_their_colours() -> None:
    text = lights(PanelView(Signal.THINKING, ((1.0, 0.25, 0.0), (0.0, 0.0, 0.0))))
    assert text.plain == "●● thinking"
    assert [str(span.style) for span in text.spans] == ["rgb(255,128,0)", "grey30", "dim"]


def test_the_doctor_says_which_panel_and_why() -> None:
    (found,) = check_panel(Panel(talk_pin=17))
    assert found.health is Health.OK
    assert found.found == "simulated (this is no Raspberry Pi); talk_pin = 17"
    assert "3 lights on SPI 0.1" in describe(Panel(light="apa102", spi="0.1"))


def test_the_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    (found,) = check_panel(Panel(engine="gpio", talk_pin=17))
    assert found.health is Health.WARNING
    assert "RPi.GPIO is not installed" in found.found and "conversation works" in found.found
    assert "provisioning/setup" in found.remedy and "rpi-lgpio" in found.remedy
    monkeypatch.setitem(sys.modules, "spidev", None)
    (found,) = check_panel(Panel(engine="gpio", light="apa102", spi="9.9"))
    assert found.health is Health.WARNING and "spidev" in found.found
