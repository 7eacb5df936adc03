"""Which sound devices there are: PortAudio's list, here or seen from a process of its own.

Layer 2. Serves ``portaudio``, ``keeper`` and the doctor. Run as a program, it prints the list as
JSON: PortAudio looks for devices only when it starts, and to start it anew would end every stream
of this process. So it imports nothing that takes time.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import pyaudio  # type: ignore[import-untyped]

LISTING_S = 10.0
"""A driver that hangs while it is looked for keeps a listing, and nothing else, from ending."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as the system offers it."""

    name: str
    inputs: int
    """Channels it can record."""
    outputs: int
    """Channels it can play."""
    rate: int
    """Its own samples per second."""
    index: int = field(default=-1, compare=False)
    """PortAudio's number for it, good until PortAudio ends."""
    default: str = field(default="", compare=False)
    """The directions in which it is the system's choice: input, output, both with a space."""


def list_devices(audio: Any) -> list[Device]:
    """Return the devices that a ``pyaudio.PyAudio`` has found."""
    chosen = {way: _default(audio, way) for way in ("input", "output")}
    found = (audio.get_device_info_by_index(i) for i in range(audio.get_device_count()))
    return [
        Device(
            name=str(info["name"]),
            inputs=int(info["maxInputChannels"]),
            outputs=int(info["maxOutputChannels"]),
            rate=round(info["defaultSampleRate"]),
            index=int(info["index"]),
            default=" ".join(way for way, index in chosen.items() if index == info["index"]),
        )
        for info in found
    ]


def _default(audio: Any, way: str) -> int:
    try:
        return int(getattr(audio, f"get_default_{way}_device_info")()["index"])
    except OSError:  # the system names none
        return -1


def start_portaudio() -> Any:
    """Return a new ``pyaudio.PyAudio``. Blocks, up to a second or so.

    Unless another one of this process lives, it sees the devices present now.
    """
    silence_drivers()
    return pyaudio.PyAudio()


def devices() -> list[Device]:
    """Return the sound devices present now. Blocks, up to a second or so."""
    audio = start_portaudio()
    try:
        return list_devices(audio)
    finally:
        audio.terminate()


def devices_seen_afresh() -> list[Device]:
    """Return the sound devices present now, found by another process. Blocks, up to 10 s.

    Of those that are in use here, some may be missing. Raises OSError if it comes to nothing.
    """
    command = [sys.executable, "-P", __file__]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LISTING_S, check=True
        )
        return [Device(**one) for one in json.loads(done.stdout)]
    except (subprocess.SubprocessError, ValueError) as error:
        raise OSError(f"the sound devices could not be listed: {error}") from error


def silence_drivers() -> None:
    """Keep ALSA and JACK from writing a hundred lines to stderr while they look for devices.

    Both take a C function to report errors to, and get one that ignores its arguments: a Python
    function would want the interpreter from the audio thread, even after its end.
    """
    ignore = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    for library, setters in {
        "libasound.so.2": ["snd_lib_error_set_handler"],
        "libjack.so.0": ["jack_set_error_function", "jack_set_info_function"],
    }.items():
        with suppress(OSError):  # not on this system
            for setter in setters:
                getattr(ctypes.CDLL(library), setter)(ignore)


if __name__ == "__main__":
    print(json.dumps([asdict(device) for device in devices()]))
