"""``rapport doctor``: every part of the device checked, with a remedy for what is not well.

Layer 6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from device import config as configuration
from device.config import Config
from device.store import state_folder
from device.terminal.audio_report import check_running_card
from device.terminal.check_api import check_api
from device.terminal.check_echo import check_echo
from device.terminal.check_panel import check_panel
from device.terminal.check_wake import check_wake_phrase
from device.terminal.checks import (
    check_files,
    check_machine,
    check_python,
    check_sound,
    check_store,
)
from device.terminal.findings import Finding, Health, broken, ok
from device.terminal.models import open_store
from device.terminal.options import config_option
from device.terminal.trials import Trials
from device.types import RapportError

COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.BROKEN: "bold red"}
PART_WIDTH = 22
EPILOG = """\b
Examples:
  rapport doctor
  rapport doctor --config /etc/rapport.toml
  rapport doctor --json | jq '.[] | select(.health != "ok")'

\b
It loads every engine and lets it do a small real job, which takes some seconds.
Exit codes: 0 the device works, perhaps with warnings · 1 a part is broken · 2 wrong usage
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@config_option
def doctor(as_json: bool, config_file: Path | None) -> int:
    """Check every part: one line each, with what was found and how to mend it."""
    console, found = Console(highlight=False), list[Finding]()
    for finding in examine(config_file):
        found.append(finding)
        if not as_json:
            console.print(render(finding), soft_wrap=True)
    worst = [one for one in found if one.health is Health.BROKEN]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
    elif worst:
        console.print(f"broken: {', '.join(one.part for one in worst)}", style="bold red")
    else:
        console.print("The device works.", style="bold green")
    return 1 if worst else 0


def examine(config_file: Path | None) -> Iterator[Finding]:
    """Yield every finding, as it is made."""
    yield from check_python()
    yield from check_machine()
    try:
        config = configuration.load(config_file)
        yield ok("configuration", f"{config_file or 'the defaults'}, preset {config.models.preset}")
    except RapportError as error:
        yield broken("configuration", str(error), "the rest is checked with the defaults")
        config = Config()
    yield from check_sound(config.line)
    yield from check_echo(config.line)
    yield from check_running_card(state_folder(config.storage.folder))
    yield from check_panel(config.panel)
    yield from check_api(config)
    try:
        store = open_store(config)
        yield from check_store(store)
        yield from check_files(store, config)
        yield from check_wake_phrase(store, config)
        yield from Trials(store, config).run()
    except RapportError as error:  # a catalogue or preset that cannot be used at all
        yield broken("models", str(error))


def render(finding: Finding) -> Text:
    """Return a finding as one line, with the remedy on a second where there is one."""
    text = Text(f"{finding.health.value:<8}", COLOURS[finding.health])
    text.append(f"{finding.part:<{PART_WIDTH}}", "bold").append(finding.found, "not bold")
    if finding.remedy:
        text.append(f"\n{'':<8}{'':<{PART_WIDTH}}-> {finding.remedy}", "cyan")
    return text
