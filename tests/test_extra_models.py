"""Models beside the device's own are loaded once, when somebody wants them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device.catalogue import Catalogue
from device.config import Config
from device.extra_models import ExtraModels
from device.models import ModelStore
from device.types import RapportError
from device.worker import Worker
from tests.conftest import ModelFiles

pytestmark = pytest.mark.models


@pytest.fixture
def store(model_files: ModelFiles, tmp_path: Path) -> ModelStore:
    """A store with the voice of the dev preset under two names."""
    folder = model_files("piper-joe")["model"].parent
    while folder.name != "piper-joe":
        folder = folder.parent
    catalogue = Catalogue.load()
    twin = catalogue.model("piper-joe").model_copy(update={"name": "twin"})
    catalogue = catalogue.model_copy(update={"models": {**catalogue.models, "twin": twin}})
    for name in ("piper-joe", "twin"):
        (tmp_path / name).symlink_to(folder)
    return ModelStore(tmp_path, catalogue)


def test_what_is_on_the_disk_is_offered_and_loaded_once(store: ModelStore) -> None:
    async def story() -> None:
        workers: list[Worker] = []
        extra = ExtraModels(store, Config(), workers)
        assert set(extra.names("voice")) == {"piper-joe", "twin"}
        assert extra.names("language_model") == ()
        one, other = await asyncio.gather(extra.load("voice", "twin"), extra.load("voice", "twin"))
        assert one.model is other.model and one.model.rate > 0 and len(workers) == 1
        for worker in workers:
            worker.close()

    asyncio.run(story())


@pytest.mark.parametrize("name", ["nobody", "smollm2-135m"])
def test_what_is_no_voice_is_refused_with_those_there_are(store: ModelStore, name: str) -> None:
    extra = ExtraModels(store, Config(), [])
    with pytest.raises(RapportError, match=rf"no voice '{name}'.*piper-joe, twin"):
        asyncio.run(extra.load("voice", name))
