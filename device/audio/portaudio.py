"""Finding, opening and closing the sound card with PortAudio.

Layer 2. Serves ``soundcard`` and the doctor. Every call may block for as long as a driver likes,
so ``soundcard`` makes them on a thread of their own.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyaudio  # type: ignore[import-untyped]

from device.audio.exchange import Exchange, Format
from device.settings import LineSettings
from device.types import RapportError

log = logging.getLogger(__name__)

Direction = Literal["input", "output"]
NOUN = {"input": "microphone", "output": "loudspeaker"}
Wake = Callable[[], object]


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


@dataclass(frozen=True, slots=True)
class Card:
    """An open sound card and the exchange that its callbacks fill."""

    audio: Any
    streams: Sequence[Any]
    exchange: Exchange
    name: str

    def close(self) -> None:
        """Let go of the card; blocks for ever if its driver is stuck."""
        for stream in self.streams:
            stream.close()
        self.audio.terminate()


def devices() -> list[Device]:
    """Return the sound devices present now. Blocks, up to a second or so."""
    audio = _portaudio()
    try:
        return _devices(audio)
    finally:
        audio.terminate()


def open_card(settings: LineSettings, wake: Wake) -> Card:
    """Open microphone and loudspeaker and start them; ``wake`` is called on PortAudio's thread.

    One duplex stream if both are the same device, so that near and far end share a clock; else one
    stream each. Raises RapportError if there is none, or none of that name, or it cannot be opened.
    """
    audio = _portaudio()
    opened: list[Any] = []
    try:
        found = _devices(audio)
        microphone = _choose(audio, found, "input", settings.input)
        speaker = _choose(audio, found, "output", settings.output)
        exchange = None
        if microphone.index == speaker.index:
            exchange = _open_duplex(audio, microphone, settings, wake, opened)
        if exchange is None:
            log.info("%s and %s have no common clock", microphone.name, speaker.name)
            exchange = _open_two(audio, microphone, speaker, settings, wake, opened)
        for stream in opened:
            stream.start_stream()
    except OSError as error:
        audio.terminate()
        raise RapportError(
            f"the sound card could not be started ({_reason(error)}); see whether another program "
            "holds it, or choose another by line.input and line.output"
        ) from None
    except BaseException:
        audio.terminate()
        raise
    return Card(audio, opened, exchange, _names(microphone, speaker))


def _portaudio() -> Any:
    _silence_drivers()
    return pyaudio.PyAudio()


def _devices(audio: Any) -> list[Device]:
    return [_device(audio.get_device_info_by_index(i)) for i in range(audio.get_device_count())]


def _device(info: dict[str, Any]) -> Device:
    return Device(
        name=str(info["name"]),
        inputs=int(info["maxInputChannels"]),
        outputs=int(info["maxOutputChannels"]),
        rate=round(info["defaultSampleRate"]),
        index=int(info["index"]),
    )


def _choose(audio: Any, found: Sequence[Device], direction: Direction, wanted: str) -> Device:
    """Return the device of this direction whose name contains ``wanted``, or the default one."""
    able = [it for it in found if (it.inputs if direction == "input" else it.outputs)]
    noun, key = NOUN[direction], f"line.{direction}"
    names = ", ".join(f'"{device.name}"' for device in able) or "none"
    if not able:
        others = ", ".join(f'"{device.name}"' for device in found) or "none"
        raise RapportError(
            f"no {noun} was found (sound devices here: {others}); plug one in and, if it is not "
            f"the system's default, set {key} to a part of its name"
        )
    if wanted:
        for device in able:
            if wanted.casefold() in device.name.casefold():
                return device
        raise RapportError(
            f"{key} = {wanted!r}: no {noun} has this in its name; those here are: {names}"
        )
    try:
        info = getattr(audio, f"get_default_{direction}_device_info")()
    except OSError:
        raise RapportError(
            f"the system names no default {noun}; set {key} to a part of one of these: {names}"
        ) from None
    return _device(info)


def _open_duplex(
    audio: Any, device: Device, settings: LineSettings, wake: Wake, opened: list[Any]
) -> Exchange | None:
    """Open both directions as one stream; None if the device does only one at a time."""
    for channels in (1, 2):
        form = _format(device, settings, channels)
        exchange = Exchange(form, form, True, wake)
        try:
            opened.append(_stream(audio, form, exchange.duplex, device, device))
        except OSError as error:
            log.info("%s: no duplex, %d channels (%s)", device.name, channels, _reason(error))
        else:
            return exchange
    return None


def _open_two(
    audio: Any,
    microphone: Device,
    speaker: Device,
    settings: LineSettings,
    wake: Wake,
    opened: list[Any],
) -> Exchange:
    """Open a stream for each direction, with one channel or, where that is refused, two."""
    refused: OSError | None = None
    for heard, played in ((1, 1), (1, 2), (2, 1), (2, 2)):
        ear, mouth = _format(microphone, settings, heard), _format(speaker, settings, played)
        exchange = Exchange(ear, mouth, False, wake)
        try:
            listening = _stream(audio, ear, exchange.capture, microphone, None)
            try:
                speaking = _stream(audio, mouth, exchange.render, None, speaker)
            except OSError:
                listening.close()
                raise
        except OSError as error:
            refused = refused or error
        else:
            opened += [listening, speaking]
            return exchange
    raise RapportError(
        f"the sound card ({_names(microphone, speaker)}) cannot be opened at "
        f"{settings.rate or 'its own'} samples/s ({_reason(refused)}); set line.rate to 0 or "
        f"{microphone.rate}, see whether another program holds it, or choose another by "
        "line.input and line.output"
    )


def _names(microphone: Device, speaker: Device) -> str:
    return " + ".join(dict.fromkeys((microphone.name, speaker.name)))


def _format(device: Device, settings: LineSettings, channels: int) -> Format:
    rate = settings.rate or device.rate
    return Format(rate, max(1, round(rate * settings.block_ms / 1000)), channels)


def _stream(
    audio: Any,
    form: Format,
    callback: Callable[..., object],
    source: Device | None,
    sink: Device | None,
) -> Any:
    return audio.open(
        rate=form.rate,
        channels=form.channels,
        format=pyaudio.paInt16,
        input=source is not None,
        output=sink is not None,
        input_device_index=source.index if source else None,
        output_device_index=sink.index if sink else None,
        frames_per_buffer=form.block,
        start=False,
        stream_callback=callback,
    )


def _reason(error: OSError | None) -> str:
    """PortAudio's words, which PyAudio puts last among the arguments of its OSError."""
    return str(error.args[-1]) if error and error.args else "no reason given"


def _silence_drivers() -> None:
    """Keep ALSA and JACK from writing a hundred lines to stderr while they look for devices.

    Both take a C function to report errors to, and get one that ignores its arguments: a Python
    function would want the interpreter from the audio thread, even after its end.
    """
    ignore = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    for library, setters in {
        "asound": ["snd_lib_error_set_handler"],
        "jack": ["jack_set_error_function", "jack_set_info_function"],
    }.items():
        name = ctypes.util.find_library(library)
        for setter in setters if name else []:
            getattr(ctypes.CDLL(name), setter)(ignore)
