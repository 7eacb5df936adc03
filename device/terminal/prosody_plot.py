"""The picture of how recordings sound: level, dimensions, categories and words over time.

Layer 6. Serves ``rapport prosody --plot``. matplotlib is imported when the picture is drawn.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from device.terminal.prosody_timeline import Stretch, Timeline
from device.terminal.prosody_view import CAVEAT
from device.types import HEARING_RATE, Floats, ModelIdentity, Pcm, RapportError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_RECORDINGS = 6
"""In one picture; with more it would be too tall to be looked at."""
DPI = 110
NARROWEST, WIDEST, INCHES_PER_S = 10.0, 24.0, 0.8
LEFT, RIGHT = 1.0, 2.0
"""Inches beside the axes: for the labels and for the legends."""
TITLE, HEIGHT, UPPER, LOWER = 0.65, 5.9, 0.4, 0.6
"""Inches of the title over all, of each recording, and of the latter above and below its axes."""
ROWS = (0.8, 3.0, 1.3, 0.7, 0.75)
"""Heights of the axes: level, dimensions, categories over time and of the whole, words."""

DIMENSIONS = {"arousal": "#d1495b", "valence": "#2e6fb7", "dominance": "#3f8f4f"}
CATEGORIES = {
    "angry": "#d1495b",
    "disgust": "#7a9a3a",
    "fearful": "#8d6cab",
    "surprised": "#f28e5c",
    "happy": "#edae49",
    "calm": "#86bcb6",
    "neutral": "#c3c9d0",
    "boredom": "#b09a85",
    "sad": "#4f7cac",
}
OTHER = "#9c755f"
"""Of a category that is not among these, as an engine of the owner's own may have."""
INK, PALE, SPAN = "#333333", "#8a9199", "#edf1f6"
FLOOR_DB = -70.0
FAINTEST = 0.2
"""Opacity of a line where the confidence is 0; it is 1 where that is 1."""
CHARACTERS_PER_INCH = 14.5
"""Of the small print: words under an utterance and names in the strip."""
MOST_LINES, NARROW = 3, 10
"""Of these words; with room for fewer characters beside each other they are only hinted at."""
DOTTED = 0.08
"""Inches between two interim points from which each gets a dot."""
NAMED = 0.3
"""Share from which a category is named in the strip: the height of a line."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """The axes of one recording, from above."""

    level: Axes
    dimensions: Axes
    course: Axes
    whole: Axes
    words: Axes
    inches_per_s: float

    @property
    def all(self) -> tuple[Axes, ...]:
        return (self.level, self.dimensions, self.course, self.whole, self.words)


def plot(path: Path, model: ModelIdentity, timelines: Sequence[Timeline]) -> None:
    """Write a PNG of ``timelines``, one below the other; raises RapportError if it cannot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    longest = max(timeline.seconds for timeline in timelines)
    width = min(max(NARROWEST, LEFT + RIGHT + longest * INCHES_PER_S), WIDEST)
    height = TITLE + HEIGHT * len(timelines)
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    title = f"Expression of a voice, measured by {model.name} {model.version}"
    note = f"Licence {model.licence}. {CAVEAT}"
    left = LEFT / width
    figure.text(left, 1 - 0.17 / height, title, va="top", color=INK, fontsize=13, weight="bold")
    figure.text(left, 1 - 0.45 / height, note, va="top", color=INK, fontsize=9)
    for index, timeline in enumerate(timelines):
        panel = _panel(figure, index, timeline.seconds)
        _draw(timeline, panel)
        figure.align_ylabels(panel.all)
    try:
        figure.savefig(path, dpi=DPI, format="png")
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name another file with --plot"
        ) from None


def _panel(figure: Figure, index: int, seconds: float) -> _Panel:
    width, height = figure.get_size_inches()
    top = height - TITLE - index * HEIGHT
    grid = figure.add_gridspec(
        len(ROWS),
        1,
        left=LEFT / width,
        right=1 - RIGHT / width,
        top=(top - UPPER) / height,
        bottom=(top - HEIGHT + LOWER) / height,
        height_ratios=ROWS,
        hspace=0.14,
    )
    axes = [figure.add_subplot(grid[row]) for row in range(len(ROWS))]
    for axis in axes:
        axis.set_xlim(0, seconds)
        axis.tick_params(labelsize=8, colors=INK, labelbottom=axis is axes[-1])
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[:].set_color(PALE)
    level, dimensions, course, whole, words = axes
    inches_per_s = (width - LEFT - RIGHT) / seconds
    return _Panel(level, dimensions, course, whole, words, inches_per_s)


def _draw(timeline: Timeline, panel: _Panel) -> None:
    for axis in panel.all:
        for stretch in timeline.stretches:
            axis.axvspan(stretch.started, stretch.ended, color=SPAN, linewidth=0, zorder=0)
    name = f"{timeline.path.name}, {timeline.seconds:.1f} s"
    panel.level.set_title(name, loc="left", fontsize=11, color=INK)
    _draw_level(timeline.sound, panel.level)
    _draw_dimensions(timeline.stretches, panel)
    _draw_categories(timeline.stretches, panel)
    _draw_words(timeline, panel)
    if timeline.problem:
        told = "\n".join(textwrap.wrap(f"Nothing could be told: {timeline.problem}.", 70))
        middle = panel.dimensions.transAxes
        panel.dimensions.text(
            0.5, 0.72, told, transform=middle, ha="center", va="center", color=INK
        )


def _draw_level(sound: Pcm, axis: Axes) -> None:
    times, level = _level(sound)
    axis.fill_between(times, FLOOR_DB, level, color=PALE, linewidth=0)
    axis.set(ylim=(FLOOR_DB, 0), yticks=(-60, -30, 0))
    _label(axis, "level, dB")


def _level(sound: Pcm) -> tuple[Floats, Floats]:
    """Return the middle in seconds, and the level in dB below full scale, of each short block."""
    # At most some thousands of blocks: no screen has more columns.
    length = max(HEARING_RATE // 50, len(sound) // 5000)
    blocks = np.array_split(sound, max(1, len(sound) // length))
    power = [float(np.mean(np.square(block, dtype=np.float32))) for block in blocks]
    level = 10 * np.log10(np.maximum(power, 1e-3) / 32_768**2)
    times = (np.arange(len(blocks)) + 0.5) * len(sound) / HEARING_RATE / len(blocks)
    return times.astype(np.float32), np.maximum(level, FLOOR_DB).astype(np.float32)


def _draw_dimensions(stretches: Sequence[Stretch], panel: _Panel) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    axis = panel.dimensions
    axis.axhline(0, color=PALE, linewidth=0.8, zorder=1)
    for name, colour in DIMENSIONS.items():
        for stretch in stretches:
            _draw_dimension(stretch, name, colour, panel)
    axis.set(ylim=(-1.08, 1.08), yticks=(-1, -0.5, 0, 0.5, 1))
    _label(axis, "dimensions")
    keys = [Line2D([], [], color=colour, label=name) for name, colour in DIMENSIONS.items()]
    dot, whole = {"color": INK, "marker": "o", "markersize": 3.5}, {"color": INK, "marker": "D"}
    keys += [
        Line2D([], [], linewidth=1.6, label="voice, while speaking", **dot),  # type: ignore[arg-type]
        Line2D([], [], linestyle=":", markersize=6, label="whole, with words", **whole),  # type: ignore[arg-type]
        Line2D([], [], color=INK, alpha=FAINTEST, linewidth=4, label="faint: less sure"),
    ]
    _legend(axis, keys)


def _draw_dimension(stretch: Stretch, name: str, colour: str, panel: _Panel) -> None:
    """Draw one dimension of one stretch: the surer, the less it lets through."""
    axis = panel.dimensions
    from matplotlib.collections import LineCollection  # noqa: PLC0415
    from matplotlib.colors import to_rgba  # noqa: PLC0415

    known = [
        (sounding.at, value, _opacity(sounding.expression.confidence))
        for sounding in stretch.interim
        if (value := getattr(sounding.expression, name)) is not None
    ]
    if known:
        times, values, opacities = zip(*known, strict=True)
        lines = [(start[:2], end[:2]) for start, end in pairwise(known)]
        between = [(start + end) / 2 for start, end in pairwise(opacities)]
        shades = [to_rgba(colour, opacity) for opacity in between]
        axis.add_collection(LineCollection(lines, colors=shades, linewidths=1.8))
        if stretch.seconds * panel.inches_per_s > DOTTED * len(known):
            axis.scatter(times, values, 14, [to_rgba(colour, opacity) for opacity in opacities])
    whole = stretch.expression
    value = None if whole is None else getattr(whole, name)
    if whole is not None and value is not None:
        alpha = _opacity(whole.confidence)
        ends = (stretch.measured_from, stretch.ended)
        axis.plot(ends, (value, value), ":", color=colour, linewidth=1.4, alpha=alpha)
        mark = axis.scatter([stretch.ended], [value], s=42, marker="D", color=colour, alpha=alpha)
        mark.set_clip_on(False)  # a recording may end with the utterance


def _opacity(confidence: float) -> float:
    return FAINTEST + (1 - FAINTEST) * min(max(confidence, 0.0), 1.0)


def _draw_categories(stretches: Sequence[Stretch], panel: _Panel) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415

    found = {name for _, _, shares in _all_shares(stretches) for name in shares}
    names = [name for name in CATEGORIES if name in found] + sorted(found - CATEGORIES.keys())
    for stretch in stretches:
        _draw_course(stretch, names, panel.course)
        _draw_whole(stretch, names, panel)
    for axis, label in ((panel.course, "categories,\nwhile speaking"), (panel.whole, "whole")):
        axis.set(ylim=(0, 1), yticks=(0, 1))
        axis.set_yticklabels(["0", "1"])
        _label(axis, label)
    # From above as in the picture.
    _legend(panel.course, [Patch(color=_colour(name), label=name) for name in reversed(names)])


def _all_shares(stretches: Sequence[Stretch]) -> Iterator[tuple[float, float, dict[str, float]]]:
    for stretch in stretches:
        for sounding in stretch.interim:
            yield sounding.at, sounding.at, dict(sounding.expression.categories)
        if stretch.expression is not None:
            yield stretch.started, stretch.ended, dict(stretch.expression.categories)


def _draw_course(stretch: Stretch, names: Sequence[str], axis: Axes) -> None:
    known = [sounding for sounding in stretch.interim if sounding.expression.categories]
    if not known:
        return
    # The first one tells of the sound since the beginning, the last one of what is left.
    shown = [known[0], *known, known[-1]]
    times = [stretch.started, *(sounding.at for sounding in known), stretch.ended]
    shares = [[s.expression.categories.get(name, 0.0) for s in shown] for name in names]
    colours = [_colour(name) for name in names]
    axis.stackplot(times, shares, colors=colours, alpha=0.9, linewidth=0)


def _draw_whole(stretch: Stretch, names: Sequence[str], panel: _Panel) -> None:
    base, start, length = 0.0, stretch.measured_from, stretch.ended - stretch.measured_from
    categories = {} if stretch.expression is None else stretch.expression.categories
    for name in names if categories else ():
        share, colour = categories.get(name, 0.0), _colour(name)
        panel.whole.bar(start, share, length, base, align="edge", color=colour, alpha=0.9)
        told = f"{name} {share:.0%}"
        if share >= NAMED and len(told) < _room(length, panel):
            place = (start + length / 2, base + share / 2)
            panel.whole.text(*place, told, ha="center", va="center", fontsize=7.5, color="black")
        base += share


def _draw_words(timeline: Timeline, panel: _Panel) -> None:
    axis, stretches = panel.words, timeline.stretches
    axis.set(ylim=(0, 1), yticks=())
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("seconds", fontsize=9, color=INK)
    for index, stretch in enumerate(stretches):
        following = stretches[index + 1 : index + 2]
        limit = following[0].started if following else timeline.seconds
        width = _room(limit - stretch.started, panel) - 1
        words = stretch.text or "(no words)"
        lines = textwrap.wrap(words, max(width, 2), max_lines=MOST_LINES, placeholder="…")
        told = "\n".join(lines) if width >= NARROW else "…"
        axis.text(stretch.started, 0.9, told, va="top", fontsize=8, color=INK)


def _room(seconds: float, panel: _Panel) -> int:
    """Return how many characters of the small print have room beside each other in a time."""
    return int(seconds * panel.inches_per_s * CHARACTERS_PER_INCH)


def _colour(category: str) -> str:
    return CATEGORIES.get(category, OTHER)


def _label(axis: Axes, text: str) -> None:
    axis.set_ylabel(text, fontsize=8, color=INK)


def _legend(axis: Axes, keys: Sequence[Any]) -> None:
    if keys:
        axis.legend(
            handles=list(keys),
            loc="upper left",
            bbox_to_anchor=(1.0, 1.05),
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handlelength=1.6,
            borderaxespad=0.6,
        )
