"""What the doctor found of one part: its state, what was seen, and how to mend it.

Layer 6. The words that ``checks``, ``trials`` and ``doctor`` share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    part: str
    health: Health
    found: str
    remedy: str = ""


Check: TypeAlias = Callable[[], Iterator[Finding]]


def ok(part: str, found: str) -> Finding:
    """Return that a part works."""
    return Finding(part, Health.OK, found)


def warning(part: str, found: str, remedy: str) -> Finding:
    """Return that a part could be better; the device works without."""
    return Finding(part, Health.WARNING, found, remedy)


def broken(part: str, found: str, remedy: str = "") -> Finding:
    """Return that a part keeps the device from working."""
    return Finding(part, Health.BROKEN, found, remedy)
