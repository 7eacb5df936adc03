"""Voices beside the device's own, for chats that ask for another one.

Layer 1, on the event loop. Serves the composition root.
"""

from __future__ import annotations

import asyncio

from device.config import Speaking
from device.engines import engine
from device.models import ModelStore
from device.ports import Voice
from device.types import RapportError
from device.worker import Owned, Worker


class ExtraVoices:
    """Voices beside the device's own, loaded when somebody first wants them, and then kept."""

    def __init__(self, store: ModelStore, settings: Speaking, workers: list[Worker]) -> None:
        """``workers`` get the threads of the voices that are loaded; whoever closes those closes
        these.
        """
        self._store, self._settings, self._workers = store, settings, workers
        self._loading: dict[str, asyncio.Task[Owned[Voice]]] = {}
        self._ready: list[str] | None = None

    def names(self, first: str) -> list[str]:
        """Return the voices whose files are here and whole, ``first`` before the others."""
        if self._ready is None:  # once: every file is read to see that it is whole
            self._ready = [
                name
                for name, model in self._store.catalogue.models.items()
                if model.task == "voice" and name != first and self._store.state(name) == "ready"
            ]
        return [first, *self._ready]

    async def load(self, name: str) -> Owned[Voice]:
        """Return the voice of that name; raises RapportError if it cannot be had."""
        if name not in self._loading:
            self._loading[name] = asyncio.create_task(self._load(name), name=f"voice {name}")
        try:
            return await asyncio.shield(self._loading[name])
        except RapportError:
            self._loading.pop(name, None)  # it may have been fetched by the next time
            raise

    async def _load(self, name: str) -> Owned[Voice]:
        model = self._store.catalogue.models.get(name)
        if model is None or model.task != "voice":
            raise RapportError(f"there is no voice model {name!r}; see: rapport models list")
        worker = Worker(f"voice {name}")
        self._workers.append(worker)
        make = engine(model.engine)
        return Owned(
            await worker.call(lambda: make(self._store.files(name), self._settings)), worker
        )
