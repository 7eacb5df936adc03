"""What the tests of the terminal share: the program as a user runs it, and one loaded device."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.app import App, open_app
from device.audio.rates import read_speech
from device.catalogue import Catalogue, choose
from device.config import Config
from device.models import ModelStore
from device.terminal.hold import Held, hold, read_sounds
from device.types import Observed, Pcm
from device.virtual_time import VirtualLoop
from tests.conftest import ROOT

Rapport = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def rapport() -> Rapport:
    """Runs ``rapport`` with the given arguments, in a process of its own."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        # Without the settings of whoever runs the tests; wide, so that no line is broken.
        inherited = {key: value for key, value in os.environ.items() if key != "RAPPORT_CONFIG"}
        return subprocess.run(
            [sys.executable, "-m", "device", *map(str, arguments)],
            cwd=ROOT,
            env=inherited | {"COLUMNS": "200"} | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def models_ready() -> None:
    """The models of the default preset, or no test."""
    config, catalogue = Config(), Catalogue.load()
    store = ModelStore(None, catalogue)
    for name in choose(catalogue, config.models).values():
        if store.state(name) != "ready":
            pytest.skip(f"model {name} is not in {store.root}; run: rapport models fetch")


@dataclass(frozen=True)
class Device:
    """The loaded device on virtual time, and conversations with it."""

    runner: asyncio.Runner
    app: App

    def hears(self, *paths: Path) -> tuple[Held, list[Observed]]:
        """Hold one conversation from files; return it and all its events."""
        seen: list[Observed] = []
        holding = hold(self.app, paths, read_sounds(paths), seen.append)
        return self.runner.run(holding), seen

    def understands(self, pcm: Pcm) -> str:
        """What our own recognizer makes of speech at 16 kHz."""
        return self.runner.run(self.app.faculties.recognizer.call(lambda r: r.transcribe(pcm)))


@pytest.fixture(scope="session")
def device(models_ready: None) -> Iterator[Device]:
    """All models of the default preset, loaded once for all tests."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        opening = open_app(Config())
        app = runner.run(opening.__aenter__())
        yield Device(runner, app)
        runner.run(opening.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def acted(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """RAVDESS clips by an actress: "dogs" and "kids", each a whole sentence."""
    clips = {"dogs": "03-01-01-01-02-01-02.flac", "kids": "03-01-01-01-01-01-02.flac"}
    folder = tmp_path_factory.mktemp("acted")
    with tarfile.open(speech_data / "ravdess" / "ravdess-16k-flac.tar") as archive:
        for file in clips.values():
            member = archive.extractfile(file)
            assert member is not None
            (folder / file).write_bytes(member.read())
    return {name: folder / file for name, file in clips.items()}


@pytest.fixture
def sound(tmp_path: Path) -> Callable[[str, Sequence[Pcm]], Path]:
    """Writes pieces of speech at 16 kHz, one after another, as a WAV file."""

    def write(name: str, pieces: Sequence[Pcm]) -> Path:
        path = tmp_path / name
        soundfile.write(path, np.concatenate(list(pieces)), 16_000, subtype="PCM_16")
        return path

    return write


@pytest.fixture
def noise(sound: Callable[[str, Sequence[Pcm]], Path]) -> Path:
    """Three seconds of steady noise, as of a fan."""
    hiss = np.random.default_rng(1).normal(0, 300, 48_000)
    return sound("noise.wav", [hiss.astype(np.int16)])


@pytest.fixture(scope="session")
def voiced(acted: dict[str, Path]) -> dict[str, Pcm]:
    """The acted sentences without the silence around them, which is digital zero."""
    return {name: _trimmed(read_speech(path)) for name, path in acted.items()}


def _trimmed(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
    return pcm[max(0, loud[0] - 1600) : loud[-1] + 1600]
