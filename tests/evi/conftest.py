"""What the tests of the API share: a database of its own for each, a server, and whole devices."""

from __future__ import annotations

import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI

from device.audio.rates import read_speech
from device.catalogue import Catalogue, choose
from device.config import Config
from device.evi.records import Records
from device.models import ModelStore
from device.store import Store
from device.types import Pcm
from device.worker import Owned, Worker
from tests.evi.device_api import Device, DeviceApi, opened_models

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


@pytest.fixture(scope="session")
def device_api() -> Iterator[DeviceApi]:
    """Makes devices with the models of the default preset, which are loaded once for all tests."""
    store = ModelStore(None, Catalogue.load())
    for name in choose(store.catalogue, Config().models).values():
        if store.state(name) != "ready":
            pytest.skip(f"model {name} is not in {store.root}; run: rapport models fetch")
    with opened_models() as api:
        yield api


@pytest.fixture
def device(device_api: DeviceApi, tmp_path: Path) -> Iterator[Device]:
    """A device of its own for each test, as it is without settings."""
    with device_api.device(tmp_path / "device") as device:
        yield device


@pytest.fixture(scope="session")
def clips(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pcm]:
    """Two sentences of an actress, 16 kHz, with two seconds of silence after each."""
    files = {"dogs": "03-01-01-01-02-01-02.flac", "kids": "03-01-01-01-01-01-02.flac"}
    folder, found = tmp_path_factory.mktemp("clips"), dict[str, Pcm]()
    with tarfile.open(speech_data / "ravdess" / "ravdess-16k-flac.tar") as archive:
        for name, file in files.items():
            member = archive.extractfile(file)
            assert member is not None
            (folder / file).write_bytes(member.read())
            pcm = read_speech(folder / file)
            # What is around the speech is digital zero, and more of it than a clip needs.
            loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
            spoken = pcm[max(0, loud[0] - 1600) : loud[-1] + 1600]
            found[name] = np.concatenate([spoken, np.zeros(32_000, np.int16)])
    return found
