"""What the tests of the API share: a database of its own for each, and a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from device.evi.records import Records
from device.store import Store
from device.worker import Owned, Worker

Serve = Callable[[FastAPI], str]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Owned[Records]]:
    """The records in a new database."""
    store, worker = Store(tmp_path / "state"), Worker("records")
    yield Owned(Records.of(store), worker)
    worker.close()
    store.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an application on a free port of this machine, and returns its address."""
    started: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> str:
        settings = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        started.append((server, thread))
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread in started:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive(), "the server does not end"
