"""What the doctor learns of the sound card of a daemon that runs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from device.hub import Hub
from device.terminal.audio_report import FILE, check_running_card, describe_card, reporting
from device.terminal.findings import Finding, Health
from device.types import AudioHealth, ServiceFailed, ServiceReady, TurnFailed

WELL = AudioHealth(0, 0, 0, 0, "usb")


def seen(folder: Path, *events: AudioHealth | ServiceFailed | ServiceReady) -> list[Finding]:
    """Publish events in a daemon and look from outside."""

    async def main() -> list[Finding]:
        hub = Hub()
        async with reporting(hub, folder):
            await asyncio.sleep(0)
            for event in (TurnFailed("not of interest"), *events):
                hub.publish("device", 0.0, event)
            await asyncio.sleep(0.01)
            return list(check_running_card(folder))

    return asyncio.run(main())


def test_a_sound_card_that_works_is_told_with_what_it_has_lost(tmp_path: Path) -> None:
    (finding,) = seen(tmp_path / "state", replace(WELL, underflows=3, recoveries=1))
    assert finding.health is Health.OK
    assert finding.found == "usb, underflows 3, recoveries 1"
    assert not (tmp_path / "state" / FILE).exists()  # the daemon has ended


def test_a_loss_is_a_warning_with_its_remedy_until_it_is_mended(tmp_path: Path) -> None:
    lost = replace(WELL, device=""), ServiceFailed("local line", "plug it in again", 10)
    (finding,) = seen(tmp_path, *lost)
    assert finding.health is Health.WARNING
    assert (finding.found, finding.remedy) == ("no sound device", "plug it in again")
    (finding,) = seen(tmp_path, *lost, WELL, ServiceReady("local line"))
    assert finding.health is Health.OK


def test_a_makeshift_is_a_warning(tmp_path: Path) -> None:
    (finding,) = seen(tmp_path, replace(WELL, fallback="microphone"))
    assert finding.health is Health.WARNING
    assert "the microphone instead of what is wanted" in finding.found


def test_without_a_daemon_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert list(check_running_card(tmp_path)) == []
    (tmp_path / FILE).write_text("{")
    assert list(check_running_card(tmp_path)) == []
    gone = {"pid": 2**22 - 3, "fault": "", "health": None}
    (tmp_path / FILE).write_text(json.dumps(gone))
    assert list(check_running_card(tmp_path)) == []


def test_no_device_at_all_is_called_so() -> None:
    assert describe_card(replace(WELL, device="")) == "no sound device"
