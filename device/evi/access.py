"""Whether a request may come in: by a key, by a token, or from this very machine.

Layer 4. Serves every route and the chat socket. Runs on the event loop; keys are looked up on the
store's worker.

Without a key only programs on the same machine are let in, and web pages that it serves itself:
a page from elsewhere can make a browser here send requests too, so what such a request says about
its origin is weighed as well.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from device.evi.keys import Keys
from device.evi.records import Records
from device.settings import Api
from device.worker import Owned

REMEDY = "make a key on the device (rapport keys add NAME) and send it as X-Hume-Api-Key"

KEY_PARAMETERS = ("api_key", "apiKey")
TOKEN_PARAMETERS = ("access_token", "accessToken")
"""The second of each is what the oldest browser package sends."""

SLUGS = {401: "unauthorized", 429: "too_many_requests"}

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]@/\s]+)(:\d*)?")
_PROXIED = ("forwarded", "via", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request."""

    name: str
    """The name of the key it came with, or the address it came from."""
    keyed: bool


class Refused(Exception):
    """A request that is turned away; ``refused_handler`` tells its sender why."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


class Refusal(BaseModel):
    """The body of an answer that refuses a request; routes declare it for 401 and 429."""

    code: str
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class _Credential:
    value: str
    place: str
    """Where it was found, for the message: the value itself is told nobody."""
    may_be_token: bool

    def holder(self, keys: Keys, now_ms: int) -> str | None:
        """Return whose it is, None if it is wrong."""
        if not self.may_be_token:
            return keys.holder(self.value)
        return keys.token_holder(self.value, now_ms) or keys.holder(self.value)


class Access:
    """The doorkeeper of the API."""

    def __init__(self, records: Owned[Records], settings: Api) -> None:
        self._records = records
        self.settings = settings

    async def admit(self, connection: HTTPConnection) -> Caller:
        """Return who is calling; raises Refused if they may not come in."""
        found = _credentials(connection)
        if not found:
            return self._from_here(connection)
        now_ms = time.time_ns() // 1_000_000
        holders = await self._records.call(
            lambda records: [credential.holder(records.keys, now_ms) for credential in found]
        )
        for credential, holder in zip(found, holders, strict=True):
            if holder is None:
                raise _unauthorized(
                    f"What came in {credential.place} is no key or token of this device, or is no "
                    "longer valid; fetch a new token, or " + REMEDY + "."
                )
        return Caller(str(holders[0]), keyed=True)

    async def required(self, connection: HTTPConnection) -> Caller:
        """Admit the sender of a request and note it in its ``state.caller``: for ``Depends``."""
        caller = await self.admit(connection)
        connection.state.caller = caller
        return caller

    def _from_here(self, connection: HTTPConnection) -> Caller:
        """Return the caller of a request without a key; raises Refused unless it is local."""
        address = connection.client.host if connection.client else ""
        headers = connection.headers
        if not is_loopback(address):
            raise _unauthorized(f"A key is needed from another machine: {REMEDY}.")
        if any(name in _PROXIED or name.startswith("x-forwarded-") for name in headers):
            raise _unauthorized(f"A key is needed through a proxy: {REMEDY}.")
        # A page from anywhere may point its own name at 127.0.0.1; the browser then sends that.
        hosts = headers.getlist("host")
        if not hosts or not all(_names_loopback(host) for host in hosts):
            raise _unauthorized(
                f"A key is needed unless the device is called localhost or 127.0.0.1: {REMEDY}."
            )
        if not all(self._trusted(origin) for origin in headers.getlist("origin")):
            raise _unauthorized(
                "A key is needed from web pages that this machine does not serve: list the page's "
                f"origin in api.allowed_origins, or {REMEDY}."
            )
        return Caller(address, keyed=False)

    def _trusted(self, origin: str) -> bool:
        listed = {allowed.lower().rstrip("/") for allowed in self.settings.allowed_origins}
        if origin.lower() in listed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")


async def refused_handler(_request: Request, refused: Exception) -> JSONResponse:
    """Answer a request that was refused: ``app.add_exception_handler(Refused, ...)``."""
    if not isinstance(refused, Refused):
        raise refused
    return JSONResponse(refusal(refused), refused.status, refused.headers)


def refusal(refused: Refused) -> dict[str, Any]:
    """Return the body that tells of a refusal."""
    return Refusal(
        code=f"R0{refused.status}",
        error=SLUGS.get(refused.status, "refused"),
        message=refused.message,
    ).model_dump()


def add_cors(app: FastAPI) -> None:
    """Let scripts of any page read answers; what a page may ask for is ``admit``'s to decide.

    Add it after all other middleware, so that every answer passes through it, refusals too.
    """
    app.add_middleware(
        CORSMiddleware,
        # No cookies are used: a page from elsewhere gets nowhere without a key of its own.
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        # Mirrors what is asked for: X-Hume-Api-Key, Authorization, and a dozen X-Fern-... names.
        allow_headers=["*"],
        expose_headers=["Retry-After"],
        allow_private_network=True,
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine itself, whatever DNS says."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def _names_loopback(host: str) -> bool:
    parts = _HOST.fullmatch(host)
    return parts is not None and is_loopback(parts["name"].strip("[]"))


def _credentials(connection: HTTPConnection) -> list[_Credential]:
    """Return what a request shows to be let in; an empty value is what SDKs send for none."""
    headers, query = connection.headers, connection.query_params
    found = [
        _Credential(value.strip(), "the header X-Hume-Api-Key", may_be_token=False)
        for value in headers.getlist("x-hume-api-key")
    ]
    for value in headers.getlist("authorization"):
        scheme, _, rest = value.strip().partition(" ")
        # Another scheme than Bearer is kept whole, and is therefore never right.
        shown = rest if scheme.lower() == "bearer" else value
        found.append(_Credential(shown.strip(), "the header Authorization", may_be_token=True))
    for names, may_be_token in ((KEY_PARAMETERS, False), (TOKEN_PARAMETERS, True)):
        for name in names:
            for value in query.getlist(name):
                place = f"the query parameter {name}"
                found.append(_Credential(value.strip(), place, may_be_token))
    return [credential for credential in found if credential.value]


def _unauthorized(message: str) -> Refused:
    return Refused(401, message, {"WWW-Authenticate": 'Bearer realm="rapport"'})
