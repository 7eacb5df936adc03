"""Sound in a container, decoded while it arrives: from the event loop to a thread and back.

Layer 2. Serves the chats of the API. Fed on the event loop, decoded by ``demux`` on a thread of its
own, since FFmpeg reads by waiting. Both ways are bounded.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator

from device.audio.demux import begins, decoded
from device.audio.pcm import PcmDecoder, UndecodableAudio
from device.types import HEARING_RATE, Pcm

__all__ = ["ContainerDecoder", "PcmDecoder", "UndecodableAudio"]

log = logging.getLogger(__name__)

MOST_WAITING = 4_000_000
"""Bytes that may wait undecoded before more of them are refused: minutes of compressed sound."""
MOST_AHEAD = 10 * HEARING_RATE
"""Samples decoded and not yet taken; then the thread waits: a small stream may decode to hours."""


class ContainerDecoder:
    """Turns container bytes, in pieces of any size, into int16 mono at 16 kHz.

    WebM, MP4 (fragmented, or with its index first), WAV, Ogg, MP3, AAC and FLAC. A header at the
    start of a later piece begins a new stream: the recorder was restarted. ``start`` it, take
    ``pieces``, and ``close`` it whatever happens; all on one event loop.
    """

    def __init__(self) -> None:
        self._pipe = _Pipe()
        self._outlet = _Outlet()
        self._thread = threading.Thread(target=self._work, name="decode", daemon=True)
        self._fed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to decode for tasks on ``loop``."""
        self._outlet.loop = loop
        self._thread.start()

    def feed(self, data: bytes) -> bool:
        """Take the next piece as it came; return False, and nothing is taken, if too much waits.

        Never waits itself: ``room`` does.
        """
        if self._pipe.waiting > MOST_WAITING:
            return False
        if data:
            self._pipe.write(data, anew=not self._fed or begins(data))
            self._fed = True
        return True

    @property
    def ahead(self) -> int:
        """How many samples were decoded and not yet taken."""
        return self._outlet.samples

    async def room(self) -> None:
        """Return when ``feed`` takes another piece, or all is over."""
        while self._pipe.waiting > MOST_WAITING and self._thread.is_alive():
            await asyncio.sleep(0.02)

    def finish(self) -> None:
        """Say that no more will come: ``pieces`` ends after the sound that is on its way."""
        self._pipe.finish()

    async def pieces(self) -> AsyncIterator[Pcm]:
        """Yield the sound as it is decoded (shape (n,), n > 0), until ``finish`` or ``close``.

        Raises UndecodableAudio when what came is no sound; nothing follows then.
        """
        while (pcm := await self._outlet.take()) is not None:
            yield pcm

    def close(self) -> None:
        """Let the thread end at once, wherever it is; ``pieces`` ends too."""
        self._outlet.close()
        self._pipe.close()

    def join(self, seconds: float) -> bool:
        """Return whether the thread has ended, waiting no longer than so many seconds."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        fault: UndecodableAudio | None = None
        try:
            while self._pipe.next_stream() and self._decode_stream():
                pass
        except UndecodableAudio as error:
            fault = error
        except Exception:  # whatever it is, whoever waits for the sound must hear that it is over
            log.exception("decoding failed")
            fault = UndecodableAudio("the decoder failed")
        finally:
            self._pipe.close()
            self._outlet.end(fault)

    def _decode_stream(self) -> bool:
        """Return whether anybody wants to hear more."""
        try:
            return all(self._outlet.put(pcm) for pcm in decoded(self._pipe))
        except UndecodableAudio as error:
            if not self._pipe.replaced:
                raise
            log.info("a stream is given up for the next one: %s", error.reason)
            return True


class _Pipe:
    """Bytes on their way to the thread, which waits for them; streams end where another begins."""

    def __init__(self) -> None:
        self.waiting = 0
        """Bytes that were written and not yet read."""
        self._parts: deque[bytes | None] = deque()
        self._changed = threading.Condition()
        self._finished = self._closed = False

    def write(self, data: bytes, anew: bool) -> None:
        """Add bytes; ``anew``: they begin another stream."""
        with self._changed:
            if self._closed or self._finished:
                return
            if anew:
                self._parts.append(None)
            self._parts.append(data)
            self.waiting += len(data)
            self._changed.notify_all()

    def finish(self) -> None:
        """Nothing more will be written."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let every read end at once."""
        with self._changed:
            self._closed = True
            self._parts.clear()
            self.waiting = 0
            self._changed.notify_all()

    def next_stream(self) -> bool:
        """Wait for a stream to begin, past what is left of the one before; False: none."""
        with self._changed:
            while True:
                self._await_part()
                if not self._parts:
                    return False
                part = self._parts.popleft()
                if part is None:
                    return True
                self.waiting -= len(part)

    def read(self, most: int) -> bytes:
        """Return at least one byte as soon as there is any, b"" at the end of the stream."""
        with self._changed:
            self._await_part()
            if not self._parts or self._parts[0] is None:
                return b""
            part = self._parts.popleft()
            assert part is not None
            if len(part) > most:
                self._parts.appendleft(part[most:])
                part = part[:most]
            self.waiting -= len(part)
            return part

    @property
    def replaced(self) -> bool:
        """Whether another stream is known to follow."""
        with self._changed:
            return None in self._parts

    def _await_part(self) -> None:
        while not (self._parts or self._finished or self._closed):
            self._changed.wait()


class _Outlet:
    """Sound on its way from the thread to the loop, bounded: the thread waits."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._pieces: deque[Pcm] = deque()
        self.samples = 0
        """So much was put and not yet taken."""
        self._taken = threading.Condition()
        self._ready = asyncio.Event()
        self._ended = False
        self._fault: UndecodableAudio | None = None

    def put(self, pcm: Pcm) -> bool:
        """Hand over sound; False: nobody wants it any more. The thread's."""
        if not len(pcm):
            return not self._ended
        with self._taken:
            while self.samples > MOST_AHEAD and not self._ended:
                self._taken.wait()
            if self._ended:
                return False
            self._pieces.append(pcm)
            self.samples += len(pcm)
        return self._wake()

    def end(self, fault: UndecodableAudio | None) -> None:
        """Say that there is no more. The thread's."""
        with self._taken:
            self._fault = None if self._ended else fault
            self._ended = True
        self._wake()

    def close(self) -> None:
        """Drop what there is; there is no more. The loop's."""
        with self._taken:
            self._ended = True
            self._pieces.clear()
            self.samples = 0
            self._taken.notify_all()
        self._ready.set()

    async def take(self) -> Pcm | None:
        """Return the next piece, None at the end; raises what ended it. The loop's."""
        while True:
            with self._taken:
                self._ready.clear()
                if self._pieces:
                    pcm = self._pieces.popleft()
                    self.samples -= len(pcm)
                    self._taken.notify_all()
                    return pcm
                if self._ended:
                    if self._fault is not None:
                        raise self._fault
                    return None
            await self._ready.wait()

    def _wake(self) -> bool:
        assert self.loop is not None
        try:
            self.loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the loop has ended, and with it whoever listened
            return False
        return True
