"""Trials in one room: the device speaks on a real sound card, and somebody talks into it.

Layer 6. Serves ``bench duplex``, which runs it once for each room, in a process of its own:
``python -m device.terminal.duplex_trials PLAN`` reads a plan and prints what came of each trial.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from device.app import LOCAL, App, open_app
from device.audio.rates import read_speech
from device.audio.soundcard import SoundCard
from device.config import Config, parse
from device.conversation.conversation import Conversation
from device.settings import LineSettings
from device.terminal.acoustic_loop import AcousticLoop, Room
from device.terminal.bench_clips import cut
from device.terminal.pipe_card import BLOCK, SETTINGS, PipeCard
from device.types import (
    HEARING_RATE,
    Event,
    Interrupted,
    PassedOver,
    Pcm,
    Replied,
    Resumed,
    Say,
    State,
    Stopped,
    Transcribed,
    VoiceHeld,
)
from device.virtual_time import VirtualLoop

TICK = BLOCK / HEARING_RATE
PAUSE = 0.4
"""Seconds without sound after which the device has fallen silent."""
SETTLE = 2.6
"""Seconds after the last sound of a trial in which its consequences are awaited."""
LONGEST = 30.0
"""Seconds that a reply may take to begin or to end."""
TALK_DB = -26.0
"""Level of somebody who talks to the device, in dB of full scale over the loud parts."""
SOUNDING = 60
"""Samples above this are the voice; rounding and dither are below."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in one room."""

    room: dict[str, Any]
    answer: str
    """File with the room's impulse response."""
    noise: str
    noise_db: float
    echo: str
    replies: Sequence[str]
    """Texts the device speaks, one after the other."""
    trials: Sequence[dict[str, Any]]
    """kind (self, barge-in, backchannel, noise, stop), file, begin: seconds into the reply."""
    realtime: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of one trial; times are seconds from the onset of the sound."""

    kind: str
    file: str = ""
    stopped: float | None = None
    """When the reply was given up."""
    silent: float | None = None
    """When the loudspeaker fell silent for good."""
    text: str = ""
    """What was understood."""
    heard_whole: bool = False
    """Whether the reply was spoken to its end, in one piece or resumed."""
    resumed: bool = False
    held: float | None = None
    """When the voice was held, seconds from the onset of the sound."""
    passed: list[str] = field(default_factory=list)
    clean: str = ""
    """What the recognizer makes of the recording itself."""
    answers: int = 0
    """Utterances that the device took for somebody's."""


class Stage:
    """The card, the room and the conversation, moved on by 20 ms at a time."""

    def __init__(self, card: PipeCard, loop: AcousticLoop, line: SoundCard) -> None:
        self._card, self._loop, self._line = card, loop, line
        self.talk: Pcm = np.zeros(0, np.int16)
        self._said = 0
        self.at = 0
        """Blocks since the beginning."""
        self.sounding: list[tuple[float, float]] = []
        """From when to when the loudspeaker made sound, pauses of less than ``PAUSE`` included."""
        self._begun = asyncio.get_running_loop().time()

    @property
    def now(self) -> float:
        """Seconds since the beginning, by the card's clock."""
        return self.at * TICK

    def say(self, pcm: Pcm) -> None:
        """Begin to talk."""
        self.talk, self._said = pcm, 0

    async def run(self, seconds: float) -> None:
        """Let so much time pass."""
        for _ in range(round(seconds / TICK)):
            await self._step()

    async def _step(self) -> None:
        played = self._card.played()
        if np.max(np.abs(played.astype(np.int32))) > SOUNDING:
            begun = self.now
            if self.sounding and begun - self.sounding[-1][1] < PAUSE:
                begun, _ = self.sounding.pop()
            self.sounding.append((begun, self.now + TICK))
        talk = np.zeros(BLOCK, np.int16)
        piece = self.talk[self._said : self._said + BLOCK]
        talk[: len(piece)] = piece
        self._said += BLOCK
        self._card.hears(self._loop.hear(played, talk), self._line.exchange)
        self.at += 1
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._begun + self.at * TICK - loop.time()))


async def perform(plan: Plan, app: App, card: PipeCard) -> list[Outcome]:
    """Go through all trials of a plan on one line that stays open, as a device's does."""
    outcomes: list[Outcome] = []
    async with _open(app.config.line) as line:
        conversation = app.conversation(line, LOCAL)
        running = asyncio.ensure_future(conversation.run())
        answer = np.asarray(_impulse(plan.answer), np.float32)
        loop = AcousticLoop(
            Room(answer=answer, **plan.room), read_speech(plan.noise), plan.noise_db
        )
        stage = Stage(card, loop, line)
        await stage.run(0.4)
        for number, trial in enumerate(plan.trials):
            reply = plan.replies[number % len(plan.replies)]
            outcomes.append(await _trial(stage, conversation, app, trial, reply))
        line.close()
        card.let_go()
        running.cancel()
        await asyncio.wait([running])
    for outcome in outcomes:
        if outcome.kind == "barge-in":
            sound, _ = _talk(outcome.file)
            recognizer = app.faculties.recognizer
            outcome.clean = await recognizer.call(lambda r, s=sound: r.transcribe(s))  # type: ignore[misc]
    return outcomes


@asynccontextmanager
async def _open(settings: LineSettings) -> AsyncIterator[SoundCard]:
    """Open the card and close it, which takes real time, while virtual time stands still."""
    loop, line = asyncio.get_running_loop(), SoundCard(settings)
    with loop.standing() if isinstance(loop, VirtualLoop) else nullcontext():
        await line.__aenter__()
    try:
        yield line
    finally:
        with loop.standing() if isinstance(loop, VirtualLoop) else nullcontext():
            await line.__aexit__(None, None, None)


async def _trial(
    stage: Stage, conversation: Conversation, app: App, trial: dict[str, Any], reply: str
) -> Outcome:
    outcome = Outcome(trial["kind"], trial.get("file", ""))
    with app.hub.subscribe(10_000) as observed:
        conversation.handle(Say(reply))
        await _until(stage, conversation, speaking=True)
        onset = None
        if outcome.file:
            await stage.run(trial["begin"])
            sound, ahead = _talk(outcome.file)
            stage.say(sound)
            onset = stage.now + ahead
            await _pass(stage, conversation, len(sound) / HEARING_RATE)
        await _until(stage, conversation, speaking=False)
        await _pass(stage, conversation, SETTLE)
        await _until(stage, conversation, speaking=False)  # a reply that went on
        observed.close()
        events = [event.event async for event in observed]
    _read(outcome, events, reply)
    if onset is not None and outcome.held is not None:
        outcome.held -= onset
    if onset is not None and outcome.stopped is not None:
        outcome.stopped -= onset
        ended = [end for begin, end in stage.sounding if begin < onset + 0.02 < end]
        outcome.silent = ended[0] - onset if ended else None
    await stage.run(0.6)
    return outcome


async def _until(stage: Stage, conversation: Conversation, speaking: bool) -> None:
    """Let time pass until the device speaks, or does not; at most ``LONGEST``."""
    for _ in range(round(LONGEST / TICK)):
        if (conversation.state is State.SPEAKING) is speaking:
            return
        await _pass(stage, conversation, TICK)


async def _pass(stage: Stage, conversation: Conversation, seconds: float) -> None:
    """Let time pass; a question that was understood is not answered: the trial is over by then."""
    for _ in range(round(seconds / TICK)):
        await stage.run(TICK)
        if conversation.state is State.THINKING and conversation.answering:
            conversation.handle(Stopped())


def _read(outcome: Outcome, events: Sequence[Event], reply: str) -> None:
    """Put down what the events of a trial tell."""
    heard: list[str] = []
    for event in events:
        match event:
            case Interrupted(_, at, _) if outcome.stopped is None:
                outcome.stopped = at
            case VoiceHeld(_, at, _) if outcome.held is None:
                outcome.held = at
            case Transcribed(text, interim=False):
                outcome.text = f"{outcome.text} {text}".strip()
                outcome.answers += 1
            case PassedOver(text, reason):
                outcome.passed.append(f"{reason}: {text}")
            case Resumed():
                outcome.resumed = True
            case Replied(said):
                heard.append(said.heard)
    outcome.heard_whole = bool(heard) and " ".join(heard).endswith(reply.rsplit(maxsplit=1)[-1])


def _talk(file: str) -> tuple[Pcm, float]:
    """Return a recording at the level of a talker, and where in it the sound sets in."""
    clip = cut(file, read_speech(file))
    sound = clip.pcm.astype(np.float32)
    loud = np.abs(sound) > 0.05 * np.max(np.abs(sound))
    level = float(np.sqrt(np.mean(np.square(sound[loud]))))
    scaled = np.clip(sound * (32_768 * 10 ** (TALK_DB / 20) / level), -32_768, 32_767)
    return scaled.astype(np.int16), clip.onset


def _impulse(file: str) -> Pcm:
    """Return a room's impulse response from its direct sound on, half a second of it."""
    answer = read_speech(file)
    first = max(0, int(np.argmax(np.abs(answer.astype(np.int32)))) - 16)
    return answer[first : first + HEARING_RATE // 2]


def run(plan: Plan) -> Iterator[Outcome]:
    """Carry out a plan in this process, which can carry out one."""
    with tempfile.TemporaryDirectory() as folder:
        card = PipeCard(Path(folder))
        line = SETTINGS.model_copy(update={"echo": plan.echo})
        config = parse({"line": line.model_dump(), "api": {"enabled": False}}, "bench duplex")
        factory = asyncio.new_event_loop if plan.realtime else VirtualLoop
        with asyncio.Runner(loop_factory=factory) as runner:
            yield from runner.run(_run(plan, config, card))


async def _run(plan: Plan, config: Config, card: PipeCard) -> list[Outcome]:
    async with open_app(config) as app:
        return await perform(plan, app, card)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    used = time.process_time()
    told = [asdict(outcome) for outcome in run(Plan(**given))]
    print(json.dumps({"outcomes": told, "cpu_s": time.process_time() - used}))
