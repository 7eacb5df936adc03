"""How the daemon's sound card is, left in a file for whoever looks from outside.

Layer 6. ``rapport run`` writes it, ``rapport doctor`` reads it. It is written when something was
lost or works again, and when a count has grown, at most every ten seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from device.hub import Hub, Subscription
from device.terminal.findings import Finding, ok, warning
from device.types import AudioHealth, ServiceFailed, ServiceReady

log = logging.getLogger(__name__)

FILE = "sound-card.json"
SERVICE = "local line"
PART = "sound in the daemon"


def describe_card(health: AudioHealth) -> str:
    """Return what is in use and what was lost, as one line of a terminal."""
    counts = {
        "lost frames": health.lost_frames,
        "overflows": health.overflows,
        "underflows": health.underflows,
        "recoveries": health.recoveries,
    }
    parts = [health.device or "no sound device"]
    if health.fallback:
        parts.append(f"the {health.fallback} instead of what is wanted")
    return ", ".join(parts + [f"{name} {count}" for name, count in counts.items() if count])


@asynccontextmanager
async def reporting(hub: Hub, folder: Path) -> AsyncIterator[None]:
    """Within the block, keep the file in ``folder`` up to date; it is gone after."""
    path = folder / FILE
    with hub.subscribe() as events:
        writing = asyncio.create_task(_write(events, path), name="sound card report")
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            with suppress(OSError):
                path.unlink(missing_ok=True)


async def _write(events: Subscription, path: Path) -> None:
    health, fault = None, ""
    async for observed in events:
        match observed.event:
            case AudioHealth():
                health = asdict(observed.event)
            case ServiceFailed(name, reason) if name == SERVICE:
                fault = reason
            case ServiceReady(name) if name == SERVICE:
                fault = ""
            case _:
                continue
        report = {"pid": os.getpid(), "fault": fault, "health": health}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(report), encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            log.warning("%s: cannot be written (%s); the doctor is told nothing", path, error)
            return


def check_running_card(folder: Path) -> Iterator[Finding]:
    """Yield how the sound card of a daemon that runs is; nothing if none does."""
    try:
        report = json.loads((folder / FILE).read_text(encoding="utf-8"))
        os.kill(report["pid"], 0)  # whether it is there; nothing is sent
        health = AudioHealth(**report["health"]) if report["health"] else None
        fault = str(report["fault"])
    except PermissionError:
        return  # somebody else's daemon
    except (OSError, ValueError, KeyError, TypeError):
        return  # there is none, or one of another version
    told = describe_card(health) if health else "no sound card was opened yet"
    if fault:
        yield warning(PART, told, fault)
    elif health and health.fallback:
        yield warning(PART, told, "plug the wanted device in again; it is taken up by itself")
    else:
        yield ok(PART, told)
