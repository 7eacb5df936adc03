"""A failing service is told about and started again, after pauses that grow."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

from device.supervisor import FIRST_RETRY, LAST_RETRY, supervise
from device.types import RapportError, ServiceFailed, ServiceReady
from device.virtual_time import VirtualLoop


def supervised(
    outcomes: list[Exception | None], pauses: tuple[float, float] = (FIRST_RETRY, LAST_RETRY)
) -> tuple[list[object], list[float]]:
    """Run a service that ends as scripted; return what was announced and when it was started."""
    announced: list[object] = []
    started: list[float] = []

    async def service(ready: Callable[[], None]) -> None:
        started.append(asyncio.get_running_loop().time())
        outcome = outcomes[len(started) - 1]
        if outcome is None:
            ready()
            return
        raise outcome

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(supervise("ears", service, announced.append, pauses))
    return announced, started


def test_a_failure_is_announced_with_its_reason_and_the_service_starts_again() -> None:
    announced, started = supervised([RapportError("no microphone"), None])
    assert announced == [ServiceFailed("ears", "no microphone", 1.0), ServiceReady("ears")]
    assert started == [0.0, 1.0]


def test_the_pauses_grow_to_a_bound() -> None:
    _, started = supervised([OSError("gone")] * 9 + [None])
    pauses = [b - a for a, b in itertools.pairwise(started)]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30, 30])
    assert max(pauses) == LAST_RETRY


def test_a_service_may_want_to_be_tried_more_often() -> None:
    _, started = supervised([OSError("gone")] * 6 + [None], (0.5, 10.0))
    assert [b - a for a, b in itertools.pairwise(started)] == pytest.approx([0.5, 1, 2, 4, 8, 10])


def test_a_failure_that_repeats_itself_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    supervised([RapportError("no microphone")] * 4 + [RapportError("no speaker"), None])
    assert [r.getMessage() for r in caplog.records] == [
        "ears: no microphone",
        "ears: no speaker",
    ]


def test_the_first_cause_inside_a_group_of_failures_is_the_reason() -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [RapportError("the cause")])])
    announced, _ = supervised([group, None])
    assert announced[0] == ServiceFailed("ears", "the cause", 1.0)
