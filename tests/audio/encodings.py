"""Speech in the containers that clients send, made with PyAV as browsers and files have it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from device.audio.rates import read_speech, resample
from device.types import HEARING_RATE, Pcm

FORMATS: dict[str, tuple[str, str, int, dict[str, str], dict[str, str]]] = {
    # name: container, encoder, samples per second, options of the container and of the encoder
    "webm": ("webm", "libopus", 48_000, {"live": "1", "cluster_time_limit": "100"}, {}),
    "mp4": (
        "mp4",
        "aac",
        48_000,
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "100000"},
        {},
    ),
    "ogg": ("ogg", "libopus", 48_000, {"page_duration": "100000"}, {}),
    "mp3": ("mp3", "libmp3lame", 44_100, {}, {}),
    "aac": ("adts", "aac", 44_100, {}, {}),
    "flac": ("flac", "flac", 16_000, {}, {}),
}


def sentence(speech_data: Path, seconds: float = 2.0) -> Pcm:
    """The beginning of a real recording, 16 kHz."""
    pcm: Pcm = read_speech(speech_data / "speech" / "LJ001-0001.flac")
    return pcm[: int(seconds * HEARING_RATE)]


def encode(pcm: Pcm, name: str, layout: str = "mono") -> bytes:
    """``pcm`` (16 kHz mono) as a whole file."""
    container, encoder, rate, options, encoder_options = FORMATS[name]
    file = io.BytesIO()
    file.seekable = lambda: False  # type: ignore[method-assign]  # as a recorder writes
    with av.open(file, "w", format=container, options=options) as output:
        stream: Any = output.add_stream(encoder, rate=rate, options=encoder_options)
        stream.codec_context.layout = layout
        for frame in _frames(pcm, rate, stream.codec_context):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def recorder(pcm: Pcm, packet_ms: int = 20, timeslice_ms: int = 100) -> list[bytes]:
    """What Chromium's MediaRecorder hands out of ``pcm``, one blob for each timeslice.

    Segment and clusters do not tell their size, and blocks follow one another as they are encoded.
    """
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
    context.options = {"frame_duration": str(packet_ms)}
    packets: list[bytes] = []
    for frame in [*_frames(pcm, 48_000, context), None]:
        packets += [bytes(packet) for packet in context.encode(frame)]
    blobs, blob = [], _header(bytes(context.extradata))
    for number, packet in enumerate(packets):
        at = number * packet_ms
        if at % 1_000 == 0:
            blob += b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7 + _element(b"\xe7", _number(at))
        blob += _element(b"\xa3", b"\x81" + struct.pack(">hB", at % 1_000, 0x80) + packet)
        if (at + packet_ms) % timeslice_ms < packet_ms:
            blobs.append(blob)
            blob = b""
    return [*blobs, blob] if blob else blobs


def _header(private: bytes) -> bytes:
    audio = _element(b"\xb5", struct.pack(">d", 48_000.0)) + _element(b"\x9f", b"\x01")
    track = (
        _element(b"\xd7", b"\x01")
        + _element(b"\x73\xc5", b"\x2a")
        + _element(b"\x83", b"\x02")
        + _element(b"\x86", b"A_OPUS")
        + _element(b"\x63\xa2", private)
        + _element(b"\xe1", audio)
    )
    return (
        _element(b"\x1a\x45\xdf\xa3", _element(b"\x42\x82", b"webm"))
        + b"\x18\x53\x80\x67\x01"
        + b"\xff" * 7
        + _element(b"\x15\x49\xa9\x66", _element(b"\x2a\xd7\xb1", _number(1_000_000)))
        + _element(b"\x16\x54\xae\x6b", _element(b"\xae", track))
    )


def _element(name: bytes, content: bytes) -> bytes:
    return name + (0x10_00_00_00 | len(content)).to_bytes(4, "big") + content


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _frames(pcm: Pcm, rate: int, context: Any) -> Iterator[Any]:
    context.open()
    samples = resample(pcm, HEARING_RATE, rate)
    whole = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
    whole.sample_rate = rate
    fitted = av.AudioResampler(
        context.format, context.layout, rate, frame_size=context.frame_size or None
    )
    yield from fitted.resample(whole)
    yield from fitted.resample(None)


def wav(
    pcm: Pcm, rate: int, size: int | None = None, after: bytes = b"", channels: int = 1
) -> bytes:
    """A WAV whose header tells ``size`` bytes, with something behind the samples."""
    data = pcm.astype("<i2").tobytes()
    told = len(data) if size is None else size
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return (
        b"RIFF"
        + struct.pack("<I", min(36 + told, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", told)
        + data
        + after
    )
