"""Loads models side by side, each on a thread of its own, and lets them go at the end.

Layer 1, on the event loop; loading itself runs on the thread that will own the model. Serves the
composition root, and ``extra_models``, which loads more of them later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from device.config import Config, Task
from device.engines import engine
from device.models import ModelStore
from device.types import RapportError
from device.worker import Owned, Worker


@dataclass(frozen=True, slots=True)
class Loaded:
    """Models that are ready, by what each is for."""

    models: dict[Task, Owned[Any]] = field(default_factory=dict)
    seconds: dict[Task, float] = field(default_factory=dict)
    """What checking and loading each of them took."""
    workers: list[Worker] = field(default_factory=list)
    """Their threads. Whoever loads another model adds its thread, and it is closed with these."""


async def load_model(worker: Worker, store: ModelStore, name: str, config: Config) -> Owned[Any]:
    """Load one model of the catalogue on the thread of ``worker``.

    Raises RapportError if it is missing, damaged or not usable.
    """
    model = store.catalogue.models[name]
    make = engine(model.engine)
    sections: dict[Task, Any] = {"language_model": config.thinking, "voice": config.speaking}
    section = sections.get(model.task, config.hearing)
    return Owned(await worker.call(lambda: make(store.files(name), section)), worker)


@asynccontextmanager
async def load_models(
    names: Mapping[Task, str], store: ModelStore, config: Config
) -> AsyncIterator[Loaded]:
    """Load the models called ``names`` side by side, and let them go when the block ends.

    Raises RapportError naming every one that is missing, damaged or not usable.
    """
    loaded = Loaded()
    failures: list[str] = []

    async def load(task: Task, name: str) -> None:
        begun = time.perf_counter()
        worker = Worker(task)
        loaded.workers.append(worker)
        try:
            loaded.models[task] = await load_model(worker, store, name, config)
        except RapportError as error:
            failures.append(str(error))  # the others are tried too: an owner wants to know of all
            return
        loaded.seconds[task] = time.perf_counter() - begun

    try:
        async with asyncio.TaskGroup() as tasks:
            for task, name in names.items():
                tasks.create_task(load(task, name))
        if failures:
            raise RapportError("\n".join(failures))
        yield loaded
    finally:
        for worker in loaded.workers:
            worker.close()
