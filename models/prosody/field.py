"""Tables of the engine as it runs on the device: what it refuses, what it costs, what it changes.

Serves ``evaluate``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from device.catalogue import Catalogue
from device.convert import SMART_TURN
from device.hearing.prosody_head import ProsodyHead
from device.hearing.smart_turn import SmartTurn
from device.models import ModelStore
from device.settings import Hearing
from device.types import HEARING_RATE
from models.prosody import metrics
from models.prosody.acoustic_rules import AcousticRules
from models.prosody.corpora import read_sounds
from models.prosody.features import HERE, TESTING, WINDOW_S, Features, no_speech, noise_vectors
from models.prosody.learning import NEUTRAL, places
from models.prosody.tables import Table
from models.prosody.train import speech

STEP_S = 0.5
ROUNDS = 7
LONGEST = 8 * HEARING_RATE


def acoustic_rules(corpora: Sequence[tuple[str, Features, Path]]) -> Table:
    """Return what rules of thumb recognise that know each speaker's neutral voice."""
    lines = []
    for title, corpus, folder in corpora:
        sounds = dict(read_sounds(folder))
        heard = [AcousticRules().hear(sounds[clip.file]) for clip in corpus.clips]
        found, arousal = np.full(len(heard), "neutral", "U12"), np.zeros(len(heard))
        truth, speakers = corpus.labels(), corpus.speakers()
        for speaker in sorted(set(speakers)):
            rules = AcousticRules()
            for row in np.flatnonzero((speakers == speaker) & np.isin(truth, NEUTRAL)):
                if (voice := heard[row]) is not None:
                    rules.learn(voice)
            for row in np.flatnonzero(speakers == speaker):
                if (voice := heard[row]) is not None:
                    found[row], arousal[row] = rules.judge(voice)
        if "calm" not in set(truth):
            found = np.where(found == "calm", "neutral", found)
        lines.append(
            (
                title,
                f"{metrics.average_recall(truth, found):.3f}",
                f"{1 / len(set(truth)):.3f}",
                f"{metrics.concordance(arousal, places(truth)[:, 0]):.3f}",
            )
        )
    return Table(
        "Rules of thumb on pitch, level, rate and brightness, each speaker's neutral voice known",
        ("corpus", "average recall", "chance", "arousal concordance"),
        lines,
    )


def not_speech(learnt: Features, other: Features, data: Path, engine: ProsodyHead) -> Table:
    """Return how well speech is told from other sound, and what the whole engine refuses."""
    noises = noise_vectors(data)
    refused: dict[str, list[bool]] = {}
    for kind, sound in no_speech(data):
        refused.setdefault(kind, []).append(engine.fresh().measure(sound[:80_000], None) is None)
    lines = []
    for kind, rows in noises.items():
        rest = {name: vectors for name, vectors in noises.items() if name != kind}
        weights, bias = speech([learnt], rest)
        likeness = rows.astype(np.float64) @ weights + bias
        lines.append((kind, f"{np.mean(likeness < 0.5):.2f}", f"{np.mean(refused[kind]):.2f}"))
    weights, bias = speech([learnt], noises)
    for condition in TESTING:
        likeness = other.vectors[condition].astype(np.float64) @ weights + bias
        lines.append(
            (f"speech of the other corpus, {condition}", f"{np.mean(likeness < 0.5):.2f}", "")
        )
    return Table(
        "Sound that is no speech: share refused",
        ("sound", "by the head, kind not learnt", "by the engine as shipped"),
        lines,
        "Voice activity stands before this on the device, and stops nearly all of it by itself. Of "
        "speech, the share refused is a loss.",
    )


def reading(data: Path) -> Table:
    """Return what the shipped heads make of neutral reading, by its length: a stranger's voice."""
    turn = SmartTurn(ModelStore(None, Catalogue.load()).files(SMART_TURN), Hearing())
    sounds = [sound for _, sound in read_sounds(data / "speech") if len(sound) >= LONGEST]
    lines = []
    for name in ("default", "research"):
        engine = shipped(name)
        for seconds in (2, 4, 6, 8):
            ends = [sound[-seconds * HEARING_RATE :] for sound in sounds]
            heard = [engine.fresh().measure(end, turn.listen(end).embedding) for end in ends]
            shares = [dict(one.categories) for one in heard if one is not None]
            means = {c: float(np.mean([share[c] for share in shares])) for c in shares[0]}
            calm = sum(means.pop(c, 0.0) for c in ("neutral", "calm", "boredom"))
            first = max(means, key=means.__getitem__)
            row = (name, str(seconds), f"{calm:.2f}", f"{first} {means[first]:.2f}")
            lines.append(row)
    return Table(
        "Neutral reading (LJ Speech, in no training set) by length, as of a stranger",
        ("head", "last seconds", "neutral, calm or bored", "next"),
        lines,
        f"Mean probabilities of {len(sounds)} sentences of one reader.",
    )


def shipped(name: str) -> ProsodyHead:
    """Return the engine with one of the heads beside this file."""
    files = {"head": f"{name}.onnx", "window_head": f"{name}-window.onnx", "trunk": "trunk.onnx"}
    return ProsodyHead({role: HERE / file for role, file in files.items()}, Hearing())


def cost(data: Path) -> Table:
    """Return the processor time of measuring, beside that of the end-of-turn network."""
    store = ModelStore(None, Catalogue.load())
    turn, engine = SmartTurn(store.files(SMART_TURN), Hearing()), shipped("default")
    sounds = [sound[: 6 * HEARING_RATE] for _, sound in read_sounds(data / "speech")][:8]
    seconds = sum(len(sound) for sound in sounds) / HEARING_RATE
    verdicts = [turn.listen(sound).embedding for sound in sounds]

    def stream() -> None:
        for sound in sounds:
            for end in np.arange(STEP_S, len(sound) / HEARING_RATE, STEP_S):
                stop = int(end * HEARING_RATE)
                engine.preview(sound[max(0, stop - int(WINDOW_S * HEARING_RATE)) : stop])

    def endpoint() -> None:
        for sound, embedding in zip(sounds, verdicts, strict=True):
            engine.measure(sound, embedding)

    steps = {
        "while speaking, every 0.5 s: a window of 2 s": stream,
        "at the end, layers given: pooling, head, measures": endpoint,
        "the end-of-turn network itself, once an utterance": lambda: [
            turn.listen(s) for s in sounds
        ],
    }
    lines = [
        (name, *(f"{1000 * value / seconds:.2f}" for value in _processor_s(step)))
        for name, step in steps.items()
    ]

    def both() -> None:
        stream()
        endpoint()

    total = _processor_s(both)
    lines.insert(
        2, ("both, beyond the end-of-turn network", *(f"{1000 * v / seconds:.2f}" for v in total))
    )
    return Table(
        "Processor milliseconds for a second of speech, one thread",
        ("step", "least of seven", "median"),
        lines,
        f"Utterances of 6 s. A loop of two million steps took {_loop_s():.2f} s meanwhile (0.13 s "
        "is a healthy machine).",
    )


def _processor_s(step: Callable[[], object]) -> tuple[float, float]:
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        step()
        taken.append(time.process_time() - begun)
    return min(taken), float(np.median(taken))


def _loop_s() -> float:
    begun, total = time.perf_counter(), 0
    for number in range(2_000_000):
        total += number
    return time.perf_counter() - begun
