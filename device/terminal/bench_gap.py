"""Times the gap between what a person says and the reply, from outside, in real time.

Layer 6, on the ordinary event loop. Serves ``rapport bench``. An utterance is fed to a simulated
line, the reply is read off the line's recording; every time is on the line's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from device.app import App
from device.audio.wav import WavLine
from device.conversation.conversation import Conversation
from device.hub import Subscription
from device.terminal.bench_clips import Clip
from device.terminal.bench_division import Milestones, Spans, analysis, first_sound_made
from device.types import (
    Observed,
    Replied,
    SpeechFailed,
    Spoken,
    Stopped,
    Transcribed,
    TurnFailed,
    TurnTimed,
    TurnTimes,
)

SESSION = "bench"
SETTLE = 0.4
"""Seconds of silence that each conversation hears first."""
PATIENCE = 30.0
"""Seconds for a reply to begin: a throttled machine has taken fifteen."""
LISTEN = 0.3
"""Seconds of a reply that are listened to before it is stopped, to save time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one utterance."""

    transcript: str = ""
    heard: str = ""
    """What was played of the reply before it was stopped."""
    moments: Milestones | None = None
    """None: it was not answered; ``failure`` says why."""
    cut_off: int = 0
    """How often the device took the user for finished before the end."""
    failure: str = ""


@asynccontextmanager
async def conversing(app: App) -> AsyncIterator[tuple[WavLine, Conversation]]:
    """Hold a conversation on a fresh line, and stop what still goes on at the end."""
    line = WavLine(rate=app.faculties.voice.model.rate, name=SESSION)
    async with asyncio.TaskGroup() as tasks, line:
        conversation = app.conversation(line, SESSION)
        tasks.create_task(conversation.run(), name=SESSION)
        await asyncio.sleep(SETTLE)
        yield line, conversation
        conversation.handle(Stopped())
        line.close()


async def answer(app: App, spans: Spans, clip: Clip) -> Answer:
    """Say ``clip`` to a fresh conversation; return when and what it answered.

    ``spans`` are those of the stopwatch on ``app``.
    """
    spans.clear()
    with app.hub.subscribe() as events:
        async with conversing(app) as (line, _):
            opened = asyncio.get_running_loop().time() - line.now()
            log = _Log(line.feed(clip.pcm) + clip.seconds)
            with suppress(TimeoutError):  # told by what is in the log, and what is not
                async with asyncio.timeout(clip.seconds + PATIENCE):
                    await _until_answered(events, log)
        events.close()
        async for observed in events:
            log.take(observed)
    return _told(log, line, spans, opened)


async def _until_answered(events: Subscription, log: _Log) -> None:
    """Return when the reply to the whole utterance sounds, or none will come."""
    async for observed in events:
        log.take(observed)
        if log.turn in log.spoken:
            await asyncio.sleep(LISTEN)
            return
        if log.failed_at > log.speech_end:
            return


@dataclass(slots=True)
class _Log:
    """The events of one utterance, by the number of the turn."""

    speech_end: float
    decided: dict[int, float] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)
    spoken: dict[int, float] = field(default_factory=dict)
    heard: dict[int, str] = field(default_factory=dict)
    times: dict[int, TurnTimes] = field(default_factory=dict)
    failure: str = ""
    failed_at: float = 0.0

    def take(self, observed: Observed) -> None:
        """Add an event."""
        match observed.event:
            case Transcribed(text, interim=False, turn=int(number)):
                self.words[number], self.decided[number] = text, observed.at
            case Spoken(turn=number):
                self.spoken.setdefault(number, observed.at)
            case Replied(reply, number):
                self.heard[number] = reply.heard
            case TurnTimed(times, number):
                self.times[number] = times
            case TurnFailed(reason) | SpeechFailed(reason):
                self.failure, self.failed_at = reason, observed.at

    @property
    def turn(self) -> int | None:
        """The number of the first turn that was decided after the speech had really ended."""
        after = (number for number, at in self.decided.items() if at >= self.speech_end)
        return next(after, None)

    @property
    def cut_off(self) -> int:
        """How many turns were decided before."""
        return sum(at < self.speech_end for at in self.decided.values())


def _told(log: _Log, line: WavLine, spans: Spans, opened: float) -> Answer:
    """Make sense of the events; ``opened`` is when the line was, on the clock of the spans."""
    turn, cut_off = log.turn, log.cut_off
    if turn is None:
        early = "it was answered before its end" if cut_off else ""
        return Answer(cut_off=cut_off, failure=log.failure or early or "no speech was noticed")
    times, words = log.times.get(turn, TurnTimes()), log.words[turn]
    sounded = first_sound(line, log.spoken[turn]) if turn in log.spoken else None
    if sounded is None or times.first_token is None or times.first_clause is None:
        reason = log.failure or f"no reply began within {PATIENCE:.0f} s"
        return Answer(words, cut_off=cut_off, failure=reason)
    work = analysis(spans, opened + times.first_token)
    made = first_sound_made(spans, opened + times.first_clause)
    assert work is not None and made is not None, "a reply sounded that nobody made"
    moments = Milestones(
        speech_end=log.speech_end,
        analysis_begun=work[0] - opened,
        analysed=work[1] - opened,
        first_clause=times.first_clause,
        synthesized=made - opened,
        decided=log.decided[turn],
        first_audio=sounded,
    )
    return Answer(words, log.heard.get(turn, ""), moments, cut_off)


def first_sound(line: WavLine, since: float) -> float | None:
    """Return when the first sample that is not zero was played at or after ``since``, or None."""
    first = round(since * line.rate)
    sounding = np.flatnonzero(line.recording[first:])
    return (first + int(sounding[0])) / line.rate if len(sounding) else None
