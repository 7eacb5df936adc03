"""``rapport bench``: measures speed and memory on this machine, against the project's aims.

Layer 6. Prints each block when it is done, then the table of aims; writes the raw numbers and a
plot.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from device.app import App, open_app
from device.config import Config, load, parse
from device.terminal.bench_api import api_block
from device.terminal.bench_blocks import (
    Extent,
    Pairs,
    Step,
    engines_block,
    gap_block,
    idle_block,
    interruption_block,
)
from device.terminal.bench_clips import Clip, gather
from device.terminal.bench_duplex import duplex
from device.terminal.bench_machine import (
    HEALTHY_S,
    age_s,
    calibrate,
    describe,
    load_average,
    resident_mb,
)
from device.terminal.bench_plot import plot
from device.terminal.bench_prosody import prosody
from device.terminal.bench_report import Block, Figure, block_table, division_table, summary
from device.terminal.bench_wake import wake
from device.terminal.options import config_option, require_writable
from device.types import RapportError

QUICK_COUNT, QUICK = 2, Extent(trials=1, idle_s=2.0)
ENGINE_STEPS = 6

EPILOG = """\b
Examples:
  rapport bench                        everything: about four minutes on a healthy machine
  rapport bench --quick --no-files     is it roughly all right? half a minute
  rapport bench --api --count 6        what the API adds, five chats at once, requests a second
  rapport bench --utterances ~/speech --count 40 --json speech.json
  rapport bench duplex                 talking into the device while it speaks, in computed rooms
  rapport bench prosody                how well expression is measured
  rapport bench wake                   how well the wake word is heard

Each figure is shown with a calibration of the machine: a loop of Python that takes 0.13 s when
nobody else uses it. Twice as slow a loop means that the figures, too, are of a slow machine.
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.option(
    "--utterances",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE|FOLDER",
    help="Recordings of speech, may be given again; otherwise those of $RAPPORT_DATA.",
)
@click.option(
    "--count", type=click.IntRange(1, 1000), default=20, show_default=True, help="Utterances."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=Path("bench.json"))
@click.option("--plot", "plot_file", type=click.Path(path_type=Path), default=Path("bench.png"))
@click.option("--no-files", is_flag=True, help="Write neither JSON nor plot.")
@click.option("--quick", is_flag=True, help="Two utterances and one interruption.")
@click.option("--api", "with_api", is_flag=True, help="Only what the API over the network adds.")
@config_option
@click.pass_context
def bench(  # noqa: PLR0913, PLR0917 (one for each option)
    context: click.Context,
    utterances: tuple[Path, ...],
    count: int,
    json_file: Path,
    plot_file: Path,
    no_files: bool,
    quick: bool,
    with_api: bool,
    config_file: Path | None,
) -> None:
    """Measure the response gap, models, interruptions, idle load and memory on this machine."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    age = age_s()
    config = _conversing(load(config_file))
    if not no_files:
        require_writable(json_file)
        require_writable(plot_file)
    count, extent = (min(count, QUICK_COUNT), QUICK) if quick else (count, Extent())
    clips = gather(utterances, count)
    if with_api:
        blocks = asyncio.run(_measure_api(config, clips))
        if not no_files:
            _write_json(json_file, blocks)
        return
    blocks, pairs = asyncio.run(_measure(config, clips, extent, age))
    if not no_files:
        _write_json(json_file, blocks)
        plot(plot_file, pairs.divided, pairs.eager_gaps, pairs.plain_gaps)
        click.echo(f"written: {json_file}, {plot_file}")


bench.add_command(prosody)
bench.add_command(duplex)
bench.add_command(wake)


def _refuse_options(context: click.Context) -> None:
    """Tell whoever gave options of the bench to another measurement that they do nothing there."""
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = next(p.opts[0] for p in context.command.params if p.name == name)
            command = f"{context.command_path} {context.invoked_subcommand}"
            raise click.UsageError(f"{option} is no option of {command}; see {command} --help")


def _conversing(config: Config) -> Config:
    """Return the configuration with what the bench relies on: no wake word, interruptions."""
    return parse({"conversation": {"mode": "open", "barge_in": True}}, "rapport bench", config)


async def _measure(
    config: Config, clips: list[Clip], extent: Extent, age: float
) -> tuple[list[Block], Pairs]:
    console, errors = Console(), Console(stderr=True)
    machine = describe()
    console.print(
        f"[bold]{machine.name}[/]: {machine.model}, {machine.cores} cores, "
        f"{machine.memory_mb:.0f} MB, {machine.system}, Python {machine.python}"
    )
    console.print(f"calibration: {calibrate():.2f} s; a healthy machine takes {HEALTHY_S} s\n")
    before = calibrate()
    begun = time.perf_counter()
    async with open_app(config) as app:
        blocks = [_start_block(app, before, age + time.perf_counter() - begun)]
        console.print(block_table(blocks[0]))
        # No refreshing by itself: it would take part in the idle load that is measured.
        with Progress(
            TextColumn("{task.description}"), BarColumn(), console=errors, auto_refresh=False
        ) as progress:
            total = ENGINE_STEPS + len(clips) + extent.trials + 1
            task = progress.add_task("", total=total)

            def step(what: str) -> None:
                progress.update(task, description=what, advance=1, refresh=True)
                if not errors.is_terminal:
                    errors.print(f"{time.perf_counter() - begun:5.0f} s  {what}", highlight=False)

            pairs = await _blocks(app, clips, extent, step, blocks, console)
    console.print(summary(blocks))
    return blocks, pairs


async def _measure_api(config: Config, clips: list[Clip]) -> list[Block]:
    console, errors = Console(), Console(stderr=True)
    async with open_app(config) as app:
        block = await api_block(app, clips, lambda what: errors.print(what, highlight=False))
    console.print(block_table(block))
    return [block]


async def _blocks(
    app: App, clips: list[Clip], extent: Extent, step: Step, blocks: list[Block], console: Console
) -> Pairs:
    def done(measured: Block) -> None:
        blocks.append(measured)
        console.print(block_table(measured))

    done(await engines_block(app, clips, step))
    measured, pairs = await gap_block(app, clips, step)
    done(measured)
    console.print(division_table(pairs.divided))
    done(await interruption_block(app, clips, extent.trials, step))
    done(await idle_block(app, extent.idle_s, step))
    return pairs


def _start_block(app: App, before: float, ready: float) -> Block:
    loads = app.faculties.load_s
    slowest = max(loads, key=lambda task: loads[task])
    note = f"longest: {slowest}, {loads[slowest]:.1f} s"
    block = Block("Start", before)
    block.figures = [
        Figure("start to ready, files checked and models loaded", ready, "s", 10, note),
        Figure("resident memory after that", resident_mb(), "MB"),
    ]
    block.raw = {"load_s": dict(loads), "models": dict(app.faculties.names), "ready_s": ready}
    block.after_s = calibrate()
    block.resident_mb, block.load = resident_mb(), load_average()
    return block


def _write_json(path: Path, blocks: list[Block]) -> None:
    whole = {
        "machine": asdict(describe()),
        "healthy_calibration_s": HEALTHY_S,
        "blocks": [asdict(block) | {"slowness": block.slowness} for block in blocks],
    }
    try:
        path.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name another file with --json"
        ) from None
