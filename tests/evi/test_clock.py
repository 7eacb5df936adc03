"""A chat ends when it has lasted or been silent for too long, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from device.evi.clock import GREETING, INACTIVE, NUDGE, Clock, greeting_of
from device.evi.resolved import ResolvedConfig
from device.evi.resources_posted import EventMessage, PostedNudges, Timeout
from device.settings import Api
from device.virtual_time import VirtualLoop

LIMITS = Api(max_duration=100, inactivity=20)


def on_virtual_time(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story())


def config(**fields: Any) -> ResolvedConfig:
    return ResolvedConfig("c", 0, "n", **fields)


async def ends(clock: Clock, *, resting: bool = True) -> tuple[str, float, str]:
    """How the chat ends by itself, when, and what is said."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not (due := clock.due(resting=resting)).ends:
        await asyncio.sleep(due.again)
    return due.ends, loop.time() - begun, due.says


def test_silence_ends_a_chat() -> None:
    async def story() -> None:
        status, after, says = await ends(Clock(LIMITS, None))
        assert (status, says) == ("INACTIVITY_TIMEOUT", "")
        assert after == pytest.approx(20, abs=0.05)

    on_virtual_time(story)


def test_words_put_the_end_off() -> None:
    async def story() -> None:
        clock = Clock(LIMITS, None)
        await asyncio.sleep(19.9)
        clock.active()
        _, after, _ = await ends(clock)
        assert after == pytest.approx(20, abs=0.05)

    on_virtual_time(story)


def test_nobody_is_inactive_while_the_assistant_is_at_work_but_the_chat_ends_in_time() -> None:
    async def story() -> None:
        status, after, _ = await ends(Clock(LIMITS, None), resting=False)
        assert status == "MAX_DURATION_TIMEOUT" and after == pytest.approx(100, abs=0.05)

    on_virtual_time(story)


def test_a_configuration_may_shorten_the_duration_but_not_stretch_it() -> None:
    async def story() -> None:
        short = Clock(LIMITS, config(max_duration=Timeout(enabled=True, duration_secs=30)))
        assert (await ends(short, resting=False))[1] == pytest.approx(30, abs=0.05)
        long = Clock(LIMITS, config(max_duration=Timeout(enabled=True, duration_secs=1800)))
        assert (await ends(long, resting=False))[1] == pytest.approx(100, abs=0.05)

    on_virtual_time(story)


def test_a_configuration_may_let_silence_last() -> None:
    async def story() -> None:
        chosen = config(inactivity=Timeout(enabled=False))
        assert (await ends(Clock(LIMITS, chosen)))[0] == "MAX_DURATION_TIMEOUT"

    on_virtual_time(story)


def test_a_farewell_is_said_if_the_configuration_wants_one() -> None:
    async def story() -> None:
        for text, said in (("Bye.", "Bye."), (None, INACTIVE)):
            chosen = config(on_inactivity=EventMessage(enabled=True, text=text))
            assert (await ends(Clock(LIMITS, chosen)))[2] == said
        silent = config(on_inactivity=EventMessage(enabled=False, text="Bye."))
        assert (await ends(Clock(LIMITS, silent)))[2] == ""

    on_virtual_time(story)


def test_a_silent_user_is_nudged_again_and_again_and_still_inactive() -> None:
    async def story() -> None:
        clock = Clock(LIMITS, config(nudges=PostedNudges(enabled=True, interval_secs=6)))
        loop, nudged = asyncio.get_running_loop(), []
        while not (due := clock.due(resting=True)).ends:
            if due.says == NUDGE:
                nudged.append(round(loop.time()))
            await asyncio.sleep(due.again)
        assert nudged == [6, 12, 18] and loop.time() == pytest.approx(20, abs=0.05)

    on_virtual_time(story)


def test_a_chat_is_greeted_if_the_configuration_wants_it() -> None:
    assert greeting_of(None) == greeting_of(config()) == ""
    assert greeting_of(config(on_new_chat=EventMessage(enabled=True, text="Hi!"))) == "Hi!"
    assert greeting_of(config(on_new_chat=EventMessage(enabled=True))) == GREETING
