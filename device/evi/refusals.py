"""Why a request about kept things cannot be granted.

Layer 4, pure. Raised by the library and the archive; ``resources`` makes answers of them.
"""

from __future__ import annotations

from device.types import RapportError


class NotThere(RapportError):
    """Something was asked for by a name that nothing has."""


class Unusable(RapportError):
    """What was posted has the right shape, but cannot be kept as it is."""

    def __init__(self, field: str, message: str) -> None:
        """``field``: the part of the body that is wrong."""
        super().__init__(message)
        self.field = field
