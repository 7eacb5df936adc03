"""The application that the REST tests talk to: the routes of the library and the archive."""

from __future__ import annotations

import asyncio
import json

import httpx
from fastapi import FastAPI

from device.evi import rest_chats, rest_library
from device.evi.documentation import add_documentation
from device.evi.records import Records
from device.evi.resources import add_refusals
from device.worker import Owned


def application(records: Owned[Records]) -> FastAPI:
    """Return the routes, how they refuse requests, and their documentation."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(rest_library.router(records))
    app.include_router(rest_chats.router(records))
    add_refusals(app)
    add_documentation(app)
    return app


def ask(app: FastAPI, method: str, path: str, body: object = None) -> httpx.Response:
    """Return the answer to one request; bytes are sent as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def run() -> httpx.Response:
        # what a route fails with is its answer here, as it is to a client
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://device") as client:
            if body is None:
                return await client.request(method, path)
            headers = {"Content-Type": "application/json"}
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(run())
