"""Times each model by itself, on the thread that owns it, while nothing else runs.

Layer 6. Serves ``rapport bench``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from threading import Event as StopSignal

import numpy as np

from device.app import App
from device.mind import persona, style
from device.ports import LanguageModel, Recognizer, Voice
from device.terminal.bench_clips import Clip
from device.types import HEARING_RATE, Message, Pcm, Sentence

SENTENCES = (
    "I am sorry to hear that you had such a difficult day.",
    "That sounds like wonderful news!",
    "The tide comes in twice a day, because the moon pulls the water of the sea towards itself.",
)
"""What the voice speaks: short, shorter, and as long as replies are."""
QUESTIONS = ("What should I cook for dinner tonight?", "And what could I drink with it?")


@dataclass(frozen=True, slots=True)
class Thought:
    """How the language model fared with two turns of one chat."""

    token_ms: float
    """Median milliseconds from one piece of a reply to the next; pieces are mostly one token."""
    prompt_rate: float
    """Tokens per second of a prompt of which nothing was known before."""
    first_evaluated: int
    """Tokens really read for the first turn, after a chat that shared nothing with it."""
    second_prompt: int
    """Tokens of the second turn's prompt."""
    second_evaluated: int
    """Tokens of it that were really read."""


async def recognition(app: App, clips: Sequence[Clip]) -> list[float]:
    """Return the recognizer's real-time factor for each clip."""
    model = app.faculties.recognizer

    def transcribe(recognizer: Recognizer, clip: Clip) -> float:
        return _seconds(lambda: recognizer.transcribe(clip.pcm)) / clip.seconds

    return [await model.call(lambda m, c=clip: transcribe(m, c)) for clip in clips]  # type: ignore[misc]


async def turn_detection(app: App, clips: Sequence[Clip]) -> list[float]:
    """Return the seconds that the end-of-turn network takes for each clip."""
    model = app.faculties.turn
    return [
        await model.call(lambda m, p=clip.pcm: _seconds(lambda: m.probability(p)))  # type: ignore[misc]
        for clip in clips
    ]


async def prosody(app: App, clips: Sequence[Clip]) -> list[float]:
    """Return the seconds that measuring the expression of each clip takes, its layers given."""
    model, turn = app.faculties.prosody, app.faculties.turn
    listener = await model.call(lambda m: m.fresh())
    taken = []
    for clip in clips:
        verdict = await turn.call(lambda m, p=clip.pcm: m.listen(p))  # type: ignore[misc]
        measure = partial(listener.measure, clip.pcm, verdict.embedding)
        taken.append(await model.call(lambda _, use=measure: _seconds(use)))  # type: ignore[misc]
    return taken


async def voice_activity(app: App, clips: Sequence[Clip]) -> list[float]:
    """Return the real-time factor of voice activity for each frame of the clips."""
    owned = app.faculties.voice_activity
    model = await owned.call(lambda m: m.fresh())
    length = model.frame / HEARING_RATE
    sound = np.concatenate([clip.pcm for clip in clips])
    whole = len(sound) // model.frame * model.frame
    frames = list(sound[:whole].reshape(-1, model.frame))

    def all_frames() -> list[float]:
        return [_seconds(lambda f=frame: model.probability(f)) / length for frame in frames]  # type: ignore[misc]

    return await owned.call(lambda _: all_frames())


async def speaking(app: App, repeats: int) -> list[float]:
    """Return the voice's real-time factor for each of ``SENTENCES``, ``repeats`` times."""
    sentences = [Sentence(text, style.choose(None)) for text in SENTENCES]

    def speak(voice: Voice, sentence: Sentence) -> float:
        begun = time.perf_counter()
        pieces: list[Pcm] = list(voice.speak(sentence, StopSignal()))
        return (time.perf_counter() - begun) * voice.rate / sum(len(pcm) for pcm in pieces)

    return [
        await app.faculties.voice.call(lambda v, s=sentence: speak(v, s))  # type: ignore[misc]
        for _ in range(repeats)
        for sentence in sentences
    ]


async def thinking(app: App) -> Thought:
    """Hold two turns of a chat with the language model and return how it fared."""
    settings = app.config.thinking
    # Another beginning than any real prompt has: nothing of it is known already.
    stranger = [Message("system", f"It is Tuesday. {settings.persona}")]
    opening = persona.opening(settings.persona)

    def two_turns(model: LanguageModel) -> Thought:
        strange = _seconds(lambda: model.prepare([*stranger, Message("user", QUESTIONS[0])]))
        strange_tokens = model.evaluated
        first = [*opening, Message("user", QUESTIONS[0])]
        told = _reply(model, first)
        answer = Message("assistant", told.text.strip())
        second = [*first, answer, Message("user", QUESTIONS[1])]
        asked = _reply(model, second)
        steps = [*told.steps, *asked.steps]
        return Thought(
            token_ms=1000 * statistics.median(steps) if steps else 0.0,
            prompt_rate=strange_tokens / strange,
            first_evaluated=told.evaluated,
            second_prompt=model.count(second),
            second_evaluated=asked.evaluated,
        )

    return await app.faculties.language_model.call(two_turns)


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    steps: list[float]
    """Seconds from each piece to the next."""
    evaluated: int


def _reply(model: LanguageModel, prompt: list[Message]) -> _Reply:
    text, moments = "", []
    for piece in model.reply(prompt, StopSignal()):
        text += piece
        moments.append(time.perf_counter())
    steps = [b - a for a, b in pairwise(moments)]
    return _Reply(text, steps, model.evaluated)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
