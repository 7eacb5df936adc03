"""A factory reset erases what the device has kept, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device.evi.certificate import CERTIFICATE, KEY
from device.evi.keys import Keys
from device.hub import Hub
from device.panel.reset import FAREWELL, PATIENCE, erase, say_farewell
from device.store import Store
from device.types import Command, RapportError, Replied, Reply, Say
from device.virtual_time import VirtualLoop


def test_keys_chats_and_the_certificate_are_gone_and_the_rest_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    Keys(store).add("phone")
    for name in (CERTIFICATE, KEY, "rapport.toml", "holiday.jpg"):
        (tmp_path / name).write_text("x")
    (tmp_path / "models").mkdir()
    assert (tmp_path / "rapport.sqlite3-wal").exists(), "as after a power cut"
    erased = erase(tmp_path)
    store.close()
    assert "rapport.sqlite3" in erased and "rapport.sqlite3-wal" in erased
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["holiday.jpg", "models", "rapport.toml"]
    fresh = Store(tmp_path)
    assert not list(Keys(fresh).names())
    fresh.close()


def test_a_folder_that_is_not_there_is_empty_already(tmp_path: Path) -> None:
    assert erase(tmp_path / "none") == []


def test_what_cannot_be_erased_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).close()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RapportError, match=r"rapport\.sqlite3: cannot be erased"):
        erase(tmp_path)


def farewell(reply: str | None) -> float:
    """How long the farewell takes on a device that says ``reply``."""

    async def main() -> float:
        hub, loop = Hub(), asyncio.get_running_loop()

        def command(command: Command) -> bool:
            assert command == Say(FAREWELL)
            if reply is not None:
                told = Replied(Reply(reply, reply, False), 1)
                loop.call_later(2.0, hub.publish, "local", 2.0, told)
            return reply is not None

        await say_farewell(hub, command)
        return loop.time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_it_waits_until_the_farewell_was_said_but_not_for_ever() -> None:
    assert farewell(FAREWELL) == pytest.approx(2.0)
    assert farewell("Something that was being said.") == pytest.approx(PATIENCE)
    assert farewell(None) == 0, "there is nobody to say it"
