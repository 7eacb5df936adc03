"""What the heads learn from: a vector for each clip and condition, made as the device makes it.

Serves ``train`` and ``evaluate``. Making them is nearly all the time that training takes, so they
are kept in the user's cache until a clip, the network or a line of this code changes.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from device.catalogue import Catalogue
from device.convert import SMART_TURN
from device.hearing.log_mel import log_mel
from device.hearing.pooling import of_first_layer, pooled, sounding
from device.hearing.silero import FRAME, Silero
from device.hearing.trunk import Trunk
from device.models import ModelStore
from device.settings import Hearing
from device.types import HEARING_RATE, Floats, Pcm
from models.prosody.corpora import Clip, read_labels, read_sounds
from models.prosody.disturb import Disturber, in_room, with_noise
from models.prosody.trunk import cut as cut_network

HERE = Path(__file__).parent
DEPTH = 2
"""Encoder layers that the vectors are made of."""
SEED = 20261125
DISTURBED = 6
"""How often training sees each clip disturbed, each time in another way."""
MARGIN = 0.2
"""Seconds left around the speech of a clip: what the ears keep before it, and the first silence."""
WINDOW_S = 2.0
"""Seconds that are heard at a time while somebody speaks."""
TEST_SNR_DB = 10.0

LONG_S = (4.0, 8.0)
"""Seconds of the long utterances that are put together of several clips. Those of the corpora last
two to three; by heads that had heard no longer ones, 8 s of neutral reading were disgust."""
BEGINNING_S = (0.6, 1.4)
"""Seconds of an utterance that are heard when it is first looked at, silence before it included."""
COMPANIONS = 4
"""Other clips of the same speaker and emotion, of which a long utterance is made."""

TRAINING = (
    "clean",
    *(f"disturbed-{at}" for at in range(DISTURBED)),
    *("window", "window-disturbed", "long", "long-disturbed"),
    *("beginning", "beginning-disturbed"),
)
"""Conditions that heads are trained on."""
TESTING = ("clean", "noise", "room", "noise and room", "window", "beginning", "long")
"""Conditions that they are tested on; noises and rooms are others than in training."""


@dataclass(frozen=True)
class Features:
    """A corpus as the heads see it."""

    clips: Sequence[Clip]
    vectors: Mapping[str, npt.NDArray[np.float32]]
    """By condition, a row for each clip."""

    def labels(self) -> npt.NDArray[np.str_]:
        """Return the emotion of each clip."""
        return np.array([clip.emotion for clip in self.clips])

    def speakers(self) -> npt.NDArray[np.str_]:
        """Return the speaker of each clip."""
        return np.array([clip.speaker for clip in self.clips])

    def of_first_layer(self) -> Features:
        """Return the same with vectors of the first layer alone, as windows are heard."""
        return Features(self.clips, {name: first_layers(v) for name, v in self.vectors.items()})

    def only(self, chosen: npt.NDArray[np.bool_]) -> Features:
        """Return those of the clips that are ``chosen``."""
        clips = [clip for clip, wanted in zip(self.clips, chosen, strict=True) if wanted]
        return Features(clips, {name: rows[chosen] for name, rows in self.vectors.items()})


def first_layers(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return of each row what it holds of the first layer."""
    return np.stack([of_first_layer(row, DEPTH) for row in vectors])


class Maker:
    """Makes the vectors of one process: the networks, the noises and the rooms."""

    def __init__(self, data: Path) -> None:
        store = ModelStore(None, Catalogue.load())
        self._voice_activity = Silero(store.files("silero"), Hearing())
        self._trunk = Trunk(_trunk(store.files(SMART_TURN)["model"]), SMART_TURN)
        self._disturb = Disturber([scaled(s) for _, s in read_sounds(data / "esc10-120")])
        acoustics = dict(read_sounds(data / "acoustics"))
        self._noises = [scaled(s) for name, s in acoustics.items() if name.startswith("noise")]
        self._rooms = [scaled(s) for name, s in acoustics.items() if name.startswith("rir")]

    def vectors(self, name: str, clip: Pcm, others: Sequence[Pcm] = ()) -> dict[str, Floats]:
        """Return the vector of a clip under each condition; ``name`` seeds what is random.

        ``others`` are clips of the same speaker and emotion, for a long utterance.
        """
        speech = scaled(self.spoken_part(clip))
        place = zlib.crc32(name.encode())
        random = np.random.default_rng((SEED, place))
        room = in_room(speech, self._rooms[place % len(self._rooms)])
        noise = self._noises[place % len(self._noises)]
        made = {
            f"disturbed-{at}": self.whole(self._disturb(speech, random)) for at in range(DISTURBED)
        }
        made |= {
            "clean": self.whole(speech),
            "window": self.window(cut(speech, random)),
            "window-disturbed": self.window(cut(self._disturb(speech, random), random)),
            "noise": self.whole(with_noise(speech, noise, TEST_SNR_DB, random)),
            "room": self.whole(room),
            "noise and room": self.whole(with_noise(room, noise, TEST_SNR_DB, random)),
        }
        parts = [speech, *(scaled(self.spoken_part(other)) for other in others)]
        made |= {
            "long": self.whole(joined(parts, random)),
            "long-disturbed": self.whole(self._disturb(joined(parts, random), random)),
        }
        return made | self.beginnings(speech, np.random.default_rng((SEED, place, 1)))

    def beginnings(self, speech: Floats, random: np.random.Generator) -> dict[str, Floats]:
        """Return the vectors of an utterance of which little has been heard."""
        disturbed = self._disturb(speech, random)
        lengths = (random.uniform(*BEGINNING_S, size=2) * HEARING_RATE).astype(int)
        return {
            "beginning": self.window(speech[: lengths[0]]),
            "beginning-disturbed": self.window(disturbed[: lengths[1]]),
        }

    def whole(self, sound: Floats) -> Floats:
        """Return the vector as of an utterance that ended: the network looks at 8 s."""
        picture = log_mel(as_pcm(sound))
        return pooled(self._trunk.layers(picture), sounding(picture))

    def window(self, sound: Floats) -> Floats:
        """Return the vector as of somebody who still speaks: the network looks at the window."""
        embedding = self._trunk.embed(as_pcm(sound))
        return pooled(embedding.layers, sounding(embedding.picture))

    def spoken_part(self, clip: Pcm) -> Pcm:
        """Return a clip from just before its first to just after its last speech."""
        self._voice_activity.reset()
        frames = clip[: len(clip) // FRAME * FRAME].reshape(-1, FRAME)
        spoken = np.flatnonzero(
            [self._voice_activity.probability(frame) >= 0.5 for frame in frames]
        )
        if not len(spoken):
            return clip
        margin = int(MARGIN * HEARING_RATE)
        first, last = spoken[0] * FRAME - margin, (spoken[-1] + 1) * FRAME + margin
        return clip[max(first, 0) : last]


def scaled(sound: Pcm) -> Floats:
    """Return int16 samples as float32 of full scale 1."""
    return sound.astype(np.float32) * np.float32(1 / 32768)


def as_pcm(sound: Floats) -> Pcm:
    """Return float32 samples of full scale 1 as int16, clipped where they go beyond."""
    return np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16)


def cut(sound: Floats, random: np.random.Generator) -> Floats:
    """Return a window at a random place of ``sound``, all of it if that is shorter."""
    length = int(WINDOW_S * HEARING_RATE)
    start = int(random.integers(max(len(sound) - length, 0) + 1))
    return sound[start : start + length]


def joined(parts: Sequence[Floats], random: np.random.Generator) -> Floats:
    """Return one long utterance that ends with the first of ``parts``; the others go before it."""
    length = int(random.uniform(*LONG_S) * HEARING_RATE)
    sound = parts[0]
    for at in random.permutation(np.arange(1, len(parts))):
        if len(sound) < length:
            sound = np.concatenate([parts[at], sound])
    return sound[-length:]


def features(folder: Path, data: Path, told: Callable[[str, int, int], None]) -> Features:
    """Return the vectors of the corpus in ``folder``, from the cache if nothing has changed.

    ``data`` has the noises and rooms. ``told`` hears the corpus, how many clips are done, and of
    how many. Raises RapportError if the corpus cannot be read.
    """
    clips = read_labels(folder)
    kept = _cache() / f"{folder.name}-{_fingerprint(folder)}.npz"
    if kept.is_file():
        with np.load(kept) as stored:
            return Features(clips, {name: stored[name] for name in stored.files})
    rows = dict(_make(folder, clips, data, told))
    missing = [clip.file for clip in clips if clip.file not in rows]
    for name in missing:
        told(f"{folder.name}: {name} is in labels.csv and not in the folder; left out", 0, 0)
    clips = [clip for clip in clips if clip.file in rows]
    conditions = dict.fromkeys((*TRAINING, *TESTING))
    vectors = {name: np.stack([rows[clip.file][name] for clip in clips]) for name in conditions}
    if not missing:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **vectors)  # type: ignore[arg-type]
    return Features(clips, vectors)


def noise_vectors(data: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Return the vectors of sounds that are no speech, by kind: two of each recording."""
    kept = _cache() / f"noises-{_fingerprint(data / 'esc10-120')}.npz"
    if kept.is_file():
        with np.load(kept) as stored:
            return {name: stored[name] for name in stored.files}
    maker = Maker(data)
    found: dict[str, list[Floats]] = {}
    for kind, sound in no_speech(data):
        loud = scaled(sound)
        found.setdefault(kind, []).extend(
            (maker.whole(loud), maker.window(loud[: 2 * HEARING_RATE]))
        )
    made = {kind: np.stack(rows) for kind, rows in found.items()}
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(kept, **made)  # type: ignore[arg-type]
    return made


def no_speech(data: Path) -> Iterator[tuple[str, Pcm]]:
    """Yield kind and sound of recordings without speech, and of made music."""
    for name, sound in read_sounds(data / "esc10-120"):
        yield Path(name).parent.name, sound
    for name, sound in read_sounds(data / "acoustics"):
        if name.startswith("noise"):
            yield "acoustics", sound[: 8 * HEARING_RATE]
    for seed in range(24):
        yield "music", music(np.random.default_rng((SEED, seed)))


def music(random: np.random.Generator) -> Pcm:
    """Return 5 s of made music: chords of plucked or held tones over a bass, in a random key."""
    sound = np.zeros(5 * HEARING_RATE, np.float32)
    beat, key = random.uniform(0.25, 0.6), random.uniform(100, 240)
    held, harmonics = random.random() < 0.5, int(random.integers(2, 9))
    for at in np.arange(0, 5 - beat, beat):
        steps = random.choice([0, 2, 4, 5, 7, 9, 11, 12, 16, 19], size=int(random.integers(1, 4)))
        time = np.arange(int(beat * (2 if held else 1) * HEARING_RATE)) / HEARING_RATE
        fade = np.minimum(time / 0.02, 1) * np.exp(-time * (1 if held else 5))
        for step in steps:
            hertz = key * 2 ** (step / 12)
            tone = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, harmonics + 1))
            start = int(at * HEARING_RATE)
            piece = (tone * fade)[: len(sound) - start]
            sound[start : start + len(piece)] += piece.astype(np.float32)
    return as_pcm(sound / np.abs(sound).max() * np.float32(random.uniform(0.1, 0.8)))


_maker: Maker | None = None


def _begin(data: Path) -> None:
    global _maker  # noqa: PLW0603  one for each process, which ends with the pool
    _maker = Maker(data)


def _vectors(job: tuple[str, Pcm, list[Pcm]]) -> tuple[str, dict[str, Floats]]:
    if _maker is None:
        raise RuntimeError("a process was given a clip before its networks")
    return job[0], _maker.vectors(*job)


def _make(
    folder: Path, clips: Sequence[Clip], data: Path, told: Callable[[str, int, int], None]
) -> Iterator[tuple[str, dict[str, Floats]]]:
    sounds = dict(read_sounds(folder))
    jobs = ((c.file, sounds[c.file], _others(c, clips, sounds)) for c in clips if c.file in sounds)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_begin, initargs=(data,)) as pool:
        for done, result in enumerate(pool.map(_vectors, jobs, chunksize=8), 1):
            yield result
            told(folder.name, done, len(clips))


def _others(clip: Clip, clips: Sequence[Clip], sounds: Mapping[str, Pcm]) -> list[Pcm]:
    kind = (clip.speaker, clip.emotion)
    alike = [c.file for c in clips if (c.speaker, c.emotion) == kind and c.file in sounds]
    alike.remove(clip.file)
    random = np.random.default_rng((SEED, zlib.crc32(clip.file.encode())))
    return [sounds[alike[at]] for at in random.permutation(len(alike))[:COMPANIONS]]


def _trunk(network: Path) -> Path:
    """Return a cut of ``network`` down to the layers of the vectors, making it if need be."""
    target = _cache() / f"trunk-{DEPTH}.onnx"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}")
        cut_network(network, part, DEPTH)
        os.replace(part, target)
    return target


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "rapport" / "prosody"


def _fingerprint(folder: Path) -> str:
    """Return a digest of all that the vectors of ``folder`` depend on."""
    digest = hashlib.sha256()
    code = HERE.parents[1] / "device" / "hearing"
    sources = [HERE / f"{name}.py" for name in ("features", "disturb", "corpora", "trunk")]
    sources += [code / "log_mel.py", code / "pooling.py"]
    for path in sources:
        digest.update(path.read_bytes())
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        if path.name == "labels.csv":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
