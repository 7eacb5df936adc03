"""``rapport prosody`` as its user runs it: real recordings and models, and what cannot be told."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from matplotlib import image

from device.audio.rates import read_speech, resample
from device.catalogue import Catalogue, choose
from device.config import Config
from device.hearing.emotions import NAMES
from device.models import ModelStore
from device.types import Pcm
from tests.conftest import ROOT
from tests.terminal.conftest import Rapport

Write = Callable[[str, Sequence[Pcm]], Path]

UTTERANCE = {
    *("text", "started", "ended", "unmeasured", "interim", "measured_from", "expression"),
}
MEASURED = {
    *("valence", "arousal", "dominance", "confidence", "emotions", "measures", "categories"),
    "model",
}


@pytest.fixture(scope="module")
def toned(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """RAVDESS clips by one actress, the same words "angry" and "calm", both strongly."""
    clips = {"angry": "03-01-05-02-01-01-02.flac", "calm": "03-01-02-02-01-01-02.flac"}
    folder = tmp_path_factory.mktemp("toned")
    with tarfile.open(speech_data / "ravdess" / "ravdess-16k-flac.tar") as archive:
        for tone, file in clips.items():
            member = archive.extractfile(file)
            assert member is not None
            (folder / f"{tone}.flac").write_bytes(member.read())
    return {tone: folder / f"{tone}.flac" for tone in clips}


@pytest.fixture(scope="module")
def told(rapport: Rapport, models_ready: None, toned: dict[str, Path]) -> dict[str, Any]:
    """What the program tells of both clips in JSON."""
    done = rapport("prosody", toned["angry"], toned["calm"], "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


def off(folder: Path) -> Path:
    """A configuration that forbids expression."""
    config = folder / "off.toml"
    config.write_text("[hearing]\nexpression = false\n")
    return config


@pytest.mark.models
def test_an_angry_voice_has_more_arousal_than_a_calm_one(told: dict[str, Any]) -> None:
    (angry,), (calm,) = (file["utterances"] for file in told["files"])
    assert angry["expression"]["arousal"] > calm["expression"]["arousal"] + 0.2
    assert angry["expression"]["emotions"]["Anger"] > calm["expression"]["emotions"]["Anger"]
    mean = [np.mean([s["expression"]["arousal"] for s in u["interim"]]) for u in (angry, calm)]
    assert mean[0] > mean[1] + 0.2, "while they speak, too"
    for utterance in (angry, calm):
        assert "talking by the door" in utterance["text"]


@pytest.mark.models
def test_the_json_has_one_object_with_every_part(told: dict[str, Any]) -> None:
    assert set(told) == {"model", "caveat", "files"}
    assert set(told["model"]) == {"name", "version", "licence"}
    for file in told["files"]:
        assert set(file) == {"file", "seconds", "problem", "utterances"}
        assert file["problem"] is None
        for utterance in file["utterances"]:
            assert set(utterance) == UTTERANCE
            expression = utterance["expression"]
            assert set(expression) == MEASURED | {"tiers"}
            assert expression["model"] == told["model"]
            assert set(expression["emotions"]) == set(expression["tiers"]) == set(NAMES)
            assert expression["tiers"]["Anger"] == "measured"
            assert sum(expression["categories"].values()) == pytest.approx(1, abs=0.01)
            assert "pitch_hz" in expression["measures"]
            for sounding in utterance["interim"]:
                assert set(sounding) == {"at", "expression"}
                assert set(sounding["expression"]) == MEASURED


@pytest.mark.models
def test_the_times_are_those_of_the_file(told: dict[str, Any], toned: dict[str, Path]) -> None:
    for file, path in zip(told["files"], toned.values(), strict=True):
        assert file["file"] == str(path)
        assert file["seconds"] == pytest.approx(len(read_speech(path)) / 16_000, abs=0.001)
        (utterance,) = file["utterances"]
        moments = [sounding["at"] for sounding in utterance["interim"]]
        assert len(moments) >= 2 and moments == sorted(moments)
        assert 0.5 < utterance["started"] < moments[0]
        assert moments[-1] <= utterance["ended"] < file["seconds"]


@pytest.mark.models
def test_the_step_says_how_often_it_is_measured(
    rapport: Rapport, models_ready: None, toned: dict[str, Path], told: dict[str, Any]
) -> None:
    done = rapport("prosody", toned["angry"], "--json", "--step", "0.2")
    assert done.returncode == 0, done.stderr
    (often,) = json.loads(done.stdout)["files"][0]["utterances"]
    (usual,) = told["files"][0]["utterances"]
    assert len(often["interim"]) >= 2 * len(usual["interim"])
    assert often["expression"] == usual["expression"], "of the whole it makes no difference"


@pytest.mark.models
def test_it_is_printed_for_people(
    rapport: Rapport, models_ready: None, toned: dict[str, Path], told: dict[str, Any]
) -> None:
    done = rapport("prosody", toned["angry"], toned["calm"])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    model = told["model"]
    assert lines[0].startswith(
        f"measured by {model['name']} {model['version']}, licence {model['licence']}. "
    )
    assert "not what a person feels" in lines[0]
    for file in told["files"]:
        (utterance,) = file["utterances"]
        head = lines.index(f"{file['file']}  {file['seconds']:.1f} s")
        interim = len(utterance["interim"])
        rows = lines[head + 2 : head + 2 + interim + 1]
        assert [row.split()[0] for row in rows[:-1]] == [
            f"{sounding['at']:.1f}" for sounding in utterance["interim"]
        ]
        arousal, valence = (f"{utterance['expression'][n]:+.2f}" for n in ("arousal", "valence"))
        assert rows[-1].split()[0] == f"{utterance['started']:.1f}-{utterance['ended']:.1f}"
        assert f" {arousal} " in rows[-1] and f" {valence} " in rows[-1]
        assert "▮" in rows[-1]
        assert lines[head + 3 + interim].strip() == f'"{utterance["text"]}"'
        assert lines[head + 4 + interim].startswith("1 utterance, ")
    angry = next(line for line in lines if line.startswith("1 utterance, "))
    assert "most like anger" in angry


@pytest.mark.models
def test_the_picture_grows_with_the_files_and_shows_something(
    rapport: Rapport, models_ready: None, toned: dict[str, Path], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert rapport("prosody", toned["angry"], "--plot", one).returncode == 0
    assert rapport("prosody", *toned.values(), "--plot", two, "--json").returncode == 0
    assert one.read_bytes().startswith(b"\x89PNG")
    small, tall = image.imread(one), image.imread(two)
    assert 600 < small.shape[0] < 1000 and 1000 < small.shape[1] < 3000
    assert tall.shape[1] == small.shape[1]
    assert tall.shape[0] > small.shape[0] + 500
    for picture in (small, tall):
        assert picture[:5, :, :3].min() == 1, "a light background"
        coloured = np.ptp(picture[:, :, :3], axis=2) > 0.3
        assert 0.02 < coloured.mean() < 0.5, "lines and categories"


@pytest.fixture
def untold(toned: dict[str, Path], noise: Path, sound: Write) -> dict[str, Path]:
    """Recordings of which nothing can be told, by what is wrong with each."""
    voice = read_speech(toned["angry"])
    loud = int(np.flatnonzero(np.abs(voice.astype(np.int32)) > 300)[0])
    shouted = np.clip(voice.astype(np.int32) * 30, -32_768, 32_767).astype(np.int16)
    return {
        "silence": sound("silence.wav", [np.zeros(48_000, np.int16)]),
        "noise": noise,
        "short": sound("short.wav", [voice[loud : loud + 4_800]]),
        "clipped": sound("clipped.wav", [shouted]),
    }


@pytest.mark.models
@pytest.mark.parametrize(
    ("what", "reason", "remedy"),
    [
        ("silence", "no speech was found in it", "record it closer to the microphone"),
        ("noise", "no speech was found in it", "in a quieter place"),
        ("short", "it is too short to tell how it sounds", "record half a second"),
        ("clipped", "it is clipped too much to tell how it sounds", "microphone turned down"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_sentence_and_a_remedy(
    rapport: Rapport,
    models_ready: None,
    untold: dict[str, Path],
    what: str,
    reason: str,
    remedy: str,
) -> None:
    plot = untold[what].with_name("plot.png")
    done = rapport("prosody", untold[what], "--plot", plot)
    assert done.returncode == 1
    assert done.stdout == ""
    refused, undrawn = done.stderr.splitlines()
    assert refused.startswith(f"rapport: {untold[what]}: {reason}; ")
    assert remedy in refused
    assert undrawn == f"rapport: {plot}: not drawn, since nothing could be told"
    assert not plot.exists()


@pytest.mark.models
def test_one_file_without_speech_does_not_keep_the_others_from_being_told(
    rapport: Rapport, models_ready: None, toned: dict[str, Path], sound: Write, tmp_path: Path
) -> None:
    silent = sound("silence.wav", [np.zeros(48_000, np.int16)])
    plot = tmp_path / "plot.png"
    done = rapport("prosody", silent, toned["calm"], "--json", "--plot", plot)
    assert done.returncode == 1
    nothing, calm = json.loads(done.stdout)["files"]
    assert nothing["problem"].startswith("no speech was found") and nothing["utterances"] == []
    assert calm["problem"] is None and len(calm["utterances"]) == 1
    assert done.stderr.startswith(f"rapport: {silent}: no speech was found")
    assert done.stderr.count("\n") == 1
    assert plot.exists()


@pytest.mark.models
def test_any_rate_and_width_will_do(
    rapport: Rapport,
    models_ready: None,
    toned: dict[str, Path],
    told: dict[str, Any],
    tmp_path: Path,
) -> None:
    voice = resample(read_speech(toned["angry"]), 16_000, 48_000)
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([voice, voice], axis=1), 48_000, subtype="PCM_24")
    done = rapport("prosody", stereo, "--json")
    assert done.returncode == 0, done.stderr
    (same,) = json.loads(done.stdout)["files"][0]["utterances"]
    (angry,) = told["files"][0]["utterances"]
    assert same["expression"]["arousal"] == pytest.approx(angry["expression"]["arousal"], abs=0.1)


@pytest.mark.models
def test_the_language_model_and_the_voice_are_not_needed(
    rapport: Rapport, models_ready: None, toned: dict[str, Path], tmp_path: Path
) -> None:
    catalogue = Catalogue.load()
    store, names = ModelStore(None, catalogue), choose(catalogue, Config().models)
    needed = [names[task] for task in ("voice_activity", "turn", "recognizer", "prosody")]
    for name in needed:
        (tmp_path / name).symlink_to(store.folder(name))
    done = rapport("prosody", toned["calm"], RAPPORT_MODELS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (tmp_path / needed[-1]).unlink()
    done = rapport("prosody", toned["calm"], RAPPORT_MODELS=str(tmp_path))
    assert done.returncode == 1
    assert needed[-1] in done.stderr and "is missing; run: rapport models fetch" in done.stderr


@pytest.mark.models
def test_a_long_recording_shows_a_bar_on_a_terminal_and_a_short_one_none(
    models_ready: None, toned: dict[str, Path], sound: Write
) -> None:
    long = sound("long.wav", [read_speech(path) for path in toned.values()] * 3)
    shown = {path: on_a_terminal("prosody", path, "--json") for path in (long, toned["calm"])}
    assert "listening" in shown[long]
    assert "listening" not in shown[toned["calm"]]


def on_a_terminal(*arguments: str | Path) -> str:
    """What the program writes to stderr if that is a terminal, and stdout a pipe."""
    ours, theirs = pty.openpty()
    pieces: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 4096):
                pieces.append(piece)
        except OSError:  # Linux's way to say that the other end was closed
            pass

    reader = threading.Thread(target=read)
    with subprocess.Popen(
        [sys.executable, "-m", "device", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        reader.start()
        told, _ = program.communicate(timeout=300)
    reader.join()
    os.close(ours)
    assert program.returncode == 0
    assert json.loads(told)["files"], "standard output is left alone"
    return b"".join(pieces).decode()


def test_expression_that_the_configuration_forbids_is_not_measured(
    rapport: Rapport, noise: Path, tmp_path: Path
) -> None:
    done = rapport("prosody", noise, "--config", off(tmp_path), RAPPORT_MODELS=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "rapport: expression is not measured, since hearing.expression = false in the "
        "configuration; set it to true, or name another file with --config\n"
    )


def test_a_file_that_is_not_sound_is_told_in_one_sentence_before_any_model_is_loaded(
    rapport: Rapport, noise: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.wav"
    text.write_text("not a sound")
    for path, reason in {
        text: "is not a sound file",
        tmp_path / "absent.wav": "cannot be read (No such file",
    }.items():
        done = rapport("prosody", noise, path, RAPPORT_MODELS=str(tmp_path / "no-models"))
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith(f"rapport: {path}: {reason}")
        assert done.stderr.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_found_out_before_any_model_is_loaded(
    rapport: Rapport, noise: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "nowhere" / "plot.png"
    done = rapport("prosody", noise, "--plot", plot, RAPPORT_MODELS=str(tmp_path / "no-models"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"rapport: {plot}: cannot be written (No such file")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing argument 'FILE...'"),
        (["a.wav", "--step", "0"], "0.0 is not in the range"),
        (["a.wav"] * 7 + ["--plot", "a.png"], "--plot draws 6 files at most, not 7"),
    ],
)
def test_wrong_usage_is_told(rapport: Rapport, arguments: list[str], told: str) -> None:
    done = rapport("prosody", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""
