"""``rapport prosody``: how recordings sound, as a timeline to read, as data, or as a picture.

Layer 6. Reads the wishes of the command line; ``prosody_timeline`` does the hearing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from device import config as configuration
from device.app import open_hearing
from device.config import Config
from device.settings import Hearing
from device.terminal.hold import read_sounds
from device.terminal.options import config_option, require_writable
from device.terminal.prosody_plot import MOST_RECORDINGS, plot
from device.terminal.prosody_timeline import Timeline, hear
from device.terminal.prosody_view import CAVEAT, show, show_model
from device.terminal.record import plain
from device.types import HEARING_RATE, ModelIdentity, Pcm, RapportError
from device.virtual_time import VirtualLoop

WORTH_A_BAR = 20.0
"""Seconds of recordings, altogether, from which a bar is shown: it takes about a second then."""

Recording: TypeAlias = tuple[Path, Pcm]

EPILOG = """\b
Examples:
  rapport prosody call.wav                       how it sounds, utterance by utterance
  rapport prosody call.wav --plot call.png       the same as a picture
  rapport prosody angry.flac calm.flac           one after the other, each by itself
  rapport prosody call.wav --json | jq '.files[].utterances[] | [.text, .expression.arousal]'

\b
Files are WAV, FLAC or OGG of any rate and width. Each is taken for one speaker, a stranger at
first; what is usual for him or her is learnt as the recording goes on.
A row for each step while somebody speaks tells of the voice alone, in the last 2 seconds at most;
the row of the whole utterance, under them, of its words and voice together, and of a long one's
voice only in its last 8 seconds.
With --json, standard output holds one object:
  {"model": {"name", "version", "licence"}, "caveat",
   "files": [{"file", "seconds", "problem",
              "utterances": [{"text", "started", "ended", "unmeasured",
                              "interim": [{"at", "expression"}, ...],
                              "measured_from",
                              "expression": {"valence", "arousal", "dominance", "confidence",
                                             "emotions", "tiers", "categories", "measures",
                                             "model"}}]}]}
Times are seconds from the beginning of the file. "problem" and "unmeasured" say why nothing, or not
the whole utterance, was measured; its "expression" is then null. "measured_from" is where the part
of the voice begins that counts in it. "emotions" has all 48 names; "tiers" how far each can be told
of a voice. Interim ones have no tiers, and no scores near 0.
Exit codes: 0 each file told something · 1 one did not, or something failed (a sentence on stderr
            says which and why) · 2 wrong usage
"""


@click.command(epilog=EPILOG)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the timelines, one below the other, as a PNG.",
)
@click.option(
    "--step",
    type=click.FloatRange(0.1, 10),
    default=0.5,
    show_default=True,
    metavar="SECONDS",
    help="How often to measure while somebody speaks.",
)
@config_option
def prosody(
    files: tuple[Path, ...],
    as_json: bool,
    plot_file: Path | None,
    step: float,
    config_file: Path | None,
) -> int:
    """Show how each FILE sounds: its expression while it is spoken, and what was said."""
    if plot_file is not None and len(files) > MOST_RECORDINGS:
        raise click.UsageError(f"--plot draws {MOST_RECORDINGS} files at most, not {len(files)}")
    config = _measuring(configuration.load(config_file), step)
    require_writable(plot_file)
    sounds = read_sounds(files)  # before the models, which take a while to load
    model, timelines = _hear(config, [(path, sounds[path]) for path in files])
    if as_json:
        told = {"model": plain(model), "caveat": CAVEAT}
        told["files"] = [timeline.plain() for timeline in timelines]
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _print(model, timelines)
    problems = [timeline for timeline in timelines if timeline.problem]
    for timeline in problems:
        click.echo(f"rapport: {timeline.path}: {timeline.problem}", err=True)
    if plot_file is not None and len(problems) == len(timelines):
        click.echo(f"rapport: {plot_file}: not drawn, since nothing could be told", err=True)
    elif plot_file is not None:
        plot(plot_file, model, timelines)
    return 1 if problems else 0


def _measuring(config: Config, step: float) -> Config:
    """Return the configuration with what a timeline needs; raises RapportError if it forbids it."""
    if not config.hearing.expression:
        raise RapportError(
            "expression is not measured, since hearing.expression = false in the configuration; "
            "set it to true, or name another file with --config"
        )
    # Words are sought at each pause; those while somebody speaks would only cost time.
    needed = {"expression_interval": step, "interim": 0.0}
    hearing = Hearing.model_validate(config.hearing.model_dump() | needed)
    return config.model_copy(update={"hearing": hearing})


def _hear(config: Config, sounds: Sequence[Recording]) -> tuple[ModelIdentity, list[Timeline]]:
    """Hear the recordings one after another, each with ears of its own."""

    async def listen(reached: Callable[[float], None]) -> tuple[ModelIdentity, list[Timeline]]:
        timelines: list[Timeline] = []
        async with open_hearing(config) as models:
            for path, sound in sounds:
                before = sum(timeline.seconds for timeline in timelines)
                told = partial(_add, reached, before)
                stretches = await hear(models, sound, config.hearing, told)
                timelines.append(Timeline(path, sound, stretches))
            return models.prosody.model.identity, timelines

    with (
        _bar(sum(len(sound) for _, sound in sounds) / HEARING_RATE) as reached,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        return runner.run(listen(reached))


def _add(reached: Callable[[float], None], before: float, seconds: float) -> None:
    reached(before + seconds)


@contextmanager
def _bar(total: float) -> Iterator[Callable[[float], None]]:
    """Show how much of ``total`` seconds is done, on stderr if that is a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("listening"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,  # the timeline is printed where it was
        disable=total < WORTH_A_BAR or not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda seconds: progress.update(task, completed=seconds)


def _print(model: ModelIdentity, timelines: Sequence[Timeline]) -> None:
    console = Console(highlight=False)
    told = [timeline for timeline in timelines if not timeline.problem]
    if told:
        show_model(model, console)
    for timeline in told:
        console.print()
        show(timeline, console)
