"""What is done with a sound card in a process of its own; prints what came of it as JSON.

Run as ``python -m tests.audio.card_scenarios NAME FOLDER``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from device.audio import keeper, soundcard
from device.audio.rates import resample
from device.audio.soundcard import SoundCard
from device.settings import LineSettings
from device.types import AudioChunk, Pcm, RapportError
from tests.audio.virtual_card import VirtualCard

DUPLEX = LineSettings(input="vcard", output="vcard", rate=16_000, fallback=False)


def noise(seconds: float, rate: int, seed: int) -> Pcm:
    """Noise that is like nothing but itself, so that finding it again proves something."""
    count = round(seconds * rate)
    return (np.random.default_rng(seed).standard_normal(count) * 3000).astype(np.int16)


def find(needle: Pcm, hay: Pcm) -> tuple[int, float]:
    """Return where in ``hay`` ``needle`` fits best, and how well: 1 is the same waveform."""
    size = 1 << (len(needle) + len(hay)).bit_length()
    spectrum = np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size))
    fits = np.fft.irfft(spectrum, size)[: max(1, len(hay) - len(needle) + 1)]
    at = int(fits.argmax())
    there = hay[at : at + len(needle)].astype(float)
    scale = np.linalg.norm(there) * np.linalg.norm(needle.astype(float))
    return at, float(there @ needle[: len(there)].astype(float) / scale) if scale else 0.0


async def listen(line: SoundCard, card: VirtualCard, seconds: float) -> list[AudioChunk]:
    """Take so many seconds of chunks, in lock-step with the card."""
    taken: list[AudioChunk] = []
    async with aclosing(line.chunks()) as chunks:
        async for chunk in chunks:
            card.heard()
            taken.append(chunk)
            if chunk.ended >= seconds:
                break
    return taken


def near(chunks: list[AudioChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def far(chunks: list[AudioChunk]) -> Pcm:
    return np.concatenate([chunk.far for chunk in chunks if chunk.far is not None])


async def converses(folder: Path, settings: LineSettings = DUPLEX, rate: int = 16_000) -> Any:
    """Speech into the microphone while other sound is played."""
    card = VirtualCard(folder, rate)
    question, answer = noise(1.5, rate, 1), noise(1.0, rate, 2)
    async with SoundCard(settings) as line:
        accepted = line.write(answer)
        card.hears(question)
        chunks = await listen(line, card, 3.0)
        starts = [chunk.start for chunk in chunks]
        result = {
            "rate": line.rate,
            "aligned": line.aligned,
            "accepted": accepted,
            "played": line.played,
            "lost": line.lost,
            "now": line.now(),
            "lengths": sorted({len(chunk.pcm) for chunk in chunks}),
            "gapless": starts == list(range(0, 320 * len(chunks), 320)),
        }
    result["heard_at"], result["heard"] = find(resample(question, rate, 16_000), near(chunks))
    if result["aligned"]:
        result["far_at"], result["far"] = find(resample(answer, rate, 16_000), far(chunks))
    result["spoken_at"], result["spoken"] = find(answer, card.spoken[: 5 * rate])
    return result


async def converses_at_48k(folder: Path) -> Any:
    """The same with a card of another rate than hearing wants."""
    settings = LineSettings(input="vcard", output="vcard", rate=48_000)
    return await converses(folder, settings, 48_000)


async def converses_over_two_devices(folder: Path) -> Any:
    """The same with a microphone and a loudspeaker that have nothing to do with each other."""
    return await converses(folder, LineSettings(input="VEARS", output="vmouth", rate=16_000))


async def clears(folder: Path) -> Any:
    """Clear a long sound while it plays, then play another."""
    card = VirtualCard(folder)
    long, other = noise(1.9, 16_000, 3), noise(0.5, 16_000, 4)
    async with SoundCard(DUPLEX) as line:
        line.write(long)
        card.hears(np.zeros(0, np.int16))
        await listen(line, card, 0.5)
        line.clear()
        at_clear = line.played
        await listen(line, card, 1.0)
        later = line.played
        line.write(other)
        await listen(line, card, 2.0)
        total = line.played
    spoken = card.spoken[: 3 * 16_000]
    _, fit = find(other, spoken)
    begin, _ = find(long[:8000], spoken)
    sounding = np.flatnonzero(spoken[begin : begin + round(16_000 * 1.0)])
    return {
        "played_at_clear": at_clear,
        "played_later": later,
        "played_in_all": total,
        "sounded": int(sounding[-1]) + 1,
        "other": fit,
    }


async def ducks(folder: Path) -> Any:
    """Lower the gain while a constant sound plays, then raise it again."""
    card = VirtualCard(folder)
    async with SoundCard(DUPLEX) as line:
        line.write(np.full(30_000, 8000, np.int16))
        card.hears(np.zeros(0, np.int16))
        await listen(line, card, 0.5)
        line.gain = 0.125
        ducked = await listen(line, card, 1.0)
        line.gain = 1.0
        raised = await listen(line, card, 1.5)
    steps = np.abs(np.diff(far(ducked).astype(int)))
    return {
        "ducked": int(far(ducked)[-1]),
        "raised": int(far(raised)[-1]),
        "largest_step": int(steps.max()),
    }


async def stops(folder: Path) -> Any:
    """A microphone from which nothing comes any more, and whose driver is stuck."""
    card = VirtualCard(folder)
    result: dict[str, Any] = {}
    keeper.CLOSING_S = 1.0
    async with SoundCard(DUPLEX) as line:
        card.hears(np.zeros(0, np.int16))
        await listen(line, card, 0.5)
        # from here on nobody tells the card that it was heard, so nothing more goes in
        await asyncio.wait_for(line.changed(), 30)
        result["fault"], result["hears"], result["speaks"] = line.fault, line.hears, line.speaks
        try:
            await asyncio.wait_for(tick_for_ever(line), 30)
        except RapportError as error:
            result["tick"] = str(error)
        result["written"] = line.write(noise(0.1, 16_000, 5))
    return result


async def comes_back(folder: Path) -> Any:
    """A microphone that stops and works again, under one line."""
    card = VirtualCard(folder)
    keeper.CLOSING_S = 1.0
    card.hears(np.zeros(0, np.int16))
    async with SoundCard(DUPLEX) as line:
        first = await listen(line, card, 0.5)
        while line.hears:
            await asyncio.wait_for(line.changed(), 30)
        while not line.hears:
            card.heard()  # the driver gets what it waited for, and lets go
            await asyncio.sleep(0.02)
        later = line.now()
        line.write(noise(0.5, 16_000, 5))
        again = await listen(line, card, later + 3.0)
        return {
            "recoveries": line.health.recoveries,
            "played_again": line.played,
            "gap_s": max(b.started - a.ended for a, b in itertools.pairwise([*first, *again])),
            "seconds_again": again[-1].ended - later,
        }


async def tick_for_ever(line: SoundCard) -> None:
    while True:
        await line.tick()


async def ends(folder: Path) -> Any:
    """Close the line under a consumer of its chunks."""
    card = VirtualCard(folder)
    card.hears(np.zeros(0, np.int16))
    taken: list[AudioChunk] = []
    async with SoundCard(DUPLEX) as line:
        async for chunk in line.chunks():
            card.heard()
            taken.append(chunk)
            if len(taken) == 10:
                line.close()
    return {"taken": len(taken)}


async def reports_devices(folder: Path) -> Any:
    """List the devices of the virtual card."""
    VirtualCard(folder)
    found = {device.name: device for device in soundcard.devices()}
    card = found["vcard"]
    return {"inputs": card.inputs, "outputs": card.outputs, "rate": card.rate}


async def opens(folder: Path, settings: LineSettings) -> Any:
    """Try to open a card and say why it failed."""
    try:
        async with SoundCard(settings):
            return {"error": None}
    except RapportError as error:
        return {"error": str(error)}


async def finds_nothing(folder: Path) -> Any:
    """Open the sound card of a machine that has none."""
    (folder / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\n")
    os.environ["ALSA_CONFIG_PATH"] = str(folder / "asound.conf")
    return await opens(folder, LineSettings())


async def finds_no_such_microphone(folder: Path) -> Any:
    """Ask for a microphone that is not there."""
    VirtualCard(folder)
    return await opens(folder, LineSettings(input="banjo", output="vcard", fallback=False))


async def finds_no_such_loudspeaker(folder: Path) -> Any:
    """Ask for a loudspeaker that is not there."""
    VirtualCard(folder)
    return await opens(folder, LineSettings(input="vcard", output="banjo", fallback=False))


async def opens_at_another_rate(folder: Path) -> Any:
    """Ask for a rate that no card has."""
    VirtualCard(folder)
    async with SoundCard(LineSettings(input="vcard", output="vcard", rate=1)) as line:
        return {"rate": line.rate}


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        converses,
        converses_at_48k,
        converses_over_two_devices,
        clears,
        ducks,
        stops,
        comes_back,
        opens_at_another_rate,
        ends,
        reports_devices,
        finds_nothing,
        finds_no_such_microphone,
        finds_no_such_loudspeaker,
    )
}

if __name__ == "__main__":
    print(json.dumps(asyncio.run(SCENARIOS[sys.argv[1]](Path(sys.argv[2])))))
