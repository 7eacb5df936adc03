"""A live conversation at the terminal: level, words as they come, expression, state, reply.

Layer 6, on the event loop. Serves ``rapport talk`` without files.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from device.app import App
from device.hub import Subscription
from device.panel.panel import PanelView
from device.ports import Line
from device.sound_watch import Watched
from device.supervisor import supervise
from device.terminal.audio_report import describe_card
from device.terminal.hold import Held
from device.terminal.keyboard import HINT, press_key, typed_keys
from device.terminal.metered import FLOOR_DB, Metered
from device.terminal.panel_view import lights
from device.terminal.record import Record
from device.terminal.transcript import describe, dimensions, show
from device.types import (
    AudioHealth,
    Event,
    Expressed,
    Observed,
    Replied,
    Replying,
    ServiceFailed,
    ServiceReady,
    SpeechFailed,
    SpeechStarted,
    State,
    StateChanged,
    Transcribed,
    TurnFailed,
)

SESSION = "local"
FRAMES_PER_S = 12
METER_WIDTH = 30
LOUD_DB = -3.0
"""A microphone that comes this close to full scale is about to clip."""
STATE_COLOURS = {
    State.IDLE: "dim",
    State.LISTENING: "cyan",
    State.THINKING: "yellow",
    State.SPEAKING: "green",
}

See = Callable[[Observed], None]


class View:
    """What is on the screen: finished turns scroll away above, the present one is redrawn."""

    def __init__(self) -> None:
        self.state = State.LISTENING
        self._words = self._sounds = self._reply = self._note = self._card = self._fault = ""
        self._final = False

    def take(self, observed: Observed) -> None:
        """Add an event."""
        match observed.event:
            case StateChanged(_, new):
                self.state = new
            case SpeechStarted():
                self._words, self._sounds, self._note, self._final = "", "", "", False
            case SpeechFailed(reason):
                self._words = self._sounds = ""
                self._note = f"speech was heard, but {reason}"
            case Transcribed(text, interim=True):
                self._words, self._final = text, False
            case Transcribed(text):
                self._words, self._final, self._sounds = text, True, ""
            case Expressed(expression, interim=True):
                self._sounds = dimensions(expression)
            case Expressed(expression):
                sounds = describe(expression)
                self._sounds = f"sounds {sounds}" if sounds else ""
            case Replying(sentence):
                self._reply = f"{self._reply} {sentence.text}".strip()
            case Replied():
                self._words = self._sounds = self._reply = ""
            case TurnFailed(reason):
                self._note = reason

    def take_card(self, event: Event) -> None:
        """Add what is told of the sound card."""
        match event:
            case AudioHealth() as health:
                lost = replace(health, device="", fallback="") != AudioHealth(0, 0, 0, 0, "")
                self._card = describe_card(health) if lost or health.fallback else ""
            case ServiceFailed("local line", reason):
                self._fault = reason
            case ServiceReady("local line"):
                self._fault = ""

    def render(self, level: float, panel: PanelView | None = None) -> RenderableType:
        """Return the present picture; ``level`` of the microphone in dB below full scale."""
        head = Text(f"{self.state.value:<10}", STATE_COLOURS[self.state]).append(meter(level))
        lines, notes = [head], ((self._note, "yellow"), (self._fault, "bold red"))
        if panel is not None:
            lines.append(Text().append("lights   ", "dim").append_text(lights(panel)))
        if self._words or self._sounds:
            style = "bold" if self._final else "dim italic"
            you = Text("you      ", "bold cyan").append(self._words or "...", style)
            lines.append(you.append(f"  ({self._sounds})" if self._sounds else "", "cyan"))
        if self._reply:
            lines.append(Text("rapport  ", "bold green").append(self._reply, "not bold"))
        if self._card:
            lines.append(Text("sound    ", "dim").append(self._card, "yellow"))
        lines += [Text(told, style) for told, style in notes if told]
        return Group(*lines)


def meter(level: float) -> Text:
    """Return a bar for a level in dB below full scale."""
    filled = round((1 - level / FLOOR_DB) * METER_WIDTH)
    colour = "red" if level > LOUD_DB else "green"
    bar = Text("▮" * filled, colour).append("·" * (METER_WIDTH - filled), "dim")
    return bar.append(f" {level:4.0f} dB", "dim")


@dataclass(frozen=True, slots=True)
class Watch:
    """How a live conversation is watched."""

    console: Console
    record: bool = False
    """Whether to keep what was played."""
    log: See | None = None
    """Gets every event."""


class Closable(Line, Protocol):
    """A line that can be ended from this side."""

    def close(self) -> None:
        """End the microphone's chunks."""
        ...


async def converse_live(app: App, card: Closable, watch: Watch) -> Held:
    """Talk on ``card`` until Ctrl-C, or until it closes, and return what was said.

    Raises RapportError if the line cannot be opened, as without microphone or loudspeaker.
    """
    record, view, console = Record(), View(), watch.console
    async with Metered(card, watch.record) as line, asyncio.TaskGroup() as tasks:
        console.print(f"Listening on {line.name}. Speak; Ctrl-C ends.", style="dim")

        def picture() -> RenderableType:
            return view.render(line.level, app.panel.view() if app.panel else None)

        screen = Live(get_renderable=picture, console=console, auto_refresh=False)
        with app.hub.subscribe() as events, typed_keys(partial(_press, app)) as keys, screen:
            if keys and app.config.panel.engine != "off":
                console.print(HINT, style="dim")
            tasks.create_task(_follow(events, record, view, watch), name="view")
            drawing = tasks.create_task(_draw(screen), name="draw")
            panel = tasks.create_task(_panel(app), name="panel")
            watched = card if isinstance(card, Watched) else None
            talking = tasks.create_task(app.converse(line, SESSION, watched), name="talk")
            with _ends_on_interrupt(card, talking):
                await asyncio.wait([talking])
            drawing.cancel()
            panel.cancel()
    return Held(record, [], line.recording, line.rate)


async def _panel(app: App) -> None:
    await supervise("panel", app.serve_panel, partial(app.hub.publish, "device", 0.0))


def _press(app: App, key: str) -> None:
    if app.panel is not None:
        press_key(app.panel, key, app.config.panel.hold)


async def _draw(screen: Live) -> None:
    # By the loop's clock, as everything here, and not by a thread of its own.
    while True:
        screen.refresh()
        await asyncio.sleep(1 / FRAMES_PER_S)


async def _follow(events: Subscription, record: Record, view: View, watch: Watch) -> None:
    async for observed in events:
        card = isinstance(observed.event, AudioHealth | ServiceFailed | ServiceReady)
        if observed.session != SESSION and not card:
            continue
        if watch.log:
            watch.log(observed)
        if card:
            view.take_card(observed.event)
            continue
        view.take(observed)
        ended = record.take(observed)
        if ended is not None:
            show(ended, watch.console, gap=True)


@contextmanager
def _ends_on_interrupt(card: Closable, talking: asyncio.Task[None]) -> Iterator[None]:
    """Within the block, Ctrl-C ends the conversation in peace; a second one at once."""
    loop, asked = asyncio.get_running_loop(), False

    def end() -> None:
        nonlocal asked
        if asked:
            talking.cancel()
        asked = True
        card.close()

    loop.add_signal_handler(signal.SIGINT, end)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
