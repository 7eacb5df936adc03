"""``rapport config``: what it shows can be read back, and what is wrong is explained."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.__main__ import main
from device.config import Config, parse
from device.terminal.settings import toml, toml_value


def test_what_is_shown_is_a_file_with_the_same_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[speaking]\nstyle = "calm"\n[hearing]\nsegment = 20.0\n')
    assert main(["config", "show", "--config", str(file)]) == 0
    shown = capsys.readouterr().out
    values = tomllib.loads(shown)
    expected = parse({"speaking": {"style": "calm"}, "hearing": {"segment": 20.0}}, "test")
    assert parse(values, "shown") == expected
    assert values["speaking"]["style"] == "calm"


def test_each_key_is_explained_with_what_is_allowed() -> None:
    lines = list(toml(Config()))
    at = lines.index("block_ms = 20")
    assert lines[at - 1].startswith("# Length of one block of the sound card in milliseconds.")
    assert lines[at - 1].endswith("Allowed: 5 to 40.")
    assert lines[lines.index("[speaking]") - 1] == "# The voice."
    assert all(len(line) <= 100 for line in lines if line.startswith("#"))


@given(st.text() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False))
def test_every_value_survives_toml(value: str | bool | int | float) -> None:
    read = tomllib.loads(f"key = {toml_value(value)}")["key"]
    assert (type(read), read) == (type(value), value)


def test_json_has_every_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--json"]) == 0
    assert Config.model_validate(json.loads(capsys.readouterr().out)) == Config()


def test_check_says_fine_of_the_good_and_why_not_of_the_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, unknown, range_ = (tmp_path / name for name in ("good.toml", "key.toml", "range.toml"))
    good.write_text("[hearing]\nonset = 0.2\n")
    unknown.write_text("[hearing]\nears = 2\n")
    range_.write_text("[line]\nblock_ms = 400\n")
    assert main(["config", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: fine\n"
    assert main(["config", "check", str(unknown), str(good), str(range_)]) == 1
    shown = capsys.readouterr()
    assert shown.out == f"{good}: fine\n"
    first, second = shown.err.splitlines()
    assert first.startswith(f"rapport: {unknown}: hearing.ears = 2: there is no such key; allowed")
    assert second.startswith(f"rapport: {range_}: line.block_ms = 400: ")
    assert "less than or equal to 40" in second
