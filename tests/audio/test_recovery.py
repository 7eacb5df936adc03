"""Devices that are pulled and plugged in again, under the real PortAudio and one open line."""

from __future__ import annotations

import json
import shutil
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


def test_the_loudspeaker_plays_on_while_the_microphone_is_away(go: Go) -> None:
    outcome = go("loses_one_of_two")
    assert outcome["speaks"]
    assert outcome["device"] == "shelf"
    assert outcome["fit"] > 0.999
    assert outcome["recoveries"] == 1
    assert outcome["after"] == "desk + shelf"


def test_the_next_best_device_is_used_until_a_quiet_moment_after_the_named_one_is_back(
    go: Go,
) -> None:
    outcome = go("goes_to_the_next_best")
    assert outcome["device"] == "builtin"
    assert outcome["fallback"] == "microphone and loudspeaker"
    assert outcome["fit"] > 0.9
    assert outcome["rest"] > 0.9  # of the reply that was being played, at another rate
    assert outcome["rate"] == 16_000
    assert outcome["while_busy"] == "builtin"
    assert outcome["after"] == ""


def test_two_devices_with_two_clocks_give_a_far_end_without_gaps(go: Go) -> None:
    outcome = go("follows_another_clock")
    assert not outcome["aligned"]
    assert outcome["followed"]
    assert outcome["far_chunks"]
    if outcome["lost"] == 0:  # as a machine that stalls for seconds may
        assert outcome["steps_ms"][1] < 1


@pytest.mark.slow
def test_a_device_that_is_pulled_fifty_times_is_heard_fifty_times(go: Go) -> None:
    recovered(go("pulled_and_returned", 50), 50)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="needs: apt install pulseaudio")
def test_a_sound_server_that_crashes_is_found_again(go: Go) -> None:
    outcome = go("outlives_the_sound_server")
    assert outcome["recoveries"] >= 2  # a stall of the machine looks like a loss to it
    assert outcome["same_device"]
    assert min(outcome["fits"]) > 0.8
