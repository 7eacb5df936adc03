"""``rapport config``: the settings in effect, explained, and files of settings checked.

Layer 6.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import annotated_types
import click
from pydantic.fields import FieldInfo

from device import config as configuration
from device.config import Config, ConfigError
from device.hearing.wake_phrase import weakness
from device.terminal.options import config_option

WIDTH = 96

SHOW_EPILOG = """\b
Examples:
  rapport config show
  rapport config show > rapport.toml               a file to begin your own with
  rapport config show --config my.toml --json | jq .hearing
"""
CHECK_EPILOG = """\b
Examples:
  rapport config check my.toml
  rapport config check /etc/rapport.toml && systemctl restart rapport

\b
Exit codes: 0 every file is fine · 1 one is not (a sentence on stderr says what) · 2 wrong usage
"""


@click.group(epilog=SHOW_EPILOG + "  rapport config check my.toml\n")
def config() -> None:
    """Show and check the configuration."""


@config.command(epilog=SHOW_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of TOML.")
@config_option
def show(as_json: bool, config_file: Path | None) -> None:
    """Print every setting in effect, as TOML with an explanation of each key."""
    effective = configuration.load(config_file)
    if as_json:
        click.echo(json.dumps(effective.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(toml(effective)))


@config.command(epilog=CHECK_EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> int:
    """Say of each FILE whether it can be used, and if not, what to change."""
    faulty = 0
    for file in files:
        try:
            conversation = configuration.load(file).conversation
            fault = weakness(conversation.wake_phrase) if conversation.mode == "wake" else None
            click.echo(f"{file}: fine" if fault is None else f"{file}: can be used, but {fault}")
        except ConfigError as error:
            faulty = 1
            click.echo(f"rapport: {error}", err=True)
    return faulty


def toml(settings: Config) -> Iterator[str]:
    """Yield the lines of a TOML file with these settings, each key under what it means."""
    for name, section in settings:
        yield from _comment(type(section).__doc__ or "", "# ")
        yield f"[{name}]"
        for key, value in section:
            field = type(section).model_fields[key]
            yield from _comment(_meaning(field), "# ")
            yield f"{key} = {toml_value(value)}"
        yield ""


def toml_value(value: str | bool | int | float | tuple[str, ...]) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for the delete character, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _meaning(field: FieldInfo) -> str:
    described, allowed = field.description or "", _allowed(field)
    return " ".join(part for part in (described, f"Allowed: {allowed}." if allowed else "") if part)


def _allowed(field: FieldInfo) -> str:
    """Return the range of a number in words, empty if any will do."""
    low = high = None
    for limit in _limits(field):
        if isinstance(limit, annotated_types.Ge):
            low = limit.ge
        elif isinstance(limit, annotated_types.Le):
            high = limit.le
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f"{low} or more"
        case None, _:
            return f"{high} or less"
        case _:
            return f"{low} to {high}"


def _limits(field: FieldInfo) -> Iterator[Any]:
    for item in field.metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else [item]


def _comment(text: str, prefix: str) -> list[str]:
    flat = " ".join(text.split())
    return textwrap.wrap(flat, WIDTH, initial_indent=prefix, subsequent_indent=prefix)
