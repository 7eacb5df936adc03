"""The REST routes of chats and of groups of chats: reading what happened in them, and erasing it.

Layer 4, on FastAPI. Serves the API server. Erasing is ours: EVI has no route for it.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from device.evi.archive import Filter
from device.evi.records import Records
from device.evi.resources import BAD_REQUEST, NOT_FOUND, ListedId, ResourceId, Wanted
from device.evi.resources_chats import (
    Erased,
    PagedAudio,
    PagedChatEvents,
    PagedChats,
    PagedGroupChats,
    PagedGroupEvents,
    PagedGroups,
    ReturnAudio,
    Status,
)
from device.worker import Owned

Ascending = Annotated[bool, Query(description="The oldest first; otherwise the newest.")]
OnlyStatus = Annotated[Status | None, Query(description="Only chats with this status.")]


def router(records: Owned[Records]) -> APIRouter:
    """Return the routes of chats and groups."""
    routes = APIRouter()
    routes.include_router(_chats(records))
    routes.include_router(_groups(records))
    routes.include_router(_group_contents(records))
    return routes


def _chats(records: Owned[Records]) -> APIRouter:
    routes = APIRouter(prefix="/v0/evi/chats", tags=["chats"], responses=BAD_REQUEST)

    @routes.get("", summary="List chats")
    async def listing(
        page: Wanted,
        ascending_order: Ascending = True,
        config_id: ListedId = None,
        status: OnlyStatus = None,
    ) -> PagedChats:
        """Chats that are going on are among them."""
        wanted = Filter(page, ascending_order, config_id, status)
        chats, total = await records.call(lambda r: r.archive.index.chats(wanted))
        return PagedChats(**_envelope(wanted, total), chats_page=chats)

    @routes.delete("", summary="Erase all chats")
    async def erase_all() -> Erased:
        """Everything that was said is overwritten. Not in EVI.

        Of chats that are going on nothing is kept from then on.
        """
        return Erased(erased=await records.call(lambda r: r.archive.erase_all()))

    @routes.get("/{id}", summary="List the events of a chat", responses=NOT_FOUND)
    async def events(
        id: ResourceId, page: Wanted, ascending_order: Ascending = True
    ) -> PagedChatEvents:
        """What was said, how it sounded, and what else happened."""
        wanted = Filter(page, ascending_order, chat_id=id)
        chat = await records.call(lambda r: r.archive.index.chat(id))
        found, total = await records.call(lambda r: r.archive.index.events(wanted))
        return PagedChatEvents(**chat.model_dump(), **_envelope(wanted, total), events_page=found)

    @routes.delete("/{id}", status_code=204, summary="Erase a chat", responses=NOT_FOUND)
    async def erase(id: ResourceId) -> None:
        """Everything that was said in it is overwritten. Not in EVI."""
        await records.call(lambda r: r.archive.erase_chat(id))

    @routes.get("/{id}/audio", summary="Get the sound of a chat", responses=NOT_FOUND)
    async def audio(id: ResourceId) -> ReturnAudio:
        """This device keeps no sound: the status is always CANCELLED, and there is no address."""
        await records.call(lambda r: r.archive.index.chat(id))
        return ReturnAudio(id=id)

    return routes


def _groups(records: Owned[Records]) -> APIRouter:
    routes = APIRouter(prefix="/v0/evi/chat_groups", tags=["chat groups"], responses=BAD_REQUEST)

    @routes.get("", summary="List groups of chats")
    async def listing(
        page: Wanted, ascending_order: Ascending = True, config_id: ListedId = None
    ) -> PagedGroups:
        """A chat and those that resumed it are a group. ``config_id``: of its latest chat."""
        wanted = Filter(page, ascending_order, config_id)
        groups, total = await records.call(lambda r: r.archive.index.groups(wanted))
        return PagedGroups(**_envelope(wanted, total), chat_groups_page=groups)

    return routes


def _group_contents(records: Owned[Records]) -> APIRouter:
    routes = APIRouter(
        prefix="/v0/evi/chat_groups/{id}",
        tags=["chat groups"],
        responses={**BAD_REQUEST, **NOT_FOUND},
    )

    @routes.get("", summary="List the chats of a group")
    async def chats(
        id: ResourceId,
        page: Wanted,
        ascending_order: Ascending = True,
        status: OnlyStatus = None,
    ) -> PagedGroupChats:
        """The numbers of the group count all its chats, whatever status is asked for."""
        wanted = Filter(page, ascending_order, status=status, group_id=id)
        group = await records.call(lambda r: r.archive.index.group(id))
        found, total = await records.call(lambda r: r.archive.index.chats(wanted))
        return PagedGroupChats(**group.model_dump(), **_envelope(wanted, total), chats_page=found)

    @routes.get("/events", summary="List the events of a group")
    async def events(
        id: ResourceId, page: Wanted, ascending_order: Ascending = True
    ) -> PagedGroupEvents:
        """Those of all its chats, one after the other."""
        wanted = Filter(page, ascending_order, group_id=id)
        await records.call(lambda r: r.archive.index.group(id))
        found, total = await records.call(lambda r: r.archive.index.events(wanted))
        return PagedGroupEvents(id=id, **_envelope(wanted, total), events_page=found)

    @routes.get("/audio", summary="Get the sound of a group's chats")
    async def audio(id: ResourceId, page: Wanted, ascending_order: Ascending = True) -> PagedAudio:
        """This device keeps no sound: every status is CANCELLED, and there are no addresses."""
        wanted = Filter(page, ascending_order, group_id=id)
        group = await records.call(lambda r: r.archive.index.group(id))
        chats, total = await records.call(lambda r: r.archive.index.chats(wanted))
        return PagedAudio(
            id=id,
            num_chats=group.num_chats,
            **_envelope(wanted, total),
            audio_reconstructions_page=[ReturnAudio(id=chat.id) for chat in chats],
        )

    return routes


def _envelope(wanted: Filter, total: int) -> dict[str, Any]:
    """Return what every page says of itself."""
    return {
        "page_number": wanted.page.number,
        "page_size": wanted.page.size,
        "total_pages": wanted.page.pages(total),
        "pagination_direction": wanted.order,
    }
