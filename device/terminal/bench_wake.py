"""``rapport bench wake``: how often a wake phrase is missed, and how often something else wakes.

Layer 6. Every recording is heard once, as the device hears it; phrases and sensitivities are then
tried on what was recognised. Real speech wherever there is any: only for phrases that nobody
recorded the device's own voice says them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import device
from device import config as configuration
from device.catalogue import choose
from device.config import Config, Task
from device.engines import engine
from device.models import ModelStore
from device.ports import WakeWord
from device.terminal.bench_wake_clips import (
    SENTENCES,
    Recording,
    Room,
    corpora,
    folder,
    padded,
    plain,
    synthetic,
)
from device.terminal.bench_wake_hearing import Heard, Listener
from device.terminal.bench_wake_report import cost, plot, table
from device.terminal.bench_wake_trials import Trial, in_sound, in_words, openings
from device.terminal.models import open_store
from device.terminal.options import config_option, require_writable
from device.types import RapportError

ACTED = tuple(" ".join(sentence.split()[:3]) for sentence in SENTENCES.values())
"""Phrases that real people say at the beginning of a recording, with feeling."""
READ = "LJ Speech, English, read"
NOISY = "in a room, noise at 10 dB"
PROGRESS_S = 15.0
PIPE_WIDTH = 240
"""Columns of a table that goes into a pipe, where nobody can widen the window."""
_ROOT = Path(device.__file__).resolve().parents[2]

EPILOG = """\b
Examples:
  rapport bench wake                              every phrase, half an hour
  rapport bench wake --phrase "hello lighthouse"  one more phrase
  rapport bench wake --others ~/speech            also recordings of your own
  rapport bench wake --heard wake.json            tables anew from what was heard earlier

\b
A folder given with --others may hold folders called like a phrase, with recordings of it in them;
all else in it is taken for speech without a wake phrase. With the Debian packages
asterisk-core-sounds-{en,es,fr,it,ru}-wav, --others /usr/share/asterisk/sounds adds two hours.
Exit codes: 0 measured · 1 something is missing or failed (a sentence says what) · 2 wrong usage
"""


@click.command(epilog=EPILOG, short_help="How well the wake word is heard.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="RAPPORT_DATA",
    default=_ROOT / "shared" / "data",
    help="Folder of the corpora; otherwise $RAPPORT_DATA, or shared/data beside the checkout.",
)
@click.option("--others", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--phrase", "phrases", multiple=True, help="One more phrase; may be given again.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=Path("wake.json"))
@click.option("--plot", "plot_file", type=click.Path(path_type=Path), help="Draw the curves.")
@click.option(
    "--heard", type=click.Path(path_type=Path), help="JSON of an earlier run: hear nothing."
)
@config_option
def wake(  # noqa: PLR0913, PLR0917 (one for each option)
    data: Path,
    others: tuple[Path, ...],
    phrases: tuple[str, ...],
    json_file: Path,
    plot_file: Path | None,
    heard: Path | None,
    config_file: Path | None,
) -> None:
    """Measure how often a wake phrase is missed, and how often something else wakes the device."""
    config = configuration.load(config_file)
    require_writable(json_file if heard is None else None)
    require_writable(plot_file)
    bench = _Bench(config, [plain(config.conversation.wake_phrase), *map(plain, phrases)])
    found = _read(heard) if heard else list(bench.hear(data, others))
    if heard is None:
        json_file.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    trials = list(bench.trials(found))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_WIDTH)
    console.print(table(trials), cost(found))
    if plot_file is not None:
        plot(plot_file, trials)


class _Bench:
    """The engines of a configuration, and the phrases they are tried with."""

    def __init__(self, config: Config, phrases: Sequence[str]) -> None:
        self._config, self._store = config, open_store(config)
        self._names = choose(self._store.catalogue, config.models)
        self._acoustic = list(_acoustic(self._store, config))
        trained = [word.phrase for word in self._acoustic]
        self._said = list(dict.fromkeys([*phrases, *trained]))
        """Phrases that only the device's voice says."""

    def hear(self, data: Path, others: Sequence[Path]) -> Iterator[Heard]:
        """Yield what is heard of every recording, in quiet and in a noisy room."""
        listener = Listener(
            self._load("voice_activity", self._config.hearing),
            self._load("recognizer", self._config.hearing),
            self._config.hearing,
            self._acoustic,
        )
        room = Room(data / "acoustics", snr_db=10.0)
        voice = self._load("voice", self._config.speaking)
        said = (synthetic(voice, phrase) for phrase in self._said)
        known: Iterator[Recording] = chain(*said, corpora(data, _tell))
        # What others bring is heard as it is: it has the noise of its own rooms.
        brought = chain.from_iterable(map(folder, others))
        every = chain(((one, True) for one in known), ((one, False) for one in brought))
        told = time.monotonic()
        for number, (recording, disturbed) in enumerate(every):
            pcm = padded(recording.pcm)
            yield listener.hear(recording, pcm, "clean")
            if disturbed:
                yield listener.hear(recording, room.around(pcm, number), NOISY)
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                _tell(f"{number + 1:6} recordings, now {recording.corpus}")

    def trials(self, heard: Sequence[Heard]) -> Iterator[Trial]:
        """Yield every trial that the recordings allow."""
        for phrase in ACTED:
            yield from in_words(heard, phrase, "24 actors")
        yield from openings(heard, READ)
        for phrase in self._said:
            yield from in_words(heard, phrase, "synthetic")
        for word in self._acoustic:
            if all(word.phrase in one.peaks for one in heard):
                yield from in_sound(heard, word, "synthetic")

    def _load(self, task: Task, settings: Any) -> Any:
        name = self._names[task]
        return engine(self._store.catalogue.model(name).engine)(self._store.files(name), settings)


def _acoustic(store: ModelStore, config: Config) -> Iterator[WakeWord]:
    """Yield the acoustic wake words that can be loaded, and tell of the others why not."""
    for name, model in store.catalogue.models.items():
        if model.task != "wake_word":
            continue
        try:
            yield engine(model.engine)(store.files(name), config.hearing)
        except RapportError as error:
            _tell(f"skipped: {model.title}: {error}")


def _read(path: Path) -> list[Heard]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Heard(**{**row, "texts": tuple(row["texts"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RapportError(
            f"{path}: is not what an earlier bench wrote ({error}); name its --json file"
        ) from None


def _tell(text: str) -> None:
    click.echo(text, err=True)
