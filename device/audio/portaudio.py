"""Opening and closing the sound card with PortAudio.

Layer 2. Serves ``keeper``. Every call may block for as long as a driver likes, so ``keeper`` makes
them on a thread of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyaudio  # type: ignore[import-untyped]

from device.audio.choosing import NOUN, Direction, Wish, none_found, ranked
from device.audio.exchange import Exchange, Format
from device.audio.listing import Device, list_devices, start_portaudio
from device.settings import LineSettings
from device.types import RapportError

log = logging.getLogger(__name__)

Wake = Callable[[], object]
Wishes = Mapping[Direction, Wish]

RATES = (48_000, 44_100, 32_000, 16_000, 8_000)
"""Tried in this order where a device takes neither the wanted rate nor what it calls its own."""
MOST_CHANNELS = 16
"""ALSA's plugins claim 128; such a device takes one or two."""


@dataclass(frozen=True, slots=True)
class Card:
    """An open sound card and the exchange that its callbacks fill."""

    audio: Any
    streams: Sequence[Any]
    exchange: Exchange
    used: Mapping[Direction, str]
    """The device of each direction that is open; of the other, the exchange stands still."""
    wanted: frozenset[Direction]
    """The directions in which it is the device that is wanted, not a makeshift."""
    missing: Mapping[Direction, RapportError]
    """Why a direction is not open."""

    @property
    def name(self) -> str:
        """The devices' names."""
        return " + ".join(dict.fromkeys(self.used.values()))

    def close(self) -> None:
        """Let go of the card; blocks for ever if its driver is stuck."""
        for stream in self.streams:
            stream.close()
        self.audio.terminate()


@dataclass(frozen=True, slots=True)
class _End:
    """A device and how it can be opened."""

    device: Device
    form: Format


def open_card(settings: LineSettings, wishes: Wishes, wake: Wake) -> Card:
    """Open the best microphone and loudspeaker that there are, and start them.

    ``wake`` is called on PortAudio's thread. One duplex stream if both are the same device, so that
    near and far end share a clock; else one stream each; only one of them if the other cannot be
    had. Raises RapportError if neither can.
    """
    audio = start_portaudio()
    try:
        found = list_devices(audio)
        card = _open_best(audio, found, wishes, settings, wake)
        if not card.used:
            raise card.missing["input"]
        return card
    except BaseException:
        audio.terminate()
        raise


def _open_best(
    audio: Any, found: Sequence[Device], wishes: Wishes, settings: LineSettings, wake: Wake
) -> Card:
    left = {way: ranked(found, wanted) for way, wanted in wishes.items()}
    missing = {way: none_found(found, wishes[way]) for way, devices in left.items() if not devices}
    while any(left.values()):
        best = {way: devices[0] for way, devices in left.items() if devices}
        ends = {way: _end(audio, device, way, settings) for way, device in best.items()}
        refused = [way for way, end in ends.items() if end is None]
        opened = None
        if not refused:
            fitting = {way: end for way, end in ends.items() if end is not None}
            opened, refused = _open(audio, fitting, wake)
        if opened is not None:
            used = {way: device.name for way, device in best.items()}
            met = frozenset(way for way, name in used.items() if wishes[way].met_by(name))
            away = {way: reason for way, reason in missing.items() if way not in used}
            return Card(audio, *opened, used, met, away)
        for way in refused:
            missing[way] = _unusable(left[way].pop(0), way)
    nothing = Exchange(Format(8_000, 160, 1), Format(8_000, 160, 1), False, wake)
    return Card(audio, [], nothing, {}, frozenset(), missing)


def _unusable(device: Device, way: Direction) -> RapportError:
    return RapportError(
        f"the {NOUN[way]} ({device.name}) cannot be opened; see whether another program holds it, "
        f"or choose another by line.{way}"
    )


def _end(audio: Any, device: Device, way: Direction, settings: LineSettings) -> _End | None:
    """Return how a device can be opened, as near to the settings as it goes; None: not at all."""
    most = device.inputs if way == "input" else device.outputs
    channels = [1, 2, *([most] if 2 < most <= MOST_CHANNELS else [])]
    rates = dict.fromkeys(rate for rate in (settings.rate, device.rate, *RATES) if rate)
    reason: OSError | ValueError | None = None
    for rate in rates:
        for count in channels:
            try:
                audio.is_format_supported(
                    rate,
                    **{
                        f"{way}_device": device.index,
                        f"{way}_channels": count,
                        f"{way}_format": pyaudio.paInt16,
                    },
                )
            except (OSError, ValueError) as error:
                reason = reason or error
                continue
            if reason is not None:
                log.info("%s: %d samples/s, %d channels instead", device.name, rate, count)
            block = max(1, round(rate * settings.block_ms / 1000))
            return _End(device, Format(rate, block, count))
    log.info("%s cannot be opened as %s: %s", device.name, NOUN[way], _reason(reason))
    return None


def _open(
    audio: Any, ends: Mapping[Direction, _End], wake: Wake
) -> tuple[tuple[list[Any], Exchange] | None, list[Direction]]:
    """Open and start the streams; return them, or which direction was refused."""
    ear, mouth = ends.get("input"), ends.get("output")
    if ear and mouth and ear.device.index == mouth.device.index:
        duplex = _open_duplex(audio, ear, mouth, wake)
        if duplex is not None:
            return duplex, []
        log.info("%s does only one direction at a time in one stream", ear.device.name)
    # A direction that is missing has a form all the same, and nobody who calls its callback.
    some = ear or mouth
    assert some is not None
    exchange = Exchange((ear or some).form, (mouth or some).form, False, wake)
    opened: list[Any] = []
    calls: dict[Direction, Callable[..., object]] = {
        "input": exchange.capture,
        "output": exchange.render,
    }
    for way, end in ends.items():
        source, sink = (end, None) if way == "input" else (None, end)
        try:
            opened.append(_stream(audio, calls[way], source, sink))
            opened[-1].start_stream()
        except OSError as error:
            log.info("%s was not opened: %s", end.device.name, _reason(error))
            for stream in opened:
                stream.close()
            return None, [way]
    return (opened, exchange), []


def _open_duplex(
    audio: Any, ear: _End, mouth: _End, wake: Wake
) -> tuple[list[Any], Exchange] | None:
    """Open both directions as one stream; None if the device does only one at a time."""
    for channels in (1, 2):  # PyAudio takes one number for both directions of a stream
        form = Format(mouth.form.rate, mouth.form.block, channels)
        exchange = Exchange(form, form, True, wake)
        try:
            ends = _End(ear.device, form), _End(mouth.device, form)
            stream = _stream(audio, exchange.duplex, *ends)
        except OSError as error:
            log.info("%s: no duplex, %d channels (%s)", ear.device.name, channels, _reason(error))
            continue
        try:
            stream.start_stream()
        except OSError as error:
            log.info("%s: duplex did not start (%s)", ear.device.name, _reason(error))
            stream.close()
        else:
            return [stream], exchange
    return None


def _stream(
    audio: Any, callback: Callable[..., object], source: _End | None, sink: _End | None
) -> Any:
    end = source or sink
    assert end is not None
    return audio.open(
        rate=end.form.rate,
        channels=end.form.channels,
        format=pyaudio.paInt16,
        input=source is not None,
        output=sink is not None,
        input_device_index=source.device.index if source else None,
        output_device_index=sink.device.index if sink else None,
        frames_per_buffer=end.form.block,
        start=False,
        stream_callback=callback,
    )


def _reason(error: Exception | None) -> str:
    """Return PortAudio's words, which PyAudio puts beside its number in either order."""
    words = [str(one) for one in error.args if isinstance(one, str)] if error else []
    return words[0] if words else "no reason given"
