"""Recordings for the bench of the wake word: real speech with known words, other speech, noises.

Layer 6. Serves ``rapport bench wake``. Whatever is absent is skipped and said so: where each corpus
comes from stands in the README of its folder.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as StopSignal

import numpy as np

from device.audio.rates import read_speech, resample
from device.ports import Voice
from device.types import HEARING_RATE, Floats, Pcm, RapportError, Sentence, Style

LEAD_S, TAIL_S = 0.4, 1.0
"""Silence before and after each recording: the device, too, hears what comes before a word."""
HUSH = 6.0
"""Root mean square of that silence, of 32,768: -75 dB of full scale."""
SENTENCES = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}
"""What RAVDESS' actors say, by the fifth number of a file's name."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SYNTHETIC = "the device's own voice"
RATES, PITCHES = (0.8, 0.9, 1.0, 1.1, 1.25), (-3.0, -1.5, 0.0, 1.5, 3.0)
"""How the device's voice is varied; pitch in semitones."""
FOLLOWING = (".", ", what time is it?")
SOUNDS = frozenset((".wav", ".flac", ".ogg"))

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """A stretch of sound with at most one utterance that the bench knows the words of."""

    corpus: str
    name: str
    spoken: str
    """Its words in lower case without marks; empty: not known, or none."""
    pcm: Pcm
    """int16 mono at 16 kHz."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.pcm) / HEARING_RATE


def corpora(data: Path, tell: Tell) -> Iterator[Recording]:
    """Yield every recording of the corpora in ``data``; skips what is absent, telling so."""
    archives: list[tuple[str, str, Callable[[Path], str]]] = [
        ("RAVDESS, English, 24 actors", "ravdess/ravdess-16k-flac.tar", _acted),
        ("EMO-DB, German, 10 actors", "emodb/emodb-16k-flac.tar", _unknown),
        ("spoken digits, 6 speakers", "fsdd-600/audio-8k-wav.tar", _digit),
        ("ESC-10, noises", "esc10-120/audio-ogg.tar", _unknown),
    ]
    for corpus, path, words in archives:
        if (data / path).is_file():
            yield from _archived(corpus, data / path, words)
        else:
            tell(f"skipped: {corpus}: there is no {data / path}")
    if (data / "speech").is_dir():
        yield from _read_aloud(data / "speech")
    else:
        tell(f"skipped: LJ Speech: there is no {data / 'speech'}")


def _archived(corpus: str, archive: Path, words: Callable[[Path], str]) -> Iterator[Recording]:
    with tarfile.open(archive) as members, TemporaryDirectory() as scratch:
        for name in sorted(members.getnames()):
            sound = members.extractfile(name) if Path(name).suffix in SOUNDS else None
            if sound is None:
                continue
            path = Path(scratch) / Path(name).name
            path.write_bytes(sound.read())
            yield Recording(corpus, path.stem, words(path), read_speech(path))
            path.unlink()


def _read_aloud(folder: Path) -> Iterator[Recording]:
    """Yield the LJ Speech clips: read English, one speaker, the words of most of them known."""
    with (folder / "transcripts.csv").open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE)
        known = {row[0]: row[-1] for row in rows if len(row) > 1}
    for path in sorted(folder.glob("*.flac")):
        spoken = plain(known.get(path.stem, ""))
        yield Recording("LJ Speech, English, read", path.stem, spoken, read_speech(path))


def folder(place: Path) -> Iterator[Recording]:
    """Yield the recordings in a folder and the folders in it.

    The folders may be called like a phrase that is said in each of their recordings. Raises
    RapportError if there is no sound file.
    """
    paths = sorted(path for path in place.rglob("*") if path.suffix.lower() in SOUNDS)
    if not paths:
        raise RapportError(f"{place}: holds no {', '.join(sorted(SOUNDS))}; name another folder")
    for path in paths:
        try:
            pcm = read_speech(path)
        except RapportError:  # some prompts of telephone exchanges are empty on purpose
            continue
        inside = path.relative_to(place)
        spoken = plain(inside.parts[0]) if len(inside.parts) > 1 else ""
        yield Recording(place.name, str(inside.with_suffix("")), spoken, pcm)


def synthetic(voice: Voice, phrase: str) -> Iterator[Recording]:
    """Yield ``phrase`` spoken by the device's voice in 50 ways, half of them with a question."""
    for following, rate, pitch in product(FOLLOWING, RATES, PITCHES):
        sentence = Sentence(f"{phrase.title()}{following}", Style("varied", rate, pitch))
        pcm = np.concatenate(list(voice.speak(sentence, StopSignal())))
        name = f"{phrase}{following} rate {rate} pitch {pitch}"
        yield Recording(SYNTHETIC, name, phrase, resample(pcm, voice.rate, HEARING_RATE))


def plain(text: str) -> str:
    """Return words in lower case, without marks, one blank between two."""
    kept = "".join(sign if sign.isalnum() or sign == "'" else " " for sign in text.lower())
    return " ".join(kept.split())


def padded(pcm: Pcm) -> Pcm:
    """Return a recording with a very quiet room before and after it."""
    # Not digital silence: no microphone gives that, and front ends that adapt go astray in it.
    size = len(pcm) + round((LEAD_S + TAIL_S) * HEARING_RATE)
    quiet = np.random.default_rng(len(pcm)).normal(0.0, HUSH, size)
    first = round(LEAD_S * HEARING_RATE)
    quiet[first : first + len(pcm)] += pcm
    return np.asarray(np.clip(np.rint(quiet), -32_768, 32_767), np.int16)


class Room:
    """A noisy room: what is said in it arrives with its echo and its noise."""

    def __init__(self, folder: Path, snr_db: float) -> None:
        """Read the noises and impulse responses of a folder; raises RapportError if it has none."""
        self._noises = [read_speech(path) for path in sorted(folder.glob("noise*.wav"))]
        self._responses = [read_speech(path) for path in sorted(folder.glob("rir*.wav"))]
        if not self._noises or not self._responses:
            raise RapportError(f"{folder}: holds no noise*.wav and rir*.wav; name other --data")
        self._snr_db = snr_db

    def around(self, pcm: Pcm, number: int) -> Pcm:
        """Return ``pcm`` (padded) as heard there; ``number`` picks response, noise and its part."""
        random = np.random.default_rng(number)
        sound = pcm.astype(np.float32)
        wet = _reverberant(sound, self._responses[number % len(self._responses)])
        noise = self._noises[number % len(self._noises)].astype(np.float32)
        stretch = np.resize(noise[random.integers(max(len(noise) - len(wet), 1)) :], len(wet))
        # The level of the speech is that of its louder half: pauses and padding do not count.
        power = np.square(wet[: len(wet) // 320 * 320]).reshape(-1, 320).mean(axis=1)
        loud = float(power[power >= np.median(power)].mean())
        factor = np.sqrt(
            loud / max(float(np.square(stretch).mean()), 1.0) / 10 ** (self._snr_db / 10)
        )
        mixed = np.clip(np.rint(wet + stretch * factor), -32_768, 32_767)
        return np.asarray(mixed, np.int16)


def _reverberant(sound: Floats, response: Pcm) -> Floats:
    """Return ``sound`` in the room of an impulse response, at its level and without its delay."""
    size = 1 << (len(sound) + len(response)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response.astype(np.float32), size))
    first = int(np.abs(response.astype(np.int32)).argmax())
    wet = wet[first : first + len(sound)]
    level = np.linalg.norm(sound) / max(float(np.linalg.norm(wet)), 1e-9)
    return np.asarray(wet * level, np.float32)


def _acted(path: Path) -> str:
    return SENTENCES.get(path.stem.split("-")[4], "")


def _digit(path: Path) -> str:
    return DIGITS[int(path.stem[0])]


def _unknown(path: Path) -> str:
    return ""
