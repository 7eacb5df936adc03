"""Shows what is being fetched: bars in a terminal, a line each in a log.

Layer 6. Serves ``rapport models fetch``.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

NAME_WIDTH = 40
WORTH_A_LINE = 1_000_000
"""Bytes below which a log gets no line: the small files of a package that is here already."""


class Bars:
    """The progress of a fetch, on stderr; a bar for what is being fetched just now."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._current: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def began(self, what: str, total: int) -> None:
        """Start the bar of something of ``total`` bytes; 0: not known."""
        if self._current is not None:
            self._progress.remove_task(self._current)
        name = what if len(what) <= NAME_WIDTH else "..." + what[3 - NAME_WIDTH :]
        self._current = self._progress.add_task(name, total=total or None)
        if not self._console.is_terminal and (total == 0 or total >= WORTH_A_LINE):
            size = f" ({total / 1e6:.0f} MB)" if total else ""
            self._print(f"fetching {what}{size}")

    def reached(self, done: int) -> None:
        """Move the bar to so many bytes."""
        if self._current is not None:
            self._progress.update(self._current, completed=done)

    def told(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._print(sentence)

    def _print(self, sentence: str) -> None:
        # One line however long: paths and addresses are copied from here.
        self._console.print(sentence, markup=False, soft_wrap=True)
