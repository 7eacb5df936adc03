"""What is in a container: WebM, MP4, WAV, Ogg, MP3, AAC and FLAC to int16 mono at 16 kHz.

Layer 2, on PyAV (FFmpeg). Serves ``container``, on its thread. Which demuxer and which
decoders may be used is settled here by the first bytes, never by FFmpeg's guess: some of its
formats open other files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from device.audio.conversion import Converter
from device.audio.pcm import UndecodableAudio, WavDecoder
from device.audio.rates import FASTEST_FILE, SLOWEST_FILE
from device.types import HEARING_RATE, Pcm

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

BLOCK = 32_768
"""Bytes of WAV decoded at once: a second of it, or two."""
BUFFER = 65_536
"""Bytes that FFmpeg takes at once, if so many are there; it does not wait for them."""
LONGEST_BOX = 4_000_000
"""Bytes of a box of an MP4 that are awaited together: the index of some hours."""
AT_FIRST = {"mp3": 4_096, "aac": 4_096}
"""Bytes awaited before FFmpeg looks: with fewer it may miss the first frame of these."""
HEAD = 12
"""Bytes that tell one container from another."""
MOST_FAULTS = 50
"""So many undecodable packets one after another mean that the stream is none of ours."""
DECODERS = "opus,vorbis,aac,mp3float,mp3,flac,pcm_s16le,pcm_s16be,pcm_s24le,pcm_f32le"
OPTIONS = {
    # The least look-ahead: one packet, not five seconds. And packets come out as they are, not when
    # the next one has told their time (PyAV asks for genpts). Measured 2026-11-24 with chunks of
    # 100 ms: 8 ms of WebM/Opus are held back, of which 6.5 are the encoder's own lead.
    "analyzeduration": "1",
    "probesize": "32",
    "fflags": "-genpts",
    "max_streams": "8",
    "codec_whitelist": DECODERS,
    "protocol_whitelist": "none",
}


class Source(Protocol):
    """Where the bytes of one stream come from."""

    def read(self, most: int) -> bytes:
        """Return at most so many bytes, waiting for the first of them only; b"" at the end."""
        ...


def decoded(source: Source) -> Iterator[Pcm]:
    """Yield the sound of one stream as soon as it can be heard.

    Raises UndecodableAudio when it is no sound, or ends before any.
    """
    stream = _Stream(source)
    name = _container(stream.head)
    if name is None:
        raise UndecodableAudio("it does not begin like any sound known here")
    heard = 0
    for pcm in _wav(stream) if name == "wav" else _Demuxed(stream, name).sound():
        heard += len(pcm)
        yield pcm
    if not heard:
        raise UndecodableAudio("it ends before any sound")


def begins(data: bytes) -> bool:
    """Return whether a piece starts with the header of a container."""
    return _container(data[:HEAD]) in ("matroska", "wav", "mp4", "flac") or (
        data[:4] == b"OggS" and data[5:6] != b"" and bool(data[5] & 2)  # its first page
    )


def _container(head: bytes) -> str | None:
    """Return FFmpeg's name of the container that begins like this, None if it is none of ours."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    for magic, name in (
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"OggS", "ogg"),
        (b"fLaC", "flac"),
        (b"ID3", "mp3"),
    ):
        if head.startswith(magic):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return None


class _Stream:
    """A source as a file that can only be read, with the bytes already looked at."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.head = b""
        self._unread = b""
        self.gather(HEAD)
        self.head = self._unread[:HEAD]

    def gather(self, least: int) -> None:
        """Wait until so many bytes can be read at once, or the source ends."""
        while len(self._unread) < least and (more := self._source.read(BUFFER)):
            self._unread += more

    def read(self, most: int) -> bytes:
        """Return at most so many bytes, b"" at the end; waits for the first of them only."""
        if self._unread:
            part, self._unread = self._unread[:most], self._unread[most:]
            return part
        return self._source.read(most)


class _Boxes:
    """An MP4 as FFmpeg can read it from a pipe: only the box of the sound comes in parts.

    FFmpeg goes back a few bytes inside some boxes, which it can do only in what it took at once.
    """

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._box = b""
        self._passing = 0
        """Bytes until the next box that are handed on as they come."""

    def read(self, most: int) -> bytes:
        """Return at most so many bytes, b"" at the end."""
        if not (self._box or self._passing):
            self._begin_box()
        if self._box:
            part, self._box = self._box[:most], self._box[most:]
            return part
        part = self._stream.read(min(most, self._passing))
        self._passing -= len(part)
        return part

    def _begin_box(self) -> None:
        head = self._exactly(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:  # the size follows
            head += self._exactly(8)
            size = int.from_bytes(head[8:16], "big")
        rest = max(0, size - len(head)) if size else sys.maxsize  # 0: up to the end
        if kind == b"mdat" or rest > LONGEST_BOX or not head:
            self._box, self._passing = head, rest
        else:
            self._box = head + self._exactly(rest)

    def _exactly(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end."""
        self._stream.gather(size)
        return self._stream.read(size) if size else b""


def _wav(stream: _Stream) -> Iterator[Pcm]:
    decoder = WavDecoder()
    while block := stream.read(BLOCK):
        yield decoder.feed(block)
    yield decoder.finish()


class _Demuxed:
    """A stream read by FFmpeg."""

    def __init__(self, stream: _Stream, container: str) -> None:
        import av  # noqa: PLC0415  17 MB of memory that only such streams need

        self._av: Any = av
        stream.gather(AT_FIRST.get(container, HEAD))
        self._file = _Boxes(stream) if container == "mp4" else stream
        self._container = container
        self._converter = Converter(HEARING_RATE)
        self._shape: tuple[object, ...] = ()

    def sound(self) -> Iterator[Pcm]:
        """Yield what is heard in it."""
        try:
            with self._opened() as container:
                yield from self._frames(container)
        except (self._av.FFmpegError, ValueError, OSError) as error:
            raise UndecodableAudio(_reason(error)) from None

    def _opened(self) -> InputContainer:
        def refuse(url: str, *_: object) -> None:
            raise PermissionError(f"a stream of sound asked for {url!r}")

        opened: InputContainer = self._av.open(
            self._file,
            "r",
            format=self._container,
            options=OPTIONS,
            buffer_size=BUFFER,
            metadata_errors="replace",
            io_open=refuse,
        )
        return opened

    def _frames(self, container: InputContainer) -> Iterator[Pcm]:
        if not container.streams.audio:
            raise UndecodableAudio("there is no sound in it")
        audio, faults = container.streams.audio[0], 0
        if audio.codec_context is None or audio.codec_context.name not in DECODERS.split(","):
            raise UndecodableAudio("its sound is encoded in an unknown way")
        for packet in container.demux(audio):
            try:
                frames = packet.decode()
            except self._av.FFmpegError as error:
                faults += 1
                if faults > MOST_FAULTS:
                    raise UndecodableAudio(_reason(error)) from None
                continue
            faults = 0
            for frame in frames:
                yield from self._converted(frame)
        yield self._converter.flush()

    def _converted(self, frame: AudioFrame) -> Iterator[Pcm]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            if not SLOWEST_FILE <= frame.sample_rate <= FASTEST_FILE:
                raise UndecodableAudio(f"its rate is {frame.sample_rate} samples per second")
            yield self._converter.flush()
            self._shape = shape
        yield self._converter.process_frame(frame)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0][:80].rstrip(".").lower() if text else "it is damaged"
