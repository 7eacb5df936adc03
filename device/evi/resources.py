"""What all REST routes have in common: ids, pages, and the answers that refuse a request.

Layer 4, on pydantic and FastAPI. The bodies are in ``resources_posted``, ``resources_returned`` and
``resources_chats``. Refusals have one of two shapes, as Hume's SDKs expect them: 400 with a code
and a sentence for most routes, 422 with a list of faults for text-to-speech and the control plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from device.evi.refusals import NotThere

GREATEST_NUMBER = 2_147_483_647
"""Of versions and pages: a page number times a page size still fits the database's integers."""

Identifier = Annotated[str, Field(min_length=1, max_length=200)]
ResourceId = Annotated[str, Path(min_length=1, max_length=200, description="Its id.")]
VersionNumber = Annotated[
    int, Path(ge=0, le=GREATEST_NUMBER, description="Number of the version; the first is 0.")
]
ListedId = Annotated[str | None, Query(max_length=200, description="Only those with this id.")]


class Returned(BaseModel):
    """What a route returns."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Refusal(Returned):
    """Why a request was refused."""

    code: str
    """One of ours, beginning with R, or of EVI's, beginning with E."""
    error: str
    """The same as a word."""
    message: str
    """A sentence that says what was wrong."""


class FieldFault(Returned):
    """One thing that is wrong with a request."""

    loc: list[str | int]
    """Where: body, query or path, then the way to the value."""
    msg: str
    type: str


class Faults(Returned):
    """Everything that is wrong with a request."""

    detail: list[FieldFault]


class Paged(Returned):
    """A page of a list; the list itself is in the field that ends in ``_page``."""

    page_number: int
    """Of this page; the first is 0. A page past the end is empty."""
    page_size: int
    total_pages: int


class Directed(Paged):
    """A page of a list in time."""

    pagination_direction: Literal["ASC", "DESC"]
    """ASC: the oldest are first."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    number: int = 0
    size: int = 10

    @property
    def offset(self) -> int:
        """How many entries come before it."""
        return self.number * self.size

    def pages(self, entries: int) -> int:
        """Return how many pages a list of so many entries has."""
        return -(-entries // self.size)


FIRST_PAGE = Page()


def page(
    page_number: Annotated[
        int, Query(ge=0, le=GREATEST_NUMBER, description="The first page is 0.")
    ] = 0,
    page_size: Annotated[int, Query(ge=1, le=100, description="Entries of a page.")] = 10,
) -> Page:
    """Return the page that a request asks for."""
    return Page(page_number, page_size)


Wanted = Annotated[Page, Depends(page)]
"""The page that a request asks for, as a route's argument."""

Responses: TypeAlias = dict[int | str, dict[str, Any]]


def declared(status: int, description: str) -> Responses:
    """Return how a refusal is declared to FastAPI; ``documentation`` adds the schema's text."""
    schema = {"$ref": "#/components/schemas/Refusal"}
    return {
        status: {"description": description, "content": {"application/json": {"schema": schema}}}
    }


BAD_REQUEST = declared(400, "The request is not usable.")
NOT_FOUND = declared(404, "There is no such thing.")
UNREADABLE = "is not JSON text in UTF-8"
NO_OBJECT = "must be a JSON object, sent with Content-Type: application/json"


def lists_faults(method: str, path: str) -> bool:
    """Return whether a route answers a wrong request with 422 and a list, not with 400."""
    if path.rstrip("/") == "/v0/tts/voices" and method in ("GET", "DELETE"):
        return False
    return path.startswith(("/v0/tts", "/v0/evi/chat/"))


def add_refusals(app: FastAPI) -> None:
    """Let every route of ``app`` refuse requests in the shapes that clients expect."""
    app.add_exception_handler(RequestValidationError, invalid_request_handler)
    app.add_exception_handler(NotThere, not_there_handler)
    app.add_exception_handler(HTTPException, http_error_handler)


async def invalid_request_handler(request: Request, error: Exception) -> JSONResponse:
    """Answer a request whose path, query or body is wrong."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [_fault(found) for found in error.errors()]
    if lists_faults(request.method, request.url.path):
        return JSONResponse(Faults(detail=faults).model_dump(), 422)
    code, slug = "E0101", "invalid_request"
    if any(fault.type == "json_invalid" for fault in faults):
        code, slug = "E0100", "invalid_json"
    return refusal(400, slug, _sentence(faults), code)


async def not_there_handler(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request for something that is not there."""
    return refusal(404, "not_found", str(error), "R0404")


async def http_error_handler(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework itself refuses: no such route or method, an unreadable body."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 400 and lists_faults(request.method, request.url.path):
        fault = FieldFault(loc=["body"], msg=UNREADABLE, type="json_invalid")
        return JSONResponse(Faults(detail=[fault]).model_dump(), 422)
    asked = f"{request.method} {request.url.path}"
    code, slug, message = {
        400: ("E0100", "invalid_json", f"The request's body {UNREADABLE}."),
        404: ("R0404", "not_found", f"There is no route {asked}; /docs lists those there are."),
        405: ("R0405", "method_not_allowed", f"There is no {asked}; see the header Allow."),
    }.get(error.status_code, (f"R0{error.status_code}", "refused", str(error.detail)))
    return refusal(error.status_code, slug, message, code, error.headers)


def refusal(
    status: int, slug: str, message: str, code: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer that refuses a request."""
    body = Refusal(code=code, error=slug, message=printable(message))
    return JSONResponse(body.model_dump(), status, headers)


def printable(text: str) -> str:
    """Return text that UTF-8 can carry: JSON can spell half a character, which it cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _fault(found: Any) -> FieldFault:
    place = [part if isinstance(part, int) else printable(str(part)) for part in found["loc"]]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "model_attributes_type" and len(place) == 1:
        message = NO_OBJECT
    return FieldFault(loc=place, msg=printable(message), type=str(found["type"]))


def _sentence(faults: Sequence[FieldFault]) -> str:
    shown = [_one(fault) for fault in faults[:3]]
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return f"The request is not usable: {'; '.join(shown)}{more}."


def _one(fault: FieldFault) -> str:
    place = ".".join(str(part) for part in fault.loc)
    return f"{place}: {fault.msg}".removeprefix("body.").rstrip(".")
