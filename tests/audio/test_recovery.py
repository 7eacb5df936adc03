"""Devices that are pulled and plugged in again, under the real PortAudio and one open line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

Go = Callable[..., dict[str, Any]]


@pytest.fixture
def go(tmp_path: Path) -> Go:
    """Run a scenario of ``recovery_scenarios`` in a process of its own; return what came of it."""

    def run(scenario: str, *arguments: int) -> dict[str, Any]:
        name = "tests.audio.recovery_scenarios"
        done = subprocess.run(
            [sys.executable, "-m", name, scenario, str(tmp_path), *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome

    return run


def recovered(outcome: dict[str, Any], cycles: int) -> None:
    """Assert that each loss was mended and left nothing behind."""
    assert outcome["recoveries"] == cycles
    assert outcome["device"] == "headset"
    assert outcome["fallback"] == ""
    assert outcome["clock_forward"]
    before, after = outcome["before"], outcome["after"]
    for kind in ("threads", "python_threads", "files"):
        assert after[kind] == before[kind], (before, after)
    assert after["rss_kb"] - before["rss_kb"] < 8_000, (before, after)


def test_a_device_that_is_pulled_and_returned_is_heard_again_without_a_restart(go: Go) -> None:
    recovered(go("pulled_and_returned", 5), 5)


@pytest.mark.slow
def test_a_device_that_is_pulled_fifty_times_is_heard_fifty_times(go: Go) -> None:
    recovered(go("pulled_and_returned", 50), 50)
