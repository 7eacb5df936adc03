"""What the ears do when the models are slower than the talker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import numpy as np

from device.hearing.ears import Ears
from device.settings import Hearing
from device.types import (
    HEARING_RATE,
    AudioChunk,
    HearingEvent,
    Pcm,
    RapportError,
    SpeechFailed,
    TurnResumed,
    UtteranceEnded,
)
from device.worker import Owned, Worker
from tests.story import (
    Script,
    ScriptedProsody,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoiceActivity,
)

BLOCK = HEARING_RATE // 50


class Talker:
    """A microphone that hears what the test says next, and nothing until then."""

    def __init__(self) -> None:
        self._next: asyncio.Queue[Pcm | None] = asyncio.Queue()

    def says(self, value: int, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self._next.put_nowait(np.full(BLOCK, value, np.int16))

    async def heard(self) -> None:
        """Return when all that was said has been taken in."""
        async with asyncio.timeout(60):
            while not self._next.empty():
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    def leaves(self) -> None:
        self._next.put_nowait(None)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        start = 0
        while (pcm := await self._next.get()) is not None:
            yield AudioChunk(pcm, HEARING_RATE, start)
            start += len(pcm)
            await asyncio.sleep(0)


class SlowRecognizer(ScriptedRecognizer):
    """Takes as long for its first piece as the test wants."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.go_on = threading.Event()

    def transcribe(self, audio: Pcm) -> str:
        assert self.go_on.wait(60), "the test never let the recognizer go on"
        return super().transcribe(audio)


class BrokenRecognizer(ScriptedRecognizer):
    def transcribe(self, audio: Pcm) -> str:
        raise RapportError("the recognizer fell over")


def ears(script: Script, recognizer: ScriptedRecognizer, workers: list[Worker]) -> Ears:
    asr, turn, prosody = workers
    return Ears(
        ScriptedVoiceActivity(),
        Owned(ScriptedTurnDetector(script), turn),
        Owned(recognizer, asr),
        Owned(ScriptedProsody(), prosody),
        Hearing(interim=0),
    )


async def until(events: list[HearingEvent], kind: type[HearingEvent]) -> None:
    async with asyncio.timeout(60):
        while not any(isinstance(event, kind) for event in events):
            await asyncio.sleep(0.01)


def test_words_of_a_long_stretch_survive_a_pause_that_was_not_the_end() -> None:
    script = Script({1: "a long beginning", 2: "and the end."})
    recognizer = SlowRecognizer(script)

    async def main() -> list[HearingEvent]:
        talker, events = Talker(), list[HearingEvent]()
        workers = [Worker(name) for name in ("asr", "turn", "prosody")]
        listening = asyncio.create_task(
            ears(script, recognizer, workers).listen(talker, events.append)
        )
        talker.says(1, 11)  # long enough to be handed over while it goes on
        talker.says(0, 0.3)
        talker.says(2, 1)
        await until(events, TurnResumed)
        recognizer.go_on.set()
        talker.says(0, 0.3)
        await asyncio.sleep(0.5)
        talker.says(0, 2)
        await until(events, UtteranceEnded)
        talker.leaves()
        await asyncio.wait_for(listening, 60)
        for worker in workers:
            worker.close()
        return events

    [ended] = [e for e in asyncio.run(main()) if isinstance(e, UtteranceEnded)]
    assert "a long beginning" in ended.utterance.text
    assert ended.utterance.text.endswith("and the end.")


def test_a_recognizer_that_fails_is_told_about_and_the_ears_stay_open() -> None:
    script = Script({1: "lost", 2: "lost too"})

    async def main() -> list[HearingEvent]:
        talker, events = Talker(), list[HearingEvent]()
        workers = [Worker(name) for name in ("asr", "turn", "prosody")]
        listening = asyncio.create_task(
            ears(script, BrokenRecognizer(script), workers).listen(talker, events.append)
        )
        for value, seconds in ((1, 1), (2, 11)):
            before = len(events)
            talker.says(value, seconds)
            talker.says(0, 0.3)
            await asyncio.sleep(0.3)
            talker.says(0, 2)
            async with asyncio.timeout(60):
                while not any(isinstance(e, SpeechFailed) for e in events[before:]):
                    await asyncio.sleep(0.01)
        talker.leaves()
        await asyncio.wait_for(listening, 60)
        for worker in workers:
            worker.close()
        return events

    reasons = [e.reason for e in asyncio.run(main()) if isinstance(e, SpeechFailed)]
    assert reasons == ["the recognizer fell over"] * 2
