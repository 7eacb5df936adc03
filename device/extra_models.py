"""Models beside the device's own, for chats that ask for another voice or language model.

Layer 1, on the event loop. Serves the composition root.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from device.config import Config, Task
from device.loading import load_model
from device.models import ModelStore
from device.types import RapportError
from device.worker import Owned, Worker


class ExtraModels:
    """Models that are loaded when somebody first wants them, and then kept."""

    def __init__(self, store: ModelStore, config: Config, workers: list[Worker]) -> None:
        """``workers`` get the threads of what is loaded; whoever closes those closes these."""
        self._store, self._config, self._workers = store, config, workers
        self._loading: dict[str, asyncio.Task[Owned[Any]]] = {}
        self._ready: dict[Task, tuple[str, ...]] = {}

    def names(self, task: Task) -> Sequence[str]:
        """Return the models for a task whose files are here and whole."""
        if task not in self._ready:  # once: every file is read to see that it is whole
            self._ready[task] = tuple(
                name
                for name, model in self._store.catalogue.models.items()
                if model.task == task and self._store.state(name) == "ready"
            )
        return self._ready[task]

    async def load(self, task: Task, name: str) -> Owned[Any]:
        """Return a model by its name; raises RapportError if it cannot be had."""
        if name not in self._loading:
            self._loading[name] = asyncio.create_task(self._load(task, name), name=name)
        try:
            return await asyncio.shield(self._loading[name])
        except RapportError:
            self._loading.pop(name, None)  # it may have been fetched by the next time
            raise

    async def _load(self, task: Task, name: str) -> Owned[Any]:
        model = self._store.catalogue.models.get(name)
        if model is None or model.task != task:
            known = ", ".join(self.names(task)) or "none"
            raise RapportError(
                f"there is no {task.replace('_', ' ')} {name!r} on this device, only: {known}"
            )
        worker = Worker(name)
        self._workers.append(worker)
        return await load_model(worker, self._store, name, self._config)
