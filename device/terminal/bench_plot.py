"""The picture of the bench: how each gap divides, and eager turns against the plain chain.

Layer 6. Serves ``rapport bench``. matplotlib is imported when the picture is drawn, after memory
was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from device.terminal.bench_division import PARTS
from device.types import RapportError

COLOURS = ("#9aa5b1", "#4c78a8", "#f58518", "#54a24b", "#cbd2d9", "#b279a2")
"""Of ``PARTS``: waiting in grey, work in colour."""
AIM_MEDIAN, AIM_95 = 0.9, 1.6


def plot(
    path: Path, divided: Sequence[dict[str, float]], eager: Sequence[float], plain: Sequence[float]
) -> None:
    """Write a PNG: ``divided`` gaps by part as bars, and both kinds of gap as cumulative curves.

    Everything in seconds. Raises RapportError if it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    bars, curves = figure.subplots(1, 2)
    rows = sorted(divided, key=lambda row: sum(row.values()))
    base = [0.0] * len(rows)
    for part, colour in zip(PARTS, COLOURS, strict=True):
        heights = [row[part] for row in rows]
        bars.bar(range(len(rows)), heights, bottom=base, color=colour, label=part, width=0.85)
        base = [low + height for low, height in zip(base, heights, strict=True)]
    for aim in (AIM_MEDIAN, AIM_95):
        bars.axhline(aim, color="black", linewidth=0.8, linestyle="--")
    bars.set(xlabel="utterance, by its gap", ylabel="seconds from last word to reply", xticks=[])
    bars.set_title("What the reply was waiting for")
    bars.set_ylim(0, 1.25 * max([AIM_95, *base]))  # room for the legend above the bars
    bars.legend(frameon=False, fontsize="small", loc="upper left", ncols=3)
    for name, gaps, colour in (("eager", eager, "#4c78a8"), ("plain chain", plain, "#e45756")):
        if gaps:
            curves.ecdf(gaps, label=name, color=colour)
    curves.plot([AIM_MEDIAN, AIM_95], [0.5, 0.95], "kx", label="aim")
    curves.set(xlabel="response gap in seconds", ylabel="share of utterances", xlim=(0, None))
    curves.set_title("Eager turns against the plain chain")
    curves.legend(frameon=False, fontsize="small")
    try:
        figure.savefig(path, dpi=120, format="png")
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name another file with --plot"
        ) from None
