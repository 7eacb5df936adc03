"""A sound card of two pipes, so that the real PortAudio runs where there is no sound hardware.

ALSA's ``file`` plugin reads the microphone from one FIFO and writes the loudspeaker to the other.
The card's clock is whatever is written into the microphone, so a test is in lock-step with it and a
stall of the machine changes nothing. ALSA reads its configuration once per process: each scenario
runs in its own.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import numpy as np

from device.types import Pcm

SET_PIPE_SIZE = 1031
"""fcntl's F_SETPIPE_SZ: a small pipe keeps the microphone close behind its writer."""
AHEAD = 16
"""Blocks the card may be ahead of whoever listens to it: PortAudio's own buffers, and some."""

CONFIG = """
</usr/share/alsa/alsa.conf>
pcm.vspk {{ type file slave.pcm {{ type null }} file "{folder}/speaker" format "raw" }}
pcm.vmic {{ type file slave.pcm {{ type null }} file "/dev/null"
            infile "{folder}/microphone" format "raw" }}
pcm.vraw {{ type asym playback.pcm vspk capture.pcm vmic }}
pcm.vcard {{
    type plug
    slave {{ pcm vraw rate {rate} channels 1 format S16_LE }}
    hint {{ show on description "virtual" }}
}}
pcm.vears {{
    type plug
    slave {{ pcm vmic rate {rate} channels 1 format S16_LE }}
    hint {{ show on description "virtual microphone" }}
}}
pcm.vmouth {{
    type plug
    slave {{ pcm vspk rate {rate} channels 1 format S16_LE }}
    hint {{ show on description "virtual loudspeaker" }}
}}
"""


class VirtualCard:
    """The other end of the pipes: what reaches the microphone, and what the loudspeaker said."""

    def __init__(self, folder: Path, rate: int = 16_000) -> None:
        """Make the pipes and point ALSA at them; before PortAudio is first used."""
        self.block = rate // 50
        self._credit = threading.Semaphore(AHEAD)
        self._spoken = bytearray()
        self._pipes = {}
        for name in ("microphone", "speaker"):
            os.mkfifo(folder / name)
            self._pipes[name] = os.open(folder / name, os.O_RDWR)
        fcntl.fcntl(self._pipes["microphone"], SET_PIPE_SIZE, 4096)
        config = folder / "asound.conf"
        config.write_text(CONFIG.format(folder=folder, rate=rate))
        os.environ["ALSA_CONFIG_PATH"] = str(config)
        threading.Thread(target=self._drain, daemon=True).start()

    def hears(self, pcm: Pcm) -> None:
        """Speak ``pcm`` and then silence into the microphone, as fast as ``heard`` lets it."""
        threading.Thread(target=self._speak, args=(pcm,), daemon=True).start()

    def heard(self) -> None:
        """Tell that a block has come out, so that the next may go in."""
        self._credit.release()

    @property
    def spoken(self) -> Pcm:
        """All that came out of the loudspeaker so far."""
        said = bytes(self._spoken)
        return np.frombuffer(said[: len(said) // 2 * 2], np.int16)

    def _speak(self, pcm: Pcm) -> None:
        at = 0
        while True:
            block = np.zeros(self.block, np.int16)
            piece = pcm[at : at + self.block]
            block[: len(piece)] = piece
            at += self.block
            self._credit.acquire()
            os.write(self._pipes["microphone"], block.tobytes())

    def _drain(self) -> None:
        while True:
            self._spoken += os.read(self._pipes["speaker"], 65_536)
