"""Things that are kept under a name, in numbered versions that never change.

Layer 4, on the store's thread. Serves the library; what a version holds is JSON text here.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from device.evi.refusals import NotThere
from device.evi.resources import FIRST_PAGE, Page
from device.store import Store

_COLUMNS = """
    SELECT r.id, r.name, r.created_ms, v.version, v.description, v.body, v.modified_ms
    FROM resources r JOIN versions v ON v.id = r.id
    WHERE r.kind = :kind AND v.body <> ''
"""
_NEWEST = """
    AND v.version = (SELECT max(w.version) FROM versions w WHERE w.id = r.id AND w.body <> '')
"""
_ORDER = " ORDER BY r.created_ms DESC, r.rowid DESC, v.version DESC LIMIT :size OFFSET :offset"


@dataclass(frozen=True, slots=True)
class Item:
    """One version of a thing."""

    id: str
    name: str
    created_ms: int
    """When the first version was made."""
    version: int
    description: str | None
    body: str
    """JSON text."""
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which versions are wanted."""

    page: Page = FIRST_PAGE
    newest: bool = True
    """Only the newest version of each."""
    name: str | None = None
    id: str | None = None


class Versions:
    """All things of one kind. A deleted version leaves an empty body: its number is used up."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store, self.kind = store, kind

    def create(self, name: str, description: str | None, body: str) -> Item:
        """Keep a new thing and return its version 0."""
        now, new = _now_ms(), str(uuid4())
        with self._store.transaction() as database:
            database.execute(
                "INSERT INTO resources (id, kind, name, created_ms) VALUES (?, ?, ?, ?)",
                (new, self.kind, name, now),
            )
            _insert(database, (new, 0, description, body, now, now))
        return self.get(new, 0)

    def add(self, thing: str, description: str | None, body: str) -> Item:
        """Keep a new version; raises NotThere if there is no such thing."""
        now = _now_ms()
        with self._store.transaction() as database:
            self.get(thing)
            number = 1 + _number(
                self._store.row("SELECT max(version) FROM versions WHERE id = ?", (thing,))
            )
            _insert(database, (thing, number, description, body, now, now))
        return self.get(thing, number)

    def get(self, thing: str, version: int | None = None) -> Item:
        """Return a version, or the newest; raises NotThere."""
        which = "AND v.version = :version" if version is not None else _NEWEST
        row = self._store.row(
            f"{_COLUMNS} AND r.id = :id {which}",
            {"kind": self.kind, "id": thing, "version": version},
        )
        if row is not None:
            return _item(row)
        if version is not None:
            self.get(thing)
            raise NotThere(f"The {self.kind} {thing} has no version {version}.")
        raise NotThere(f"There is no {self.kind} {thing}.")

    def listing(self, wanted: Selection) -> tuple[list[Item], int]:
        """Return a page of versions, newest first, and how many there are on all pages.

        Raises NotThere if ``wanted`` names an id that there is none of.
        """
        if wanted.id is not None:
            self.get(wanted.id)
        query, values = _COLUMNS, {"kind": self.kind, "name": wanted.name, "id": wanted.id}
        query += _NEWEST if wanted.newest else ""
        query += "AND r.name = :name " if wanted.name is not None else ""
        query += "AND r.id = :id " if wanted.id is not None else ""
        rows = self._store.rows(
            query + _ORDER, {**values, "size": wanted.page.size, "offset": wanted.page.offset}
        )
        total = _number(self._store.row(f"SELECT count(*) FROM ({query})", values))
        return [_item(row) for row in rows], total

    def delete(self, thing: str) -> None:
        """Delete all versions; raises NotThere if there is no such thing."""
        self.get(thing)
        with self._store.transaction() as database:
            database.execute("DELETE FROM resources WHERE id = ?", (thing,))

    def delete_version(self, thing: str, version: int) -> None:
        """Delete one version, and the thing with its last one; raises NotThere."""
        self.get(thing, version)
        with self._store.transaction() as database:
            database.execute(
                "UPDATE versions SET body = '', description = NULL WHERE id = ? AND version = ?",
                (thing, version),
            )
            database.execute(
                "DELETE FROM resources WHERE id = :id AND NOT EXISTS "
                "(SELECT 1 FROM versions WHERE id = :id AND body <> '')",
                {"id": thing},
            )

    def rename(self, thing: str, name: str) -> None:
        """Give all versions another name; raises NotThere if there is no such thing."""
        self.get(thing)
        with self._store.transaction() as database:
            database.execute("UPDATE resources SET name = ? WHERE id = ?", (name, thing))

    def describe(self, thing: str, version: int, description: str | None) -> Item:
        """Describe one version in other words and return it; raises NotThere."""
        self.get(thing, version)
        with self._store.transaction() as database:
            database.execute(
                "UPDATE versions SET description = ?, modified_ms = ? WHERE id = ? AND version = ?",
                (description, _now_ms(), thing, version),
            )
        return self.get(thing, version)


def _item(row: sqlite3.Row) -> Item:
    return Item(*row)


def _insert(database: sqlite3.Connection, values: Sequence[object]) -> None:
    database.execute(
        "INSERT INTO versions (id, version, description, body, created_ms, modified_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        values,
    )


def _number(row: sqlite3.Row | None) -> int:
    """Return the only value of a row that there always is."""
    assert row is not None
    number: int = row[0]
    return number


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
