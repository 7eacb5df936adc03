"""Talking into the device in a computed room: the bench that counts what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from device.__main__ import main
from device.terminal.acoustic_loop import AcousticLoop, Room
from device.terminal.bench_duplex import PLACES, figures, meant
from device.terminal.duplex_trials import Outcome
from device.terminal.duplex_words import errors, reference
from tests.conftest import ModelFiles

MODELS = (
    *("silero", "smart-turn-v3.2", "moonshine-tiny-en"),
    *("prosody-default", "smollm2-135m", "piper-joe"),
)
BLOCK = 320


def heard(room: Room, played: np.ndarray) -> np.ndarray:
    loop = AcousticLoop(room, np.zeros(16_000, np.int16))
    silence = np.zeros(BLOCK, np.int16)
    blocks = range(0, len(played), BLOCK)
    return np.concatenate([loop.hear(played[at : at + BLOCK], silence) for at in blocks])


def click(at: int, length: int = 32_000) -> np.ndarray:
    played = np.zeros(length, np.int16)
    played[at] = 20_000
    return played


def test_a_sound_comes_back_late_and_softer_by_what_the_room_says() -> None:
    room = Room("bare", np.ones(1, np.float32), delay_ms=50, loss_db=6)
    came = heard(room, click(1000))
    assert int(np.argmax(np.abs(came))) == 1000 + 800
    assert abs(int(came.max()) - 20_000 * 10 ** (-6 / 20)) < 2


def test_a_fast_loudspeaker_clock_lets_the_echo_come_earlier_and_earlier() -> None:
    room = Room("bare", np.ones(1, np.float32), delay_ms=50, drift_ppm=1000)
    early, late = heard(room, click(1000)), heard(room, click(31_000 - 1000))
    assert int(np.argmax(np.abs(early))) - 1000 == pytest.approx(800 - 1.8, abs=1)
    assert int(np.argmax(np.abs(late))) - 30_000 == pytest.approx(800 - 30.8, abs=1)


def test_the_room_does_not_care_how_its_sound_is_cut() -> None:
    answer = np.random.default_rng(1).standard_normal(700).astype(np.float32)
    played = np.random.default_rng(2).integers(-9000, 9000, 9600).astype(np.int16)
    came = heard(Room("any", answer, delay_ms=20, loss_db=10), played)
    scaled = answer / np.sqrt(np.sum(np.square(answer))) * 10 ** (-10 / 20)
    whole = np.convolve(np.concatenate((np.zeros(320), played)), scaled)[: len(came)]
    assert np.max(np.abs(came - np.clip(whole, -32_768, 32_767))) <= 1.5


def test_an_interjection_is_chosen_by_its_script() -> None:
    assert meant(Path("060346J1_yeah.wav")) and meant(Path("350314P1_ah-yeah.wav"))
    assert meant(Path("040008P1_no.wav")) and meant(Path("6900CCP1_that-s-right.wav"))
    assert not meant(Path("0200A5P1_back-off-man.wav"))


def test_word_errors_are_counted_against_what_was_said() -> None:
    said = reference("ravdess-03-01-04-01-01-01-22.flac")
    assert said == "kids are talking by the door"
    assert errors(said, "Kids are talking by the door.") == 0
    assert errors(said, "The kids are walking by door") == 3


def test_the_table_tells_every_kind_of_failure() -> None:
    outcomes = [
        Outcome("self"),
        Outcome("self", stopped=1.0, answers=1),
        Outcome("barge-in", "ravdess-03-01-04-01-01-01-22.flac", 0.3, 0.35, "Kids"),
        Outcome("barge-in", "ravdess-03-01-04-01-01-01-22.flac"),
        Outcome("backchannel", "x.wav", heard_whole=True),
        Outcome("noise", "x.ogg", stopped=0.3, heard_whole=True, resumed=True),
    ]
    told = {(kind, what): value for kind, _, what, value, _ in figures(outcomes)}
    assert told["self", "interrupted itself"] == "1"
    assert told["barge-in", "understood as such"] == "1 (50%)"
    assert told["backchannel", "reply given up"] == "0 (0%)"
    assert told["noise", "reply given up"] == "1 (100%)"


@pytest.mark.models
def test_a_device_with_a_loose_loudspeaker_hears_people_and_not_itself(
    speech_data: Path, model_files: ModelFiles, tmp_path: Path
) -> None:
    for name in MODELS:
        model_files(name)
    if not (speech_data / "acoustics").is_dir():
        pytest.skip(f"{speech_data} has no acoustics")
    told = tmp_path / "trials.json"
    arguments = ["bench", "duplex", "--count", "5", "--room", PLACES[1].name, "--json", str(told)]
    assert main(arguments) == 0
    [room] = json.loads(told.read_text())
    own = [o for o in room["outcomes"] if o["kind"] == "self"]
    talks = [o for o in room["outcomes"] if o["kind"] == "barge-in"]
    assert own and not any(o["answers"] or o["stopped"] is not None for o in own)
    assert sum(o["stopped"] is not None for o in talks) >= len(talks) - 1
    assert any("talking by the door" in o["text"] or "sitting by" in o["text"] for o in talks)
