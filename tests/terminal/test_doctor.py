"""``rapport doctor``: each part has its line, what is broken has its remedy and the exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.terminal.conftest import Rapport

ENGINES = {"voice", "recognizer", "voice activity", "turn", "prosody", "language model"}


def report(text: str) -> dict[str, dict[str, Any]]:
    return {finding["part"]: finding for finding in json.loads(text)}


@pytest.mark.models
def test_every_part_is_checked_and_every_engine_does_its_job(
    rapport: Rapport, models_ready: None
) -> None:
    done = rapport("doctor", "--json")
    assert done.returncode == 0, done.stdout
    parts = report(done.stdout)
    assert {"python", "packages", "llama library", "processor", "memory", "configuration"} <= set(
        parts
    )
    assert {f"model {name}" for name in ENGINES} <= set(parts)
    for name in ENGINES:
        assert parts[f"engine {name}"]["health"] == "ok"
        assert "loaded in" in parts[f"engine {name}"]["found"]
    assert "how are you today" in parts["engine recognizer"]["found"].lower()
    assert re.search(r": \S+ \S+, Apache-2\.0: measured ", parts["engine prosody"]["found"])
    assert all(part["remedy"] for part in parts.values() if part["health"] == "warning")


@pytest.mark.models
def test_where_expression_is_off_nothing_is_measured_and_that_is_said(
    rapport: Rapport, models_ready: None, tmp_path: Path
) -> None:
    config = tmp_path / "off.toml"
    config.write_text("[hearing]\nexpression = false\n")
    prosody = report(rapport("doctor", "--json", "--config", config).stdout)["engine prosody"]
    assert prosody["health"] == "ok"
    assert prosody["found"].endswith("expression is switched off (hearing.expression = false)")


def test_missing_models_are_broken_parts_with_the_remedy(rapport: Rapport, tmp_path: Path) -> None:
    done = rapport("doctor", RAPPORT_MODELS=str(tmp_path / "none"))
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.startswith("broken  model ")]
    assert len(broken) == len(ENGINES)
    assert "-> run: rapport models fetch smollm2-135m" in done.stdout
    assert not (tmp_path / "none").exists(), "looking changes nothing"


def test_a_configuration_that_cannot_be_used_is_a_finding_not_the_end(
    rapport: Rapport, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[hearing]\nears = 2\n")
    done = rapport("doctor", "--json", "--config", wrong, RAPPORT_MODELS=str(tmp_path / "none"))
    assert done.returncode == 1
    parts = report(done.stdout)
    assert parts["configuration"]["health"] == "broken"
    assert "hearing.ears = 2: there is no such key" in parts["configuration"]["found"]
    assert "model voice" in parts


@pytest.mark.models
def test_a_damaged_model_is_broken_and_not_loaded(
    rapport: Rapport, models_ready: None, tmp_path: Path
) -> None:
    file = tmp_path / "silero" / "silero_vad.onnx"
    file.parent.mkdir()
    file.write_bytes(b"not a network")
    parts = report(rapport("doctor", "--json", RAPPORT_MODELS=str(tmp_path)).stdout)
    assert "is damaged" in parts["model voice activity"]["found"]
    assert parts["engine voice activity"]["found"] == "silero: not tried, its files are not whole"


def test_the_api_is_checked_without_making_a_database(rapport: Rapport, tmp_path: Path) -> None:
    state = tmp_path / "state"
    environment = {"RAPPORT_MODELS": str(tmp_path / "none"), "RAPPORT_STATE": str(state)}
    parts = report(rapport("doctor", "--json", **environment).stdout)
    assert "none yet" in parts["database"]["found"] and not state.exists()
    assert parts["API"]["found"].startswith("http://127.0.0.1:8765, keys: 0")


def test_an_api_that_is_open_to_the_network_wants_a_key_and_then_tls(
    rapport: Rapport, tmp_path: Path
) -> None:
    config = tmp_path / "open.toml"
    config.write_text('[api]\nlisten = "0.0.0.0:8765"\n')
    environment = {"RAPPORT_MODELS": str(tmp_path / "none"), "RAPPORT_STATE": str(tmp_path / "s")}
    asked = ("doctor", "--json", "--config", config)
    api = report(rapport(*asked, **environment).stdout)["API"]
    assert (api["health"], api["remedy"]) == ("warning", "run: rapport keys add NAME")
    assert rapport("keys", "add", "kiosk", **environment).returncode == 0
    api = report(rapport(*asked, **environment).stdout)["API"]
    assert api["health"] == "warning" and "clear text" in api["found"]


def test_a_database_that_is_none_is_a_broken_part(rapport: Rapport, tmp_path: Path) -> None:
    (tmp_path / "rapport.sqlite3").write_bytes(b"no database " * 100)
    environment = {"RAPPORT_MODELS": str(tmp_path / "none"), "RAPPORT_STATE": str(tmp_path)}
    parts = report(rapport("doctor", "--json", **environment).stdout)
    assert parts["database"]["health"] == "broken"
    assert "rapport.sqlite3" in parts["database"]["found"]
