"""Who may use the API: keys by name, and the short-lived tokens fetched with them.

Layer 4, on the tables ``keys`` and ``tokens``. Serves ``access``, ``token`` and ``rapport keys``.
Called on the store's worker. Nothing is remembered outside the database, so a key that another
process revokes stops working at once.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
import time
from dataclasses import dataclass, field

from device.store import Store
from device.types import RapportError

TOKEN_LIFETIME = 1800
"""Seconds, as with EVI."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only moment at which its two secrets are known."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    """Wanted, together with the API key, for fetching tokens."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be told about a key."""

    name: str
    created_ms: int


class Keys:
    """The keys in a store. Only hashes are kept, so a stolen database opens nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, name: str) -> NewKey:
        """Make a key called ``name``.

        Raises RapportError if the name is taken, or is not 1 to 64 letters, digits, ".", "_", "-".
        """
        if not _NAME.fullmatch(name):
            raise RapportError(
                f"{name!r}: is no name for a key; use 1 to 64 of the characters A-Z a-z 0-9 . _ -"
            )
        new = NewKey(_secret("key"), _secret("secret"))
        row = (name, _hash(new.api_key), _hash(new.secret_key), time.time_ns() // 1_000_000)
        try:
            with self._store.transaction() as connection:
                connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise RapportError(
                f"{name}: there is a key of that name already; choose another, or give it up "
                f"first: rapport keys revoke {name}"
            ) from None
        return new

    def names(self) -> list[KeyInfo]:
        """Return every key, the oldest first."""
        rows = self._store.rows("SELECT name, created_ms FROM keys ORDER BY created_ms, name")
        return [KeyInfo(row["name"], row["created_ms"]) for row in rows]

    def revoke(self, name: str) -> None:
        """Take a key out of use, and its tokens with it.

        Raises RapportError if there is none of that name.
        """
        with self._store.transaction() as connection:
            gone = connection.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount
        if not gone:
            raise RapportError(f"{name}: there is no key of that name; see: rapport keys list")

    def holder(self, api_key: str) -> str | None:
        """Return the name of an API key, None if it is not one of ours."""
        # Found by its hash: the time that takes tells nothing about keys that are there.
        row = self._store.row("SELECT name FROM keys WHERE key_hash = ?", (_hash(api_key),))
        return row["name"] if row else None

    def issue_token(
        self, api_key: str, secret_key: str, now_ms: int, lifetime_s: int = TOKEN_LIFETIME
    ) -> str | None:
        """Return a new token of a key, None unless both of its secrets are right.

        ``now_ms``: milliseconds since 1970; ``lifetime_s``: seconds.
        """
        token = _secret("token")
        both = (_hash(api_key), _hash(secret_key))
        # One statement, so that no other process can revoke the key between the check and the act.
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE expires_ms <= ?", (now_ms,))
            issued = connection.execute(
                "INSERT INTO tokens (token_hash, expires_ms, key_name) "
                "SELECT ?, ?, name FROM keys WHERE key_hash = ? AND secret_hash = ?",
                (_hash(token), now_ms + lifetime_s * 1000, *both),
            ).rowcount
        return token if issued else None

    def token_holder(self, token: str, now_ms: int) -> str | None:
        """Return the name of the key a token was issued for, None if it is unknown or expired."""
        row = self._store.row(
            "SELECT key_name FROM tokens WHERE token_hash = ? AND expires_ms > ?",
            (_hash(token), now_ms),
        )
        return row["key_name"] if row else None


def _secret(kind: str) -> str:
    return f"rapport_{kind}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
