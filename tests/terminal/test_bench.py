"""``rapport bench`` as its user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.terminal.bench_division import PARTS
from tests.terminal.conftest import Rapport

AIMS = {
    "start to ready": 10,
    "ASR real-time factor": 0.15,
    "TTS real-time factor": 0.25,
    "VAD real-time factor": 0.02,
    "response gap, median": 0.9,
    "response gap, 95th percentile": 1.6,
    "ratio of the medians": 0.6,
    "onset of speech to silent speaker": 250,
    "listening to silence": 5,
    "peak resident memory": 700,
}


def test_help_teaches_by_example(rapport: Rapport) -> None:
    shown = rapport("bench", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "rapport bench --quick --no-files" in shown.stdout
    for option in ("--utterances", "--count", "--json", "--plot", "--no-files", "--config"):
        assert option in shown.stdout


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    rapport: Rapport, tmp_path: Path, option: str
) -> None:
    files = {"--json": tmp_path / "bench.json", "--plot": tmp_path / "bench.png"}
    files[option] = tmp_path / "absent" / "file"
    shown = rapport("bench", *[part for pair in files.items() for part in pair])
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert f"{files[option]}: cannot be written" in shown.stderr
    assert len(shown.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_without_recordings_it_says_how_to_give_some(rapport: Rapport, tmp_path: Path) -> None:
    shown = rapport("bench", "--no-files", RAPPORT_DATA=str(tmp_path))
    assert shown.returncode == 1
    assert f"no recorded speech was found in {tmp_path}" in shown.stderr
    assert "--utterances" in shown.stderr


@pytest.mark.slow
def test_a_quick_run_measures_every_aim(
    rapport: Rapport, models_ready: None, speech_data: Path, tmp_path: Path
) -> None:
    raw, drawn = tmp_path / "bench.json", tmp_path / "bench.png"
    shown = rapport(
        "bench", "--quick", "--json", raw, "--plot", drawn, RAPPORT_DATA=str(speech_data)
    )
    assert shown.returncode == 0, shown.stderr
    assert drawn.read_bytes().startswith(b"\x89PNG")
    blocks = read(raw)
    figures = {figure["name"]: figure for block in blocks for figure in block["figures"]}
    for name, aim in AIMS.items():
        fitting = [figure for figure in figures.values() if figure["name"].startswith(name)]
        assert fitting, f"{name} is not measured"
        for figure in fitting:
            assert figure["aim"] == aim
            assert figure["value"] is not None and figure["value"] > 0, figure
        assert name in shown.stdout
    assert all(block["before_s"] > 0 and block["after_s"] > 0 for block in blocks)
    utterances = next(b["raw"]["utterances"] for b in blocks if b["name"] == "Response gap")
    assert len(utterances) == 2
    for said in utterances:
        assert said["eager"]["transcript"] and said["plain"]["transcript"]
        assert set(said["parts"]) == set(PARTS)
        assert sum(said["parts"].values()) == pytest.approx(said["gap"])


def read(path: Path) -> list[dict]:  # type: ignore[type-arg]
    blocks: list[dict] = json.loads(path.read_text())["blocks"]  # type: ignore[type-arg]
    return blocks
