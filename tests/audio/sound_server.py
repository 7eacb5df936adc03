"""PulseAudio without hardware: a loudspeaker and a microphone that exist in its memory only.

What is played into the sink ``room`` is what the microphone hears. Without ``norewinds`` such a
sink takes two seconds of sound at a time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from device.audio.rates import write_wav
from device.types import Pcm

SCRIPT = """
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=speaker rate=48000 channels=2 norewinds=1
load-module module-null-sink sink_name=room rate=16000 channels=1 norewinds=1
load-module module-remap-source source_name=mic master=room.monitor
set-default-sink speaker
set-default-source mic
"""
ALSA = """
</usr/share/alsa/alsa.conf>
pcm.!default {{ type pulse server "unix:{folder}/native" }}
ctl.!default {{ type pulse server "unix:{folder}/native" }}
"""


class SoundServer:
    """A PulseAudio that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        """Start it, and make it ALSA's default device; before PortAudio is first used."""
        self._folder = folder
        (folder / "default.pa").write_text(SCRIPT.format(folder=folder))
        (folder / "asound.conf").write_text(ALSA.format(folder=folder))
        os.environ["ALSA_CONFIG_PATH"] = str(folder / "asound.conf")
        for name in ("xdg", "home"):
            (folder / name).mkdir(mode=0o700)
        self._own = dict(os.environ, XDG_RUNTIME_DIR=f"{folder}/xdg", HOME=f"{folder}/home")
        self.start()

    def start(self) -> None:
        """Start it and wait until programs can reach it."""
        socket = self._folder / "native"
        socket.unlink(missing_ok=True)
        script = str(self._folder / "default.pa")
        command = ["pulseaudio", "-n", "-F", script, "--exit-idle-time=-1", "--daemonize=no"]
        self._process = subprocess.Popen(command, env=self._own, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if socket.exists():
                return
            time.sleep(0.1)
        raise AssertionError("PulseAudio did not start")

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def say(self, pcm: Pcm, rate: int) -> subprocess.Popen[bytes]:
        """Let the microphone hear ``pcm``; the process ends when it was played."""
        path = self._folder / "said.wav"
        write_wav(path, pcm, rate)
        command = ["paplay", f"--server=unix:{self._folder}/native", "-d", "room", str(path)]
        return subprocess.Popen(command, env=self._own, stderr=subprocess.DEVNULL)
