"""Writes every event as a line of JSON.

Layer 6. Serves ``rapport talk --events``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from device.terminal.options import STDOUT
from device.terminal.record import plain_event
from device.types import Observed, RapportError


class EventLog:
    """A file of JSON Lines, one for each event, written as they happen."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` (``-``: standard output); raises RapportError if it cannot be written."""
        self._path = path
        self._file: TextIO = sys.stdout
        if path == STDOUT:
            return
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._path != STDOUT:
            self._file.close()

    def write(self, observed: Observed) -> None:
        """Write one event; raises RapportError when the disk takes no more."""
        try:
            print(
                json.dumps(plain_event(observed), ensure_ascii=False), file=self._file, flush=True
            )
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> RapportError:
        return RapportError(
            f"{self._path}: cannot be written ({error.strerror}); name a file in a writable folder"
        )
