"""The block of the API: what the network adds, five chats at once, memory, and REST.

Layer 6, on the ordinary event loop. Serves ``rapport bench --api``. The device serves its API on a
free port of this machine; the clients speak the protocol over real sockets, in the same process.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from device.app import App
from device.config import parse
from device.evi.server import listen, serve
from device.terminal.bench_blocks import Step
from device.terminal.bench_clips import Clip
from device.terminal.bench_gap import answer
from device.terminal.bench_machine import calibrate, load_average, resident_mb
from device.terminal.bench_report import Block, Figure, median
from device.terminal.bench_stopwatch import timed
from device.types import HEARING_RATE

PIECE = HEARING_RATE // 50
PIECE_S = 0.02
AFTER_S = 3.0
"""Seconds of silence that a client goes on sending after it has spoken."""
PATIENCE = 60.0
CHATS = 5
REQUESTS_S = 3.0
CLIENTS = 4
PCM = {"encoding": "linear16", "sample_rate": HEARING_RATE, "channels": 1}


async def api_block(app: App, clips: list[Clip], step: Step) -> Block:
    """Measure the API of a device: each clip on the local line, then over a socket, and the rest.

    Takes about 20 s, and 8 s a clip.
    """
    block = Block("API", calibrate())
    watched, spans = timed(app)
    local: list[float] = []
    web: list[float] = []
    async with serving(watched) as url:
        for clip in clips:
            step(f"local and web line: {clip.name}")
            answered = await answer(watched, spans, clip)
            async with chat(url) as socket:
                gap = await spoken_gap(socket, clip)
            if answered.moments is not None and gap is not None:
                local.append(answered.moments.gap)
                web.append(gap)
            block.during_s.append(calibrate())
        step(f"{CHATS} chats at once")
        together, memory = await at_once(url, clips[0])
        step("REST requests")
        requests = await request_rate(url)
    added = [over - under for over, under in zip(web, local, strict=True)]
    answered_all = [gap for gap in together if gap is not None]
    told = " ".join("-" if gap is None else f"{gap:.2f}" for gap in together)
    block.figures = [
        Figure("response gap on the local line, median", median(local), "s"),
        Figure("response gap over the network, median", median(web), "s"),
        Figure("added by the network, median of pairs", median(added), "s"),
        Figure(f"gap of {CHATS} who speak at once, median", median(answered_all), "s", note=told),
        Figure("memory of an open chat", memory, "MB"),
        Figure("REST requests", requests, "/s", note=f"{CLIENTS} clients, list of configs"),
    ]
    block.raw = {"local": local, "web": web, "at_once": together}
    block.after_s = calibrate()
    block.resident_mb, block.load = resident_mb(), load_average()
    return block


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """Serve the API of ``app`` on a free port, with a database of its own; yield HOST:PORT."""
    listening, ready = listen("127.0.0.1:0"), asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        kept = app.config
        limits = {"requests_per_second": 10_000.0, "connections": CHATS + 1}
        values = {"storage": {"folder": folder}, "api": limits}
        app.config = parse(values, "rapport bench", kept)
        server = asyncio.create_task(serve(app, ready.set, listening))
        try:
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait([server, waiting], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if server.done():
                server.result()
            yield "{}:{}".format(*listening.getsockname()[:2])
        finally:
            server.cancel()
            await asyncio.wait([server])
            app.config = kept


@asynccontextmanager
async def chat(url: str) -> AsyncIterator[ClientConnection]:
    """Open a chat that takes 16 kHz PCM."""
    async with connect(f"ws://{url}/v0/evi/chat", max_size=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session_settings", "audio": PCM}))
        yield socket


async def spoken_gap(socket: ClientConnection, clip: Clip) -> float | None:
    """Say ``clip``; return the seconds from its end to the first sound of the reply, if any."""
    loop = asyncio.get_running_loop()
    silence = np.zeros(round(AFTER_S * HEARING_RATE), np.int16)
    sound = np.concatenate([clip.pcm, silence])
    begun = loop.time()

    async def speak() -> None:
        for number, start in enumerate(range(0, len(sound), PIECE), 1):
            # A piece can be sent when its last sample has been spoken.
            await asyncio.sleep(max(0.0, begun + number * PIECE_S - loop.time()))
            data = base64.b64encode(sound[start : start + PIECE].tobytes()).decode()
            await socket.send(json.dumps({"type": "audio_input", "data": data}))

    speaking = asyncio.create_task(speak())
    try:
        async with asyncio.timeout(clip.seconds + PATIENCE):
            async for text in socket:
                since = loop.time() - begun - clip.seconds
                if since > 0 and json.loads(text)["type"] == "audio_output":
                    return since
        return None
    except TimeoutError:
        return None
    finally:
        speaking.cancel()
        await asyncio.wait([speaking])


async def at_once(url: str, clip: Clip) -> tuple[list[float | None], float]:
    """Let several say ``clip`` at the same time; return the gap of each, and the MB of a chat."""
    gc.collect()
    before = resident_mb()
    async with chat(url) as a, chat(url) as b, chat(url) as c, chat(url) as d, chat(url) as e:
        memory = (resident_mb() - before) / CHATS
        gaps = await asyncio.gather(*(spoken_gap(socket, clip) for socket in (a, b, c, d, e)))
    return list(gaps), memory


async def request_rate(url: str) -> float:
    """Return how many REST requests are answered in a second."""
    count, end = 0, time.perf_counter() + REQUESTS_S

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal count
        while time.perf_counter() < end:
            answered = await client.get("/v0/evi/configs")
            answered.raise_for_status()
            count += 1

    async with httpx.AsyncClient(base_url=f"http://{url}") as client:
        await client.post("/v0/evi/configs", json={"evi_version": "3", "name": "bench"})
        begun = time.perf_counter()
        await asyncio.gather(*(ask(client) for _ in range(CLIENTS)))
        return count / (time.perf_counter() - begun)
