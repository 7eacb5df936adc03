"""A sound card of two pipes in lock-step, so that the real PortAudio runs in a computed room.

Layer 6. Serves ``bench duplex``. ALSA's ``file`` plugin reads the microphone from one pipe and
writes the loudspeaker to the other; the card's clock is whatever is written into the microphone.
One in a process, before PortAudio is first used: ALSA reads its configuration once.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

import numpy as np

from device.audio.exchange import Exchange
from device.settings import LineSettings
from device.types import HEARING_RATE, Pcm, RapportError

BLOCK = HEARING_RATE // 50
SET_PIPE_SIZE = 1031
"""fcntl's F_SETPIPE_SZ: a small pipe keeps the microphone close behind its writer."""
PATIENCE_S = 30.0
"""A card that takes no block for so long has died; a stalled machine takes seconds."""

CONFIG = """
</usr/share/alsa/alsa.conf>
pcm.pipes_out {{ type file slave.pcm {{ type null }} file "{folder}/speaker" format "raw" }}
pcm.pipes_in {{ type file slave.pcm {{ type null }} file "/dev/null"
               infile "{folder}/microphone" format "raw" }}
pcm.pipes_both {{ type asym playback.pcm pipes_out capture.pcm pipes_in }}
pcm.bench_card {{
    type plug
    slave {{ pcm pipes_both rate {rate} channels 1 format S16_LE }}
    hint {{ show on description "bench card" }}
}}
"""
SETTINGS = LineSettings(input="bench_card", output="bench_card", rate=HEARING_RATE)
"""How the sound card finds it."""


class PipeCard:
    """The other end of the pipes: 20 ms at a time go in, and what was played comes out."""

    def __init__(self, folder: Path) -> None:
        """Make the pipes in ``folder`` and point ALSA at them."""
        self._pipes = {}
        for name in ("microphone", "speaker"):
            os.mkfifo(folder / name)
            self._pipes[name] = os.open(folder / name, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._pipes["microphone"], SET_PIPE_SIZE, 4096)
        config = folder / "asound.conf"
        config.write_text(CONFIG.format(folder=folder, rate=HEARING_RATE))
        os.environ["ALSA_CONFIG_PATH"] = str(config)
        self._written = 0
        self._waiting = bytearray()

    def played(self) -> Pcm:
        """Return the next 20 ms of the loudspeaker; silence where it was behind."""
        wanted = BLOCK * 2
        while len(self._waiting) < wanted:
            try:
                self._waiting += os.read(self._pipes["speaker"], 65_536)
            except BlockingIOError:
                break
        block = bytes(self._waiting[:wanted]).ljust(wanted, b"\0")
        del self._waiting[:wanted]
        return np.frombuffer(block, np.int16)

    def hears(self, block: Pcm, exchange: Exchange) -> None:
        """Give 20 ms to the microphone; return when the callback has had them.

        Raises RapportError if it never has.
        """
        data, deadline = block.tobytes(), time.monotonic() + PATIENCE_S
        while data or exchange.captured < self._written:
            if data:
                data = self._write(data)
            if time.monotonic() > deadline:
                raise RapportError("the card of pipes takes no more sound; run the bench again")
            time.sleep(0.0002)

    def let_go(self) -> None:
        """Let the card run by itself from now on: its driver closes only while sound flows."""

        def flow() -> None:
            while True:
                self._write(bytes(2 * BLOCK))
                self.played()
                time.sleep(0.005)

        threading.Thread(target=flow, name="pipes", daemon=True).start()

    def _write(self, data: bytes) -> bytes:
        try:
            count = os.write(self._pipes["microphone"], data)
        except BlockingIOError:
            return data
        self._written += count // 2
        return data[count:]
