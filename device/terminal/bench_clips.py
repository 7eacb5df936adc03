"""Recorded utterances for the bench, and where in them a person really begins and stops to speak.

Layer 6. Serves ``rapport bench``. The ends come from the recording alone, never from what the
device makes of it. A frame of 10 ms is speech if it is at most 30 dB below the clip's loud level
(the 95th percentile of its frames, digital silence apart). At 40 dB, breaths and room noise after
the words counted as speech in 9 of 19 RAVDESS clips, 0.3 to 0.9 s of them; in the clean clips 30 dB
puts the end at most 80 ms earlier than 40 dB, which makes the measured gap longer, not shorter.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from device.audio.rates import read_speech
from device.types import HEARING_RATE, Pcm, RapportError

SPEECH_DB = -30.0
"""Level of the softest speech, relative to the clip's loud level."""
_CLEAR_DB, _CLEAR_S = (-40.0, -20.0), 0.06
LEAD = 0.3
"""Seconds kept of what the recording holds before the first word."""
WHOLE = ("0002", "0008", "0009", "0013", "0020", "0026", "0028")
"""The LJ Speech clips of up to 8 s that end with a sentence. The others break off at a comma, where
a good listener waits: they would measure the patience that is wanted, not the gap."""
_FRAME = HEARING_RATE // 100
_SOUNDS = (".wav", ".flac", ".ogg")
_ROOT = Path(__file__).resolve().parents[2]
_REMEDY = "give recordings with --utterances FILE_OR_FOLDER, or set RAPPORT_DATA"


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance, cut so that its last sample is the last of the speech."""

    name: str
    pcm: Pcm
    """int16 mono at 16 kHz."""
    onset: float
    """Seconds from its beginning to the first speech."""
    clear_onset: bool
    """Whether the speech sets in within 60 ms, so that its onset is beyond dispute."""

    @property
    def seconds(self) -> float:
        """Length, which is also when the speech ends."""
        return len(self.pcm) / HEARING_RATE


def cut(name: str, sound: Pcm) -> Clip:
    """Return the speech in ``sound`` (int16 mono, 16 kHz), from ``LEAD`` before its first word.

    Raises RapportError if the sound is digital silence.
    """
    levels = _levels(sound)
    audible = levels[np.isfinite(levels)]
    if not len(audible):
        raise RapportError(f"{name}: there is no speech in it; leave it out")
    loud = float(np.percentile(audible, 95))
    speech = np.flatnonzero(levels >= loud + SPEECH_DB)
    first, last = int(speech[0]) * _FRAME, (int(speech[-1]) + 1) * _FRAME
    begin = max(0, first - round(LEAD * HEARING_RATE))
    soft, strong = (int(np.flatnonzero(levels >= loud + db)[0]) for db in _CLEAR_DB)
    clear = (strong - soft) * _FRAME <= _CLEAR_S * HEARING_RATE
    return Clip(name, sound[begin:last], (first - begin) / HEARING_RATE, clear)


def gather(places: Sequence[Path], count: int) -> list[Clip]:
    """Return ``count`` clips from files and folders; with none named, from the project's data.

    Fewer if there are not so many. Raises RapportError if there is none, or one is not sound.
    """
    if not places:
        return _from_data(count)
    paths: list[Path] = []
    for place in places:
        inside = sorted(place.iterdir()) if place.is_dir() else [place]
        paths += [p for p in inside if not place.is_dir() or p.suffix.lower() in _SOUNDS]
    if not paths:
        named = ", ".join(str(place) for place in places)
        raise RapportError(f"{named}: holds no {' or '.join(_SOUNDS)}; {_REMEDY}")
    return [cut(path.stem, read_speech(path)) for path in spread(paths, count)]


def spread(things: Sequence[Path], count: int) -> list[Path]:
    """Return ``count`` of the things, evenly from the first to the last; all, if they are fewer."""
    if count >= len(things):
        return list(things)
    return [things[at * len(things) // count] for at in range(count)]


def data_folder() -> Path:
    """Return where the project's recordings are."""
    return Path(os.environ.get("RAPPORT_DATA", _ROOT.parent / "shared" / "data"))


def _from_data(count: int) -> list[Clip]:
    folder = data_folder()
    named = [folder / "speech" / f"LJ001-{number}.flac" for number in WHOLE]
    read = spread([path for path in named if path.is_file()], (count + 1) // 2)
    with TemporaryDirectory() as scratch:
        acted = _unpack(
            folder / "ravdess" / "ravdess-16k-flac.tar", count - len(read), Path(scratch)
        )
        # Read and acted speech in turn, so that a short run has of both.
        mixed = [path for pair in zip_longest(read, acted) for path in pair if path is not None]
        clips = [cut(path.stem, read_speech(path)) for path in mixed]
    if not clips:
        raise RapportError(f"no recorded speech was found in {folder}; {_REMEDY}")
    return clips


def _unpack(archive: Path, count: int, scratch: Path) -> list[Path]:
    """Unpack ``count`` RAVDESS clips of ordinary intensity and first takes, over all emotions."""
    if not archive.is_file():
        return []
    with tarfile.open(archive) as members:
        ordinary = [Path(name) for name in sorted(members.getnames()) if _ordinary(Path(name).stem)]
        chosen = spread(ordinary, count)
        for path in chosen:
            sound = members.extractfile(str(path))
            if sound is not None:
                (scratch / path).parent.mkdir(parents=True, exist_ok=True)
                (scratch / path).write_bytes(sound.read())
    return [scratch / path for path in chosen]


def _ordinary(name: str) -> bool:
    """Whether a RAVDESS name (modality-channel-emotion-intensity-sentence-take-actor) fits."""
    fields = name.split("-")
    return len(fields) == 7 and fields[3] == "01" and fields[5] == "01"


def _levels(sound: Pcm) -> npt.NDArray[np.float64]:
    """Return the level of each 10 ms in decibels, shape (frames,); -inf for digital silence."""
    whole = len(sound) // _FRAME * _FRAME
    frames = sound[:whole].reshape(-1, _FRAME).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(np.mean(frames**2, axis=1)), np.float64)
