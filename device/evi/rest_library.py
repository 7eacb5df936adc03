"""The REST routes of configs, prompts and tools: nine for each, alike but for their bodies.

Layer 4, on FastAPI. Serves the API server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from device.evi.library import Kind, Next, Resource, Selection, Unusable
from device.evi.records import Records
from device.evi.resources import (
    BAD_REQUEST,
    NOT_FOUND,
    Page,
    Paged,
    ResourceId,
    Responses,
    VersionNumber,
    Wanted,
)
from device.evi.resources_posted import (
    PostedConfig,
    PostedConfigVersion,
    PostedDescription,
    PostedName,
    PostedPrompt,
    PostedPromptVersion,
    PostedTool,
    PostedToolVersion,
)
from device.evi.resources_returned import (
    PagedConfigs,
    PagedPrompts,
    PagedTools,
    ReturnConfig,
    ReturnPrompt,
    ReturnTool,
)
from device.worker import Owned

Route = TypeVar("Route", bound=Callable[..., Any])
MostRecent = Annotated[
    bool, Query(description="Only the newest version of each; otherwise all versions.")
]
OnlyName = Annotated[
    str | None, Query(max_length=1_000, description="Only those with exactly this name.")
]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of resource, and the bodies of its routes."""

    kind: Kind
    posted: type[PostedConfig | PostedPrompt | PostedTool]
    posted_version: type[Next]
    returned: type[Resource]
    paged: type[Paged]

    @property
    def path(self) -> str:
        """Where its routes are."""
        return f"/v0/evi/{self.kind}s"

    def page(self, found: tuple[list[Resource], int], page: Page) -> Paged:
        """Return a page as it is sent."""
        items, total = found
        values: dict[str, Any] = {f"{self.kind}s_page": items}
        return self.paged(
            page_number=page.number,
            page_size=page.size,
            total_pages=page.pages(total),
            **values,
        )


SHELVES = (
    Shelf("config", PostedConfig, PostedConfigVersion, ReturnConfig, PagedConfigs),
    Shelf("prompt", PostedPrompt, PostedPromptVersion, ReturnPrompt, PagedPrompts),
    Shelf("tool", PostedTool, PostedToolVersion, ReturnTool, PagedTools),
)


def router(records: Owned[Records]) -> APIRouter:
    """Return the routes of all three kinds."""
    routes = APIRouter()
    for shelf in SHELVES:
        routes.include_router(_all(records, shelf))
        routes.include_router(_one(records, shelf))
        routes.include_router(_version(records, shelf))
    return routes


def _all(records: Owned[Records], shelf: Shelf) -> APIRouter:
    """Return the routes without an id."""
    kind = shelf.kind
    routes = _routes(shelf.path, shelf)

    @routes.get("", response_model=shelf.paged, summary=f"List {kind}s")
    async def listing(
        page: Wanted, restrict_to_most_recent: MostRecent = True, name: OnlyName = None
    ) -> Paged:
        """The one that was created last comes first."""
        wanted = Selection(page, restrict_to_most_recent, name)
        return shelf.page(await records.call(lambda r: r.library.listing(kind, wanted)), page)

    @routes.post("", status_code=201, response_model=shelf.returned, summary=f"Create a {kind}")
    @_taking(shelf.posted)
    async def create(posted: Any) -> Resource:
        """It gets an id, and version 0."""
        with _references_checked():
            return await records.call(lambda r: r.library.create(kind, posted))

    return routes


def _one(records: Owned[Records], shelf: Shelf) -> APIRouter:
    """Return the routes with an id."""
    kind = shelf.kind
    routes = _routes(f"{shelf.path}/{{id}}", shelf, NOT_FOUND)

    @routes.get("", response_model=shelf.paged, summary=f"List the versions of a {kind}")
    async def versions(
        id: ResourceId, page: Wanted, restrict_to_most_recent: MostRecent = True
    ) -> Paged:
        """The newest comes first; as in EVI it is the only one unless all are asked for."""
        wanted = Selection(page, restrict_to_most_recent, id=id)
        return shelf.page(await records.call(lambda r: r.library.listing(kind, wanted)), page)

    @routes.post(
        "",
        status_code=201,
        response_model=shelf.returned,
        summary=f"Add a version to a {kind}",
    )
    @_taking(shelf.posted_version)
    async def add(id: ResourceId, posted: Any) -> Resource:
        """It replaces the one before it: nothing but the name is taken over."""
        with _references_checked():
            return await records.call(lambda r: r.library.add(kind, id, posted))

    @routes.patch("", response_class=PlainTextResponse, summary=f"Rename a {kind}")
    async def rename(id: ResourceId, posted: PostedName) -> str:
        """All its versions get the name, which is also the answer."""
        await records.call(lambda r: r.library.rename(kind, id, posted.name))
        return posted.name

    @routes.delete("", status_code=204, summary=f"Delete a {kind}")
    async def delete(id: ResourceId) -> None:
        """All its versions go."""
        await records.call(lambda r: r.library.delete(kind, id))

    return routes


def _version(records: Owned[Records], shelf: Shelf) -> APIRouter:
    """Return the routes with an id and a version."""
    kind = shelf.kind
    routes = _routes(f"{shelf.path}/{{id}}/version/{{version}}", shelf, NOT_FOUND)

    @routes.get("", response_model=shelf.returned, summary=f"Get a version of a {kind}")
    async def get(id: ResourceId, version: VersionNumber) -> Resource:
        """The first version is 0."""
        return await records.call(lambda r: r.library.get(kind, id, version))

    @routes.patch("", response_model=shelf.returned, summary=f"Describe a version of a {kind}")
    async def describe(
        id: ResourceId, version: VersionNumber, posted: PostedDescription
    ) -> Resource:
        """Nothing else of a version ever changes."""
        description = posted.version_description
        return await records.call(lambda r: r.library.describe(kind, id, version, description))

    @routes.delete("", status_code=204, summary=f"Delete a version of a {kind}")
    async def delete(id: ResourceId, version: VersionNumber) -> None:
        """With its last version the whole goes. The number is not used again."""
        await records.call(lambda r: r.library.delete_version(kind, id, version))

    return routes


def _routes(path: str, shelf: Shelf, more: Responses | None = None) -> APIRouter:
    return APIRouter(
        prefix=path, tags=[f"{shelf.kind}s"], responses={**BAD_REQUEST, **(more or {})}
    )


def _taking(body: type[BaseModel]) -> Callable[[Route], Route]:
    """Declare the body that a route takes: FastAPI reads it from the annotation of ``posted``."""

    def declare(route: Route) -> Route:
        route.__annotations__["posted"] = body
        return route

    return declare


@contextmanager
def _references_checked() -> Iterator[None]:
    """Refuse a request whose body refers to what is not there."""
    try:
        yield
    except Unusable as error:
        fault = {"loc": ("body", error.field), "msg": str(error), "type": "reference"}
        raise RequestValidationError([fault]) from None
