"""The API described by itself: an OpenAPI document, and a page made of it for people.

Layer 4, on FastAPI. Serves developers, offline: the page has no scripts and asks for nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI, params
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from device import __version__
from device.evi.documentation_page import POLICY, rendered
from device.evi.resources import Refusal, declared, lists_faults

DESCRIPTION = (
    "An empathic voice interface that runs entirely on this device. It speaks the protocol of "
    "Hume's EVI: their SDKs work with it as they are, once they are pointed here."
)
SECURITY: dict[str, dict[str, str]] = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hume-Api-Key",
        "description": "A key, made on the device with: rapport keys add NAME",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token from POST /oauth2-cc/token, or a key.",
    },
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "A key, where headers cannot be set.",
    },
}
WAYS_IN: list[dict[str, list[str]]] = [{"key": []}, {"token": []}, {"query": []}, {}]
"""Any of them; programs on the device itself need none."""
EVERYWHERE = {
    **declared(401, "The key or token is missing or wrong."),
    **declared(429, "Too many requests; the header Retry-After says when to try again."),
}
GRANTED = {"200": "Here it is.", "201": "It was created.", "204": "It is gone."}
"""What FastAPI calls a successful response, whatever it is."""
OURS = "/v0/"
"""Routes whose callers are checked in the same way begin with this."""

Document = dict[str, Any]


def add_documentation(app: FastAPI, checks: Sequence[params.Depends] = ()) -> None:
    """Let ``app`` describe itself at /openapi.json, and for people at /docs.

    ``checks`` are what a request has to pass first. Both are made when they are first asked for:
    all routes are there then.
    """

    @cache
    def document() -> Document:
        return described(app)

    @cache
    def page() -> str:
        return rendered(document())

    @app.get("/openapi.json", include_in_schema=False, dependencies=checks)
    async def openapi() -> JSONResponse:
        return JSONResponse(document())

    @app.get("/docs", include_in_schema=False, dependencies=checks)
    async def docs() -> HTMLResponse:
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(page(), headers=headers)


def described(app: FastAPI) -> Document:
    """Return the OpenAPI document of all routes."""
    document = get_openapi(
        title="Rapport",
        version=__version__,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": "/", "description": "This device."}],
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _mend(operation, method.upper(), path)
    parts = document.setdefault("components", {})
    parts.setdefault("securitySchemes", {}).update(SECURITY)
    schemas = parts.setdefault("schemas", {})
    schemas.setdefault("Refusal", Refusal.model_json_schema())
    for unused in ("HTTPValidationError", "ValidationError"):
        if f'"#/components/schemas/{unused}"' not in json.dumps(document):
            schemas.pop(unused, None)
    document["security"] = WAYS_IN
    return document


def _mend(operation: Document, method: str, path: str) -> None:
    """Let an operation declare the refusals it has, where FastAPI supposes others."""
    answers: dict[str, Any] = operation["responses"]
    if not lists_faults(method, path) and "HTTPValidationError" in json.dumps(answers.get("422")):
        del answers["422"]
    for granted, told in GRANTED.items():
        if answers.get(granted, {}).get("description") == "Successful Response":
            answers[granted]["description"] = told
    if path.startswith(OURS):
        for status, answer in EVERYWHERE.items():
            answers.setdefault(str(status), answer)
