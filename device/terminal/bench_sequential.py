"""The plain chain: one model after the other, none before the silence is over, nothing streamed.

Layer 6. Serves ``rapport bench``, which sets the eager conversation against it: the same models on
the same threads, the same utterances, the same minutes.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from device.app import App
from device.mind import persona, style
from device.mind.expression import combine
from device.ports import LanguageModel
from device.speaking.speakable import speakable
from device.terminal.bench_clips import Clip
from device.types import HEARING_RATE, Expression, Message, Pcm, Sentence
from device.worker import Owned

T = TypeVar("T")

SILENCE_S = 0.7
"""The fixed silence after which such a chain takes the user for finished; it is added, not slept:
nothing else would happen in it."""
STAGES = ("silence", "turn", "ASR", "prosody", "LLM", "TTS")


@dataclass(frozen=True, slots=True)
class Chain:
    """What the plain chain made of one utterance."""

    transcript: str
    reply: str
    stages: dict[str, float]
    """Seconds by the names in ``STAGES``."""

    @property
    def gap(self) -> float:
        """From the last sample of the speech to the first of the reply."""
        return sum(self.stages.values())


async def chain(app: App, clip: Clip) -> Chain:
    """Answer ``clip`` stage by stage and return what each took."""
    models, settings = app.faculties, app.config
    stages = {"silence": SILENCE_S}
    audio = np.concatenate([clip.pcm, np.zeros(round(SILENCE_S * HEARING_RATE), np.int16)])

    async def stage(name: str, work: Callable[[], Awaitable[T]]) -> T:
        begun = time.perf_counter()
        result = await work()
        stages[name] = time.perf_counter() - begun
        return result

    verdict = await stage("turn", lambda: models.turn.call(lambda m: m.listen(audio)))
    text = await stage("ASR", lambda: models.recognizer.call(lambda m: m.transcribe(audio)))
    expression: Expression | None = None
    if settings.hearing.expression:
        prosody, layers = models.prosody, verdict.embedding
        measured = await stage("prosody", lambda: prosody.call(lambda m: m.measure(audio, layers)))
        expression = combine(measured, text)
    prompt = [*persona.opening(settings.thinking.persona), persona.user(text, expression)]
    reply = await stage("LLM", lambda: _whole(models.language_model, prompt))
    chosen = style.choose(expression, settings.speaking.style)
    await stage("TTS", lambda: _spoken(app, Sentence(speakable(reply), chosen)))
    return Chain(text, reply.strip(), stages)


async def forget(app: App) -> None:
    """Have the language model read another message, so that it does not know the next one already.

    What every prompt begins with stays known, as it does between the turns of a conversation.
    """
    prompt = [*persona.opening(app.config.thinking.persona), Message("user", "Good day to you.")]
    model = app.faculties.language_model
    async with aclosing(model.stream(lambda m, stop: m.reply(prompt, stop))) as pieces:
        async for _ in pieces:
            break


async def _whole(model: Owned[LanguageModel], prompt: list[Message]) -> str:
    async with aclosing(model.stream(lambda m, stop: m.reply(prompt, stop))) as pieces:
        return "".join([piece async for piece in pieces])


async def _spoken(app: App, sentence: Sentence) -> list[Pcm]:
    voice = app.faculties.voice
    async with aclosing(voice.stream(lambda v, stop: v.speak(sentence, stop))) as pieces:
        return [pcm async for pcm in pieces]
