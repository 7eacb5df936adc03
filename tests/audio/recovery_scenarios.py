"""What a sound card goes through when devices are pulled and plugged in, in a process of its own.

Run as ``python -m tests.audio.recovery_scenarios NAME FOLDER [CYCLES]``; prints what came of it as
JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from device.audio.soundcard import SoundCard
from device.settings import LineSettings
from device.types import AudioChunk
from tests.audio.card_scenarios import find, noise
from tests.audio.rig import Pluggable, Rig

PATIENCE_S = 60.0
"""No figure: how long a scenario waits before it is taken for a failure."""


async def until(condition: Callable[[], bool], what: str) -> float:
    """Wait for something and return how long it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE_S:
            raise AssertionError(f"not within {PATIENCE_S} s: {what}")
        await asyncio.sleep(0.005)
    return time.monotonic() - begun


class Listener:
    """Takes every chunk of a line, as a conversation does."""

    def __init__(self, line: SoundCard) -> None:
        self.chunks: list[AudioChunk] = []
        self._line = line
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async with aclosing(self._line.chunks()) as chunks:
            async for chunk in chunks:
                self.chunks.append(chunk)
                del self.chunks[:-3000]

    async def hears(self, device: Pluggable, seed: int) -> float:
        """Say something into a microphone until it is heard; return how well it fits."""
        said = noise(0.3, device.rate, seed)
        mark = len(self.chunks)
        device.say(said)
        best = 0.0

        def heard() -> bool:
            nonlocal best
            recent = [chunk.pcm for chunk in self.chunks[mark:]]
            if recent:
                best = max(best, find(said, np.concatenate(recent))[1])
            return best > 0.9

        await until(heard, f"{device.name} is heard")
        return best


def resources() -> dict[str, int]:
    """Threads, open files and resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "python_threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "rss_kb": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
    }


async def pulled_and_returned(folder: Path, cycles: int = 5) -> Any:
    """Pull the only device and put it back, again and again."""
    headset = Pluggable(folder, "headset", 16_000, "duplex")
    rig = Rig(folder, headset)
    detected, returned, before = [], [], {}
    async with SoundCard(LineSettings(input="headset", output="headset", rate=16_000)) as line:
        listener = Listener(line)
        await listener.hears(headset, 0)
        for cycle in range(cycles):
            if cycle == min(3, cycles - 1):
                before = resources()
            rig.pull(headset)
            detected.append(await until(lambda: not (line.hears and line.speaks), "loss"))
            headset.let_go()
            await until(lambda: not line.seeking, "a search in vain")
            rig.plug(headset)
            returned.append(await until(lambda: line.hears and line.speaks, "return"))
            await listener.hears(headset, cycle + 1)
        health = line.health
        after = resources()
        starts = np.array([chunk.start for chunk in listener.chunks])
    return {
        "recoveries": health.recoveries,
        "device": health.device,
        "fallback": health.fallback,
        "before": before,
        "after": after,
        "detected": [statistics.median(detected), max(detected)],
        "returned": [statistics.median(returned), max(returned)],
        "clock_forward": bool((np.diff(starts) >= 320).all()),
    }


SCENARIOS = {it.__name__: it for it in (pulled_and_returned,)}

if __name__ == "__main__":
    if os.environ.get("RECOVERY_LOG"):
        logging.basicConfig(level="INFO", format="%(relativeCreated)d %(name)s %(message)s")
    name, folder, *rest = sys.argv[1:]
    print(json.dumps(asyncio.run(SCENARIOS[name](Path(folder), *map(int, rest)))))
