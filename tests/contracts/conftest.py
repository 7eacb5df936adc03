"""What the contract tests share: verified models and real sound."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from device.types import HEARING_RATE, Pcm


def read(source: Path | io.BytesIO, seconds: float = 60.0) -> Pcm:
    """Return the beginning of a recording as the engines want it: mono, 16 kHz, int16."""
    sound, rate = soundfile.read(source, dtype="float32", always_2d=True)
    mono = soxr.resample(sound.mean(axis=1), rate, HEARING_RATE)
    clipped = np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)
    pcm: Pcm = clipped[: int(seconds * HEARING_RATE)]
    return pcm


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording of speech and what is said in it."""

    audio: Pcm
    text: str
    speaker: str
    emotion: str = ""


@pytest.fixture(scope="session")
def sentences(speech_data: Path) -> list[Spoken]:
    """Long sentences read by one speaker (LJ Speech)."""
    with (speech_data / "speech" / "transcripts.csv").open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE))
    paths = [(speech_data / "speech" / f"{row[0]}.flac", row[-1]) for row in rows]
    return [Spoken(read(path), text, "LJ") for path, text in paths if path.is_file()]


@pytest.fixture(scope="session")
def acted(speech_data: Path) -> list[Spoken]:
    """The clips of six actors, three women and three men, in eight emotions (RAVDESS)."""
    actors = {f"{number:02}" for number in range(1, 7)}
    with (speech_data / "ravdess" / "labels.csv").open(encoding="utf-8") as lines:
        rows = {r["file"]: r for r in csv.DictReader(lines) if r["speaker"] in actors}
    clips = []
    for name, content in _members(speech_data / "ravdess" / "ravdess-16k-flac.tar", set(rows)):
        row = rows[name]
        clips.append(Spoken(read(content), row["sentence"], row["speaker"], row["emotion"]))
    return clips


@pytest.fixture(scope="session")
def noises(speech_data: Path) -> dict[str, Pcm]:
    """Sound without speech, at most 5 s each, by its name.

    Left out: dogs, roosters, babies, sneezes and chainsaws. Voice activity rejects nearly all of
    them too, but they have a pitch, so a prosody engine by itself takes many for voices (of 12
    chainsaws 11, of 12 babies 12; 2026-11).
    """
    wanted = ("Rain", "Sea waves", "Clock tick", "Fire crackling", "Helicopter")
    found = {path.stem: read(path, 5.0) for path in (speech_data / "acoustics").glob("noise*.wav")}
    for name, content in _members(speech_data / "esc10-120" / "audio-ogg.tar", set()):
        if any(kind in name for kind in wanted):
            found[name] = read(content, 5.0)
    return found


def _members(archive: Path, wanted: set[str]) -> Iterator[tuple[str, io.BytesIO]]:
    """Yield the files of a tar archive; all of them if none are named."""
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None and (not wanted or member.name in wanted):
                yield member.name, io.BytesIO(content.read())
