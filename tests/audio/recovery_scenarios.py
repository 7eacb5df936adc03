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

from device.audio.rates import resample
from device.audio.soundcard import SoundCard
from device.settings import LineSettings
from device.types import AudioChunk
from tests.audio.card_scenarios import find, noise
from tests.audio.rig import Pluggable, Rig
from tests.audio.sound_server import SoundServer

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
                del self.chunks[:-1200]

    async def hears(self, device: Pluggable, seed: int) -> float:
        """Say something into a microphone until it is heard; return how well it fits."""
        said = noise(0.3, device.rate, seed)
        mark = self.chunks[-1].start if self.chunks else -1
        device.say(said)
        said = resample(said, device.rate, 16_000)
        best = 0.0

        def heard() -> bool:
            nonlocal best
            recent = [chunk.pcm for chunk in self.chunks if chunk.start > mark]
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


async def loses_one_of_two(folder: Path) -> Any:
    """Pull the microphone while the loudspeaker, another device, plays on."""
    ear = Pluggable(folder, "desk", 16_000, "ear")
    mouth = Pluggable(folder, "shelf", 16_000, "mouth")
    rig = Rig(folder, ear, mouth)
    async with SoundCard(LineSettings(input="desk", output="shelf", rate=16_000)) as line:
        listener = Listener(line)
        await listener.hears(ear, 1)
        rig.pull(ear)
        await until(lambda: not line.hears, "loss")
        await until(lambda: not line.seeking, "a search in vain")
        deaf = {"speaks": line.speaks, "device": line.health.device}
        words, mark = noise(1.0, 16_000, 2), len(mouth.spoken)
        written = line.write(words)
        begun = line.played
        await until(lambda: line.played - begun >= written, "the loudspeaker plays on")
        await asyncio.sleep(0.5)
        deaf["fit"] = find(words, mouth.spoken[mark:])[1]
        rig.plug(ear)
        await until(lambda: line.hears, "return")
        await listener.hears(ear, 3)
        return deaf | {"recoveries": line.health.recoveries, "after": line.health.device}


async def goes_to_the_next_best(folder: Path) -> Any:
    """Pull the named device while another is there, and put it back while a reply is spoken."""
    named = Pluggable(folder, "conference", 16_000, "duplex")
    other = Pluggable(folder, "builtin", 48_000, "duplex")
    rig = Rig(folder, named, other)
    busy = False
    settings = LineSettings(input="conference", output="conference", rate=0)
    async with SoundCard(settings) as line:
        line.return_when(lambda: not busy)
        listener = Listener(line)
        await listener.hears(named, 1)
        words = noise(1.9, 16_000, 2)
        written = line.write(words)
        await asyncio.sleep(0.3)
        rig.pull(named)
        await until(lambda: not line.hears, "loss")
        named.let_go()
        await until(lambda: line.hears and line.speaks, "another device")
        there = {"device": line.health.device, "fallback": line.health.fallback}
        there["fit"] = await listener.hears(other, 3)
        await until(lambda: line.played >= written, "what was left is played")
        await asyncio.sleep(0.3)
        second = resample(words[-8_000:], 16_000, 48_000)
        there["rest"] = find(second, other.spoken)[1]
        busy = True
        rig.plug(named)
        await asyncio.sleep(4)
        there["while_busy"] = line.health.device
        busy = False
        await until(lambda: line.health.device == "conference", "the named device again")
        await listener.hears(named, 4)
        return there | {"rate": line.rate, "after": line.health.fallback}


async def follows_another_clock(folder: Path, seconds: int = 20) -> Any:
    """Play to a loudspeaker whose crystal is off, and see with what the microphone is paired."""
    ear = Pluggable(folder, "desk", 16_000, "ear")
    mouth = Pluggable(folder, "shelf", 48_000, "mouth", ppm=100)
    Rig(folder, ear, mouth)
    async with SoundCard(LineSettings(input="desk", output="shelf", rate=48_000)) as line:
        listener = Listener(line)
        await listener.hears(ear, 1)
        mark, written, words = (
            len(listener.chunks),
            0,
            resample(noise(seconds, 6_000, 2), 6_000, 48_000),
        )
        while written < len(words):
            written += line.write(words[written : written + 4_800])
            await line.tick()
        await until(lambda: line.played >= written, "all is played")
        await asyncio.sleep(0.5)
        chunks, lost = listener.chunks[mark:], line.lost
        aligned, followed = line.aligned, line.followed
    far = np.concatenate([it.far for it in chunks if it.far is not None])
    slow, places = resample(words, 48_000, 16_000), []
    for at in range(8_000, len(slow) - 16_000, 16_000):
        place, fit = find(slow[at : at + 2_000], far)
        places.append((place - at, fit))
    wander = np.diff([place for place, _ in places]) / 16
    return {
        "aligned": aligned,
        "followed": followed,
        "lost": lost,
        "worst_fit": min(fit for _, fit in places),
        "steps_ms": [float(np.abs(wander).max()), float(np.median(np.abs(wander)))],
        "far_chunks": len(far) // 320 == len(chunks),
    }


async def outlives_the_sound_server(folder: Path, cycles: int = 2) -> Any:
    """Kill PulseAudio and start it again."""
    server = SoundServer(folder)
    fits = []
    try:
        async with SoundCard(LineSettings()) as line:
            listener = Listener(line)
            first = line.health.device
            for cycle in range(cycles):
                server.kill()
                await until(lambda: not (line.hears or line.speaks), "loss")
                server.start()
                await until(lambda: line.hears and line.speaks, "return")
                fits.append(await heard_in_the_room(server, listener, cycle))
            return {
                "recoveries": line.health.recoveries,
                "same_device": line.health.device == first,
                "fits": fits,
            }
    finally:
        server.kill()


async def heard_in_the_room(server: SoundServer, listener: Listener, seed: int) -> float:
    """Say something, again if need be, until it is heard; return how well it fits."""
    said = noise(1.0, 16_000, seed)
    for _ in range(5):
        mark = listener.chunks[-1].start
        playing = server.say(said, 16_000)
        await asyncio.to_thread(playing.wait)
        await asyncio.sleep(1)
        heard = [chunk.pcm for chunk in listener.chunks if chunk.start > mark]
        recent = np.concatenate(heard)
        # A stall of the machine cuts pieces out: a part that is whole is proof enough.
        best = max(find(said[at : at + 4_000], recent)[1] for at in range(0, 12_000, 4_000))
        if best > 0.8:
            break
    return best


SCENARIOS = {
    it.__name__: it
    for it in (
        pulled_and_returned,
        loses_one_of_two,
        goes_to_the_next_best,
        follows_another_clock,
        outlives_the_sound_server,
    )
}

if __name__ == "__main__":
    if os.environ.get("RECOVERY_LOG"):
        logging.basicConfig(level="INFO", format="%(relativeCreated)d %(name)s %(message)s")
    name, folder, *rest = sys.argv[1:]
    print(json.dumps(asyncio.run(SCENARIOS[name](Path(folder), *map(int, rest)))))
