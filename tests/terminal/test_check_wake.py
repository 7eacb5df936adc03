"""Doctor, config check and models fetch know of the wake phrase."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.__main__ import main
from device.catalogue import Catalogue
from device.config import Config, parse
from device.models import ModelStore
from device.terminal.check_wake import check_wake_phrase
from device.terminal.findings import Health


def waiting_for(phrase: str, mode: str = "wake") -> Config:
    return parse({"conversation": {"mode": mode, "wake_phrase": phrase}}, "test")


def file_waiting_for(phrase: str, folder: Path) -> Path:
    path = folder / "wake.toml"
    path.write_text(f'[conversation]\nmode = "wake"\nwake_phrase = "{phrase}"\n')
    return path


@pytest.fixture
def empty(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path, Catalogue.load())


def test_a_model_is_found_by_its_phrase_however_it_is_written() -> None:
    catalogue = Catalogue.load()
    found = catalogue.wake_word("Hey  JARVIS")
    assert found is not None
    assert found.name == "micro-hey-jarvis"
    assert catalogue.wake_word("hey rapport") is None
    assert catalogue.wake_word("") is None


def test_where_no_phrase_is_waited_for_there_is_nothing_to_say(empty: ModelStore) -> None:
    assert list(check_wake_phrase(empty, waiting_for("you", mode="open"))) == []


def test_a_fit_phrase_is_fine(empty: ModelStore) -> None:
    (finding,) = check_wake_phrase(empty, waiting_for("hey rapport"))
    assert finding.health is Health.OK


def test_a_weak_phrase_is_a_warning_with_its_remedy(empty: ModelStore) -> None:
    (finding,) = check_wake_phrase(empty, waiting_for("good morning"))
    assert finding.health is Health.WARNING
    assert "everyday words" in finding.found
    assert "conversation.wake_phrase" in finding.remedy


def test_a_model_that_is_not_here_is_named_with_the_way_to_fetch_it(empty: ModelStore) -> None:
    _, finding = check_wake_phrase(empty, waiting_for("hey jarvis"))
    assert finding.health is Health.WARNING
    assert finding.remedy == "run: rapport models fetch micro-hey-jarvis"


def test_config_check_warns_of_a_weak_phrase_and_lets_it_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_waiting_for("hey bob", tmp_path)
    assert main(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: can be used, but the wake phrase 'hey bob'")


def test_the_model_of_the_phrase_is_one_of_those_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path / "none"))
    file = file_waiting_for("okay nabu", tmp_path)
    assert main(["models", "verify", "--config", str(file)]) == 1
    assert "micro-okay-nabu" in capsys.readouterr().err
