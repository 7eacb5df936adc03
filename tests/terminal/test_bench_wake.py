"""``rapport bench wake``: the real engines on a few recordings, and tables from an earlier run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from device.audio.rates import read_speech, write_wav
from device.terminal.bench_wake_clips import Room, corpora, folder, padded, plain
from device.types import HEARING_RATE, RapportError
from tests.terminal.conftest import Rapport


def tone(path: Path, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * HEARING_RATE)) / HEARING_RATE
    write_wav(path, (3_000 * np.sin(2_000 * time)).astype(np.int16), HEARING_RATE)
    return path


def test_a_folder_called_like_a_phrase_holds_recordings_of_it(tmp_path: Path) -> None:
    tone(tmp_path / "Hey, Lighthouse" / "one.wav")
    tone(tmp_path / "talk.wav")
    found = {one.name: one.spoken for one in folder(tmp_path)}
    assert found == {"Hey, Lighthouse/one": "hey lighthouse", "talk": ""}


def test_a_folder_without_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="holds no"):
        list(folder(tmp_path))


def test_a_corpus_that_is_absent_is_skipped_and_said_so(tmp_path: Path) -> None:
    told: list[str] = []
    assert list(corpora(tmp_path, told.append)) == []
    assert len(told) == 5
    assert all(str(tmp_path) in line for line in told)


def test_words_are_compared_without_marks() -> None:
    assert plain("  Hey, RAPPORT!  it's me-") == "hey rapport it's me"


def test_a_noisy_room_is_as_noisy_as_it_was_asked_to_be(speech_data: Path) -> None:
    clip = read_speech(speech_data / "speech" / "LJ001-0002.flac")
    quiet = padded(clip)
    room = Room(speech_data / "acoustics", 10.0)
    noisy = room.around(quiet, 3)
    lead = slice(0, HEARING_RATE // 4)
    assert len(noisy) == len(quiet)
    assert np.std(quiet[lead]) < 10 < np.std(noisy[lead])
    assert np.array_equal(noisy, room.around(quiet, 3)), "the same for the same number"


@pytest.mark.slow
@pytest.mark.models
def test_a_few_recordings_make_a_table_and_can_be_looked_at_again(
    rapport: Rapport, models_ready: None, speech_data: Path, tmp_path: Path
) -> None:
    shutil.copytree(speech_data / "acoustics", tmp_path / "data" / "acoustics")
    (tmp_path / "data" / "speech").mkdir()
    for name in ("LJ001-0002.flac", "transcripts.csv"):
        shutil.copy(speech_data / "speech" / name, tmp_path / "data" / "speech")
    json_file, picture = tmp_path / "wake.json", tmp_path / "wake.png"
    done = rapport(
        *("bench", "wake", "--data", tmp_path / "data"),
        *("--json", json_file, "--plot", picture),
    )
    assert done.returncode == 0, done.stderr
    assert "skipped: RAVDESS" in done.stderr
    assert "hey rapport" in done.stdout
    assert picture.stat().st_size > 1_000
    assert len(json.loads(json_file.read_text())) >= 2 * 50 + 2
    again = rapport("bench", "wake", "--heard", json_file)
    assert again.stdout == done.stdout


def test_what_is_no_earlier_run_is_named(rapport: Rapport, tmp_path: Path) -> None:
    (tmp_path / "wake.json").write_text("[1]")
    done = rapport("bench", "wake", "--heard", tmp_path / "wake.json")
    assert done.returncode == 1
    assert "is not what an earlier bench wrote" in done.stderr
