"""The table and the picture of ``rapport bench wake``.

Layer 6. matplotlib is imported when the picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from device.terminal.bench_wake_hearing import Heard
from device.terminal.bench_wake_trials import SENSITIVITIES, Trial
from device.types import RapportError

Kind = tuple[str, str, str, str]
USUAL = 0.5
"""The sensitivity that is set if nobody sets another."""
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#b279a2", "#9aa5b1", "#72b7b2", "#eeca3b")


def table(trials: Sequence[Trial]) -> Table:
    """Return one row for each phrase, engine and condition: missed, and false accepts an hour."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("phrase", "found in", "said by", "heard"):
        shown.add_column(heading)
    for heading in ("said", "hours else", *(f"at {value:g}" for value in SENSITIVITIES)):
        shown.add_column(heading, justify="right")
    shown.add_column(f"95 % at {USUAL:g}", justify="right")
    for kind, row in rows(trials).items():
        usual = next(trial for trial in row if trial.sensitivity == USUAL)
        shown.add_row(
            *kind,
            str(usual.said),
            f"{usual.hours:.2f}",
            *(_rates(trial) for trial in row),
            _intervals(usual),
        )
    return shown


def rows(trials: Sequence[Trial]) -> dict[Kind, list[Trial]]:
    """Return the trials of each phrase, engine, voices and condition, by rising sensitivity."""
    found: dict[Kind, list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.sensitivity):
        kind = (trial.phrase, trial.engine, trial.voices, trial.condition)
        found.setdefault(kind, []).append(trial)
    return found


def _rates(trial: Trial) -> str:
    missed = f"{trial.miss_rate[0]:.1%}" if trial.said else "-"
    return f"{missed}, {trial.false_rate[0]:.2f}/h" if trial.hours else f"{missed}, -"


def _intervals(trial: Trial) -> str:
    _, low, high = trial.miss_rate
    _, least, most = trial.false_rate
    return f"{low:.1%} to {high:.1%}, {least:.2f} to {most:.2f}/h"


def cost(heard: Sequence[Heard]) -> Text:
    """Return what hearing costs, of one second of sound: padding and silence included."""
    seconds = sum(one.seconds for one in heard) or 1.0
    words = sum(one.cpu_s for one in heard) / seconds * 1e3
    networks = max((len(one.peaks) for one in heard), default=0)
    text = f"processor time for a second of speech: {words:.1f} ms to recognise words"
    if networks:
        each = sum(one.acoustic_cpu_s for one in heard) / seconds / networks * 1e3
        text += f", {each:.1f} ms for an acoustic wake word"
    return Text(text)


def plot(path: Path, trials: Sequence[Trial]) -> None:
    """Write a PNG: what is missed against false accepts an hour, a curve for each phrase.

    Raises RapportError if it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    conditions = list(dict.fromkeys(trial.condition for trial in trials))
    areas = figure.subplots(1, len(conditions), squeeze=False, sharey=True)[0]
    colours = dict(zip(dict.fromkeys(trial.phrase for trial in trials), COLOURS, strict=False))
    for area, condition in zip(areas, conditions, strict=True):
        for kind, curve in rows([t for t in trials if t.condition == condition]).items():
            area.plot(
                [trial.false_rate[0] for trial in curve],
                [100 * trial.miss_rate[0] for trial in curve],
                color=colours.get(kind[0], "black"),
                linestyle="-" if kind[1] == "words" else "--",
                marker="o",
                markersize=3,
                label=f"{kind[0]} ({kind[1]}, {kind[2]})",
            )
        area.set_xscale("symlog", linthresh=0.5)
        area.set(xlim=(0, None), ylim=(0, 100), title=condition, xlabel="false accepts an hour")
    areas[0].set_ylabel("missed, %")
    areas[-1].legend(frameon=False, fontsize="x-small")
    try:
        figure.savefig(path, dpi=100, format="png")
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name another file with --plot"
        ) from None
