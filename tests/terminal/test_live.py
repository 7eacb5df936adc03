"""The live view: what is on the screen at each moment, and a whole live conversation."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from device.audio.rates import read_speech
from device.audio.wav import WavLine
from device.hub import Hub
from device.panel.panel import PanelView
from device.panel.situation import Signal
from device.terminal.hold import Held
from device.terminal.live import View, Watch, converse_live, meter
from device.terminal.metered import FLOOR_DB, Metered, level_db
from device.types import (
    AudioHealth,
    Event,
    Expressed,
    Expression,
    Observed,
    Pcm,
    Replied,
    Reply,
    Replying,
    Sentence,
    ServiceFailed,
    ServiceReady,
    SpeechFailed,
    SpeechStarted,
    State,
    StateChanged,
    Style,
    Transcribed,
    TurnFailed,
)
from device.virtual_time import VirtualLoop
from tests.terminal.conftest import Device


def screen(*events: Event, level: float = FLOOR_DB) -> str:
    view, paper = View(), io.StringIO()
    for event in events:
        view.take(Observed("local", 0.0, event))
    Console(file=paper, width=100).print(view.render(level))
    return paper.getvalue()


def test_words_show_while_they_are_recognised_and_go_when_nothing_came_of_them() -> None:
    speaking = [SpeechStarted(1.0), Transcribed("how do I", interim=True)]
    assert "you      how do I" in screen(*speaking)
    failed = screen(*speaking, SpeechFailed("no words were recognised", 2.0))
    assert "how do I" not in failed
    assert "speech was heard, but no words were recognised" in failed


def test_what_becomes_of_the_sound_card_is_shown() -> None:
    def shown(*events: Event) -> str:
        view, paper = View(), io.StringIO()
        for event in events:
            view.take_card(event)
        Console(file=paper, width=200).print(view.render(FLOOR_DB))
        return paper.getvalue()

    well = AudioHealth(0, 0, 0, 0, "usb")
    assert "sound" not in shown(well)
    makeshift = AudioHealth(320, 0, 2, 1, "hdmi", "loudspeaker")
    assert "hdmi, the loudspeaker instead of what is wanted, lost frames 320" in shown(makeshift)
    lost = ServiceFailed("local line", "the microphone stopped", 10)
    assert "the microphone stopped" in shown(well, lost)
    assert "the microphone stopped" not in shown(lost, ServiceReady("local line"))


def test_a_turn_shows_state_expression_and_the_reply_as_it_is_spoken() -> None:
    style = Style("calm")
    shown = screen(
        Transcribed("I am sad.", interim=False, turn=1),
        Expressed(Expression(-0.5, -0.4, None, {"Sadness": 0.6, "Joy": 0.1}, 0.8), 1),
        StateChanged(State.THINKING, State.SPEAKING),
        Replying(Sentence("I am sorry.", style), 1),
        Replying(Sentence("Tell me more.", style), 1),
    )
    assert shown.startswith("speaking")
    assert "you      I am sad.  (sounds sadness 0.60, calm, unpleasant)" in shown
    assert "rapport  I am sorry. Tell me more." in shown


def test_while_somebody_speaks_it_shows_how_the_voice_sounds_as_it_changes() -> None:
    calm, loud = Expression(None, -0.31, None), Expression(-0.2, 0.62, None)
    begun = [SpeechStarted(1.0), Expressed(calm, interim=True)]
    assert "you      ...  (arousal -0.3)" in screen(*begun)
    going = [*begun, Transcribed("how do", interim=True), Expressed(loud, interim=True)]
    assert "you      how do  (arousal +0.6, valence -0.2)" in screen(*going)
    ended = screen(*going, Transcribed("How do I?", interim=False, turn=1))
    assert "you      How do I?\n" in ended, "the measurement of the whole is still to come"
    assert "arousal" not in screen(*going, SpeechFailed("no words were recognised", 2.0))
    assert "arousal" not in screen(*going, SpeechStarted(3.0))


def test_a_finished_turn_leaves_the_screen_and_a_failure_is_told() -> None:
    begun = [Transcribed("hello", interim=False, turn=1)]
    assert "hello" not in screen(*begun, Replied(Reply("Hi.", "Hi.", False), 1))
    assert "the model is gone" in screen(*begun, TurnFailed("the model is gone", 1))


def test_the_lights_of_the_panel_are_shown_where_there_is_one() -> None:
    paper, view = io.StringIO(), View()
    lit = PanelView(Signal.MUTED, ((0.3, 0.0, 0.0),) * 3)
    Console(file=paper, width=100).print(view.render(FLOOR_DB, lit))
    assert "lights   ●●● muted\n" in paper.getvalue()
    assert "lights" not in screen()


def test_the_meter_fills_with_the_level() -> None:
    assert meter(FLOOR_DB).plain.count("▮") == 0
    assert meter(FLOOR_DB / 2).plain.count("▮") == 15
    assert meter(0.0).plain.count("▮") == 30


def test_the_level_is_that_of_the_sound() -> None:
    full = np.full(320, 32_767, np.int16)
    assert level_db(full) == pytest.approx(0.0, abs=0.01)
    assert level_db(full // 10) == pytest.approx(-20.0, abs=0.1)
    assert level_db(np.zeros(320, np.int16)) == level_db(np.empty(0, np.int16)) == FLOOR_DB


def test_a_metered_line_keeps_what_was_played_and_not_what_was_cut_off() -> None:
    first, second = (np.full(22_050, value, np.int16) for value in (1_000, 2_000))

    async def play() -> tuple[int, Pcm]:
        async with Metered(WavLine(), record=True) as line:
            line.write(first)
            while line.played < 11_025:
                await line.tick()
            line.clear()
            cut = line.played
            line.write(second)
            while line.played < cut + 22_050:
                await line.tick()
            return cut, line.recording

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        cut, recording = runner.run(play())
    assert 11_025 <= cut < 22_050
    assert len(recording) == cut + 22_050
    assert set(recording[:cut]) == {1_000}
    assert set(recording[cut:]) == {2_000}


@pytest.mark.models
def test_a_live_conversation_is_shown_and_ends_with_ctrl_c(
    device: Device, acted: dict[str, Path]
) -> None:
    paper, app = io.StringIO(), device.app
    console = Console(file=paper, width=120, force_terminal=True, color_system=None)

    async def converse() -> Held:
        line = WavLine(rate=app.faculties.voice.model.rate, name="a test line")
        line.feed(read_speech(acted["dogs"]))
        watching = asyncio.ensure_future(_interrupt_after_the_reply(app.hub))
        held = await converse_live(app, line, Watch(console, record=True))
        await watching
        return held

    held = device.runner.run(converse())
    (turn,) = held.record.turns
    assert turn.reply
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", paper.getvalue())
    assert "Listening on a test line" in shown
    assert "lights   ●●● listening" in shown and "●●● speaking" in shown
    assert "listening" in shown and "▮" in shown
    assert f"you      {turn.transcript}" in shown
    assert turn.reply.text.split()[0] in shown
    assert len(held.played) > held.rate / 2


async def _interrupt_after_the_reply(hub: Hub) -> None:
    with hub.subscribe() as events:
        async for observed in events:
            if isinstance(observed.event, Replied):
                os.kill(os.getpid(), signal.SIGINT)
                return
