"""What every way of fetching a file has in common: what is wanted, how patiently, and who watches.

Layer 1. Serves ``models``, ``download`` and ``packages``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from device.types import RapportError

BLOCK = 1 << 20
"""Bytes copied at a time: 1 MiB keeps memory flat and costs no speed."""


class SourceFailed(RapportError):
    """One source did not give the file; the next one may."""


class Progress(Protocol):
    """Whoever watches a fetch: a progress bar, a log, a test."""

    def began(self, what: str, total: int) -> None:
        """Something of ``total`` bytes (0: not known) is being fetched."""
        ...

    def reached(self, done: int) -> None:
        """So many of its bytes are here; may fall back when a transfer starts afresh."""
        ...

    def told(self, sentence: str) -> None:
        """Something the user should know: an attempt or a source failed, and what is done next."""
        ...


class Silent:
    """Watches and says nothing."""

    def began(self, what: str, total: int) -> None:
        """Ignore it."""

    def reached(self, done: int) -> None:
        """Ignore it."""

    def told(self, sentence: str) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a fetch is."""

    connect_s: float = 15.0
    read_s: float = 30.0
    """A silence longer than this ends an attempt."""
    attempts: int = 4
    """Attempts without a single new byte before the source is given up."""
    first_wait_s: float = 1.0
    """Wait before the second attempt; it doubles each time, up to half a minute."""
    slowest_bytes_s: float = 20_000.0
    """A transfer slower than this on the whole is given up, a minute's grace aside."""
    package_s: float = 1800.0
    """Longest time pip may take for one package."""
    grace_s: float = 60.0

    def seconds(self, size: int) -> float:
        """Return how long a transfer of ``size`` bytes may take in all."""
        return self.grace_s + size / self.slowest_bytes_s


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a download must turn out to be."""

    bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_bounded(
    source: IO[bytes], target: IO[bytes], limit: int, seen: Callable[[int], None]
) -> int:
    """Copy at most ``limit`` bytes in blocks, telling ``seen`` how many were copied; return it.

    Raises SourceFailed if there are more.
    """
    done = 0
    while block := source.read(BLOCK):
        done += len(block)
        if done > limit:
            raise SourceFailed(f"holds more than the {limit} bytes that were expected")
        target.write(block)
        seen(done)
    return done
