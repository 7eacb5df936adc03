"""The real PortAudio, through PyAudio's callbacks, on a card made of two pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

CARDS = Path("/proc/asound/cards")

SAME = 0.999
"""Correlation of two waveforms that are the same one."""


class Outcome(dict[str, Any]):
    """What a scenario measured, and what it wrote to stderr."""

    stderr: str


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """Run a scenario of ``card_scenarios`` in a process of its own and return what it measured."""

    def run(scenario: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "tests.audio.card_scenarios", scenario, str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcome = Outcome(json.loads(done.stdout))
        outcome.stderr = done.stderr
        return outcome

    return run


def test_what_is_said_is_heard_and_what_is_written_is_spoken(play: Any) -> None:
    outcome = play("converses")
    assert outcome["heard"] > SAME
    assert outcome["heard_at"] == 0
    assert outcome["spoken"] > SAME
    assert outcome["accepted"] == outcome["played"] == 16_000
    assert outcome["lengths"] == [320]
    assert outcome["gapless"]
    assert outcome["lost"] == 0


def test_each_chunk_carries_what_was_played_meanwhile(play: Any) -> None:
    outcome = play("converses")
    assert outcome["aligned"]
    assert outcome["far"] > SAME
    assert outcome["far_at"] == 0


def test_the_clock_runs_with_the_samples_of_the_microphone(play: Any) -> None:
    outcome = play("converses")
    assert outcome["now"] >= 3.0
    # no more than the blocks that the pipes may be ahead, however long it really took
    assert outcome["now"] <= 3.0 + 17 * 0.02


def test_a_card_of_another_rate_is_heard_at_16_khz_and_keeps_near_and_far_together(
    play: Any,
) -> None:
    outcome = play("converses_at_48k")
    assert outcome["rate"] == 48_000
    assert outcome["heard"] > 0.99
    assert outcome["far"] > 0.99
    assert outcome["heard_at"] == outcome["far_at"] == 0
    assert outcome["spoken"] > SAME


def test_two_devices_get_two_streams(play: Any) -> None:
    outcome = play("converses_over_two_devices")
    assert not outcome["aligned"]
    assert outcome["heard"] > SAME
    assert outcome["spoken"] > SAME


def test_clear_is_silence_within_two_blocks_and_for_good(play: Any) -> None:
    outcome = play("clears")
    at_clear = outcome["played_at_clear"]
    assert 0 < at_clear < 16_000
    assert outcome["played_later"] <= at_clear + 2 * 320
    assert outcome["sounded"] == outcome["played_later"]
    assert outcome["played_in_all"] == outcome["played_later"] + 8_000
    assert outcome["other"] > SAME


def test_gain_lowers_what_is_played_without_a_click(play: Any) -> None:
    outcome = play("ducks")
    assert outcome["ducked"] == 1000
    assert outcome["raised"] == 8000
    assert 0 < outcome["largest_step"] < 50


def test_a_card_that_stops_is_told_and_does_not_hang(play: Any) -> None:
    outcome = play("stops")
    assert "the microphone stopped (vcard)" in outcome["fault"]
    assert "line.input" in outcome["fault"]
    assert not outcome["hears"] and not outcome["speaks"]
    assert "the loudspeaker stopped (vcard)" in outcome["tick"]
    assert outcome["written"] == 0


def test_after_it_stopped_the_same_line_works(play: Any) -> None:
    outcome = play("comes_back")
    assert outcome["recoveries"] == 1
    assert outcome["gap_s"] > 0.5
    assert outcome["seconds_again"] >= 3.0
    assert outcome["played_again"] == 8_000


def test_a_rate_that_no_card_has_is_replaced_by_one_that_it_has(play: Any) -> None:
    assert play("opens_at_another_rate")["rate"] == 16_000


def test_closing_the_line_ends_its_chunks(play: Any) -> None:
    assert play("ends")["taken"] == 10


def test_devices_are_listed_without_a_word_on_stderr(play: Any) -> None:
    outcome = play("reports_devices")
    assert outcome["inputs"] > 0
    assert outcome["outputs"] > 0
    assert outcome["rate"] == 16_000
    assert outcome.stderr == ""


@pytest.mark.skipif(CARDS.exists() and "[" in CARDS.read_text(), reason="has a sound card")
def test_a_machine_without_sound_is_told_so(play: Any) -> None:
    outcome = play("finds_nothing")
    assert outcome["error"].startswith("no microphone was found (sound devices here: none)")
    assert "line.input" in outcome["error"]
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("scenario", "noun", "key"),
    [
        ("finds_no_such_microphone", "microphone", "line.input"),
        ("finds_no_such_loudspeaker", "loudspeaker", "line.output"),
    ],
)
def test_a_name_that_matches_nothing_is_explained(
    play: Any, scenario: str, noun: str, key: str
) -> None:
    error = play(scenario)["error"]
    assert error.startswith(f"{key} = 'banjo': no {noun} has this in its name")
    assert '"vcard"' in error
