"""Noticing that a language model has begun to say the same thing over and over.

Pure. Serves the language model engines: a small model that runs in circles never ends by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 40
"""Longest circle looked for, in tokens: about two sentences."""
LEAST = 12
"""Fewer repeated tokens than this may be meant: "no, no, no, no"."""


def runs_away(tokens: Sequence[int]) -> bool:
    """Return whether ``tokens`` end in a circle: 12 or more that only repeat those before them."""
    for period in range(1, min(LONGEST, len(tokens) // 2) + 1):
        span = max(period, LEAST)
        if len(tokens) < span + period:
            continue
        tail = tokens[-span:]
        if tail == tokens[-span - period : -period]:
            return True
    return False
