"""Puts a stopwatch on the models, so that a gap can be divided among those who were waited for.

Layer 6. Serves ``rapport bench``. Each model is wrapped behind its own port; the wrapper notes when
a call began and ended on the clock that the event loop and its lines run by.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event as StopSignal

from device.app import App
from device.ports import ProsodyModel, Recognizer, TurnDetector, Voice
from device.terminal.bench_division import Span, Spans
from device.types import Embedding, Expression, Pcm, Sentence, Verdict
from device.worker import Owned


def timed(app: App) -> tuple[App, Spans]:
    """Return an app of the same models whose calls are noted in the list beside it."""
    spans: Spans = []
    models = app.faculties
    faculties = replace(
        models,
        recognizer=Owned(_Recognizer(models.recognizer.model, spans), models.recognizer.worker),
        turn=Owned(_Turn(models.turn.model, spans), models.turn.worker),
        prosody=Owned(_Prosody(models.prosody.model, spans), models.prosody.worker),
        voice=Owned(_Voice(models.voice.model, spans), models.voice.worker),
    )
    return App(app.config, app.hub, faculties, app.extra_models), spans


class _Recognizer:
    def __init__(self, inner: Recognizer, spans: Spans) -> None:
        self._inner, self._spans = inner, spans

    def transcribe(self, audio: Pcm) -> str:
        begin = time.monotonic()
        text = self._inner.transcribe(audio)
        self._spans.append(Span("recognizer", begin, time.monotonic()))
        return text


class _Turn:
    def __init__(self, inner: TurnDetector, spans: Spans) -> None:
        self._inner, self._spans = inner, spans

    def probability(self, audio: Pcm) -> float:
        begin = time.monotonic()
        probability = self._inner.probability(audio)
        self._spans.append(Span("turn", begin, time.monotonic()))
        return probability

    def listen(self, audio: Pcm) -> Verdict:
        begin = time.monotonic()
        verdict = self._inner.listen(audio)
        self._spans.append(Span("turn", begin, time.monotonic()))
        return verdict


class _Prosody:
    def __init__(self, inner: ProsodyModel, spans: Spans) -> None:
        self._inner, self._spans = inner, spans
        self.identity = inner.identity

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        begin = time.monotonic()
        expression = self._inner.measure(audio, embedding)
        self._spans.append(Span("prosody", begin, time.monotonic()))
        return expression

    def preview(self, audio: Pcm) -> Expression | None:
        return self._inner.preview(audio)

    def learn(self) -> None:
        self._inner.learn()

    def fresh(self) -> _Prosody:
        return _Prosody(self._inner.fresh(), self._spans)


class _Voice:
    def __init__(self, inner: Voice, spans: Spans) -> None:
        self._inner, self._spans = inner, spans
        self.rate = inner.rate

    def speak(self, sentence: Sentence, stop: StopSignal) -> Iterator[Pcm]:
        begin, sounded = time.monotonic(), False
        for pcm in self._inner.speak(sentence, stop):
            if not sounded:
                sounded = True
                self._spans.append(Span("voice", begin, time.monotonic()))
            yield pcm
