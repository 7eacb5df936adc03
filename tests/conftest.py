"""What all tests share: speech recordings, and the files of verified models."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from device.catalogue import Catalogue
from device.models import ModelDamaged, ModelMissing, ModelStore

ModelFiles = Callable[[str], dict[str, Path]]

# The machines that run this are shared and slow in bursts: time says nothing about the code here.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the database of programs that the tests start, instead of the user's own."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["RAPPORT_STATE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """The folder of real recordings: $RAPPORT_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("RAPPORT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set RAPPORT_DATA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def model_files() -> ModelFiles:
    """The files of a model by role, from the store; the test is skipped where they are missing."""
    store = ModelStore(None, Catalogue.load())

    def files(name: str) -> dict[str, Path]:
        try:
            return store.files(name)
        except (ModelMissing, ModelDamaged) as fault:
            pytest.skip(str(fault))

    return files
