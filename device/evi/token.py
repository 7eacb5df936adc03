"""The route on which a key's two secrets are exchanged for a token that lives half an hour.

Layer 4. Serves web back ends, which give their pages a token rather than the key: Hume's
``fetchAccessToken`` asks here.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.openapi.models import HTTPBase
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase
from pydantic import BaseModel

from device.evi.keys import TOKEN_LIFETIME
from device.evi.records import Records
from device.worker import Owned

GRANT = "client_credentials"
MOST_BYTES = 4096
"""Of the body: nobody has shown who they are yet, so little is read."""

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {"grant_type": {"type": "string", "enum": [GRANT]}},
                }
            }
        },
    }
}


class Token(BaseModel):
    """A token, to be sent as ``Authorization: Bearer`` or as ``access_token``."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = TOKEN_LIFETIME
    """Seconds."""
    grant_type: Literal["client_credentials"] = "client_credentials"
    scope: str = ""
    issued_at: str
    """Milliseconds since 1970."""


class TokenRefusal(BaseModel):
    """Why there is no token, in OAuth's words."""

    error: Literal["invalid_client", "invalid_request", "unsupported_grant_type"]
    error_description: str


class Basic(SecurityBase):
    """Reads ``Authorization: Basic``; what is not well formed counts as not there."""

    def __init__(self) -> None:
        self.model = HTTPBase(
            scheme="basic", description="The API key as user name, its secret key as password."
        )
        self.scheme_name = "apiKeyAndSecretKey"

    async def __call__(self, request: Request) -> tuple[str, str] | None:
        """Return user name and password."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            pair = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        user, colon, password = pair.partition(":")
        return (user, password) if colon else None


def router(records: Owned[Records]) -> APIRouter:
    """Return the route ``POST /oauth2-cc/token``; it needs no other access."""
    routes = APIRouter(tags=["access"])

    @routes.post(
        "/oauth2-cc/token",
        response_model=Token,
        responses={400: {"model": TokenRefusal}, 401: {"model": TokenRefusal}},
        openapi_extra=FORM,
        summary="Exchange an API key and its secret key for a token",
    )
    async def issue_token(
        request: Request, secrets: Annotated[tuple[str, str] | None, Depends(Basic())]
    ) -> JSONResponse:
        """Issue a token that is good for 30 minutes wherever the API key is."""
        grant = await _grant(request)
        if grant is None:
            return _refused(400, "invalid_request", f"Send grant_type={GRANT} as a form, once.")
        if grant != GRANT:
            return _refused(400, "unsupported_grant_type", f"grant_type must be {GRANT}.")
        now_ms = time.time_ns() // 1_000_000
        token = None
        if secrets is not None:
            api_key, secret_key = secrets
            token = await records.call(
                lambda kept: kept.keys.issue_token(api_key, secret_key, now_ms)
            )
        if token is None:
            return _refused(
                401,
                "invalid_client",
                "Send the API key and its secret key as user name and password of HTTP Basic "
                "authentication; both are shown once by: rapport keys add NAME.",
            )
        body = Token(access_token=token, issued_at=str(now_ms))
        return JSONResponse(body.model_dump(), headers={"Cache-Control": "no-store"})

    return routes


async def _grant(request: Request) -> str | None:
    """Return the form's ``grant_type``; None unless it is there once, in a form of modest size."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    try:
        given = parse_qs(body.decode("ascii"), max_num_fields=20).get("grant_type", [])
    except ValueError:
        return None
    return given[0] if len(given) == 1 else None


def _refused(status: int, error: Any, description: str) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="rapport"'
    body = TokenRefusal(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status, headers)
