"""The REST routes of voices: which there are, saving one that was heard, and deleting it.

Layer 4, on FastAPI. Serves the API server.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field

from device.evi.host import Host
from device.evi.records import Records
from device.evi.refusals import Unusable
from device.evi.resources import (
    BAD_REQUEST,
    NOT_FOUND,
    Faults,
    Identifier,
    Paged,
    Returned,
    Wanted,
)
from device.evi.resources_posted import Posted
from device.evi.voices import Provider, VoiceChoice
from device.worker import Owned

PATH = "/v0/tts/voices"

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class ReturnVoice(Returned):
    """A voice."""

    id: str
    name: str
    provider: Provider
    """HUME_AI: one of the device's own models; CUSTOM_VOICE: one that was saved."""
    compatible_octave_models: list[str] | None = None
    """Always null: there is no Octave on this device."""

    @classmethod
    def of(cls, voice: VoiceChoice) -> ReturnVoice:
        """Return a voice as clients see it."""
        return cls(id=voice.id, name=voice.name, provider=voice.provider)


class PagedVoices(Paged):
    """A page of voices."""

    voices_page: list[ReturnVoice]


class PostedVoiceName(Posted):
    """Which generation is to become a voice."""

    generation_id: Identifier
    """Of a text-to-speech request: one of the last hundred."""
    name: Name
    """Its name from now on."""


def router(records: Owned[Records], host: Host) -> APIRouter:
    """Return the routes of voices."""
    routes = APIRouter(tags=["voices"])

    @routes.get(PATH, summary="List voices", responses=BAD_REQUEST)
    async def listing(
        page: Wanted,
        provider: Annotated[
            Provider, Query(description="HUME_AI: the device's own; CUSTOM_VOICE: those saved.")
        ],
        ascending_order: Annotated[
            bool, Query(description="Whether the list begins at its other end.")
        ] = False,
        filter_tag: Annotated[
            list[Annotated[str, Field(max_length=200)]] | None,
            Query(max_length=20, description="Has no effect: voices have no tags here."),
        ] = None,
    ) -> PagedVoices:
        """List the voices of a provider."""
        models = host.voice_names()
        voices = await records.call(lambda r: r.voices.listing(models, provider))
        if ascending_order:
            voices.reverse()
        return PagedVoices(
            page_number=page.number,
            page_size=page.size,
            total_pages=page.pages(len(voices)),
            voices_page=[
                ReturnVoice.of(voice) for voice in voices[page.offset : page.offset + page.size]
            ],
        )

    @routes.post(
        PATH,
        summary="Save a voice",
        responses={**NOT_FOUND, 422: {"model": Faults, "description": "The body is wrong."}},
    )
    async def create(posted: PostedVoiceName) -> ReturnVoice:
        """Save the voice of a generation, so that it can be asked for by its new name."""
        try:
            made = await records.call(lambda r: r.voices.create(posted.generation_id, posted.name))
        except Unusable as error:
            fault = {"loc": ["body", error.field], "msg": str(error), "type": "unusable"}
            raise RequestValidationError([fault]) from None
        return ReturnVoice.of(made)

    @routes.delete(
        PATH, summary="Delete a voice", status_code=204, responses={**BAD_REQUEST, **NOT_FOUND}
    )
    async def delete(
        name: Annotated[str, Query(min_length=1, max_length=200, description="Its name.")],
    ) -> None:
        """Delete a saved voice."""
        await records.call(lambda r: r.voices.delete(name))

    return routes
