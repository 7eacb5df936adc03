"""``rapport keys``: make, list and revoke the keys that let programs use the API.

Layer 6. Works on the database itself, whether or not the device is running.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from device import config as configuration
from device.evi.keys import KeyInfo, Keys
from device.store import Store, state_folder
from device.terminal.options import config_option

EPILOG = """\b
Examples:
  rapport keys add phone                   make a key and show it, once
  rapport keys list                        which keys there are
  rapport keys revoke phone                from now on it opens nothing

\b
Keys lie in the device's database: run this as the user who runs the device, with the same
$RAPPORT_STATE or --config.
Exit codes: 0 done · 1 it could not be done (a sentence on stderr says why) · 2 wrong usage
"""
ADD_EPILOG = """\b
Examples:
  rapport keys add phone
  rapport keys add laptop --config /etc/rapport.toml
  export HUME_API_KEY="$(rapport keys add laptop | tail -n 1)"

\b
The API key alone is on the last line. Only its hash is kept, so it cannot be shown again.
Exit codes: 0 made · 1 the name is taken or cannot be used (a sentence says so) · 2 wrong usage
"""
LIST_EPILOG = """\b
Examples:
  rapport keys list
  rapport keys list --json | jq -r '.[].name'

\b
Exit codes: 0 fine · 1 the database cannot be opened (a sentence says why) · 2 wrong usage
"""
REVOKE_EPILOG = """\b
Examples:
  rapport keys revoke phone
  rapport keys revoke phone && rapport keys add phone

\b
Works at once, on a running device too; tokens that were fetched with the key end with it.
Exit codes: 0 revoked · 1 there is no such key · 2 wrong usage
"""


@click.group(epilog=EPILOG)
def keys() -> None:
    """Make, list and revoke the API's keys."""


@keys.command(epilog=ADD_EPILOG)
@click.argument("name")
@config_option
def add(name: str, config_file: Path | None) -> None:
    """Make a key called NAME and print its secrets, this once."""
    with _kept(config_file) as (kept, _):
        new = kept.add(name)
    click.echo(f"secret key of {name}, wanted beside the API key to fetch tokens and for no more:")
    click.echo(new.secret_key)
    click.echo(f"API key of {name}, to be sent as X-Hume-Api-Key or given to an SDK as api_key:")
    click.echo(new.api_key)


@keys.command("list", epilog=LIST_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@config_option
def list_keys(as_json: bool, config_file: Path | None) -> None:
    """Show the name of every key, and when it was made."""
    with _kept(config_file) as (kept, folder):
        found = kept.names()
    if as_json:
        rows = [{"name": key.name, "created": _created(key).isoformat()} for key in found]
        click.echo(json.dumps(rows, indent=2))
        return
    console = Console(highlight=False)
    if not found:
        console.print(
            f"no keys in {folder} yet; make one with: rapport keys add NAME", soft_wrap=True
        )
        return
    table = Table("key", "created", box=None, header_style="bold", pad_edge=False)
    for key in found:
        table.add_row(key.name, f"{_created(key).astimezone():%Y-%m-%d %H:%M}")
    console.print(table)
    console.print(f"kept in {folder}", style="dim", soft_wrap=True)


@keys.command(epilog=REVOKE_EPILOG)
@click.argument("name")
@config_option
def revoke(name: str, config_file: Path | None) -> None:
    """Take the key called NAME out of use, and every token fetched with it."""
    with _kept(config_file) as (kept, _):
        kept.revoke(name)
    click.echo(f"{name}: revoked")


@contextmanager
def _kept(config_file: Path | None) -> Iterator[tuple[Keys, Path]]:
    """Open the database that the configuration names, and tell the folder it is in."""
    folder = state_folder(configuration.load(config_file).storage.folder)
    with closing(Store(folder)) as store:
        yield Keys(store), folder


def _created(key: KeyInfo) -> datetime:
    return datetime.fromtimestamp(key.created_ms // 1000, UTC)
