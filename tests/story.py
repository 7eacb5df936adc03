"""Conversations told as stories, on a clock that jumps: who says what when, and what came of it.

The engines here are scripted at the seams of ``device.ports``; everything between them is real.
A scripted user's words are carried by the value of the samples, so what the recognizer "hears"
is exactly what the ears handed to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event as StopSignal
from typing import Any, TypeVar

import numpy as np

from device.audio.wav import WavLine
from device.config import Config, parse
from device.conversation.conversation import Conversation
from device.conversation.turn import Speech
from device.hearing.ears import Ears
from device.hub import Hub
from device.types import (
    HEARING_RATE,
    Command,
    Embedding,
    Event,
    Expression,
    Message,
    ModelIdentity,
    Observed,
    Pcm,
    RapportError,
    Replied,
    Reply,
    Sentence,
    State,
    StateChanged,
    ToolCalled,
    Transcribed,
    TurnTimed,
    TurnTimes,
    Verdict,
)
from device.virtual_time import VirtualLoop
from device.worker import Owned, Worker

E = TypeVar("E")
RATE = 16_000
CHARACTER = 0.05
"""Seconds that the scripted voice takes for each character."""


class ScriptedVoiceActivity:
    frame = 512

    def probability(self, frame: Pcm) -> float:
        return 0.99 if np.count_nonzero(frame) > len(frame) // 2 else 0.01

    def reset(self) -> None: ...

    def fresh(self) -> ScriptedVoiceActivity:
        return self


@dataclass
class Script:
    """What was said, by the sample value that carries it."""

    words: dict[int, str] = field(default_factory=dict)
    unfinished: set[int] = field(default_factory=set)

    def heard(self, audio: Pcm) -> list[int]:
        values = audio[np.flatnonzero(audio)]
        if not len(values):
            return []
        changes = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
        return [int(values[i]) for i in changes]


class ScriptedRecognizer:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.calls = 0

    def transcribe(self, audio: Pcm) -> str:
        self.calls += 1
        return " ".join(w for v in self.script.heard(audio) if (w := self.script.words[v]))


class ScriptedTurnDetector:
    def __init__(self, script: Script) -> None:
        self.script = script

    def probability(self, audio: Pcm) -> float:
        heard = self.script.heard(audio)
        return 0.02 if not heard or heard[-1] in self.script.unfinished else 0.98

    def listen(self, audio: Pcm) -> Verdict:
        nothing = np.zeros((80, 1), np.float32)
        return Verdict(self.probability(audio), Embedding("scripted", nothing, nothing))


@dataclass(frozen=True)
class Use:
    """What the prosody model was used for: "interim" and "final" are told by the embedding."""

    what: str
    heard: tuple[int, ...] = ()
    """The sample values that were in the sound, none of them silence, each once."""
    seconds: float = 0.0


class ScriptedProsody:
    """Measures the same in any voice, and keeps what it was used for."""

    identity = ModelIdentity("scripted", "1", "Apache-2.0")

    def __init__(self) -> None:
        self.uses: list[Use] = []

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        return self._expression("final", audio)

    def preview(self, audio: Pcm) -> Expression | None:
        return self._expression("interim", audio)

    def _expression(self, what: str, audio: Pcm) -> Expression:
        heard = tuple(int(value) for value in np.unique(audio) if value)
        self.uses.append(Use(what, heard, len(audio) / HEARING_RATE))
        return Expression(
            None, 0.1, None, {"Calmness": 0.2}, 0.4, {"level_db": -30.0}, model=self.identity
        )

    def learn(self) -> None:
        self.uses.append(Use("learn"))

    def fresh(self) -> ScriptedProsody:
        return self


class UntouchableProsody(ScriptedProsody):
    """Must not be used for anything."""

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        raise AssertionError("something was measured")

    def preview(self, audio: Pcm) -> Expression | None:
        raise AssertionError("something was measured while it was said")

    def learn(self) -> None:
        raise AssertionError("something was learnt")


class SecretiveTurnDetector(ScriptedTurnDetector):
    """Must not be asked for more than how likely the turn is over."""

    def listen(self, audio: Pcm) -> Verdict:
        raise AssertionError("an embedding was asked for")


class ScriptedLanguageModel:
    """Answers by the last thing the user said; a message it has no answer for fails the story."""

    def __init__(self) -> None:
        self.context = 1000
        self.evaluated = 0
        self.answers: dict[str, str | Exception] = {}
        self.prompts: list[list[Message]] = []
        self.pieces_made = 0
        self.arguments = "{}"

    def count(self, messages: Sequence[Message]) -> int:
        return sum(len(m.content.split()) + 4 for m in messages)

    def prepare(self, messages: Sequence[Message]) -> None: ...

    def fill(self, messages: Sequence[Message], schema: str, stop: StopSignal) -> str:
        return self.arguments

    def reply(
        self, messages: Sequence[Message], stop: StopSignal, temperature: float | None = None
    ) -> Iterator[str]:
        self.prompts.append(list(messages))
        last = messages[-1].content
        known = [text for text in self.answers if text in last]
        if not known:
            raise RapportError(f"the story has no answer to {last!r}")
        answer = self.answers[max(known, key=len)]
        if isinstance(answer, Exception):
            raise answer
        for word in answer.split(" "):
            if stop.is_set():
                return
            self.pieces_made += 1
            yield word + " "


class ScriptedVoice:
    rate = RATE

    def __init__(self) -> None:
        self.broken = False

    def speak(self, sentence: Sentence, stop: StopSignal) -> Iterator[Pcm]:
        if self.broken:
            raise RapportError("the voice is broken")
        pcm = np.full(round(len(sentence.text) * CHARACTER * RATE), 1000, np.int16)
        for start in range(0, len(pcm), RATE // 5):
            yield pcm[start : start + RATE // 5]


class Story:
    """Write what happens, ``tell`` it, then look at what came of it."""

    def __init__(self, **settings: Any) -> None:
        self.config: Config = parse(settings, "the story")
        self.script = Script()
        self.model = ScriptedLanguageModel()
        self.voice = ScriptedVoice()
        self.recognizer = ScriptedRecognizer(self.script)
        self.turn_detector = ScriptedTurnDetector(self.script)
        self.prosody = ScriptedProsody()
        self.events: list[Observed] = []
        self.recording = np.empty(0, np.int16)
        self._speech: list[tuple[float, int, float]] = []
        self._commands: list[tuple[float, Command]] = []
        self._acts: list[tuple[float, Callable[[Conversation], None]]] = []
        self.when_called: Callable[[ToolCalled], Command] | None = None
        """What a tool answers, half a second after it was called."""

    def says(self, at: float, text: str, seconds: float = 1.0, finished: bool = True) -> None:
        """The user begins to say ``text`` at a moment; "" is sound without words."""
        value = len(self.script.words) + 1
        self.script.words[value] = text
        if not finished:
            self.script.unfinished.add(value)
        self._speech.append((at, value, seconds))

    def answers(self, to: str, reply: str | Exception) -> None:
        self.model.answers[to] = reply

    def commands(self, at: float, command: Command) -> None:
        self._commands.append((at, command))

    def does(self, at: float, act: Callable[[Conversation], None]) -> None:
        """Something else is done to the conversation at a moment."""
        self._acts.append((at, act))

    def tell(self, until: float) -> Story:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(self._tell(until))
        return self

    async def _tell(self, until: float) -> None:
        hub = Hub()
        workers = {name: Worker(name) for name in ("turn", "asr", "prosody", "llm", "tts")}
        loop = asyncio.get_running_loop()
        async with WavLine(rate=RATE) as line:

            def publish(event: Event) -> None:
                hub.publish("story", line.now(), event)
                if isinstance(event, ToolCalled) and self.when_called:
                    loop.call_later(0.5, conversation.handle, self.when_called(event))

            ears = Ears(
                ScriptedVoiceActivity(),
                Owned(self.turn_detector, workers["turn"]),
                Owned(self.recognizer, workers["asr"]),
                Owned(self.prosody, workers["prosody"]) if self.config.hearing.expression else None,
                self.config.hearing,
            )
            speech = Speech(
                Owned(self.voice, workers["tts"]),
                lambda text: text.strip() if any(c.isalnum() for c in text) else "",
                lambda voice_rate, line_rate: lambda pcm: pcm,
                line.now,
                publish,
                line.rate,
            )
            conversation = Conversation(
                line, ears, Owned(self.model, workers["llm"]), speech, self.config
            )
            line.feed(self._track(until))
            for at, command in self._commands:
                loop.call_later(at, conversation.handle, command)
            for at, act in self._acts:
                loop.call_later(at, act, conversation)
            loop.call_later(until, line.close)
            with hub.subscribe(100_000) as observed:
                await conversation.run()
                observed.close()
                self.events = [event async for event in observed]
            self.recording = line.recording
        for worker in workers.values():
            worker.close()

    def _track(self, until: float) -> Pcm:
        track = np.zeros(round(until * HEARING_RATE), np.int16)
        for at, value, seconds in self._speech:
            start = round(at * HEARING_RATE)
            track[start : start + round(seconds * HEARING_RATE)] = value
        return track

    # What came of it

    def all(self, kind: type[E]) -> list[E]:
        return [o.event for o in self.events if isinstance(o.event, kind)]

    def when(self, kind: type[Any], index: int = 0) -> float:
        return [o.at for o in self.events if isinstance(o.event, kind)][index]

    @property
    def states(self) -> list[State]:
        return [change.new for change in self.all(StateChanged)]

    @property
    def replies(self) -> list[Reply]:
        return [event.reply for event in self.all(Replied)]

    @property
    def times(self) -> list[TurnTimes]:
        return [event.times for event in self.all(TurnTimed)]

    @property
    def transcripts(self) -> list[str]:
        return [event.text for event in self.all(Transcribed) if not event.interim]

    def sounding(self, start: float, end: float) -> bool:
        """Whether the speaker made any sound in this span."""
        return bool(np.any(self.recording[round(start * RATE) : round(end * RATE)]))
