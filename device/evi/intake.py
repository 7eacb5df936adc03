"""The microphone of a chat: from bytes in whatever encoding they come to the chat's line.

Layer 4, on the event loop. Serves the chat.
"""

from __future__ import annotations

import asyncio

from device.audio.container import ContainerDecoder
from device.audio.pcm import PcmDecoder, UndecodableAudio
from device.evi.faults import Fault, transcription_failure
from device.evi.line import ChatLine
from device.evi.messages import Audio


class Intake:
    """Decodes what a client sends; ``run`` it beside."""

    def __init__(self, line: ChatLine) -> None:
        self._line = line
        self._encoding: Audio | None = None
        self._pcm: PcmDecoder | None = None
        self._container: ContainerDecoder | None = None
        self._streaming = asyncio.Event()
        self._closed = False

    async def take(self, data: bytes, encoding: Audio | None) -> None:
        """Hear a piece of the stream; waits while too much of it waits already.

        ``encoding``: raw PCM of this kind; None: a container such as WebM, which tells by itself.
        """
        if encoding is not None:
            if self._pcm is None or encoding != self._encoding:
                self._pcm, self._encoding = _decoder(encoding), encoding
            await self._line.feed(self._pcm.feed(data))
            return
        if self._container is None:
            self._container = ContainerDecoder()
            self._container.start(asyncio.get_running_loop())
            self._streaming.set()
        while not self._container.feed(data):
            await self._container.room()
            if self._closed:
                return

    async def run(self) -> None:
        """Hear what comes out of the decoder; raises Fault I0116 if it is no sound."""
        await self._streaming.wait()
        assert self._container is not None
        try:
            async for pcm in self._container.pieces():
                await self._line.feed(pcm)
        except UndecodableAudio as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Let the decoder's thread go."""
        self._closed = True
        if self._container is not None:
            self._container.close()


def _decoder(encoding: Audio) -> PcmDecoder:
    return PcmDecoder(encoding.sample_rate, encoding.channels)


def _failure(error: UndecodableAudio) -> Fault:
    fault = transcription_failure()
    fault.add_note(str(error))
    return fault
