"""What all tests share: where the speech recordings are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The machines that run this are shared and slow in bursts: time says nothing about the code here.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """The folder of real recordings: $RAPPORT_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("RAPPORT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set RAPPORT_DATA to a folder that has them")
    return folder
