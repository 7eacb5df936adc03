"""Prints how a recording sounds: a small timeline of each utterance, its words, and a summary.

Layer 6. Serves ``rapport prosody``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from device.terminal.prosody_timeline import Stretch, Timeline
from device.types import Expression, ModelIdentity

CAVEAT = "It measures expression, how a voice sounds, and not what a person feels."
WIDE_ENOUGH = 110
"""Columns from which there is room for long bars."""
PIPE_WIDTH = 160
"""Columns of what goes into a pipe, where nobody can widen the window."""
MOST_NAMES = 3
FAINT = 0.05
"""Scores below this are not worth a name."""
ABOVE, BELOW = "yellow", "cyan"
TIME_WIDTH, VALUE_WIDTH, SURE_WIDTH = 11, 5, 4


@dataclass(frozen=True, slots=True)
class _Layout:
    half: int
    """Columns of a bar on each side of 0."""
    names: int
    """Columns for the names of expressions."""


def show_model(model: ModelIdentity, console: Console) -> None:
    """Print what measures, under which licence, and what it does not measure."""
    made_by = f"measured by {model.name} {model.version}, licence {model.licence}"
    console.print(Text(f"{made_by}. {CAVEAT}", "dim"), soft_wrap=True)


def show(timeline: Timeline, console: Console) -> None:
    """Print one recording of which something could be told."""
    head = Text(str(timeline.path), "bold").append(f"  {timeline.seconds:.1f} s", "not bold")
    console.print(head, soft_wrap=True)
    layout = _layout(console.width if console.is_terminal else PIPE_WIDTH)
    console.print(_headings(layout), soft_wrap=True)
    for stretch in timeline.stretches:
        _show_stretch(stretch, layout, console)
    console.print(Text(summary(timeline.stretches), "bold"), soft_wrap=True)


def bar(value: float | None, half: int) -> Text:
    """Return a bar for -1 to 1, ``half`` columns on each side of its middle."""
    filled = 0 if value is None else round(min(abs(value), 1.0) * half)
    left, right = (filled, 0) if (value or 0.0) < 0 else (0, filled)
    drawn = Text("·" * (half - left), "dim").append("▮" * left, f"not dim {BELOW}")
    return drawn.append("│", "dim").append("▮" * right, ABOVE).append("·" * (half - right), "dim")


def summary(stretches: Sequence[Stretch]) -> str:
    """Return one line about a whole recording; means count each utterance by its length."""
    whole = [(s.seconds, s.expression) for s in stretches if s.expression is not None]
    spoken = sum(stretch.seconds for stretch in stretches)
    count = "1 utterance" if len(stretches) == 1 else f"{len(stretches)} utterances"
    said = f"{count}, {spoken:.1f} s of speech"
    if not whole:
        return f"{said}; none could be measured as a whole"
    spans = [
        _span("arousal", [(seconds, e.arousal) for seconds, e in whole]),
        _span("valence", [(seconds, e.valence) for seconds, e in whole]),
    ]
    names = _names(_mean_scores(whole), PIPE_WIDTH)
    told = [span for span in spans if span] + [f"most like {names}" if names else "no clear name"]
    return f"{said}: {', '.join(told)}"


def _layout(width: int) -> _Layout:
    half = 10 if width >= WIDE_ENOUGH else 4
    bars = 2 * (2 + 2 * half + 1 + 1 + VALUE_WIDTH)
    return _Layout(half, width - TIME_WIDTH - bars - 2 - SURE_WIDTH - 2)


def _headings(layout: _Layout) -> Text:
    width = 2 * layout.half + 1
    columns = [f"{'seconds':>{TIME_WIDTH}}"]
    for name in ("arousal", "valence"):
        columns.append(f"{name:<{width + 1 + VALUE_WIDTH}}")
    return Text("  ".join([*columns, "sure", "sounds like"]), "dim")


def _show_stretch(stretch: Stretch, layout: _Layout, console: Console) -> None:
    for sounding in stretch.interim:
        console.print(_row(f"{sounding.at:.1f}", sounding.expression, layout), soft_wrap=True)
    if stretch.expression is not None:
        span = f"{stretch.measured_from:.1f}-{stretch.ended:.1f}"
        whole = _row(span, stretch.expression, layout)
        whole.stylize("bold")
        console.print(whole, soft_wrap=True)
    words = Text(f'"{stretch.text}"' if stretch.text else "(no words)", "italic")
    if console.is_terminal:  # only there need a long one be broken
        console.print(Padding(words, (0, 0, 0, TIME_WIDTH + 2)))
    else:
        console.print(Text(" " * (TIME_WIDTH + 2)) + words, soft_wrap=True)
    if stretch.expression is None:
        span = f"{stretch.started:.1f}-{stretch.ended:.1f}"
        note = f"{span:>{TIME_WIDTH}}  not measured as a whole: {stretch.unmeasured}"
        console.print(Text(note, "yellow"), soft_wrap=True)


def _row(when: str, expression: Expression, layout: _Layout) -> Text:
    row = Text(f"{when:>{TIME_WIDTH}}")
    for value in (expression.arousal, expression.valence):
        told = "" if value is None else f"{value:+.2f}"
        row.append("  ").append(bar(value, layout.half)).append(f" {told:<{VALUE_WIDTH}}")
    row.append(f"  {expression.confidence:<{SURE_WIDTH}.2f}")
    return row.append(f"  {_names(expression.emotions, layout.names) or '(no clear name)'}")


def _names(scores: Mapping[str, float], room: int) -> str:
    """Return the strongest names with their scores, the first and those that have room with it."""
    strongest = sorted(scores.items(), key=lambda item: -item[1])[:MOST_NAMES]
    told = ""
    for name, score in strongest:
        longer = f"{told}, {name.lower()} {score:.2f}".removeprefix(", ")
        if score < FAINT or (told and len(longer) > room):
            break
        told = longer
    return told


def _span(name: str, values: Sequence[tuple[float, float | None]]) -> str:
    """Return the mean of what was measured, weighed by seconds, and from where to where it went."""
    known = [(seconds, value) for seconds, value in values if value is not None]
    if not known:
        return ""
    every = [value for _, value in known]
    mean = sum(seconds * value for seconds, value in known) / sum(seconds for seconds, _ in known)
    span = f" ({min(every):+.2f} to {max(every):+.2f})" if len(every) > 1 else ""
    return f"{name} {mean:+.2f}{span}"


def _mean_scores(whole: Sequence[tuple[float, Expression]]) -> dict[str, float]:
    total = sum(seconds for seconds, _ in whole)
    scores: dict[str, float] = defaultdict(float)
    for seconds, expression in whole:
        for name, score in expression.emotions.items():
            scores[name] += score * seconds / total
    return scores
