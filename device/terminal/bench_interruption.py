"""Times interruptions and idle listening, in real time.

Layer 6, on the ordinary event loop. Serves ``rapport bench``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from device.app import App
from device.audio.wav import WavLine
from device.hub import Subscription
from device.terminal.bench_clips import Clip
from device.terminal.bench_gap import PATIENCE, conversing
from device.types import HEARING_RATE, Interrupted, RapportError, Say

SPEECH_S = 1.5
"""Seconds of speech fed into a reply."""
NOTICE_S = 4.0
"""Seconds after which an interruption that was not noticed counts as missed."""
SILENT_S = 0.3
"""Seconds waited after an interruption for sound that should no longer come."""
REPLY = "The old man went down to the harbour every morning to look at the boats coming in."
"""One clause of some 4 s: the speaker is not silent by chance when it is cut, and it takes no more
memory to synthesize than an ordinary reply."""
FIRST_S, STEP_S = 0.6, 0.3
"""Seconds of the reply that play before the first interruption, and how much more before each of
the next six; then over again."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """One trial of speaking into a reply."""

    clip: str
    seconds: float | None
    """From the onset of the speech to the last sample played; None: see ``failure``."""
    failure: str = ""


def interrupting(clips: Sequence[Clip], trials: int) -> list[Clip]:
    """Return the clips to interrupt with, first those whose onset is clear, over again if few.

    Raises RapportError if there is no clip.
    """
    if not clips:
        raise RapportError("there is no utterance to interrupt with; give some with --utterances")
    clear = [clip for clip in clips if clip.clear_onset] or list(clips)
    return [clear[at % len(clear)] for at in range(trials)]


def delays(trials: int) -> list[float]:
    """Return how many seconds of the reply play before each trial's interruption."""
    return [FIRST_S + STEP_S * (at % 7) for at in range(trials)]


async def interrupt(app: App, clip: Clip, after: float) -> Interruption:
    """Let a long reply play for ``after`` seconds, speak into it, and time its falling silent."""
    speech = clip.pcm[: round((clip.onset + SPEECH_S) * HEARING_RATE)]
    with app.hub.subscribe() as events:
        async with conversing(app) as (line, conversation):
            conversation.handle(Say(REPLY))
            try:
                async with asyncio.timeout(PATIENCE):
                    while line.first_sound is None:
                        await line.tick()
            except TimeoutError:
                return Interruption(clip.name, None, "the reply did not begin")
            await asyncio.sleep(after)
            onset = line.feed(speech) + clip.onset
            noticed = False
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTICE_S):
                    noticed = await _noticed(events)
            await asyncio.sleep(SILENT_S)
            return _judged(clip, line, onset, noticed)


async def _noticed(events: Subscription) -> bool:
    async for observed in events:
        if isinstance(observed.event, Interrupted):
            return True
    return False


def _judged(clip: Clip, line: WavLine, onset: float, noticed: bool) -> Interruption:
    last = line.last_sound
    if not noticed:
        return Interruption(clip.name, None, f"was not noticed within {NOTICE_S:.0f} s")
    if last is None or last < onset:
        return Interruption(clip.name, None, "the voice had a pause just then")
    return Interruption(clip.name, last - onset)


async def idle(app: App, seconds: float) -> float:
    """Return the share of one core that listening to silence takes."""
    async with conversing(app) as (line, _):
        begun, used = line.now(), time.process_time()
        await asyncio.sleep(seconds)
        return (time.process_time() - used) / (line.now() - begun)
