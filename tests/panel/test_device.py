"""The panel of a whole device, whose models are scripted: buttons reach the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.app import LOCAL, App
from device.audio.wav import WavLine
from device.panel.reset import FAREWELL, FactoryReset
from device.panel.situation import Signal
from device.store import FILE, Store
from device.supervisor import first_cause
from device.types import MuteChanged, Observed, Replied, SpeechStarted
from device.virtual_time import VirtualLoop
from tests.evi.scripted import scripted_app


def play(settings: dict[str, Any], act: Any) -> list[Observed]:
    """Let a device with a local line do what ``act`` does to it; return what happened."""

    async def main() -> list[Observed]:
        app, workers = scripted_app(settings)
        with app.hub.subscribe() as events:
            async with WavLine(rate=16_000) as line:
                talking = asyncio.create_task(app.converse(line, LOCAL))
                await asyncio.sleep(0)
                await act(app)
                line.close()
                await talking
            events.close()
            seen = [observed async for observed in events]
        for worker in workers:
            worker.close()
        return seen

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


async def beside(service: Coroutine[Any, Any, None], act: Coroutine[Any, Any, None]) -> None:
    serving = asyncio.create_task(service)
    await asyncio.sleep(0.01)
    await act
    serving.cancel()
    await asyncio.wait([serving])


def test_a_hold_mutes_the_conversation_and_is_shown() -> None:
    async def act(app: App) -> None:
        async def hand() -> None:
            assert app.panel is not None
            assert app.panel.view().signal is Signal.LISTENING
            app.panel.press("talk", 1.2)
            await asyncio.sleep(1.5)
            assert app.mute.on
            assert app.panel.view().signal is Signal.MUTED

        await beside(app.serve_panel(lambda: None), hand())
        assert app.panel is None

    events = play({}, act)
    assert [o.event for o in events if isinstance(o.event, MuteChanged)] == [
        MuteChanged(True, False)
    ]


@pytest.mark.parametrize("muted", [False, True])
def test_a_conversation_that_begins_on_a_muted_device_hears_nothing(muted: bool) -> None:
    async def main() -> bool:
        app, workers = scripted_app({})
        app.mute.switch(muted)
        with app.hub.subscribe() as events:
            async with WavLine(rate=16_000) as line:
                line.feed(np.full(16_000, 1, np.int16))
                talking = asyncio.create_task(app.converse(line, LOCAL))
                await asyncio.sleep(2.0)
                line.close()
                await talking
            events.close()
            heard = [o async for o in events if isinstance(o.event, SpeechStarted)]
        for worker in workers:
            worker.close()
        return bool(heard)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) is not muted


def test_a_panel_that_is_off_or_broken_leaves_the_device_alone() -> None:
    async def act(app: App) -> None:
        serving = asyncio.create_task(app.serve())
        await asyncio.sleep(60.0)
        assert not serving.done()
        assert app.panel is None
        serving.cancel()
        await asyncio.wait([serving])

    for panel in ({"engine": "off"}, {"engine": "gpio", "talk_pin": 17}):
        services = {"line": {"enabled": False}, "api": {"enabled": False}}
        play({"panel": panel} | services, act)


def test_a_factory_reset_says_so_ends_every_service_and_erases(tmp_path: Path) -> None:
    Store(tmp_path).close()

    async def act(app: App) -> None:
        serving = asyncio.create_task(app.serve())
        await asyncio.sleep(0.01)
        assert app.panel is not None
        app.panel.press("talk", 21.0)
        await asyncio.sleep(21.2)
        assert app.panel.view().signal is Signal.RESET_OFFERED, "until it starts afresh"
        assert (tmp_path / FILE).exists(), "not while it is open"
        await asyncio.wait([serving])
        with pytest.raises(ExceptionGroup) as ended:
            serving.result()
        assert isinstance(first_cause(ended.value), FactoryReset)

    services = {"line": {"enabled": False}, "api": {"enabled": False}}
    events = play({"storage": {"folder": str(tmp_path)}} | services, act)
    assert not (tmp_path / FILE).exists()
    (said,) = [o.event for o in events if isinstance(o.event, Replied)]
    assert said.reply.heard == FAREWELL
