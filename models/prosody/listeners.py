"""What people hear: the votes of CREMA-D's listeners who heard only the voice.

Serves ``train`` and ``evaluate``. Cao et al. (2014), ODbL 1.0: 7,442 clips, 9.2 votes each.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

from device.types import RapportError

VOTES = {
    "A": "angry", "D": "disgust", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad",
}  # fmt: skip
ACTED = {
    "ANG": "angry", "DIS": "disgust", "FEA": "fearful", "HAP": "happy", "NEU": "neutral",
    "SAD": "sad",
}  # fmt: skip
OF_VOICE = "1"
"""First digit of a row's number where the voice was heard and no face was seen."""


def votes(folder: Path) -> dict[str, dict[str, float]]:
    """Return for each acted emotion the shares of what listeners named.

    Raises RapportError if ``folder`` does not hold the votes.
    """
    table = folder / "tabulatedVotes.csv.gz"
    if not table.is_file():
        raise RapportError(f"{table} is not there; it comes with CREMA-D, in processedResults")
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row[""].startswith(OF_VOICE):
                acted = ACTED[row["fileName"].split("_")[2]]
                counted[acted].update({name: int(row[vote]) for vote, name in VOTES.items()})
    return {
        acted: {name: count / sum(heard.values()) for name, count in heard.items()}
        for acted, heard in sorted(counted.items())
    }
