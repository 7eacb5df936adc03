"""What the recordings of the bench say, and how many words of it were misunderstood.

Layer 6. Serves ``bench duplex``.
"""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

from device.conversation.interruption import words

SENTENCES = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}
"""RAVDESS, by the fifth part of a file's name."""


def reference(file: str) -> str:
    """Return the words of a recording in lower case; empty if they are not known."""
    path = Path(file)
    if path.name.startswith("ravdess-"):
        return SENTENCES[path.name.split("-")[5]]
    return _transcripts(path.parent).get(path.stem, "")


@cache
def _transcripts(folder: Path) -> dict[str, str]:
    table = folder / "transcripts.csv"
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)
        return {row[0]: " ".join(words(row[-1])) for row in rows if len(row) > 1}


def recordings_folder() -> Path:
    """Return where the short interjections are kept, which are no part of the project's data."""
    return Path(os.environ.get("RAPPORT_RECORDINGS", "~/.cache/rapport/recordings")).expanduser()


def errors(said: str, understood: str) -> int:
    """Return the least number of words to change, add or leave out."""
    left, right = words(said), words(understood)
    row = list(range(len(right) + 1))
    for place, word in enumerate(left, 1):
        before, row[0] = row[0], place
        for at, other in enumerate(right, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]
