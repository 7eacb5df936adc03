"""Speaking for text-to-speech: utterances to pieces of sound, as they come from the voice.

Layer 4, on the event loop. Serves the text-to-speech routes. The voice is the device's own, which
conversations speak with too: it is held for one clause at a time, never by whoever reads slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from uuid import uuid4

import numpy as np

from device.audio.rates import Resampler
from device.conversation.clauses import Clauses
from device.ports import Voice
from device.speaking.speakable import speakable
from device.types import Pcm, Sentence, Style
from device.worker import Owned

RATE = 48_000
"""Samples per second of what is sent: EVI's."""
PIECE = RATE // 2
"""Samples of a piece, at least, unless its snippet ends: each may become a file of its own."""
INNER_PAUSE = 0.4
"""Share of a style's pause after a clause that does not end a sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """An utterance ready to be spoken."""

    text: str
    voice: Owned[Voice]
    style: Style
    silence: float = 0.0
    """Seconds after it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the sound of a snippet, int16 mono at ``RATE``."""

    utterance: int
    snippet: str
    """Its id."""
    text: str
    """Of the whole snippet."""
    index: int
    """Of this piece in the snippet."""
    pcm: Pcm
    last: bool
    """Whether the snippet ends with it."""
    final: bool = False
    """Whether everything ends with it."""


@dataclass(slots=True)
class _Snippet:
    utterance: int
    text: str
    clauses: Sequence[str]
    style: Style
    voice: Owned[Voice]
    silence: float
    final: bool
    id: str = field(default_factory=lambda: str(uuid4()))


async def spoken(lines: Sequence[Line], split: bool = True) -> AsyncGenerator[Piece, None]:
    """Yield all lines as sound, clause after clause; consume it under ``aclosing``.

    ``split``: each clause is a snippet, otherwise each line. A clause is spoken while the pieces of
    the same are taken; the next waits until they are.
    """
    pieces: asyncio.Queue[Piece | None] = asyncio.Queue()  # holds one clause, which is bounded
    making = asyncio.create_task(_speak_all(lines, split, pieces), name="speak")
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
            pieces.task_done()
        await making
    finally:
        making.cancel()
        await asyncio.wait([making])
        if not making.cancelled():
            making.exception()  # raised above already, or of no interest to a consumer who left


def _snippets(lines: Sequence[Line], split: bool) -> list[_Snippet]:
    found: list[_Snippet] = []
    for number, line in enumerate(lines):
        clauses = Clauses()
        parts = [*clauses.feed(line.text), *clauses.finish()]
        for group in [[part] for part in parts] if split else [parts]:
            text = group[0] if split else line.text
            found.append(_Snippet(number, text, group, line.style, line.voice, 0.0, False))
        found[-1].silence = line.silence
    found[-1].final = True
    return found


async def _speak_all(
    lines: Sequence[Line], split: bool, pieces: asyncio.Queue[Piece | None]
) -> None:
    try:
        # On a thread, as below: text made to be hard to cut takes 0.1 s for 5000 characters.
        for snippet in await asyncio.to_thread(_snippets, lines, split):
            await _speak(snippet, pieces)
    finally:
        pieces.put_nowait(None)


async def _speak(snippet: _Snippet, pieces: asyncio.Queue[Piece | None]) -> None:
    held: list[Pcm] = []
    index = 0

    def hand_out(last: bool) -> None:
        nonlocal index
        pcm = np.concatenate(held) if held else np.zeros(0, np.int16)
        held.clear()
        pieces.put_nowait(
            Piece(
                snippet.utterance,
                snippet.id,
                snippet.text,
                index,
                pcm,
                last,
                last and snippet.final,
            )
        )
        index += 1

    for clause in snippet.clauses:
        await pieces.join()
        async with aclosing(_clause(clause, snippet)) as sounds:
            async for pcm in sounds:
                if sum(map(len, held)) >= PIECE:
                    hand_out(last=False)
                held.append(pcm)
    if snippet.silence:
        held.append(np.zeros(round(snippet.silence * RATE), np.int16))
    if held or index or snippet.final:
        hand_out(last=True)


async def _clause(clause: str, snippet: _Snippet) -> AsyncGenerator[Pcm, None]:
    style, voice = snippet.style, snippet.voice
    if clause.rstrip("\"')]*_ ")[-1:] not in (".", "!", "?", "…"):
        style = replace(style, pause=style.pause * INNER_PAUSE)
    sentence = Sentence(await asyncio.to_thread(speakable, clause), style)
    resampler = Resampler(voice.model.rate, RATE)
    async with aclosing(voice.stream(lambda v, stop: v.speak(sentence, stop))) as sounds:
        async for pcm in sounds:
            yield resampler.process(pcm)
    rest = resampler.flush()
    if len(rest):
        yield rest
