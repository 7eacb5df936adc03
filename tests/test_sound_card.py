"""The daemon's own line, from microphone to loudspeaker, through the real PortAudio."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from device.sound_watch import CANNOT_HEAR, HEAR_AGAIN
from tests.conftest import ROOT, ModelFiles

MODELS = (
    *("silero", "smart-turn-v3.2", "moonshine-tiny-en"),
    *("prosody-default", "smollm2-135m", "piper-joe"),
)


@pytest.mark.models
def test_a_question_into_the_microphone_is_answered_on_the_loudspeaker(
    speech_data: Path, model_files: ModelFiles, tmp_path: Path
) -> None:
    for name in MODELS:
        model_files(name)
    question = speech_data / "speech" / "LJ001-0008.flac"  # "has never been surpassed"
    done = subprocess.run(
        [sys.executable, "-m", "tests.card_conversation", str(tmp_path), str(question)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "never been surpassed" in told["transcript"]
    assert told["heard"] == told["reply"] != ""
    words = {word.strip(".,?!").lower() for word in told["reply"].split()}
    understood = {word.strip(".,?!").lower() for word in told["understood"].split()}
    assert len(words & understood) >= 0.6 * len(words), (told["reply"], told["understood"])


@pytest.mark.models
def test_a_microphone_that_is_pulled_is_missed_aloud_and_nothing_said_is_forgotten(
    speech_data: Path, model_files: ModelFiles, tmp_path: Path
) -> None:
    for name in MODELS:
        model_files(name)
    question = speech_data / "speech" / "LJ001-0008.flac"
    done = subprocess.run(
        [sys.executable, "-m", "tests.card_loss", str(tmp_path), str(question)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert "the microphone stopped (desk)" in came["reason"]
    assert came["told"] == CANNOT_HEAR
    assert came["back"] == HEAR_AGAIN  # and nothing between the two
    assert came["same_conversation"]
    assert came["asked"] == 2
    assert came["notices_kept"] == 0
    assert came["healths"] == ["desk + shelf", "shelf", "desk + shelf"]
