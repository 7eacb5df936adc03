"""``rapport bench duplex``: somebody talks into the replies of a device with a loose loudspeaker.

Layer 6. The real sound card interface on a card of pipes, a room between loudspeaker and
microphone, recordings of people and noises: how often the device interrupts or answers itself, how
soon it stops, what it understands meanwhile, and what it lets pass.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from device.audio.echo_path import open_echo_path
from device.audio.rates import read_speech
from device.conversation.interruption import Kind, is_request, kind
from device.terminal.bench_clips import data_folder
from device.terminal.bench_machine import calibrate
from device.terminal.duplex_trials import Outcome, Plan
from device.terminal.duplex_words import errors, recordings_folder, reference
from device.types import HEARING_RATE, AudioChunk, RapportError

REPLIES = (
    "That is a lovely idea, and I am glad that you told me about it. Shall we think about what you "
    "could do next?",
    "The market opens at nine in the morning and closes at six. On Saturdays it closes an hour "
    "earlier, at five.",
    "Once upon a time there was a small robot who lived in a lighthouse by the sea, and every "
    "night it counted the ships.",
    "To make bread you need flour, water, salt and a little yeast. Mix them, wait an hour, and "
    "then bake it until it is brown.",
    "I am sorry that it did not work. Let us try it again, step by step, and this time we will "
    "look at the cable first.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A room of the bench: which impulse response and noise, and what goes on in it."""

    name: str
    answer: str
    noise: str
    noise_db: float
    delay_ms: float
    loss_db: float
    drift_ppm: float = 0.0
    clipping: float = 0.0


PLACES = (
    Place("study", "rir1", "noise1", -60, 20, 10),
    Place("kitchen", "rir2", "noise2", -55, 60, 6, 40),
    Place("hall", "rir3", "noise3", -55, 120, 14, -80),
    Place("living room", "rir4", "noise4", -50, 90, 20, 20),
    Place("two crystals", "rir3", "noise5", -60, 60, 8, 200),
    Place("small loudspeaker", "rir4", "noise1", -55, 40, 6, 0, 0.3),
)
"""From -6 to -20 dB, 20 to 120 ms, -80 to 200 ppm, and a loudspeaker driven into saturation."""
KINDS = ("self", "barge-in", "stop", "backchannel", "noise")
Row: TypeAlias = tuple[str, str, str, str, str]
"""Kind, trials, what came of them, how often or how much, and the aim."""
Echo: TypeAlias = Literal["speex", "webrtc", "off"]
SEED = 5
LONGEST_TALK = 6.0
COST_S = 20
WORKERS = 2
"""Rooms at a time: each has its own process, for its own sound card."""


EPILOG = """\b
Examples:
  rapport bench duplex                         six rooms, 102 interruptions: about eight minutes
  rapport bench duplex --room kitchen          one of them
  rapport bench duplex --echo webrtc           the other canceller
  rapport bench duplex --count 5 --realtime    at the speed of the clock, so that computing counts
  rapport bench duplex --json trials.json      every trial

\b
Short interjections ("mm-hm", "stop") are fetched once by: python -m models.interjections.fetch
"""


@click.command(epilog=EPILOG)
@click.option(
    "--count",
    type=click.IntRange(1, 200),
    default=20,
    show_default=True,
    help="Interruptions in each room; the other kinds in proportion.",
)
@click.option(
    "--room",
    "names",
    multiple=True,
    type=click.Choice([place.name for place in PLACES]),
    help="Only this room; may be given again.",
)
@click.option(
    "--echo",
    type=click.Choice(["speex", "webrtc", "off"]),
    default="speex",
    show_default=True,
    help="The echo canceller.",
)
@click.option(
    "--realtime", is_flag=True, help="At the speed of the clock, so that computing counts."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write every trial here."
)
def duplex(
    count: int, names: tuple[str, ...], echo: Echo, realtime: bool, json_file: Path | None
) -> None:
    """Measure what becomes of speech and noise while a device with a loose loudspeaker speaks."""
    console = Console()
    places = [place for place in PLACES if not names or place.name in names]
    with tempfile.TemporaryDirectory() as folder:
        material = Material.gather(Path(folder))
        plans = [material.plan(place, count, echo, realtime) for place in places]
        rows = _run(plans, realtime)
    missing = [sort for sort in ("backchannel", "stop") if not material.files[sort]]
    if missing:
        console.print(
            f"left out, since there are no recordings of it: {' and '.join(missing)}; fetch them "
            "once with: python -m models.interjections.fetch"
        )
    if json_file:
        json_file.write_text(json.dumps(rows, indent=1))
    outcomes = [Outcome(**outcome) for row in rows for outcome in row["outcomes"]]
    console.print(_table(outcomes, echo))
    console.print(f"{echo}: {cost_ms(echo):.0f} ms of processor time for a second of sound")
    console.print(f"calibration {calibrate():.2f} s (0.13 s is a healthy machine)")


def cost_ms(echo: Echo) -> float:
    """Return the milliseconds of processor time that a second of sound takes to be cancelled."""
    chance, chunk = np.random.default_rng(SEED), HEARING_RATE // 50
    far = chance.integers(-3000, 3000, COST_S * HEARING_RATE).astype(np.int16)
    near, path = np.roll(far, HEARING_RATE // 10) // 4, open_echo_path(echo)
    if path is None:
        return 0.0
    begun = time.process_time()
    for at in range(0, len(far), chunk):
        path.clean(AudioChunk(near[at : at + chunk], HEARING_RATE, at, far[at : at + chunk]))
    return (time.process_time() - begun) / COST_S * 1000


def _run(plans: Sequence[Plan], realtime: bool) -> list[dict[str, Any]]:
    """Carry the plans out, each in a process of its own."""
    with Progress() as progress, ThreadPoolExecutor(1 if realtime else WORKERS) as pool:
        task = progress.add_task("rooms", total=len(plans))
        rows = []
        for row in pool.map(_perform, plans):
            rows.append(row)
            progress.advance(task)
    return rows


def _perform(plan: Plan) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asdict(plan), file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "device.terminal.duplex_trials", file.name],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no word of why"]
        raise RapportError(f"the trials in the room {plan.room['name']!r} broke off: {last[0]}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"room": plan.room, **row}


@dataclass(frozen=True, slots=True)
class Material:
    """The recordings of the bench, by what they are used for."""

    acoustics: Path
    files: dict[str, list[str]]

    @classmethod
    def gather(cls, folder: Path) -> Material:
        """Find the recordings, unpacking into ``folder`` what is packed.

        Raises RapportError if there are none.
        """
        data = data_folder()
        talks = [str(path) for path in sorted((data / "speech").glob("*.flac")) if _short(path)]
        talks += list(_unpacked(data / "ravdess" / "ravdess-16k-flac.tar", folder, _strangers))
        noises = list(_unpacked(data / "esc10-120" / "audio-ogg.tar", folder, lambda _: True))
        if not talks or not (data / "acoustics").is_dir():
            raise RapportError(f"{data}: has no speech and acoustics; set RAPPORT_DATA")
        files = {"barge-in": talks, "noise": noises}
        for sort in ("backchannel", "stop"):
            folder = recordings_folder() / sort
            files[sort] = sorted(str(path) for path in folder.glob("*.wav") if meant(path))
        return cls(data / "acoustics", files)

    def plan(self, place: Place, count: int, echo: str, realtime: bool) -> Plan:
        """Return what happens in a room: trials of each kind, in an order of chance."""
        chance = random.Random(f"{SEED} {place.name}")
        shares = {"self": 0.4, "barge-in": 1.0, "noise": 0.6, "backchannel": 0.6, "stop": 0.4}
        trials: list[dict[str, Any]] = []
        for sort, share in shares.items():
            files = self.files.get(sort, [])
            for _ in range(round(count * share)):
                if sort == "self":
                    trials.append({"kind": sort})
                elif files:
                    begin = round(chance.uniform(0.6, 3.2), 2)
                    trials.append({"kind": sort, "file": chance.choice(files), "begin": begin})
        chance.shuffle(trials)
        room = {
            name: getattr(place, name)
            for name in ("name", "delay_ms", "loss_db", "drift_ppm", "clipping")
        }
        return Plan(
            room,
            str(self.acoustics / f"{place.answer}.wav"),
            str(self.acoustics / f"{place.noise}.wav"),
            place.noise_db,
            echo,
            REPLIES,
            trials,
            realtime,
        )


def _unpacked(archive: Path, folder: Path, wanted: Any) -> Iterator[str]:
    if not archive.is_file():
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and wanted(member.name):
                target = folder / f"{archive.parent.name}-{Path(member.name).name}"
                source = tar.extractfile(member)
                assert source is not None
                target.write_bytes(source.read())
                yield str(target)


def meant(path: Path) -> bool:
    """Whether an interjection is one by the words in its file's name, never by what is recognised.

    A backchannel is one of the table's; whatever else is said in the game to stop somebody ("back
    off, man") only if it begins with a request of the table.
    """
    said = path.stem.rpartition("_")[2].replace("-s", "'s").replace("-", " ")
    found = kind(said)
    return found is Kind.BACKCHANNEL or found is Kind.STOP or is_request(said)


def _short(path: Path) -> bool:
    """Whether a recording is of the length of an interruption, and its words are known."""
    return bool(reference(str(path))) and len(read_speech(path)) < LONGEST_TALK * HEARING_RATE


def _strangers(name: str) -> bool:
    """Whether a clip of RAVDESS is spoken loudly enough to be meant: not one of the calm."""
    return name.endswith(".flac") and Path(name).name.split("-")[2] in (
        "01",
        "03",
        "04",
        "05",
        "08",
    )


def _table(outcomes: Sequence[Outcome], echo: str) -> Table:
    table = Table(title=f"Talking into the device, echo canceller {echo}")
    for column in ("kind", "trials", "result", "value", "aim"):
        table.add_column(column)
    for row in figures(outcomes):
        table.add_row(*row)
    return table


def figures(outcomes: Sequence[Outcome]) -> Iterator[Row]:
    """Yield the rows of the table."""
    by_kind = {sort: [o for o in outcomes if o.kind == sort] for sort in KINDS}
    own = by_kind["self"]
    yield (
        "self",
        str(len(own)),
        "interrupted itself",
        str(sum(o.stopped is not None for o in own)),
        "0",
    )
    yield ("", "", "answered itself", str(sum(o.answers for o in own)), "0")
    for sort in ("barge-in", "stop"):
        yield from _interruptions(sort, by_kind[sort])
    for sort in ("backchannel", "noise"):
        group = by_kind[sort]
        if group:
            fooled = [o for o in group if o.stopped is not None]
            lost = [o for o in fooled if not o.heard_whole]
            yield (
                sort,
                str(len(group)),
                "reply given up",
                _share(len(fooled), len(group)),
                "10 %",
            )
            yield ("", "", "of these, gone on with", str(len(fooled) - len(lost)), "")
            held = sum(o.held is not None for o in group)
            yield ("", "", "held the voice for a moment", _share(held, len(group)), "")


def _interruptions(sort: str, group: Sequence[Outcome]) -> Iterator[Row]:
    if not group:
        return
    stopped = [o.stopped for o in group if o.stopped is not None]
    yield (sort, str(len(group)), "understood as such", _share(len(stopped), len(group)), "95 %")
    silent = [o.silent for o in group if o.silent is not None]
    yield ("", "", "voice silent after, median / p95", _times(silent), "300 ms")
    yield ("", "", "reply given up after, median / p95", _times(stopped), "")
    known = [(words, o) for o in group if sort == "barge-in" and (words := reference(o.file))]
    if known:
        count = sum(len(words.split()) for words, _ in known)
        wrong = sum(errors(words, o.text) for words, o in known)
        clean = sum(errors(words, o.clean) for words, o in known)
        rates = f"{wrong / count:.1%}, without the echo {clean / count:.1%}"
        yield ("", "", "words misunderstood", rates, "+5 points")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "-"


def _times(times: Sequence[float]) -> str:
    if not times:
        return "-"
    return f"{np.median(times) * 1000:.0f} / {np.percentile(times, 95) * 1000:.0f} ms"
