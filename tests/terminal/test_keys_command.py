"""``rapport keys``: a key is made, shown once, listed and revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.__main__ import main
from device.evi.keys import Keys
from device.store import FILE, Store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the database is to be."""
    monkeypatch.setenv("RAPPORT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RAPPORT_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "state"


@contextmanager
def kept(folder: Path) -> Iterator[Keys]:
    with closing(Store(folder)) as store:
        yield Keys(store)


def test_add_prints_the_key_alone_on_the_last_line_and_it_opens_the_door(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "add", "phone"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    about_secret, secret_key, about_key, api_key = told.out.splitlines()
    assert "secret key of phone" in about_secret
    assert "X-Hume-Api-Key" in about_key
    with kept(folder) as keys:
        assert keys.holder(api_key) == "phone"
        assert keys.issue_token(api_key, secret_key, 0)


def test_a_name_that_is_taken_or_impossible_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "add", "phone"]) == 0
    capsys.readouterr()
    assert main(["keys", "add", "phone"]) == 1
    assert main(["keys", "add", "my phone"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    taken, impossible = told.err.splitlines()
    assert "phone: there is a key of that name already" in taken
    assert "'my phone': is no name for a key" in impossible


def test_list_shows_names_and_dates_and_no_secret(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("phone", "laptop"):
        assert main(["keys", "add", name]) == 0
    secrets = [line for line in capsys.readouterr().out.splitlines() if " " not in line]
    assert len(secrets) == 4
    assert main(["keys", "list"]) == 0
    table = capsys.readouterr().out
    assert "phone" in table and "laptop" in table and str(folder) in table
    assert f"{datetime.now().astimezone():%Y-%m-}" in table
    assert main(["keys", "list", "--json"]) == 0
    rows = capsys.readouterr().out
    listed = json.loads(rows)
    assert {row["name"] for row in listed} == {"phone", "laptop"}
    for row in listed:
        age = datetime.now(UTC) - datetime.fromisoformat(row["created"])
        assert timedelta(seconds=-1) < age < timedelta(hours=1)
    assert not [secret for secret in secrets if secret in table + rows]


def test_an_empty_list_says_how_to_make_a_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "list"]) == 0
    assert "make one with: rapport keys add NAME" in capsys.readouterr().out
    assert main(["keys", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_revoke_takes_a_key_out_of_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "add", "phone"]) == 0
    api_key = capsys.readouterr().out.splitlines()[-1]
    assert main(["keys", "revoke", "phone"]) == 0
    assert capsys.readouterr().out == "phone: revoked\n"
    with kept(folder) as keys:
        assert keys.holder(api_key) is None
    assert main(["keys", "revoke", "phone"]) == 1
    assert "phone: there is no key of that name" in capsys.readouterr().err


def test_the_configuration_says_where_the_database_is(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "rapport.toml"
    config.write_text(f'[storage]\nfolder = "{tmp_path / "elsewhere"}"\n')
    assert main(["keys", "add", "phone", "--config", str(config)]) == 0
    assert (tmp_path / "elsewhere" / FILE).is_file()
    assert not folder.exists()


def test_a_database_that_cannot_be_opened_is_one_sentence_and_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("a file in the way")
    assert main(["keys", "list"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "name a writable folder with storage.folder or $RAPPORT_STATE" in told
