"""The REST routes of text-to-speech: spoken as a whole or as a stream, in JSON or as a file.

Layer 4, on FastAPI. Serves the API server. Voice conversion and text that arrives piece by piece
are not offered.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import uuid4

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from device.evi import sounds
from device.evi.casting import Cast, cast
from device.evi.host import Host
from device.evi.records import Records
from device.evi.resources import NOT_FOUND, Faults, Refusal
from device.evi.sounds import CONTENT_TYPES, Encoder, Encoding
from device.evi.speech_requests import (
    AudioEncoding,
    PostedFileTts,
    PostedTts,
    PostedWholeFileTts,
    PostedWholeTts,
    ReturnGeneration,
    ReturnTts,
    Snippet,
    SnippetAudioChunk,
)
from device.evi.synthesis import RATE, Piece, spoken
from device.worker import Owned

LINES = "application/x-ndjson"
REFUSALS: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    422: {"model": Faults, "description": "The body is wrong."},
    503: {"model": Refusal, "description": "The voice cannot be used."},
}
CLIENT_LEFT = 499
"""Status of an answer that nobody reads any more; it appears nowhere but in a log."""


@dataclass(slots=True)
class Generation:
    """A request being spoken once."""

    cast: Cast
    posted: PostedTts
    request_id: str
    id: str = field(default_factory=lambda: str(uuid4()))

    def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield its sound; consume it under ``aclosing``."""
        return spoken(self.cast.lines, self.posted.split_utterances is not False)


def router(records: Owned[Records], host: Host) -> APIRouter:
    """Return the routes of text-to-speech."""
    routes = APIRouter(tags=["text-to-speech"], responses=REFUSALS)
    one_at_a_time = asyncio.Lock()  # a whole answer takes memory, and the voice is one anyway

    async def generations(posted: PostedTts) -> list[Generation]:
        """Return what is to be spoken; raises NotThere for its voices, HTTPException 503."""
        found = await cast(posted, records, host)
        made = [Generation(found, posted, "") for _ in range(posted.num_generations or 1)]
        request = str(uuid4())
        for generation in made:
            generation.request_id = request
            await records.call(lambda r, g=generation: r.voices.remember(g.id, found.voice))  # type: ignore[misc]
        return made

    @routes.post("/v0/tts", summary="Speak, and answer in JSON")
    async def whole(posted: PostedWholeTts, request: Request) -> ReturnTts:
        """Speak the utterances and return their sound, of each by itself and of all together."""
        made = await generations(posted)
        async with one_at_a_time:
            return ReturnTts(
                request_id=made[0].request_id,
                generations=[await _returned(each, request) for each in made],
            )

    @routes.post(
        "/v0/tts/file",
        summary="Speak, and answer with a file",
        response_class=Response,
        responses={200: _sound("The sound as one file.")},
    )
    async def file(posted: PostedWholeFileTts, request: Request) -> Response:
        """Speak the utterances and return one file with all of them."""
        (made,) = await generations(posted)
        async with one_at_a_time:
            pieces = await _all(made, request)
            sound = await _encoded(pieces, posted.encoding)
        return Response(sound, media_type=CONTENT_TYPES[posted.encoding], headers=_named(made))

    @routes.post(
        "/v0/tts/stream/json",
        summary="Speak, and answer in a stream of JSON",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "A line for each piece of sound, as soon as there is one.",
                "content": {LINES: {"schema": SnippetAudioChunk.model_json_schema()}},
            }
        },
    )
    async def stream_json(posted: PostedTts) -> StreamingResponse:
        """Speak the utterances and return each piece of sound as it is made, one line for each."""
        made = await generations(posted)
        return StreamingResponse(_lines(made), media_type=LINES, headers=_named(made[0]))

    @routes.post(
        "/v0/tts/stream/file",
        summary="Speak, and answer with a file while it is made",
        response_class=StreamingResponse,
        responses={200: _sound("The sound as one file; a WAV does not tell its length.")},
    )
    async def stream_file(posted: PostedFileTts) -> StreamingResponse:
        """Speak the utterances and return one file with all of them, as it is made."""
        (made,) = await generations(posted)
        return StreamingResponse(
            _file(made), media_type=CONTENT_TYPES[posted.encoding], headers=_named(made)
        )

    return routes


async def _returned(generation: Generation, request: Request) -> ReturnGeneration:
    encoding = generation.posted.encoding
    pieces = await _all(generation, request)
    snippets: list[list[Snippet]] = [[] for _ in generation.cast.lines]
    for (utterance, identity), group in groupby(pieces, lambda p: (p.utterance, p.snippet)):
        parts = list(group)
        snippets[utterance].append(
            Snippet(
                id=identity,
                text=parts[0].text,
                generation_id=generation.id,
                utterance_index=utterance,
                timestamps=[],
                audio=_base64(await _encoded(parts, encoding)),
            )
        )
    sound = await _encoded(pieces, encoding)
    return ReturnGeneration(
        generation_id=generation.id,
        duration=sum(len(piece.pcm) for piece in pieces) / RATE,
        file_size=len(sound),
        encoding=AudioEncoding(format=encoding, sample_rate=RATE),
        audio=_base64(sound),
        snippets=snippets,
    )


async def _all(generation: Generation, request: Request) -> list[Piece]:
    """Return all pieces; raises HTTPException, which nobody reads, when the client has gone."""
    found: list[Piece] = []
    async with aclosing(generation.pieces()) as pieces:
        async for piece in pieces:
            if await request.is_disconnected():
                raise HTTPException(CLIENT_LEFT, "The client has gone.")
            found.append(piece)
    return found


async def _lines(made: list[Generation]) -> AsyncGenerator[bytes, None]:
    for generation in made:
        encoding = generation.posted.encoding
        joined = Encoder(RATE, encoding) if generation.posted.strip_headers else None
        async with aclosing(generation.pieces()) as pieces:
            async for piece in pieces:
                sound = await _part(joined, piece) if joined else await _encoded([piece], encoding)
                yield _line(generation, piece, encoding, sound)


async def _file(generation: Generation) -> AsyncGenerator[bytes, None]:
    encoder = Encoder(RATE, generation.posted.encoding)
    async with aclosing(generation.pieces()) as pieces:
        async for piece in pieces:
            yield await _part(encoder, piece)


def _line(generation: Generation, piece: Piece, encoding: Encoding, sound: bytes) -> bytes:
    chunk = SnippetAudioChunk(
        request_id=generation.request_id,
        generation_id=generation.id,
        snippet_id=piece.snippet,
        utterance_index=piece.utterance,
        text=piece.text,
        chunk_index=piece.index,
        is_last_chunk=piece.last,
        audio_format=encoding,
        audio=_base64(sound),
    )
    return chunk.model_dump_json().encode() + b"\n"


async def _part(encoder: Encoder, piece: Piece) -> bytes:
    """Return what a piece adds to a file; on a thread, since MP3 is work."""
    part = await asyncio.to_thread(encoder.feed, piece.pcm)
    return part + await asyncio.to_thread(encoder.finish) if piece.final else part


async def _encoded(pieces: list[Piece], encoding: Encoding) -> bytes:
    """Return pieces as a file of their own; on a thread, since MP3 is work."""
    pcm = np.concatenate([piece.pcm for piece in pieces])
    return await asyncio.to_thread(sounds.encoded, pcm, RATE, encoding)


def _base64(sound: bytes) -> str:
    return base64.b64encode(sound).decode("ascii")


def _named(generation: Generation) -> dict[str, str]:
    return {"X-Request-Id": generation.request_id, "X-Generation-Id": generation.id}


def _sound(description: str) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"description": description, "content": dict.fromkeys(CONTENT_TYPES.values(), binary)}
