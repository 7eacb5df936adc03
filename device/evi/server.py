"""The API as a server: its parts put together, and run on the device's own event loop.

Layer 4, on FastAPI and uvicorn. Serves the composition root.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

# The settings of a chat may stand in its address; what parses that stops at 8 kB otherwise. It
# reads the limit when it is imported.
os.environ.setdefault("WEBSOCKETS_MAX_LINE_LENGTH", str(96 * 1024))

import uvicorn
from fastapi import Depends, FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from device.evi import rest_chats, rest_library, rest_tts, rest_voices, sockets, token
from device.evi.access import Access, Refused, add_cors, is_loopback, refused_handler
from device.evi.certificate import certificate_files
from device.evi.chats import Chats
from device.evi.diary import now_ms
from device.evi.documentation import add_documentation
from device.evi.host import Host
from device.evi.limits import Rate, RateLimit
from device.evi.records import Records
from device.evi.resources import add_refusals
from device.settings import Api, Storage
from device.store import Store, state_folder
from device.types import RapportError
from device.worker import Owned, Worker

log = logging.getLogger(__name__)

EXPIRE_EVERY_S = 3600.0
SHUT_DOWN_S = 5.0
"""The chats, and then the connections, get so long to end when the API does."""
LINGER_S = 5.0
"""A connection that was closed gets so long to be read to its end, then it is cut."""
LONGEST_REQUEST = 128 * 1024
"""Bytes of a request's line and headers."""
MEGABYTE = 1_000_000


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose end is not left to a client that does not read."""

    async def run_asgi(self) -> None:
        """Serve the connection, then see that it goes."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        await super().run_asgi()
        # Not the transport's abort: that of TLS fails once it was closed twice, which uvicorn does.
        self.loop.call_later(LINGER_S, _cut, connection)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def build(host: Host, records: Owned[Records], chats: Chats) -> FastAPI:
    """Return the API as an ASGI application."""
    api = host.config.api
    app = FastAPI(
        title="Rapport",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=round(api.message_mb * MEGABYTE),
    )
    access = Access(records, api)
    rate = RateLimit(Rate(api.requests_per_second, asyncio.get_running_loop().time))
    checked = [Depends(access.required), Depends(rate)]
    for routes in (
        rest_library.router(records),
        rest_chats.router(records),
        rest_voices.router(records, host),
        rest_tts.router(records, host),
        sockets.control_router(chats.find),
    ):
        app.include_router(routes, dependencies=checked)
    app.include_router(token.router(records), dependencies=[Depends(rate)])
    app.include_router(sockets.router(chats, access, api.send_buffer_mb))
    app.add_exception_handler(Refused, refused_handler)
    add_refusals(app)
    add_cors(app)
    add_documentation(app, checked)
    return app


async def serve(
    host: Host, ready: Callable[[], None], listening: socket.socket | None = None
) -> None:
    """Serve the API until cancelled; ``ready`` is called once it listens.

    ``listening``: a socket that ``listen`` made, None for one at ``api.listen``. Raises
    RapportError if the address or the certificate cannot be used.
    """
    api, storage = host.config.api, host.config.storage
    folder = state_folder(storage.folder)
    async with opened_records(folder, storage) as records:
        listening = listening or listen(api.listen)
        await _warn_if_closed(records, listening)
        chats = Chats(host, records)
        server = uvicorn.Server(_settings(build(host, records, chats), api, folder))
        # Not serve(): that takes the signals, which are the device's own to handle.
        serving = asyncio.create_task(server._serve([listening]), name="uvicorn")
        expiring = asyncio.create_task(_expire(records, storage), name="expire")
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.02)
            address = "{}:{}".format(*listening.getsockname()[:2])
            log.info("the API listens on %s://%s", "https" if api.tls else "http", address)
            ready()
            # A database that fails is a failure of the API, which is then started again.
            await asyncio.wait([serving, expiring], return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, expiring):
                if task.done():
                    task.result()
        finally:
            await chats.end_all(SHUT_DOWN_S)
            server.should_exit = True
            await asyncio.wait([serving], timeout=SHUT_DOWN_S)
            expiring.cancel()
            serving.cancel()
            await asyncio.wait([serving, expiring])


@asynccontextmanager
async def opened_records(folder: Path, storage: Storage) -> AsyncIterator[Owned[Records]]:
    """Open the database on a thread of its own, and close it at the end.

    Chats that a crash left open are closed. Raises RapportError if it cannot be used.
    """
    worker = Worker("records")
    try:
        store = await worker.call(Store, folder)
        records = Owned(Records.of(store), worker)
        records.model.archive.keep_words = storage.history
        await records.call(lambda r: r.archive.close_stale(now_ms()))
        try:
            yield records
        finally:
            await worker.call(store.close)
    finally:
        worker.close()


def listen(address: str) -> socket.socket:
    """Return a socket that listens on HOST:PORT; raises RapportError if that cannot be."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on: each answer then took 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise RapportError(
            f"api.listen = {address}: cannot be listened on ({error.strerror}); choose another "
            "with --listen HOST:PORT, or end the program that holds it"
        ) from None
    listening.setblocking(False)
    return listening


def _settings(app: FastAPI, api: Api, folder: Path) -> uvicorn.Config:
    certificate: Sequence[str | None] = (None, None)
    if api.tls:
        certificate = [str(path) for path in certificate_files(folder, api, [socket.gethostname()])]
    # uvicorn logs whole addresses, and with them the keys that some clients put there.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_worth_logging)
    return uvicorn.Config(
        app,
        ws=LimitedSocket,
        http="h11",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ws_max_size=round(api.message_mb * MEGABYTE),
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=LONGEST_REQUEST,
        timeout_graceful_shutdown=3,
        ssl_certfile=certificate[0],
        ssl_keyfile=certificate[1],
    )


def _worth_logging(record: logging.LogRecord) -> bool:
    # It takes a refusal before the upgrade, with 401, for a failure of ours.
    return "without completing handshake" not in record.getMessage()


async def _warn_if_closed(records: Owned[Records], listening: socket.socket) -> None:
    host = str(listening.getsockname()[0])
    keys = await records.call(lambda r: r.keys.names())
    if not keys and not is_loopback(host):
        log.warning(
            "the API listens on %s and there is no key to open it; run: rapport keys add NAME", host
        )


async def _expire(records: Owned[Records], storage: Storage) -> None:
    while True:
        gone = await records.call(
            lambda r: r.archive.expire(now_ms(), storage.keep_days, storage.keep_mb)
        )
        if gone:
            log.info("%d old chats were erased", gone)
        await asyncio.sleep(EXPIRE_EVERY_S)
