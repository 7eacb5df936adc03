"""``rapport models``: listing, fetching and verifying, with a small catalogue and a real server."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from device.__main__ import main
from device.config import TASKS

CONTENT = b"a model of no great depth" * 100


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty store, with a catalogue of one model for each task that a local server has."""
    served, root = tmp_path / "served", tmp_path / "store"
    served.mkdir()
    (served / "model.bin").write_bytes(CONTENT)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        catalogue = tmp_path / "catalogue.toml"
        catalogue.write_text(_catalogue(url))
        monkeypatch.setenv("RAPPORT_CATALOGUE", str(catalogue))
        monkeypatch.setenv("RAPPORT_MODELS", str(root))
        monkeypatch.delenv("RAPPORT_CONFIG", raising=False)
        yield root
        server.shutdown()


def _catalogue(url: str) -> str:
    lines = ["[presets.dev]", *(f'{task} = "{_name(task)}"' for task in TASKS)]
    for task in TASKS:
        sold = "false" if task == "voice" else "true"
        lines += [
            f'[models."{_name(task)}"]',
            f'task = "{task}"\nengine = "silero"\ntitle = "Tiny"\nlicence = "MIT"',
            'notes = "For tests."',
            f"commercial = {sold}\ntested = true",
            f'[[models."{_name(task)}".files]]\nrole = "model"\npath = "model.bin"',
            f'bytes = {len(CONTENT)}\nsha256 = "{hashlib.sha256(CONTENT).hexdigest()}"',
            f'sources = [{{url = "{url}/model.bin"}}]',
        ]
    return "\n".join(lines)


def _name(task: str) -> str:
    return f"tiny-{task.replace('_', '-')}"


def test_fetch_brings_what_is_missing_and_verify_agrees(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify"]) == 1
    assert capsys.readouterr().err.count("is missing; run: rapport models fetch tiny-") == 6
    assert main(["models", "fetch"]) == 0
    told = capsys.readouterr()
    assert told.err.count(": fetched") == 6
    assert told.out == ""
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out.count("1 file whole") == 6
    assert main(["models", "fetch"]) == 0
    assert capsys.readouterr().err.count(": ready") == 6


def test_only_what_is_named_is_fetched(store: Path) -> None:
    assert main(["models", "fetch", "tiny-voice", "tiny-voice"]) == 0
    assert [folder.name for folder in store.iterdir()] == ["tiny-voice"]


def test_a_damaged_file_is_named_and_fetched_again(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch"]) == 0
    file = store / "tiny-turn" / "model.bin"
    file.write_bytes(CONTENT[:-1] + b"!")
    capsys.readouterr()
    assert main(["models", "verify"]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert f"{file} is damaged (its sha256 is not the catalogue's)" in told.err
    assert main(["models", "fetch"]) == 0
    assert file.read_bytes() == CONTENT


def test_the_list_tells_licence_sale_and_state(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch", "tiny-turn"]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {_name(task) for task in TASKS}
    assert rows["tiny-turn"] == {
        "name": "tiny-turn",
        "task": "turn",
        "licence": "MIT",
        "commercial": True,
        "bytes": len(CONTENT),
        "state": "ready",
        "in_use": True,
        "presets": ["dev"],
        "tested": True,
        "title": "Tiny",
        "notes": "For tests.",
    }
    assert (rows["tiny-voice"]["commercial"], rows["tiny-voice"]["state"]) == (False, "missing")
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    (voice,) = [line for line in shown.splitlines() if "tiny-voice " in line]
    assert "  tiny-voice: For tests." in shown
    assert voice.split() == [
        "*",
        "tiny-voice",
        "voice",
        "MIT",
        "no",
        "0.0",
        "missing",
        "dev",
        "yes",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fetch", "tiny-voise"], "there is no model 'tiny-voise'; perhaps tiny-voice"),
        (["fetch", "--preset", "pi9"], "there is no preset 'pi9'; choose one of dev"),
        (["verify", "large"], "there is no model 'large'"),
    ],
)
def test_a_name_that_is_not_in_the_catalogue_is_told_with_those_that_are(
    store: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 1
    assert told in capsys.readouterr().err


def test_one_model_that_cannot_be_had_does_not_keep_the_others_away(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = tmp_path / "catalogue.toml"
    whole = catalogue.read_text()
    first, _, rest = whole.partition("/model.bin")
    catalogue.write_text(f"{first}/gone.bin{rest}")
    assert main(["models", "fetch"]) == 1
    told = capsys.readouterr().err
    assert told.count(": fetched") == 5
    assert "answered 404" in told
