"""The figures of the bench: what was measured, against what aim, on how slow a machine.

Layer 6, pure. Serves ``rapport bench``.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from device.terminal.bench_division import PARTS
from device.terminal.bench_machine import HEALTHY_S


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; the aim, where there is one, is the most it should be."""

    name: str
    value: float | None
    """None: it could not be measured."""
    unit: str = ""
    aim: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim. What could not be measured is not met."""
        if self.aim is None:
            return None
        return self.value is not None and self.value <= self.aim


@dataclass(slots=True)
class Block:
    """Figures measured together, between two calibrations of the machine."""

    name: str
    before_s: float
    after_s: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    """Every single measurement, for the JSON."""
    during_s: list[float] = field(default_factory=list)
    """Calibrations in between, where the block is long."""

    resident_mb: float = 0.0
    """Memory in use after it."""
    load: float = 0.0
    """The machine's load average after it, the bench's own threads included."""

    @property
    def slowness(self) -> float:
        """Median of the calibrations over that of a healthy machine: 2 is twice as slow."""
        return statistics.median([self.before_s, *self.during_s, self.after_s]) / HEALTHY_S


def median(values: Sequence[float]) -> float | None:
    """Return the median, or None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that ``share`` per cent of the values do not exceed, or None of nothing."""
    return float(np.percentile(values, share)) if values else None


def number(value: float | None, unit: str) -> str:
    """Return a value as it is read: three digits, with its unit."""
    if value is None:
        return "not measured"
    shown = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def block_table(block: Block) -> Table:
    """Return the figures of one block, with the calibrations around them."""
    table = Table(box=None, show_header=False, title=block.name, title_justify="left")
    table.title_style = "bold"
    for figure in block.figures:
        table.add_row(f"  {figure.name}", number(figure.value, figure.unit), figure.note)
    table.add_row("  [dim]calibration before, after[/]", f"[dim]{_slowness(block)}[/]", "")
    return table


def summary(blocks: Sequence[Block]) -> Table:
    """Return the figures that have an aim: value, aim, met or not, calibration."""
    table = Table(title="Aims", title_justify="left", title_style="bold")
    for heading in ("figure", "value", "aim", "met", "calibration"):
        table.add_column(heading, no_wrap=heading != "figure")
    for block in blocks:
        for figure in block.figures:
            if figure.aim is None:
                continue
            met = "[green]yes[/]" if figure.met else "[red]no[/]"
            aim = f"≤ {number(figure.aim, figure.unit)}"
            slow = f"{block.slowness:.1f} x {HEALTHY_S} s"
            table.add_row(figure.name, number(figure.value, figure.unit), aim, met, slow)
    return table


def division_table(rows: Sequence[dict[str, float]]) -> RenderableType:
    """Return how gaps divide: the means of the parts, which add up to the mean gap, and medians."""
    table = Table(title="How the gap divides", title_justify="left", title_style="bold")
    for heading in ("", *PARTS, "gap"):
        table.add_column(heading, justify="right")
    if not rows:
        return "No reply could be divided."
    means = {part: statistics.fmean(row[part] for row in rows) for part in PARTS}
    medians = {part: statistics.median(row[part] for row in rows) for part in PARTS}
    whole = sum(means.values())
    middle = statistics.median(sum(row.values()) for row in rows)
    table.add_row("mean, s", *(f"{means[part]:.3f}" for part in PARTS), f"{whole:.3f}")
    shares = (f"{100 * means[part] / whole if whole else 0:.0f} %" for part in PARTS)
    table.add_row("share", *shares, "100 %")
    table.add_row("median, s", *(f"{medians[part]:.3f}" for part in PARTS), f"{middle:.3f}")
    return table


def _slowness(block: Block) -> str:
    loops = f"{block.before_s:.2f} s, {block.after_s:.2f} s"
    return f"{loops} ({block.slowness:.1f} x {HEALTHY_S} s); load {block.load:.1f}"
