"""Holds a conversation from sound files: each is heard, then answered, before the next begins.

Layer 6, on the event loop. Serves ``rapport talk`` and the bench. Nothing is printed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.app import App
from device.audio.rates import read_speech
from device.audio.wav import WavLine
from device.conversation.conversation import Conversation
from device.hub import Subscription
from device.terminal.record import Record, TurnRecord
from device.types import Observed, Pcm

SESSION = "talk"
LOOK_EVERY = 0.05
"""Seconds on the line's clock between looks at whether a file has had its answer."""
SETTLE = 0.5
"""Seconds heard after a file before it may count as answered: speech at its very end needs 0.1 s
to be noticed."""
PATIENCE = 2.0
"""Seconds on top of the longest silence that ends a turn, after which nothing more will come."""
HOPELESS = 120.0
"""Seconds after a file when a conversation that is still at work on it is given up."""

See = Callable[[Observed], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one file."""

    path: Path
    turns: list[TurnRecord]
    reason: str
    """If there was no turn: why."""


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation that is over."""

    record: Record
    files: list[Heard]
    played: Pcm
    """What the loudspeaker played from its first sound to its last: int16 mono at ``rate``."""
    rate: int


def read_sounds(paths: Sequence[Path]) -> dict[Path, Pcm]:
    """Return each file as int16 mono at 16 kHz; raises RapportError for one that is not sound."""
    return {path: read_speech(path) for path in paths}


async def hold(app: App, paths: Sequence[Path], sounds: Mapping[Path, Pcm], see: See) -> Held:
    """Let the conversation hear each of ``paths`` in turn and return what became of it.

    ``sounds`` has what is in each file; ``see`` gets every event as it is published.
    """
    record = Record()
    line = WavLine(rate=app.faculties.voice.model.rate, name=SESSION)
    async with asyncio.TaskGroup() as tasks:
        with app.hub.subscribe() as events:
            watching = tasks.create_task(_watch(events, record, see))
            async with line:
                talking = tasks.create_task(app.converse(line, SESSION))
                await asyncio.sleep(0)  # the conversation comes into being
                hearing = _Hearing(app.conversations[SESSION], line, record)
                limit = app.config.hearing.longest_silence + PATIENCE
                files = [await hearing.hear(path, sounds[path], limit) for path in paths]
            await talking
        await watching
    return Held(record, files, _sound(line), line.rate)


class _Hearing:
    """Feeds one line, file after file."""

    def __init__(self, conversation: Conversation, line: WavLine, record: Record) -> None:
        self._conversation, self._line, self._record = conversation, line, record

    async def hear(self, path: Path, sound: Pcm, limit: float) -> Heard:
        """Feed a file and return once the conversation is done with it."""
        record, line = self._record, self._line
        before, record.unheard = len(record.turns), ""
        ended = record.ended
        line.feed(sound)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            after = line.now() - line.fed_until
            busy = record.speaking or not self._conversation.resting
            if after < SETTLE or (busy and after < HOPELESS):
                continue
            if record.ended > ended or after >= limit or record.unheard:
                break
        turns = record.turns[before:]
        return Heard(path, turns, "" if turns else record.unheard or "no speech was found")


async def _watch(events: Subscription, record: Record, see: See) -> None:
    async for observed in events:
        if observed.session == SESSION:
            record.take(observed)
            see(observed)


def _sound(line: WavLine) -> Pcm:
    first, last = line.first_sound, line.last_sound
    if first is None or last is None:
        return line.recording[:0]
    return line.recording[round(first * line.rate) : round(last * line.rate)]
