"""``rapport panel``: lights shown and buttons told, without a conversation.

Layer 6. No model is loaded: the panel works by itself.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from device import config as configuration
from device.config import Config
from device.hub import Hub
from device.mute import Mute
from device.panel.gestures import Gesture
from device.panel.panel import ControlPanel, Reach, control_panel
from device.panel.situation import Signal
from device.panel.wiring import choose, raspberry_pi
from device.settings import Panel
from device.terminal.keyboard import HINT, press_key, typed_keys
from device.terminal.options import config_option
from device.terminal.panel_view import lights
from device.types import Command, MuteChanged, RapportError

FRAMES_PER_S = 12
EPILOG = """\b
Examples:
  rapport panel test                               every light in turn, then buttons until Ctrl-C
  rapport panel test --lights-only --seconds 0.5
  rapport panel test --config /etc/rapport.toml    with the pins named there

\b
A button on GPIO 17 and the lights of a ReSpeaker 2-Mics HAT, in the configuration:
  [panel]
  talk_pin = 17
  light = "apa102"
  leds = 3

\b
Off a Raspberry Pi the panel is simulated: lights are shown here, and keys press the button.
No button resets anything here. Where rapport run has the pins, end it first.
Exit codes: 0 fine · 1 the panel is off, or cannot be used (a sentence says why) · 2 wrong usage
"""


@click.group(epilog=EPILOG)
def panel() -> None:
    """Try the buttons and lights."""


@panel.command(epilog=EPILOG)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 60),
    default=1.5,
    show_default=True,
    help="How long each light is shown.",
)
@click.option("--lights-only", is_flag=True, help="End after the last light.")
@config_option
def test(seconds: float, lights_only: bool, config_file: Path | None) -> None:
    """Show every light pattern in turn, then tell each press until Ctrl-C."""
    config = configuration.load(config_file)
    console = Console(highlight=False)
    console.print(describe(config.panel), soft_wrap=True)
    asyncio.run(_try_out(config, console, seconds, lights_only))


def describe(settings: Panel) -> str:
    """Return in a line which panel this machine has, why, and what is wired to it."""
    choice = choose(settings, raspberry_pi())
    wired = [f"{key} = {pin}" for key, pin in settings.pins.items()]
    if settings.light == "apa102":
        wired.append(f"{settings.leds} lights on SPI {settings.spi}")
    return f"{choice.engine} ({choice.why}); {', '.join(wired) or 'nothing is wired'}"


async def _try_out(config: Config, console: Console, seconds: float, lights_only: bool) -> None:
    tried = control_panel(config, Hub(), _reach(console))
    if tried is None:
        raise RapportError('the panel is switched off; set panel.engine = "auto" to try it')
    press = partial(press_key, tried, hold=config.panel.hold)
    running = asyncio.create_task(tried.run(lambda: None))
    with typed_keys(press) as keys:
        showing = asyncio.create_task(_show(tried, console, seconds, lights_only, keys))
        drawing = asyncio.create_task(_draw(tried, console))
        try:
            # A panel that cannot be used fails before its lights have all been shown.
            await asyncio.wait([running, showing], return_when=asyncio.FIRST_COMPLETED)
            for task in (running, showing):
                if task.done():
                    task.result()
        finally:
            for task in (running, showing, drawing):
                task.cancel()
            await asyncio.wait([running, showing, drawing])


def _reach(console: Console) -> Reach:
    """Return what the buttons reach: nothing but the screen."""

    def tell(what: str) -> None:
        console.print(Text(f"         -> {what}", "cyan"))

    def command(command: Command) -> None:
        tell(str(command))

    def muted(on: bool, by_switch: bool) -> None:
        tell(str(MuteChanged(on, by_switch)))

    def gesture(button: str, made: Gesture) -> None:
        console.print(f"button   {button} {made.value}")

    return Reach(command, Mute(muted), lambda: tell("factory reset (not here)"), gesture)


async def _show(
    tried: ControlPanel, console: Console, seconds: float, lights_only: bool, keys: bool
) -> None:
    for number, signal in enumerate(Signal, start=1):
        console.print(f"light    {number} of {len(Signal)}: {signal.value}")
        tried.force(signal)
        await asyncio.sleep(seconds)
    tried.force(None)
    if lights_only:
        return
    console.print("Press the buttons; Ctrl-C ends.", style="dim")
    if keys:
        console.print(HINT, style="dim")
    await asyncio.Event().wait()


async def _draw(tried: ControlPanel, console: Console) -> None:
    """Keep the lights on the screen, where it is one."""
    if not console.is_terminal:
        return

    def picture() -> Text:
        return Text().append("lights   ", "dim").append_text(lights(tried.view()))

    with Live(get_renderable=picture, console=console, auto_refresh=False) as screen:
        while True:
            screen.refresh()
            await asyncio.sleep(1 / FRAMES_PER_S)
