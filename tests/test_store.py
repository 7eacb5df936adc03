"""The database is made, upgraded, refused when it is not ours, and whole after any kill."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from device import store as module
from device.store import FILE, MIGRATIONS, Store, state_folder
from device.types import RapportError
from tests.conftest import ROOT

ADD = "INSERT INTO resources VALUES (?, 'config', ?, 0)"


def count(store: Store) -> int:
    return len(store.rows("SELECT id FROM resources"))


def test_a_new_database_is_made_with_all_its_folders_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    previous = os.umask(0)
    try:
        store = Store(folder)
        with store.transaction() as connection:
            connection.execute(ADD, ("a", "first"))
    finally:
        os.umask(previous)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes[FILE] == 0o600
    assert set(modes.values()) == {0o600}, modes


def test_what_was_stored_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.transaction() as connection:
        connection.execute(ADD, ("a", "first"))
    store.close()
    row = Store(tmp_path).row("SELECT name FROM resources WHERE id = ?", ("a",))
    assert row is not None and row["name"] == "first"


def test_a_database_in_memory_is_like_any_other_and_gone_when_closed() -> None:
    store = Store(None)
    with store.transaction() as connection:
        connection.execute(ADD, ("a", "first"))
    assert count(store) == 1
    assert count(Store(None)) == 0


def test_a_transaction_happens_wholly_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as connection:
        connection.execute(ADD, ("a", "first"))
        connection.execute(ADD, ("a", "again"))
    assert count(store) == 0
    with store.transaction() as connection:
        connection.execute(ADD, ("b", "second"))
    assert count(store) == 1


def test_a_full_disk_undoes_the_transaction_and_the_next_one_works(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.connection.execute("PRAGMA max_page_count = 40")
    with pytest.raises(sqlite3.OperationalError, match="full"), store.transaction() as connection:
        for number in range(1000):
            connection.execute(ADD, (str(number), "x" * 4000))
    assert count(store) == 0
    with store.transaction() as connection:
        connection.execute(ADD, ("a", "small"))
    assert count(store) == 1


def test_deleting_a_resource_takes_what_refers_to_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.transaction() as connection:
        connection.execute(ADD, ("a", "first"))
        connection.execute("INSERT INTO versions VALUES ('a', 0, NULL, '{}', 0, 0)")
    with store.transaction() as connection:
        connection.execute("DELETE FROM resources")
    assert store.rows("SELECT * FROM versions") == []


def test_an_old_database_is_brought_up_to_date_and_keeps_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Store(tmp_path)
    with first.transaction() as connection:
        connection.execute(ADD, ("a", "first"))
    first.close()
    step = "-- a remark; with a semicolon\nALTER TABLE resources ADD COLUMN colour TEXT;"
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, step))
    for _ in range(2):
        row = Store(tmp_path).row("SELECT name, colour FROM resources")
        assert row is not None and tuple(row) == ("first", None)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path).close()
    with monkeypatch.context() as future:
        step = "CREATE TABLE extra (id TEXT); CREATE TABLE extra (id TEXT);"
        future.setattr(module, "MIGRATIONS", (*MIGRATIONS, step))
        with pytest.raises(RapportError, match="extra already exists"):
            Store(tmp_path)
    store = Store(tmp_path)
    assert store.rows("SELECT name FROM sqlite_master WHERE name = 'extra'") == []


def test_the_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    store.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(RapportError, match=rf"{FILE}: was written by a newer version of Rapport"):
        Store(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_processes_that_open_a_new_database_at_once_all_find_it_ready(tmp_path: Path) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        with ThreadPoolExecutor(4) as threads:
            stores = list(threads.map(Store, [folder] * 4))
        assert [count(store) for store in stores] == [0] * 4


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(RapportError, match=rf"{FILE}: is no database .* move that file away"):
        Store(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")


def test_a_folder_that_cannot_be_used_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RapportError, match=r"file/.*cannot be opened .*\$RAPPORT_STATE"):
        Store(tmp_path / "file")
    (tmp_path / "folder" / FILE).mkdir(parents=True)
    with pytest.raises(RapportError, match=r"cannot be opened .*Is a directory"):
        Store(tmp_path / "folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RapportError, match=r"cannot be opened .*Permission denied"):
        Store(tmp_path)


def test_the_folder_is_the_settings_then_the_environments_then_the_users_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("RAPPORT_STATE", "/var/lib/rapport")
    assert state_folder("~/here") == Path("/home/ada/here")
    assert state_folder("") == Path("/var/lib/rapport")
    monkeypatch.delenv("RAPPORT_STATE")
    assert state_folder("") == Path("/home/ada/.local/share/rapport")


WRITER = """
import sys
from pathlib import Path
from device.store import Store

store, run = Store(Path(sys.argv[1])), sys.argv[2]
# Hardly any cache: most of a transaction is in the file before its end, and a kill finds it there.
store.connection.execute("PRAGMA cache_size = 8")
number = 0
while True:
    with store.transaction() as connection:
        for part in range(100):
            connection.execute(
                "INSERT INTO resources VALUES (?, ?, ?, 0)",
                (f"{run}.{number}.{part}", f"{run}.{number}", "x" * 1000),
            )
        if number >= 10:
            connection.execute("DELETE FROM resources WHERE kind = ?", (f"{run}.{number - 10}",))
    print(number, flush=True)
    number += 1
"""


def killed(folder: Path, run: int, delay: float, at_work: bool) -> int:
    """Let a process write transactions and kill it; the last one it called done, -1 if none was.

    It gets ``delay`` seconds from its beginning, or ``at_work`` from the first transaction.
    """
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(run)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        if at_work:
            assert select.select([writer.stdout], [], [], 60)[0], "the writer did not begin"
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        # What it was writing when it was killed may lack its end.
        told = writer.stdout.read().split("\n")[:-1]
    return int(told[-1]) if told else -1


def test_a_kill_at_any_instant_loses_nothing_that_was_done_and_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    for run in range(12):
        done = killed(tmp_path, run, chance.uniform(0, 0.2), at_work=run >= 4)
        store = Store(tmp_path)
        assert [row[0] for row in store.rows("PRAGMA integrity_check")] == ["ok"]
        parts = store.rows(
            "SELECT kind, COUNT(*) AS parts FROM resources WHERE id LIKE ? GROUP BY kind",
            (f"{run}.%",),
        )
        assert {row["parts"] for row in parts} <= {100}, "half a transaction"
        found = sorted(int(row["kind"].split(".")[1]) for row in parts)
        # It may have been killed between doing the last one and telling of it.
        last = found[-1] if found else -1
        assert last in (done, done + 1)
        assert found == list(range(max(0, last - 9), last + 1))
        store.close()
