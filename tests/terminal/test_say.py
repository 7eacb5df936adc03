"""``rapport say``: words into a file, in a style that can be heard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile

from device.audio.rates import read_speech
from tests.terminal.conftest import Device, Rapport

TEXT = "The meeting begins at noon in the garden."


@pytest.mark.models
def test_the_words_are_in_the_file_and_the_style_is_audible(
    rapport: Rapport, device: Device, tmp_path: Path
) -> None:
    seconds, all_understood = {}, set[str]()
    for style in ("neutral", "calm"):
        out = tmp_path / f"{style}.wav"
        done = rapport("say", TEXT, "--style", style, "--out", out)
        assert done.returncode == 0, done.stderr
        assert done.stdout == done.stderr == ""
        understood = set(re.findall(r"[a-z]+", device.understands(read_speech(out)).lower()))
        # The voice varies from run to run, and the recognizer may mishear one word.
        assert len(set(TEXT.lower().strip(".").split()) & understood) >= 6
        all_understood |= understood
        seconds[style] = soundfile.info(out).duration
    assert {"meeting", "begins", "noon", "garden"} <= all_understood
    assert seconds["calm"] > 1.05 * seconds["neutral"]


@pytest.mark.models
def test_nothing_to_pronounce_is_told_in_one_sentence(
    rapport: Rapport, models_ready: None, tmp_path: Path
) -> None:
    done = rapport("say", "***", "--out", tmp_path / "nothing.wav")
    assert done.returncode == 1
    assert done.stderr.startswith("rapport: there is nothing to pronounce in '***'")
    assert not (tmp_path / "nothing.wav").exists()


def test_an_unwritable_file_is_found_out_before_the_models_are_loaded(
    rapport: Rapport, tmp_path: Path
) -> None:
    done = rapport("say", TEXT, "--out", tmp_path, RAPPORT_MODELS=str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"rapport: {tmp_path}: cannot be written (Is a directory)")
