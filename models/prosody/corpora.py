"""Corpora of acted or labelled speech: a folder with ``labels.csv`` and the clips.

Serves ``features``. The clips lie beside the table or in one tar archive there. The table has at
least the columns file, speaker and emotion; sex, intensity and sentence are used where they exist.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]
import soxr  # type: ignore[import-untyped]

from device.types import HEARING_RATE, Pcm, RapportError

EMOTIONS = (
    "neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "boredom",
)  # fmt: skip
"""The categories that a head may know; a corpus need not have all of them."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of ``labels.csv``."""

    corpus: str
    file: str
    speaker: str
    """With the corpus in front: speaker 03 of two corpora is two people."""
    emotion: str
    sex: str
    intensity: str
    sentence: str


def read_labels(folder: Path) -> list[Clip]:
    """Return the clips of a corpus in the order of its table.

    Raises RapportError if the table is missing, lacks a column, or names an unknown emotion.
    """
    table = folder / "labels.csv"
    if not table.is_file():
        raise RapportError(
            f"{table} is not there; a corpus is a folder with clips and a labels.csv with the "
            "columns file, speaker, emotion"
        )
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        lacking = {"file", "speaker", "emotion"} - set(reader.fieldnames or ())
        if lacking:
            raise RapportError(f"{table}: lacks the column {', '.join(sorted(lacking))}")
        return [_clip(folder.name, row, table) for row in reader]


def _clip(corpus: str, row: dict[str, str], table: Path) -> Clip:
    if row["emotion"] not in EMOTIONS:
        raise RapportError(
            f"{table}: {row['file']} is labelled {row['emotion']!r}; use {', '.join(EMOTIONS)}"
        )
    return Clip(
        corpus=corpus,
        file=row["file"],
        speaker=f"{corpus}/{row['speaker']}",
        emotion=row["emotion"],
        sex=row.get("sex") or "",
        intensity=row.get("intensity") or "",
        sentence=row.get("sentence") or "",
    )


def read_sounds(folder: Path) -> Iterator[tuple[str, Pcm]]:
    """Yield path within the folder and sound of every clip: mono, 16 kHz, int16."""
    archives = sorted(folder.glob("*.tar"))
    if archives:
        with tarfile.open(archives[0]) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and _is_sound(member.name):
                    yield member.name, read(io.BytesIO(content.read()))
    for path in sorted(folder.rglob("*")):
        if _is_sound(path.name):
            yield path.relative_to(folder).as_posix(), read(path)


def read(source: Path | io.BytesIO) -> Pcm:
    """Return a recording as mono at 16 kHz, int16."""
    sound, rate = soundfile.read(source, dtype="float32", always_2d=True)
    mono = soxr.resample(sound.mean(axis=1), rate, HEARING_RATE)
    return np.asarray(np.clip(np.round(mono * 32768), -32768, 32767), np.int16)


def _is_sound(name: str) -> bool:
    return name.lower().endswith((".flac", ".wav", ".ogg", ".mp3"))
