"""``rapport talk``: a conversation from sound files, or live at the terminal.

Layer 6. Reads the wishes of the command line; ``hold`` and ``live`` do the talking.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from device import config as configuration
from device.app import open_app
from device.audio.rates import write_wav
from device.config import Config
from device.engines import engine
from device.terminal.events import EventLog
from device.terminal.hold import Held, hold, read_sounds
from device.terminal.live import Watch, converse_live
from device.terminal.options import STDOUT, config_option, require_writable
from device.terminal.transcript import Transcript
from device.types import Observed
from device.virtual_time import VirtualLoop

EPILOG = """\b
Examples:
  rapport talk                                   live, with microphone and loudspeaker; Ctrl-C ends
  rapport talk question.wav --out reply.wav      one question, the answer as a sound file
  rapport talk one.wav two.wav --json | jq       two turns of one conversation, as data
  rapport talk hello.wav --pace realtime --events events.jsonl
                                                 as fast as life, and all that happened

\b
Files are WAV, FLAC or OGG of any rate and width. With --json, standard output holds one object:
  {"turns": [{"transcript", "reply", "heard", "style", "interrupted",
              "expression": {"emotions", "valence", "arousal", "dominance", "confidence",
                             "measures", "categories", "model": {"name", "version", "licence"}},
              "interim": [{"at", "expression"}, ...],     while the user spoke
              "times": {"speech_start", "speech_end", "turn_end", "transcript",
                        "first_token", "first_audio", "reply_end"}}]}
Times are seconds on the line's clock; at pace "fast" computing takes none of them.
Exit codes: 0 at least one turn was held · 1 none was, or something failed · 2 wrong usage
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for."""

    paths: tuple[Path, ...]
    out: Path | None
    as_json: bool
    events: Path | None
    fast: bool


@click.command(epilog=EPILOG)
@click.argument("files", metavar="[WAV]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="WAV of the replies.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--events",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write every event as a line of JSON; - is standard output.",
)
@click.option(
    "--pace",
    type=click.Choice(["realtime", "fast"]),
    help="As fast as life, or as fast as it will go (the default with files).",
)
@config_option
def talk(
    files: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    events: Path | None,
    pace: str | None,
    config_file: Path | None,
) -> int:
    """Hold a conversation: with each WAV in turn, or without any, live with the microphone."""
    if as_json and events == STDOUT:
        raise click.UsageError("--json and --events - both want standard output; name a file")
    if not files and pace == "fast":
        raise click.UsageError("--pace fast needs sound files; a microphone hears in real time")
    config = _listening(configuration.load(config_file))
    require_writable(out)
    wishes = Wishes(files, out, as_json, events, pace != "realtime")
    with ExitStack() as stack:
        log = stack.enter_context(EventLog(events)) if events else None
        if files:
            return _from_files(config, wishes, log)
        return _live(config, wishes, log)


def _listening(config: Config) -> Config:
    """Return the configuration without a wake word: who calls ``talk`` wants to be heard."""
    awake = config.conversation.model_copy(update={"mode": "open"})
    return config.model_copy(update={"conversation": awake})


def _from_files(config: Config, wishes: Wishes, log: EventLog | None) -> int:
    # What is not asked for on standard output goes where it spoils no pipe.
    transcript = Transcript(aside=wishes.events == STDOUT, gaps=not wishes.fast)
    sees: list[Callable[[Observed], None]] = [log.write] if log else []
    if not wishes.as_json:
        sees.append(transcript.see)

    def see(observed: Observed) -> None:
        for one in sees:
            one(observed)

    sounds = read_sounds(wishes.paths)  # before the models, which take seconds to load

    async def conversation() -> Held:
        async with open_app(config) as app:
            return await hold(app, wishes.paths, sounds, see)

    with asyncio.Runner(loop_factory=VirtualLoop if wishes.fast else None) as runner:
        held = runner.run(conversation())
    if wishes.out and len(held.played):
        write_wav(wishes.out, held.played, held.rate)
    if wishes.as_json:
        click.echo(json.dumps(held.record.plain(), ensure_ascii=False))
    return _explain(held, wishes)


def _explain(held: Held, wishes: Wishes) -> int:
    """Say on stderr which files came to nothing and why; return the exit code."""
    for file in held.files:
        if not file.turns:
            click.echo(f"rapport: {file.path}: {_why(file.reason)}", err=True)
    if wishes.out and not len(held.played):
        click.echo(f"rapport: {wishes.out}: not written, since nothing was spoken", err=True)
    failures = [turn.failure for turn in held.record.turns if turn.failure]
    for failure in failures:
        click.echo(f"rapport: a turn failed: {failure}", err=True)
    return 0 if len(held.record.turns) > len(failures) else 1


def _why(reason: str) -> str:
    if reason == "no speech was found":
        return f"{reason} in it; record it closer to the microphone, or in a quieter place"
    return f"speech was found in it, but {reason}"


def _live(config: Config, wishes: Wishes, log: EventLog | None) -> int:
    async def conversation() -> Held:
        async with open_app(config) as app:
            console = Console(stderr=wishes.as_json or wishes.events == STDOUT, highlight=False)
            watch = Watch(console, wishes.out is not None, log.write if log else None)
            return await converse_live(app, engine("soundcard")(app.config.line), watch)

    held = asyncio.run(conversation())
    if wishes.out and len(held.played):
        write_wav(wishes.out, held.played, held.rate)
    if wishes.as_json:
        click.echo(json.dumps(held.record.plain(), ensure_ascii=False))
    return 0
