"""Whole devices behind their API, with real models that are loaded once, and chats by Hume's SDK.

The devices listen on a thread of the test's own process, in real time.
"""

from __future__ import annotations

import asyncio
import base64
import io
import ssl
import threading
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from hume import AsyncHumeClient
from hume.empathic_voice.chat.socket_client import AsyncChatSocketClient
from hume.empathic_voice.chat.types import PublishEvent
from hume.empathic_voice.types import (
    AssistantInput,
    AudioConfiguration,
    AudioInput,
    SessionSettings,
    UserInput,
)
from websockets.exceptions import ConnectionClosedError

from device.app import App, open_app
from device.audio.rates import resample
from device.config import Config, parse
from device.evi.keys import Keys, NewKey
from device.evi.server import listen, serve
from device.hub import Hub
from device.store import Store
from device.types import Pcm

PATIENCE = 120
"""Seconds for whatever has to come at last, on the slowest machine."""
NAMES = 48
"""Expressions of EVI."""

Message = Any
"""One of the SDK's types for what the server sends."""
Wanted = str | Callable[[Message], bool]


@dataclass(frozen=True)
class Device:
    """A device that listens."""

    url: str
    app: App
    folder: Path
    loop: asyncio.AbstractEventLoop

    def client(self, api_key: str = "") -> AsyncHumeClient:
        """The SDK's client, as whoever follows its manual makes it."""
        return AsyncHumeClient(base_url=self.url, api_key=api_key)

    def understands(self, pcm: Pcm) -> str:
        """What its own recognizer makes of speech at 16 kHz."""
        call = self.app.faculties.recognizer.call(lambda r: r.transcribe(pcm))
        return asyncio.run_coroutine_threadsafe(call, self.loop).result(PATIENCE)

    def key(self) -> NewKey:
        """A key made on the device by its owner."""
        store = Store(self.folder)
        try:
            return Keys(store).add("python")
        finally:
            store.close()

    @property
    def certificate(self) -> str | None:
        """The file of its certificate, if it has one."""
        return str(self.folder / "tls-certificate.pem") if self.app.config.api.tls else None

    def wait_until_deserted(self) -> None:
        """Return once no chat is left, neither in the engine nor in the archive."""
        trusted = ssl.create_default_context(cafile=self.certificate)
        deadline = time.monotonic() + PATIENCE
        with httpx.Client(base_url=self.url, verify=trusted) as client:
            while self.app.hub.observers or _talking(client):
                assert time.monotonic() < deadline, "a chat was left open"
                time.sleep(0.05)


def _talking(client: httpx.Client) -> bool:
    found = client.get("/v0/evi/chats", params={"status": "ACTIVE"})
    # A device that takes few requests may refuse this one, and then tells nothing of its chats.
    return found.status_code == 429 or bool(found.raise_for_status().json()["chats_page"])


class DeviceApi:
    """Makes devices that share one set of models, on an event loop that is running elsewhere."""

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self.app, self.loop = app, loop

    @contextmanager
    def device(self, folder: Path, **api: Any) -> Iterator[Device]:
        """Serve a device with these limits in ``[api]``; no chat may be left at its end."""
        settings = {"line": {"enabled": False}, "storage": {"folder": str(folder)}, "api": api}
        host = App(parse(settings, "the test"), Hub(), self.app.faculties, self.app.extra_models)
        listening, up = listen("127.0.0.1:0"), threading.Event()
        scheme = "https" if host.config.api.tls else "http"
        url = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
        over = asyncio.Event()

        async def run() -> None:
            serving = asyncio.create_task(serve(host, up.set, listening))
            ending = asyncio.create_task(over.wait())
            await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
            assert not serving.done(), f"the API ended by itself: {serving}"
            serving.cancel()
            await asyncio.wait([serving])

        running = asyncio.run_coroutine_threadsafe(run(), self.loop)
        assert up.wait(PATIENCE), "the device does not come up"
        device = Device(url, host, folder, self.loop)
        try:
            yield device
            device.wait_until_deserted()
        finally:
            self.loop.call_soon_threadsafe(over.set)
            running.result(PATIENCE)


@contextmanager
def opened_models() -> Iterator[DeviceApi]:
    """Load the models of the default preset, on a loop in a thread of its own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[DeviceApi] = []
    failures: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, failure: failures.append(failure))

    async def run() -> None:
        async with open_app(Config()) as app:
            found.append(DeviceApi(app, loop))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE), "the models are not loaded"
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the device does not end"
    loop.close()
    assert failures == [], "something failed where nobody was looking"


class Talk:
    """A chat by the SDK, whose messages are read as they come and kept."""

    def __init__(self, socket: AsyncChatSocketClient) -> None:
        self.socket = socket
        self.told: list[Message] = []
        """Everything that the server sent."""
        self._seen = 0
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def until(self, wanted: Wanted) -> Message:
        """Return the next message of a type, or that a function is true of."""

        def fits(message: Message) -> bool:
            return bool(message.type == wanted if isinstance(wanted, str) else wanted(message))

        async with asyncio.timeout(PATIENCE):
            while True:
                while self._seen < len(self.told):
                    self._seen += 1
                    if fits(self.told[self._seen - 1]):
                        return self.told[self._seen - 1]
                if self._reading.done():
                    self._reading.result()
                    kinds = [message.type for message in self.told]
                    raise AssertionError(f"closed with {self.close_code} before {wanted}: {kinds}")
                self._news.clear()
                await self._news.wait()

    async def end(self) -> list[Message]:
        """Return all messages once the server has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            await self._reading
        return self.told

    @property
    def close_code(self) -> int | None:
        """The code of the close; the SDK keeps it to itself."""
        code: int | None = self.socket._websocket.close_code
        return code

    async def leave(self) -> None:
        """Close the connection."""
        await self.socket._websocket.close()
        await self.end()

    def vanish(self) -> None:
        """End the connection without a word, as if the plug were pulled."""
        self.socket._websocket.transport.abort()

    async def send(self, message: PublishEvent) -> None:
        """Send a message."""
        await self.socket.send_publish(message)

    async def ask(self, text: str) -> list[Message]:
        """Type words, and return what comes until they are answered."""
        begun = len(self.told)
        await self.send(UserInput(text=text))
        await self.until(final_words)
        await self.until("assistant_message")
        await self.until("assistant_end")
        return self.told[begun : self._seen]

    async def read_out(self, text: str) -> list[Message]:
        """Have words read out, and return what comes until they are."""
        begun = len(self.told)
        await self.send(AssistantInput(text=text))
        await self.until("assistant_end")
        return self.told[begun : self._seen]

    async def speak(self, pieces: list[bytes]) -> None:
        """Speak as a microphone does: a piece every 100 ms, whatever is heard meanwhile."""
        for piece in pieces:
            await self.send(AudioInput(data=base64.b64encode(piece).decode()))
            await asyncio.sleep(0.1)

    async def say(self, pieces: list[bytes]) -> list[Message]:
        """Speak, and return what comes until that is answered."""
        begun, speaking = len(self.told), asyncio.create_task(self.speak(pieces))
        await self.until(final_words)
        await self.until("assistant_message")
        await self.until("assistant_end")
        found = self.told[begun : self._seen]
        await speaking
        return found

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                self.told.append(message)
                self._news.set()
        except ConnectionClosedError:
            pass  # whoever wants to know asks for the code
        finally:
            self._news.set()


@asynccontextmanager
async def talk(device: Device, api_key: str = "", **asked: Any) -> AsyncIterator[Talk]:
    """Hold a chat with a device, begun when its first message has come."""
    async with device.client(api_key).empathic_voice.chat.connect(**asked) as socket:
        chat = Talk(socket)
        await chat.until("chat_metadata")
        yield chat
        await chat.leave()


def pcm_settings(rate: int = 16_000, channels: int = 1) -> SessionSettings:
    """Tell the device that raw sound will come."""
    return SessionSettings(
        audio=AudioConfiguration(encoding="linear16", sample_rate=rate, channels=channels)
    )


def pieces(pcm: Any, rate: int = 16_000) -> list[bytes]:
    """Sound in 100 ms."""
    step = rate // 10
    return [pcm[at : at + step].astype("<i2").tobytes() for at in range(0, len(pcm), step)]


def final_words(message: Message) -> bool:
    """Whether these are the words of the user when the turn was over."""
    return message.type == "user_message" and not message.interim


def kinds(found: list[Message]) -> list[str]:
    """The types of messages."""
    return [message.type for message in found]


def words_of(found: list[Message]) -> str:
    """What the assistant says, in one text."""
    return " ".join(m.message.content for m in found if m.type == "assistant_message")


def words_heard(found: list[Message]) -> list[str]:
    """What the user said, turn by turn."""
    return [message.message.content for message in found if final_words(message)]


def segments(found: list[Message]) -> dict[str, bytes]:
    """The samples of each spoken segment; its chunks must be whole files, counted from 0."""
    samples = dict[str, bytes]()
    counted = dict[str, int]()
    for message in found:
        if message.type == "assistant_message":
            assert message.id not in samples
            samples[message.id], counted[message.id] = b"", 0
        elif message.type == "audio_output":
            assert message.id == list(samples)[-1], "sound before its words, or of two at once"
            assert message.index == counted[message.id]
            counted[message.id] += 1
            with wave.open(io.BytesIO(base64.b64decode(message.data))) as file:
                form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
                assert form == (48_000, 1, 2)
                samples[message.id] += file.readframes(file.getnframes())
    return samples


def understood(device: Device, found: list[Message]) -> str:
    """What the device's own recognizer makes of the sound in these messages."""
    pcm = np.frombuffer(b"".join(segments(found).values()), "<i2").astype(np.int16)
    return device.understands(resample(pcm, 48_000, 16_000))


def alike(first: str, second: str) -> float:
    """The share of the words of the first that are in the second as well."""
    said, heard = (
        ["".join(filter(str.isalnum, word)) for word in text.lower().split()]
        for text in (first, second)
    )
    return sum(word in heard for word in said) / len(said)
