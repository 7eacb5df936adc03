"""Fetches recordings of short interjections for ``rapport bench duplex``; see README.md beside it.

``python -m models.interjections.fetch`` takes Debian's package of an adventure game from the mirror
that apt knows, and out of it the lines listed in ``lines.csv``. Nothing of it is part of Rapport.
"""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import soundfile  # type: ignore[import-untyped]

from device.audio.rates import resample, write_wav
from device.terminal.duplex_words import recordings_folder
from device.types import HEARING_RATE, RapportError

PACKAGE = "flight-of-the-amazon-queen"
VERSION = "1.0.0-9"
SHA256 = "40c08fd258d6fe95c46c1eaf5e9137f84ba330657995a281bd887c94a560a0f1"
ARCHIVE = "usr/share/scummvm/flight-of-the-amazon-queen/queen.1c"
LINES = Path(__file__).with_name("lines.csv")
ENTRIES_AT, ENTRY = 15, 21
"""The archive's table: after its number of entries, a name of 12 bytes, a byte, where, length."""


@click.command()
@click.option("--to", type=click.Path(path_type=Path), default=None, help="Folder to write to.")
def main(to: Path | None) -> None:
    """Fetch 35 MB with apt and write some 140 short recordings, sorted by what they are."""
    folder = to or recordings_folder()
    try:
        count = fetch(folder)
    except RapportError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{count} recordings in {folder}")


def fetch(folder: Path) -> int:
    """Write the recordings below ``folder`` and return how many.

    Raises RapportError if apt cannot get the package, or it is another than was expected.
    """
    with tempfile.TemporaryDirectory() as scratch:
        archive = _archive(Path(scratch)).read_bytes()
    entries = {name: (begin, length) for name, begin, length in table(archive)}
    written = 0
    with LINES.open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            begin, length = entries[f"{line['file']}.SB"]
            sound, rate = soundfile.read(io.BytesIO(archive[begin : begin + length]), dtype="int16")
            target = folder / line["category"] / f"{line['file']}_{line['words'].replace(' ', '-')}"
            target.parent.mkdir(parents=True, exist_ok=True)
            pcm = resample(np.asarray(sound, np.int16), rate, HEARING_RATE)
            write_wav(target.with_name(target.name + ".wav"), pcm, HEARING_RATE)
            written += 1
    return written


def table(archive: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, first byte and length of each entry of the game's archive."""
    count = int.from_bytes(archive[ENTRIES_AT - 2 : ENTRIES_AT], "big")
    for at in range(ENTRIES_AT, ENTRIES_AT + count * ENTRY, ENTRY):
        entry = archive[at : at + ENTRY]
        name = entry[:12].split(b"\0")[0].decode("latin1")
        yield name, int.from_bytes(entry[13:17], "big"), int.from_bytes(entry[17:21], "big")


def _archive(scratch: Path) -> Path:
    """Download and unpack the package; return the game's archive."""
    wanted = f"{PACKAGE}={VERSION}"
    done = subprocess.run(
        ["apt-get", "download", "-q", wanted], cwd=scratch, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    packages = list(scratch.glob("*.deb"))
    if done.returncode or not packages:
        reason = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
        raise RapportError(f"apt-get download {wanted} failed ({reason}); run: apt-get update")
    if hashlib.sha256(packages[0].read_bytes()).hexdigest() != SHA256:
        raise RapportError(f"{packages[0].name} is not the package that was expected; report it")
    subprocess.run(["dpkg", "-x", str(packages[0]), str(scratch)], check=True)
    return scratch / ARCHIVE


if __name__ == "__main__":
    main()
