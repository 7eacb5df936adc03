"""Everything the API keeps in the database, together, so that one thread owns all of it.

Layer 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from device.evi.archive import Archive
from device.evi.keys import Keys
from device.evi.library import Library
from device.evi.voices import Voices
from device.store import Store


@dataclass(frozen=True, slots=True)
class Records:
    """The database and its four users. Held as ``Owned[Records]``: call it on its worker."""

    store: Store
    keys: Keys
    library: Library
    archive: Archive
    voices: Voices

    @classmethod
    def of(cls, store: Store) -> Self:
        """Return the records in ``store``."""
        return cls(store, Keys(store), Library(store), Archive(store), Voices(store))
