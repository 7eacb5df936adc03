"""What several commands share: the option ``--config``, and files that will be written later.

Layer 6. Serves the other modules of this room.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from device.types import RapportError

F = TypeVar("F", bound=Callable[..., Any])

STDOUT = Path("-")
"""As a file to write: standard output."""


def config_option(function: F) -> F:
    """Add ``--config FILE`` to a command, which gets it as ``config_file``: a path or None."""
    option = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="TOML file of settings; otherwise that of $RAPPORT_CONFIG, or the defaults.",
    )
    return option(function)


def require_writable(path: Path | None) -> None:
    """Find out now whether a file can be written later; leaves the disk as it was.

    Raises RapportError naming the file, why not, and the remedy.
    """
    if path is None or path == STDOUT:
        return
    existed = path.exists()
    try:
        # Not os.access: it answers for the file's mode, the disk has its own opinion.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666))
        if not existed:
            path.unlink()
    except OSError as error:
        raise RapportError(
            f"{path}: cannot be written ({error.strerror}); name a file in a writable folder"
        ) from None
