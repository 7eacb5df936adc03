"""What is listed of the archive: chats, groups of chats, and events, page by page.

Layer 4, on the store's thread. Serves the archive's REST routes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from device.evi.refusals import NotThere
from device.evi.resources import FIRST_PAGE, Page
from device.evi.resources_chats import (
    ChatAbout,
    GroupAbout,
    ReturnChat,
    ReturnChatEvent,
    ReturnChatGroup,
    ReturnConfigSpec,
)
from device.store import Store

_GROUPS = """
    SELECT group_id AS id, min(started_ms) AS first_start_timestamp,
        max(started_ms) AS most_recent_start_timestamp, count(*) AS num_chats,
        max(status = 'ACTIVE') AS active
    FROM chats GROUP BY group_id
"""
_RECENT = "SELECT id FROM chats WHERE group_id = g.id ORDER BY started_ms DESC, rowid DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chats, groups or events are wanted; None: whichever."""

    page: Page = FIRST_PAGE
    ascending: bool = True
    """The oldest first."""
    config_id: str | None = None
    status: str | None = None
    chat_id: str | None = None
    group_id: str | None = None

    @property
    def order(self) -> str:
        """As SQL has it."""
        return "ASC" if self.ascending else "DESC"


class Index:
    """The lists of what is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def chats(self, wanted: Filter) -> tuple[list[ReturnChat], int]:
        """Return a page of chats, and how many there are on all pages."""
        query, values = _where(
            "SELECT c.*, (SELECT count(*) FROM events e WHERE e.chat_id = c.id) AS event_count "
            "FROM chats c",
            {
                "c.config_id": wanted.config_id,
                "c.status": wanted.status,
                "c.group_id": wanted.group_id,
            },
        )
        order = f"c.started_ms {wanted.order}, c.rowid {wanted.order}"
        rows, total = self._page(query, values, order, wanted.page)
        return [
            ReturnChat(**_about(row).model_dump(), event_count=row["event_count"]) for row in rows
        ], total

    def chat(self, chat_id: str) -> ChatAbout:
        """Return a chat; raises NotThere."""
        row = self._store.row("SELECT * FROM chats WHERE id = ?", (chat_id,))
        if row is None:
            raise NotThere(f"There is no chat {chat_id}.")
        return _about(row)

    def events(self, wanted: Filter) -> tuple[list[ReturnChatEvent], int]:
        """Return a page of events of a chat or group, and how many there are on all pages."""
        query, values = _where(
            "SELECT e.* FROM events e JOIN chats c ON c.id = e.chat_id",
            {"c.id": wanted.chat_id, "c.group_id": wanted.group_id},
        )
        rows, total = self._page(query, values, f"e.number {wanted.order}", wanted.page)
        return [_event(row) for row in rows], total

    def groups(self, wanted: Filter) -> tuple[list[ReturnChatGroup], int]:
        """Return a page of groups, and how many there are on all pages.

        ``config_id``: of their most recent chat.
        """
        query, values = _where(
            f"SELECT g.*, c.id AS chat_id, c.config_id, c.config_version FROM ({_GROUPS}) g "
            f"JOIN chats c ON c.id = ({_RECENT})",
            {"c.config_id": wanted.config_id},
        )
        order = f"g.first_start_timestamp {wanted.order}, g.id {wanted.order}"
        rows, total = self._page(query, values, order, wanted.page)
        return [
            ReturnChatGroup(
                **_group(row).model_dump(),
                most_recent_chat_id=row["chat_id"],
                most_recent_config=_config(row),
            )
            for row in rows
        ], total

    def group(self, group_id: str) -> GroupAbout:
        """Return a group; raises NotThere."""
        row = self._store.row(f"SELECT * FROM ({_GROUPS}) WHERE id = ?", (group_id,))
        if row is None:
            raise NotThere(f"There is no chat group {group_id}.")
        return _group(row)

    def _page(
        self, query: str, values: dict[str, Any], order: str, page: Page
    ) -> tuple[list[sqlite3.Row], int]:
        rows = self._store.rows(
            f"{query} ORDER BY {order} LIMIT :size OFFSET :offset",
            {**values, "size": page.size, "offset": page.offset},
        )
        total = self._store.row(f"SELECT count(*) FROM ({query})", values)
        return rows, int(total[0]) if total else 0


def _where(query: str, wanted: dict[str, str | None]) -> tuple[str, dict[str, Any]]:
    """Return ``query`` for those rows whose columns have the values that are not None."""
    values = {f"value{number}": value for number, value in enumerate(wanted.values())}
    tests = [
        f"{column} = :value{number}"
        for number, (column, value) in enumerate(wanted.items())
        if value is not None
    ]
    return f"{query} WHERE {' AND '.join(tests)}" if tests else query, values


def _about(row: sqlite3.Row) -> ChatAbout:
    return ChatAbout(
        id=row["id"],
        chat_group_id=row["group_id"],
        status=row["status"],
        start_timestamp=row["started_ms"],
        end_timestamp=row["ended_ms"],
        metadata=row["metadata"],
        config=_config(row),
    )


def _config(row: sqlite3.Row) -> ReturnConfigSpec | None:
    if row["config_id"] is None:
        return None
    return ReturnConfigSpec(id=row["config_id"], version=row["config_version"])


def _group(row: sqlite3.Row) -> GroupAbout:
    return GroupAbout(
        id=row["id"],
        first_start_timestamp=row["first_start_timestamp"],
        most_recent_start_timestamp=row["most_recent_start_timestamp"],
        num_chats=row["num_chats"],
        active=bool(row["active"]),
    )


def _event(row: sqlite3.Row) -> ReturnChatEvent:
    return ReturnChatEvent(
        id=row["id"],
        chat_id=row["chat_id"],
        timestamp=row["at_ms"],
        role=row["role"],
        type=row["type"],
        message_text=row["message_text"],
        emotion_features=row["emotion_features"] or "",
        metadata=row["metadata"],
    )
