"""The archive: which chats there were, and what was said in them.

Layer 4, on the store's thread. Serves the chat, which writes, and the REST routes, which read and
erase. Erasing is meant: the words are overwritten in the file, not just forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from device.evi.archive_index import Filter, Index
from device.evi.resources import printable
from device.store import Store

__all__ = ["Archive", "Filter", "NewEvent"]

log = logging.getLogger(__name__)

OVERHEAD = 200
"""Bytes that an event or a chat takes beside its texts."""
DAY_MS = 86_400_000
MEGABYTE = 1_000_000

_BYTES = " + ".join(
    f"coalesce(length(CAST(e.{text} AS BLOB)), 0)"
    for text in ("message_text", "emotion_features", "metadata")
)
_SIZE = f"coalesce(sum({OVERHEAD} + {_BYTES}), 0)"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened in a chat."""

    role: str
    type: str
    at_ms: int
    """Unix time."""
    message_text: str | None = None
    emotion_features: str | None = None
    """JSON text."""
    metadata: str | None = None
    """JSON text."""


class Archive:
    """All chats, and what was said in them unless ``keep_words`` is off."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.index = Index(store)
        """Lists of what there is."""
        self.keep_words = True
        """Otherwise nothing is kept but that a chat took place, and when."""
        store.connection.execute("PRAGMA secure_delete = ON")

    # Writing

    def start_chat(
        self,
        chat_id: str,
        group_id: str,
        now_ms: int,
        config_id: str | None = None,
        config_version: int | None = None,
        metadata: str | None = None,
    ) -> None:
        """Note that a chat began; ``metadata``: the client's, JSON text."""
        about = _storable(metadata) if self.keep_words else None
        with self._store.transaction() as database:
            database.execute(
                "INSERT INTO chats (id, group_id, status, started_ms, config_id, config_version, "
                "metadata) VALUES (?, ?, 'ACTIVE', ?, ?, ?, ?)",
                (chat_id, group_id, now_ms, config_id, config_version, about),
            )

    def add_event(self, chat_id: str, event: NewEvent) -> str | None:
        """Keep an event and return its id; None if it is not kept.

        It is not if words are not, or if the chat was erased while it went on.
        """
        if not self.keep_words:
            return None
        new = str(uuid4())
        texts = (event.message_text, event.emotion_features, event.metadata)
        with self._store.transaction() as database:
            kept = database.execute(
                "INSERT INTO events (id, chat_id, at_ms, role, type, message_text, "
                "emotion_features, metadata) SELECT ?, id, ?, ?, ?, ?, ?, ? FROM chats "
                "WHERE id = ?",
                (new, event.at_ms, event.role, event.type, *map(_storable, texts), chat_id),
            )
        return new if kept.rowcount else None

    def end_chat(self, chat_id: str, status: str, now_ms: int) -> None:
        """Note that a chat is over, and why."""
        with self._store.transaction() as database:
            database.execute(
                "UPDATE chats SET status = ?, ended_ms = ? WHERE id = ?",
                (status, now_ms, chat_id),
            )

    def close_stale(self, now_ms: int) -> None:
        """End the chats that a crash of the device left open."""
        with self._store.transaction() as database:
            database.execute(
                "UPDATE chats SET status = 'ERROR', ended_ms = ? WHERE status = 'ACTIVE'",
                (now_ms,),
            )

    # Reading

    def group_exists(self, group_id: str) -> bool:
        """Return whether there was a chat in this group."""
        return self._store.row("SELECT 1 FROM chats WHERE group_id = ?", (group_id,)) is not None

    def history(self, group_id: str, limit: int = 300) -> list[tuple[str, str]]:
        """Return role (USER or AGENT) and text of what was said, the oldest first.

        Only the group's ``limit`` newest events are looked at.
        """
        rows = self._store.rows(
            "SELECT * FROM (SELECT e.* FROM events e JOIN chats c ON c.id = e.chat_id "
            "WHERE c.group_id = ? ORDER BY e.number DESC LIMIT ?) "
            "WHERE type IN ('USER_MESSAGE', 'AGENT_MESSAGE') AND message_text IS NOT NULL "
            "ORDER BY number",
            (group_id, limit),
        )
        return [(row["role"], row["message_text"]) for row in rows]

    def size_bytes(self) -> int:
        """Return roughly how much room everything takes."""
        events = self._store.row(f"SELECT {_SIZE} FROM events e")
        chats = self._store.row("SELECT count(*) FROM chats")
        return int(events[0]) + OVERHEAD * int(chats[0]) if events and chats else 0

    # Erasing

    def erase_all(self) -> int:
        """Erase every chat, and return how many; of those going on nothing more is kept."""
        return self._erase([row["id"] for row in self._store.rows("SELECT id FROM chats")])

    def erase_chat(self, chat_id: str) -> None:
        """Erase one chat; raises NotThere."""
        self.index.chat(chat_id)
        self._erase([chat_id])

    def expire(self, now_ms: int, keep_days: float, keep_mb: float) -> int:
        """Erase what is too old or too much, and return how many chats that were.

        First those that ended more than ``keep_days`` ago, then the oldest until the rest fits in
        ``keep_mb``. Chats that are going on stay.
        """
        old = self._store.rows(
            "SELECT id FROM chats WHERE status <> 'ACTIVE' AND ended_ms < ?",
            (now_ms - keep_days * DAY_MS,),
        )
        gone = self._erase([row["id"] for row in old])
        # Adding up the texts reads all of them, so it is done only if there may be too much.
        if self._used_bytes() <= keep_mb * MEGABYTE:
            return gone
        excess, doomed = self.size_bytes() - keep_mb * MEGABYTE, []
        for row in self._store.rows(
            f"SELECT c.id, {OVERHEAD} + (SELECT {_SIZE} FROM events e WHERE e.chat_id = c.id) "
            "AS size FROM chats c WHERE c.status <> 'ACTIVE' ORDER BY c.started_ms, c.rowid"
        ):
            if excess <= 0:
                break
            doomed.append(row["id"])
            excess -= row["size"]
        return gone + self._erase(doomed)

    def _used_bytes(self) -> int:
        """Return how much of the file is in use, whoever uses it."""
        pages, free, size = (
            self._store.connection.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _erase(self, chats: Sequence[str]) -> int:
        if not chats:
            return 0
        with self._store.transaction() as database:
            database.executemany("DELETE FROM chats WHERE id = ?", [(chat,) for chat in chats])
        # The words still stand in the write-ahead log; this writes it back and empties it.
        blocked = self._store.row("PRAGMA wal_checkpoint(TRUNCATE)")
        if blocked is not None and blocked[0]:
            log.warning(
                "what was erased stays in %s-wal for now: another program is reading the database",
                self._store.path,
            )
        return len(chats)


def _storable(text: str | None) -> str | None:
    return None if text is None else printable(text)
