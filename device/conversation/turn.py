"""One turn: think, synthesize and speak, at the same time, in one group of tasks.

Layer 3, on the event loop. A turn may think and synthesize before it is sure that the user has
finished; it speaks only once it was granted a ``Playback``. Nothing it starts outlives it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from device.conversation.clauses import Clauses
from device.conversation.playback import Playback, PlaybackStopped
from device.ports import Voice
from device.types import (
    Event,
    Pcm,
    Reply,
    Replying,
    Sentence,
    Spoken,
    SpokenAll,
    Style,
    TurnTimes,
    Utterance,
)
from device.worker import Owned

SPEECHLESS = "Sorry, I have no words for that."
"""Spoken when a reply has nothing to pronounce."""

Pieces: TypeAlias = Callable[["Turn"], AsyncGenerator[str, None]]
"""Makes the stream of a turn's pieces: from a language model, or words given as they are."""

SENTENCES_AHEAD = 64
PIECES_AHEAD = 300
"""Sound waiting for the speaker: 30 s. Models are shared, and one that waits with the next piece
while a sentence is being played would keep every other conversation waiting too."""


@dataclass(frozen=True, slots=True)
class _Piece:
    pcm: Pcm
    clause: int
    text: str


@dataclass(slots=True)
class Marks:
    """When the parts of the turn happened, on the line's clock, as they become known."""

    turn_end: float | None = None
    first_token: float | None = None
    first_clause: float | None = None
    first_audio: float | None = None
    reply_end: float | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """How a line is spoken to: the voice, and what lies between it and the speaker."""

    voice: Owned[Voice]
    pronounceable: Callable[[str], str]
    """Returns what is read aloud of a clause, empty if nothing is."""
    resampler: Callable[[int, int], Callable[[Pcm], Pcm]]
    """Makes a converter from the voice's rate to the speaker's, for one reply."""
    now: Callable[[], float]
    """The line's clock."""
    publish: Callable[[Event], None]
    """Is told each sentence, and its sound, as they go to the speaker."""
    rate: int
    """Samples per second of the speaker."""


@dataclass(slots=True)
class Turn:
    """One answer in the making. ``run`` it in a task; cancel that task to end it early."""

    number: int
    pieces: Pieces
    speech: Speech
    style: Style
    utterance: Utterance | None = None
    verbatim: bool = False
    text: str = ""
    marks: Marks = field(default_factory=Marks)
    playback: Playback | None = None
    _granted: asyncio.Event = field(default_factory=asyncio.Event)

    def grant(self, playback: Playback) -> None:
        """Give the right to speak."""
        self.playback = playback
        self._granted.set()

    async def permitted(self) -> None:
        """Return once this turn is the answer: what cannot be taken back has to wait for it."""
        await self._granted.wait()

    async def run(self) -> None:
        """Answer; returns when the last sound was played, or quietly once playback was stopped."""
        sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(SENTENCES_AHEAD)
        audio: asyncio.Queue[_Piece | None] = asyncio.Queue(PIECES_AHEAD)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._think(sentences), name="think")
                tasks.create_task(self._synthesize(sentences, audio), name="synthesize")
                tasks.create_task(self._speak(audio), name="speak")
        except* PlaybackStopped:
            pass  # whoever stopped it has accounted for what was heard
        else:
            self.marks.reply_end = self.speech.now()

    def reply(self) -> Reply:
        """Return the reply and what has been heard of it so far."""
        heard = self.playback.heard() if self.playback else ""
        whole = self.marks.reply_end is not None
        return Reply(self.text.strip(), heard, not whole, self.style.name)

    def times(self) -> TurnTimes:
        """Return when the parts of this turn happened."""
        heard = self.utterance
        return TurnTimes(
            speech_start=heard.started if heard else None,
            speech_end=heard.ended if heard else None,
            transcript=heard.transcribed if heard else None,
            turn_end=self.marks.turn_end,
            first_token=self.marks.first_token,
            first_clause=self.marks.first_clause,
            first_audio=self.marks.first_audio,
            reply_end=self.marks.reply_end,
        )

    async def _think(self, sentences: asyncio.Queue[Sentence | None]) -> None:
        clauses, spoken = Clauses(), False
        async with aclosing(self.pieces(self)) as pieces:
            async for piece in pieces:
                if self.marks.first_token is None:
                    self.marks.first_token = self.speech.now()
                self.text += piece
                for clause in clauses.feed(piece):
                    spoken |= await self._pass_on(clause, sentences)
        for clause in clauses.finish():
            spoken |= await self._pass_on(clause, sentences)
        if not spoken:
            self.text = SPEECHLESS
            await self._pass_on(SPEECHLESS, sentences)
        await sentences.put(None)

    async def _pass_on(self, clause: str, sentences: asyncio.Queue[Sentence | None]) -> bool:
        if not self.speech.pronounceable(clause):
            return False
        if self.marks.first_clause is None:
            self.marks.first_clause = self.speech.now()
        await sentences.put(Sentence(clause, self.style))
        return True

    async def _synthesize(
        self,
        sentences: asyncio.Queue[Sentence | None],
        audio: asyncio.Queue[_Piece | None],
    ) -> None:
        resample = self.speech.resampler(self.speech.voice.model.rate, self.speech.rate)
        clause = 0
        while (sentence := await sentences.get()) is not None:
            spoken = Sentence(self.speech.pronounceable(sentence.text), sentence.style)
            sounds = self.speech.voice.stream(lambda voice, stop, s=spoken: voice.speak(s, stop))  # type: ignore[misc]
            async with aclosing(sounds):
                async for pcm in sounds:
                    await audio.put(_Piece(resample(pcm), clause, sentence.text))
            clause += 1
        await audio.put(None)

    async def _speak(self, audio: asyncio.Queue[_Piece | None]) -> None:
        await self.permitted()
        assert self.playback is not None
        announced = -1
        while (piece := await audio.get()) is not None:
            if piece.clause != announced:
                announced = piece.clause
                sentence = Sentence(piece.text, self.style)
                self.speech.publish(Replying(sentence, self.number, self.verbatim))
            self.speech.publish(Spoken(piece.pcm, self.speech.rate, self.number))
            await self.playback.play(piece.pcm, piece.clause, piece.text)
        self.speech.publish(SpokenAll(self.number))
        await self.playback.drained()
