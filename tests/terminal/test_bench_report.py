"""What the bench prints and draws."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from device.terminal.bench_division import PARTS
from device.terminal.bench_machine import (
    HEALTHY_S,
    age_s,
    calibrate,
    describe,
    peak_mb,
    resident_mb,
)
from device.terminal.bench_plot import plot
from device.terminal.bench_report import (
    Block,
    Figure,
    block_table,
    division_table,
    number,
    percentile,
    summary,
)
from device.types import RapportError

ROWS = [dict.fromkeys(PARTS, 0.1), dict.fromkeys(PARTS, 0.2)]
PNG = b"\x89PNG\r\n\x1a\n"


def printed(shown: RenderableType) -> str:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


def line_of(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


def test_an_aim_is_met_up_to_its_value_and_never_by_what_was_not_measured() -> None:
    assert Figure("gap", 0.9, "s", aim=0.9).met is True
    assert Figure("gap", 0.91, "s", aim=0.9).met is False
    assert Figure("gap", None, "s", aim=0.9).met is False
    assert Figure("tokens", 12.0).met is None


def test_the_summary_tells_each_aim_with_the_slowness_of_its_machine() -> None:
    slow = Block("a", 2 * HEALTHY_S, 2 * HEALTHY_S, [Figure("gap", 1.2, "s", 0.9)])
    quick = Block("b", HEALTHY_S, HEALTHY_S, [Figure("memory", 512.0, "MB", 700), Figure("x", 1.0)])
    text = printed(summary([slow, quick]))
    assert cells(line_of(text, "gap"))[1:] == ["1.2 s", "≤ 0.9 s", "no", "2.0 x 0.13 s"]
    assert cells(line_of(text, "memory"))[1:] == ["512 MB", "≤ 700 MB", "yes", "1.0 x 0.13 s"]
    assert len([line for line in text.splitlines() if "x 0.13 s" in line]) == 2


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_a_block_shows_its_figures_and_both_calibrations() -> None:
    block = Block("Idle", 0.13, 0.26, [Figure("load", 3.21, "%", note="of one core")])
    text = printed(block_table(block))
    assert "Idle" in text
    assert "3.21 %" in line_of(text, "load") and "of one core" in line_of(text, "load")
    assert "0.13 s, 0.26 s (1.5 x" in text


def test_slowness_is_the_median_of_all_calibrations_of_a_block() -> None:
    block = Block("gap", HEALTHY_S, HEALTHY_S, during_s=[3 * HEALTHY_S] * 3)
    assert block.slowness == pytest.approx(3.0)


def test_the_division_shows_means_that_add_up() -> None:
    means = line_of(printed(division_table(ROWS)), "mean, s")
    values = [float(cell) for cell in cells(means)[1:]]
    assert sum(values[:-1]) == pytest.approx(values[-1])
    assert values[-1] == pytest.approx(0.9)
    assert "No reply" in printed(division_table([]))


def test_numbers_are_shown_with_three_digits() -> None:
    assert [number(v, "s") for v in (0.12345, 12.345, 1234.5)] == ["0.123 s", "12.3 s", "1234 s"]
    assert number(None, "s") == "not measured"
    assert percentile([], 95) is None


def test_the_plot_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "bench.png"
    plot(path, ROWS, [0.6, 1.2], [1.4, 2.0])
    drawn = path.read_bytes()
    assert drawn.startswith(PNG)
    plot(path, [], [], [])
    empty = path.read_bytes()
    assert empty.startswith(PNG) and empty != drawn


def test_a_plot_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=r"cannot be written .*--plot"):
        plot(tmp_path / "absent" / "bench.png", ROWS, [], [])


def test_the_machine_describes_itself() -> None:
    machine = describe()
    assert machine.model and machine.cores >= 1 and machine.memory_mb > 100
    assert 0 < resident_mb() <= peak_mb() * 1.05
    assert age_s() > 0
    assert calibrate(1) > 0
