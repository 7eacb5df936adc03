"""Each engine is loaded and does one small real job.

Layer 6. Serves ``rapport doctor``: the voice says a sentence, and the others get to hear it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as StopSignal
from typing import Any

import numpy as np

from device.audio.rates import resample
from device.catalogue import choose
from device.config import Config, Task
from device.engines import engine
from device.mind import style
from device.models import ModelStore
from device.terminal.findings import Finding, broken, ok
from device.types import HEARING_RATE, Embedding, Message, Pcm, RapportError, Sentence

SENTENCE = "Hello, how are you today?"
WORDS = {"hello", "how", "are", "you", "today"}
ENOUGH_WORDS = 3
SPEECH = 0.5
OFF = "expression is switched off (hearing.expression = false)"

Job = Callable[[Any], str]


class Trials:
    """Tries the engines of a configuration one after another; the voice first, others hear it."""

    def __init__(self, store: ModelStore, config: Config) -> None:
        self._store, self._config = store, config
        self._speech: Pcm = np.zeros(2 * HEARING_RATE, np.int16)
        """What the voice said; silence if there is no voice."""
        self._spoke = False
        self._embedding: Embedding | None = None
        """What the end-of-turn network made of that speech."""

    def run(self) -> Iterator[Finding]:
        """Yield what came of each trial."""
        names = choose(self._store.catalogue, self._config.models)
        jobs: dict[Task, Job] = {
            "voice": self._say,
            "recognizer": self._recognise,
            "voice_activity": self._detect,
            "turn": self._judge,
            "prosody": self._measure,
            "language_model": self._think,
        }
        for task, job in jobs.items():
            yield self._try(task, names[task], job)

    def _try(self, task: Task, name: str, job: Job) -> Finding:
        part = f"engine {task.replace('_', ' ')}"
        if task == "prosody" and not self._config.hearing.expression:
            return ok(part, f"{name}: not tried, {OFF}")
        try:
            files = self._store.files(name)
        except RapportError:
            return broken(part, f"{name}: not tried, its files are not whole")
        try:
            return ok(part, self._timed(task, name, files, job))
        except RapportError as error:
            return broken(part, f"{name}: {error}")
        except Exception as error:  # the point of a trial is to see what a library does
            found = f"{name}: {type(error).__name__}: {error}"
            return broken(part, found, "run: rapport models verify; then: rapport --debug talk")

    def _timed(self, task: Task, name: str, files: dict[str, Path], job: Job) -> str:
        config = self._config
        sections: dict[Task, Any] = {"language_model": config.thinking, "voice": config.speaking}
        begun = time.perf_counter()
        model = engine(self._store.catalogue.model(name).engine)(
            files, sections.get(task, config.hearing)
        )
        loaded = time.perf_counter()
        found = job(model)
        done = time.perf_counter()
        return f"{name}: {found}; loaded in {loaded - begun:.2f} s, {done - loaded:.2f} s for this"

    def _say(self, voice: Any) -> str:
        spoken = list(voice.speak(Sentence(SENTENCE, style.choose(None)), StopSignal()))
        pcm = np.concatenate([np.empty(0, np.int16), *spoken])
        if not np.any(pcm):
            raise RapportError(f"it made no sound of {SENTENCE!r}; run: rapport models verify")
        self._speech, self._spoke = resample(pcm, voice.rate, HEARING_RATE), True
        return f"said {SENTENCE!r} in {len(pcm) / voice.rate:.1f} s of sound"

    def _recognise(self, recognizer: Any) -> str:
        text = recognizer.transcribe(self._speech)
        words = {word.strip(".,!?").lower() for word in text.split()}
        if self._spoke and len(words & WORDS) < ENOUGH_WORDS:
            raise RapportError(f"it understood {text!r}, not {SENTENCE!r}; try another recognizer")
        return f"understood {text!r}" if self._spoke else "there was no voice to try it with"

    def _detect(self, detector: Any) -> str:
        silent = detector.probability(np.zeros(detector.frame, np.int16))
        frames = range(0, len(self._speech) - detector.frame, detector.frame)
        loudest = max(detector.probability(self._speech[i : i + detector.frame]) for i in frames)
        if silent >= SPEECH or (self._spoke and loudest < SPEECH):
            raise RapportError(f"silence is speech by {silent:.2f}, speech by {loudest:.2f}")
        heard = f", speech by {loudest:.2f}" if self._spoke else ""
        return f"silence is speech by {silent:.2f}{heard}"

    def _judge(self, detector: Any) -> str:
        verdict = detector.listen(self._speech)
        self._embedding = verdict.embedding
        return f"the sentence is over by {verdict.probability:.2f}"

    def _measure(self, model: Any) -> str:
        expression = model.measure(self._speech, self._embedding)
        measured = expression.measures if expression else {}
        made_by = f"{model.identity.name} {model.identity.version}, {model.identity.licence}"
        layers = "" if self._embedding else ", without the end-of-turn network's layers: less exact"
        return f"{made_by}: measured {', '.join(measured) or 'nothing'}{layers}"

    def _think(self, model: Any) -> str:
        stop = StopSignal()
        reply = model.reply([Message("user", "Say hello.")], stop)
        try:
            token = next(reply, None)
        finally:
            stop.set()
            reply.close()
        if token is None:
            raise RapportError("it had no answer to 'Say hello.'; run: rapport models verify")
        return f"began its answer with {token!r}"
