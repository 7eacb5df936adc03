"""The one embedded database: API keys, configurations, and what was said in chats.

Layer 1, on SQLite. Owned by one thread (``worker``); every table is made here, by a numbered
migration, and read and written by the module that its comment names. Write-ahead logging keeps it
whole whenever the process is killed: a transaction is there entirely or not at all.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from device.types import RapportError

FILE = "rapport.sqlite3"

PATIENCE = 5.0
"""Seconds to wait while another process writes."""

MIGRATIONS: tuple[str, ...] = (
    """
    -- evi/keys.py. Secrets are random and long, so one round of SHA-256 hides them well enough.
    CREATE TABLE keys (
        name TEXT PRIMARY KEY, key_hash TEXT NOT NULL UNIQUE, secret_hash TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    );
    CREATE TABLE tokens (
        token_hash TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL,
        key_name TEXT NOT NULL REFERENCES keys ON DELETE CASCADE
    );
    -- evi/library.py: configs, prompts, tools and custom voices, each with its versions.
    CREATE TABLE resources (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL
    );
    CREATE INDEX resources_by_kind ON resources (kind, created_ms);
    CREATE TABLE versions (
        id TEXT NOT NULL REFERENCES resources ON DELETE CASCADE, version INTEGER NOT NULL,
        description TEXT, body TEXT NOT NULL, created_ms INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL, PRIMARY KEY (id, version)
    );
    -- evi/archive.py
    CREATE TABLE chats (
        id TEXT PRIMARY KEY, group_id TEXT NOT NULL, status TEXT NOT NULL,
        started_ms INTEGER NOT NULL, ended_ms INTEGER, config_id TEXT, config_version INTEGER,
        metadata TEXT
    );
    CREATE INDEX chats_by_group ON chats (group_id, started_ms);
    CREATE INDEX chats_by_start ON chats (started_ms);
    CREATE TABLE events (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        chat_id TEXT NOT NULL REFERENCES chats ON DELETE CASCADE,
        at_ms INTEGER NOT NULL, role TEXT NOT NULL, type TEXT NOT NULL, message_text TEXT,
        emotion_features TEXT, metadata TEXT
    );
    CREATE INDEX events_by_chat ON events (chat_id, number);
    """,
)
"""Each is applied once, in order; never change one that was released, add another."""


class Store:
    """An open database."""

    def __init__(self, folder: Path | None) -> None:
        """Open or create the file in ``folder`` (None: in memory, for what need not last).

        Raises RapportError if it cannot be opened, is no database, or was written by a newer
        version of this program.
        """
        self.path = ":memory:" if folder is None else str(folder / FILE)
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            # Its owner's thread may differ from the one that opens it; there is one at a time.
            self.connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            self.connection.row_factory = sqlite3.Row
        except OSError as error:
            raise RapportError(
                f"{self.path}: cannot be opened ({error.strerror}); name a writable folder with "
                "storage.folder or $RAPPORT_STATE"
            ) from None
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise RapportError(f"{self.path}: {_reason(error)}") from None
        except RapportError:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of what happens inside, or none of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            # A full disk, for one, has SQLite roll back by itself.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def rows(
        self, query: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def row(
        self, query: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> sqlite3.Row | None:
        """Return the first row of a query, None if there is none."""
        found: sqlite3.Row | None = self.connection.execute(query, values).fetchone()
        return found

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _prepare(self) -> None:
        self._use_write_ahead_log()
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        if self._version() != len(MIGRATIONS):
            # All in one: a kill in the middle leaves the schema as it was, and of two processes
            # that come at once the second finds the work done.
            with self.transaction():
                self._migrate()

    def _use_write_ahead_log(self) -> None:
        # Two processes that change a new file's mode at once deadlock, and SQLite tells one of
        # them so without waiting; by the time that it asks again, the other is through.
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)

    def _migrate(self) -> None:
        done = self._version()
        if done > len(MIGRATIONS):
            raise RapportError(
                f"{self.path}: was written by a newer version of Rapport (schema {done}, this one "
                f"knows {len(MIGRATIONS)}); install that version, or move the file away"
            )
        for script in MIGRATIONS[done:]:
            for statement in _statements(script):
                self.connection.execute(statement)
        self.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; ``executescript`` would end the transaction around it."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _reason(error: sqlite3.DatabaseError) -> str:
    """Return why a file cannot be used as the database, and what to do about it."""
    if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"is no database ({error}); move that file away, and a new one is made"
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
        return f"is in use by another program ({error}); end that program and try again"
    return (
        f"cannot be used as the database ({error}); make room on its disk, or name another folder "
        "with storage.folder or $RAPPORT_STATE"
    )


def state_folder(setting: str) -> Path:
    """Return the folder of the database: the setting, $RAPPORT_STATE, or the user's own."""
    named = setting or os.environ.get("RAPPORT_STATE", "")
    return Path(named).expanduser() if named else Path.home() / ".local" / "share" / "rapport"
