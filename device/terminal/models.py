"""``rapport models``: which models there are, fetching them, and verifying what is on the disk.

Layer 6.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from device import config as configuration
from device.catalogue import Catalogue, Model, choose
from device.config import Config
from device.models import ModelStore
from device.terminal.options import config_option
from device.terminal.progress import Bars
from device.types import RapportError

PIPE_WIDTH = 160
"""Columns of a table that goes into a pipe, where nobody can widen the window."""
STATE_COLOURS = {"ready": "green", "missing": "yellow", "damaged": "red"}

EPILOG = """\b
Examples:
  rapport models list                      what there is, and whether it may be sold
  rapport models fetch                     what the configuration needs and is not there
  rapport models fetch --preset pi5        what a Raspberry Pi 5 would use
  rapport models verify && rapport run
"""
LIST_EPILOG = """\b
Examples:
  rapport models list
  rapport models list --json | jq '.[] | select(.commercial) | .name'
"""
FETCH_EPILOG = """\b
Examples:
  rapport models fetch                     the models of the configuration's preset
  rapport models fetch piper-joe           one model by name
  rapport models fetch --preset pi5

\b
What is whole already is left alone; what broke off is continued.
Exit codes: 0 all are there · 1 one could not be fetched (a sentence says why) · 2 wrong usage
"""
VERIFY_EPILOG = """\b
Examples:
  rapport models verify                    every file of the configuration's models
  rapport models verify smollm2-135m

\b
Exit codes: 0 all are whole · 1 one is missing or damaged · 2 wrong usage
"""


@click.group(epilog=EPILOG)
def models() -> None:
    """List, fetch and verify the models."""


@models.command("list", epilog=LIST_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@config_option
def list_models(as_json: bool, config_file: Path | None) -> None:
    """Show every model of the catalogue: task, licence, size, and whether it is here."""
    config = configuration.load(config_file)
    store = open_store(config)
    used = set(choose(store.catalogue, config.models).values())
    rows = [_row(model, store, used) for model in store.catalogue.models.values()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_WIDTH)
    console.print(_table(rows))
    console.print(f"* in use (preset {config.models.preset}); kept in {store.root}", style="dim")
    for row in rows:
        if row["in_use"] and row["notes"]:
            console.print(f"  {row['name']}: {row['notes']}", style="dim", soft_wrap=True)


@models.command(epilog=FETCH_EPILOG)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--preset", help="Use this preset's models instead of the configuration's.")
@config_option
def fetch(names: tuple[str, ...], preset: str | None, config_file: Path | None) -> int:
    """Bring the models that are missing or damaged into the store."""
    if names and preset:
        raise click.UsageError("give names or --preset, not both")
    store, wanted = _wanted(names, preset, config_file)
    failed = 0
    with Bars() as bars:
        for name in wanted:
            if store.state(name) == "ready":
                bars.told(f"{name}: ready")
                continue
            try:
                store.fetch(name, bars)
                bars.told(f"{name}: fetched")
            except RapportError as error:
                failed = 1
                bars.told(f"rapport: {error}")
    return failed


@models.command(epilog=VERIFY_EPILOG)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@config_option
def verify(names: tuple[str, ...], config_file: Path | None) -> int:
    """Compare each file of the models with the size and sha256 of the catalogue."""
    store, wanted = _wanted(names, None, config_file)
    faulty = 0
    for name in wanted:
        faults = list(store.faults(name))
        for fault in faults:
            faulty = 1
            click.echo(f"rapport: {fault}", err=True)
        if not faults:
            files = len(store.catalogue.model(name).files)
            click.echo(f"{name}: {files} file{'s' if files > 1 else ''} whole")
    return faulty


def open_store(config: Config) -> ModelStore:
    """Return the store that the configuration names."""
    folder = config.models.store
    return ModelStore(Path(folder).expanduser() if folder else None, Catalogue.load())


def _wanted(
    names: Sequence[str], preset: str | None, config_file: Path | None
) -> tuple[ModelStore, list[str]]:
    """Return the store and the models meant: those named, or all in use; no name twice."""
    config = configuration.load(config_file)
    store = open_store(config)
    settings = config.models.model_copy(update={"preset": preset}) if preset else config.models
    chosen = names or (*choose(store.catalogue, settings).values(), *_wake_word(store, config))
    return store, [store.catalogue.model(name).name for name in dict.fromkeys(chosen)]


def _wake_word(store: ModelStore, config: Config) -> list[str]:
    """Return the model of the wake phrase, where the device waits for it and there is one."""
    model = store.catalogue.wake_word(config.conversation.wake_phrase)
    return [model.name] if model is not None and config.conversation.mode == "wake" else []


def _row(model: Model, store: ModelStore, used: set[str]) -> dict[str, Any]:
    presets = store.catalogue.presets
    return {
        "name": model.name,
        "task": model.task,
        "licence": model.licence,
        "commercial": model.commercial,
        "bytes": model.bytes,
        "state": store.state(model.name),
        "in_use": model.name in used,
        "presets": [preset for preset, names in presets.items() if model.name in names.values()],
        "tested": model.tested,
        "title": model.title,
        "notes": model.notes,
    }


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("model", "task", "licence", "commercial use"):
        table.add_column(heading)
    table.add_column("MB", justify="right")
    for heading in ("state", "presets", "tested"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            ("* " if row["in_use"] else "  ") + row["name"],
            row["task"].replace("_", " "),
            row["licence"],
            "yes" if row["commercial"] else "[red]no[/]",
            f"{row['bytes'] / 1e6:,.1f}",
            f"[{STATE_COLOURS[row['state']]}]{row['state']}[/]",
            ", ".join(row["presets"]),
            "yes" if row["tested"] else "no",
        )
    return table
