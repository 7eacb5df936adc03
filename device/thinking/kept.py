"""What a language model has read, kept aside while it reads for somebody else.

Layer 2, pure. Serves ``llama``. Reading a chat's prompt again takes a second; bringing back what
was computed of it takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """The state of the model after these tokens."""

    tokens: tuple[int, ...]
    state: bytes


class KeptStates:
    """States by the tokens they stand for, the least recently used given up first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: list[Kept] = []

    def put(self, kept: Kept) -> None:
        """Keep a state, in place of those of which it is the continuation."""
        self._kept = [
            other for other in self._kept if shared(other.tokens, kept.tokens) < len(other.tokens)
        ]
        self._kept.append(kept)
        while self._kept and self.size > self._most:
            self._kept.pop(0)

    def best(self, tokens: Sequence[int]) -> tuple[Kept | None, int]:
        """Return the state with the longest beginning in common with ``tokens``, and how long."""
        best, length = None, 0
        for kept in self._kept:
            same = shared(kept.tokens, tokens)
            if same > length:
                best, length = kept, same
        if best is not None:
            self._kept.remove(best)
            self._kept.append(best)
        return best, length

    @property
    def size(self) -> int:
        """Bytes of all states."""
        return sum(len(kept.state) for kept in self._kept)


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences begin with in common."""
    for count, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return count
    return min(len(one), len(other))
