"""Sound devices of pipes that can be pulled and plugged in again, for the real PortAudio.

Each device is an ALSA ``file`` plugin between PortAudio and this module, and goes by a clock of its
own. Pulling one takes it out of ALSA's configuration and stops its sound; its driver, as drivers
do, lets a program that closes it go. ALSA's configuration is read anew whenever PortAudio starts.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

import numpy as np

from device.types import Pcm
from tests.audio.virtual_card import SET_PIPE_SIZE

BLOCK_S = 0.02
MOUTH = '{{ type file slave.pcm {{ type null }} file "{folder}/{name}.out" format "raw" }}'
EAR = """{{ type file slave.pcm {{ type null }} file "/dev/null"
           infile "{folder}/{name}.in" format "raw" }}"""
PCM = {
    # With asym, a device has the directions that are named and no others.
    "ear": "{{ type asym capture.pcm " + EAR + " }}",
    "mouth": "{{ type asym playback.pcm " + MOUTH + " }}",
    "duplex": "{{ type asym playback.pcm " + MOUTH + " capture.pcm " + EAR + " }}",
}
PLUG = """
pcm.{name} {{
    type plug
    slave {{ pcm {pcm} rate {rate} channels {channels} format S16_LE }}
    hint {{ show on description "{name}" }}
}}
"""


class Pluggable:
    """One device: a microphone (``ear``), a loudspeaker (``mouth``) or both (``duplex``)."""

    def __init__(self, folder: Path, name: str, rate: int, kind: str, ppm: float = 0.0) -> None:
        self.name, self.rate, self.kind, self.ppm = name, rate, kind, ppm
        self.present = True
        self._folder = folder
        self._spoken = bytearray()
        self._said: Pcm = np.zeros(0, np.int16)
        self._lock = threading.Lock()
        self._letting_go = threading.Event()
        self._pipes = {}
        for way in ("in", "out"):
            if (way, kind) in (("in", "mouth"), ("out", "ear")):
                continue
            path = folder / f"{name}.{way}"
            os.mkfifo(path)
            self._pipes[way] = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            fcntl.fcntl(self._pipes[way], SET_PIPE_SIZE, 4096)
        threading.Thread(target=self._run, daemon=True).start()

    def config(self) -> str:
        """What ALSA has to know of it."""
        pcm = PCM[self.kind].format(folder=self._folder, name=self.name)
        return PLUG.format(name=self.name, pcm=pcm, rate=self.rate, channels=1)

    def say(self, pcm: Pcm) -> None:
        """Let the microphone hear ``pcm``, from now on."""
        with self._lock:
            self._said = np.concatenate([self._said, pcm])

    @property
    def spoken(self) -> Pcm:
        """All that came out of the loudspeaker so far."""
        said = bytes(self._spoken)
        return np.frombuffer(said[: len(said) // 2 * 2], np.int16)

    def stop(self) -> None:
        """Give no sound and take none, as when the plug is out."""
        self.present = False
        self._letting_go.clear()

    def let_go(self) -> None:
        """Let whoever waits for a block have it, so that closing ends."""
        self._letting_go.set()

    def start(self) -> None:
        """Work again."""
        self._letting_go.clear()
        self.present = True

    def _run(self) -> None:
        begun, blocks = time.monotonic(), 0
        frames = round(self.rate * BLOCK_S)
        while True:
            blocks += 1
            due = begun + blocks * BLOCK_S * (1 - self.ppm * 1e-6)
            time.sleep(max(0.0, due - time.monotonic()))
            if not (self.present or self._letting_go.is_set()):
                continue
            if "in" in self._pipes:
                self._hear(frames)
            if "out" in self._pipes:
                self._speak(2 * frames)

    def _hear(self, frames: int) -> None:
        block = np.zeros(frames, np.int16)
        try:
            with self._lock:
                piece = self._said[:frames]
                block[: len(piece)] = piece
                os.write(self._pipes["in"], block.tobytes())
                self._said = self._said[frames:]
        except BlockingIOError:
            return  # nobody reads, or not yet: a microphone does not wait

    def _speak(self, size: int) -> None:
        try:
            piece = os.read(self._pipes["out"], size)
        except BlockingIOError:
            return
        if self.present:
            self._spoken += piece
            del self._spoken[: -60 * 2 * self.rate]


class Rig:
    """All devices of a machine, and the ALSA configuration that names those plugged in."""

    def __init__(self, folder: Path, *devices: Pluggable) -> None:
        """Point ALSA at them; before PortAudio is first used."""
        self._devices = devices
        self._config = folder / "asound.conf"
        self._write()
        os.environ["ALSA_CONFIG_PATH"] = str(self._config)

    def pull(self, *devices: Pluggable) -> None:
        """Pull the plug."""
        for device in devices:
            device.stop()
        self._write()

    def plug(self, *devices: Pluggable) -> None:
        """Put it back."""
        for device in devices:
            device.start()
        self._write()

    def _write(self) -> None:
        there = [device.config() for device in self._devices if device.present]
        fresh = self._config.with_suffix(".new")
        fresh.write_text("</usr/share/alsa/alsa.conf>\n" + "".join(there))
        fresh.replace(self._config)
