"""What the ears do when the models are slower than the talker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

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


class Loudspeaker(Talker):
    """A microphone that hears an echo which a harder canceller takes away, or does not."""

    def __init__(self, strict: int) -> None:
        super().__init__()
        self._strict = strict

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        async for chunk in super().chunks():
            strict = np.full(BLOCK, self._strict if chunk.pcm.any() else 0, np.int16)
            yield replace(chunk, strict=strict)


def heard_of(talker: Talker, played_before: float = 0.0) -> tuple[list[HearingEvent], list[bool]]:
    """Return the events of a second of sound, and whether it was beyond doubt at each."""
    script = Script({1: "hello there"})
    events: list[HearingEvent] = []
    sure: list[bool] = []

    async def main() -> None:
        workers = [Worker(name) for name in ("turn", "asr")]
        ears = Ears(
            ScriptedVoiceActivity(),
            Owned(ScriptedTurnDetector(script), workers[0]),
            Owned(ScriptedRecognizer(script), workers[1]),
            None,
            Hearing(),
        )

        def take(event: HearingEvent) -> None:
            events.append(event)
            sure.append(ears.beyond_doubt)

        listening = asyncio.ensure_future(ears.listen(talker, take))
        talker.says(0, played_before)
        await talker.heard()
        talker.says(1, 1.0)
        for _ in range(12):
            talker.says(0, 0.1)
            await talker.heard()
        talker.leaves()
        await listening
        for worker in workers:
            worker.close()

    asyncio.run(main())
    return events, sure


def test_speech_that_both_cancellers_leave_over_is_beyond_doubt() -> None:
    events, sure = heard_of(Loudspeaker(strict=1))
    assert any(isinstance(event, UtteranceEnded) for event in events)
    assert sure[-1]


def test_what_the_harder_canceller_takes_away_is_no_speech_while_the_other_still_learns() -> None:
    events, _ = heard_of(Loudspeaker(strict=0))
    assert events == []


def test_once_the_canceller_leaks_no_more_it_is_believed_but_not_beyond_doubt() -> None:
    events, sure = heard_of(Loudspeaker(strict=0), played_before=8.0)
    assert any(isinstance(event, UtteranceEnded) for event in events)
    assert not any(sure)


def test_where_nothing_is_played_nothing_is_doubted() -> None:
    _, sure = heard_of(Talker())
    assert sure[-1]
