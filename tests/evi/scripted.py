"""A device whose models are scripted, served on a thread: everything else about it is real."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device.app import App, Faculties
from device.catalogue import Catalogue
from device.config import Config, parse
from device.evi import server
from device.extra_models import ExtraModels
from device.hub import Hub
from device.models import ModelStore
from device.types import Pcm
from device.worker import Owned, Worker
from tests.story import (
    Script,
    ScriptedLanguageModel,
    ScriptedProsody,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoice,
    ScriptedVoiceActivity,
)


class Understanding(ScriptedRecognizer):
    """Hears words in any sound."""

    def transcribe(self, audio: Pcm) -> str:
        return "Some words."


class Finished(ScriptedTurnDetector):
    """Takes every pause for the end of the turn."""

    def probability(self, audio: Pcm) -> float:
        return 0.98


def scripted_app(settings: dict[str, Any]) -> tuple[App, list[Worker]]:
    """Return a device that answers anything with a word, and its threads."""
    workers = [Worker(f"scripted {at}") for at in range(6)]
    model, script = ScriptedLanguageModel(), Script()
    model.answers[""] = "Yes."
    faculties = Faculties(
        voice_activity=Owned(ScriptedVoiceActivity(), workers[0]),
        turn=Owned(Finished(script), workers[1]),
        recognizer=Owned(Understanding(script), workers[2]),
        prosody=Owned(ScriptedProsody(), workers[3]),
        language_model=Owned(model, workers[4]),
        voice=Owned(ScriptedVoice(), workers[5]),
        names={"voice": "piper-joe", "language_model": "smollm2-135m"},
        load_s={},
    )
    no_others = ExtraModels(ModelStore(None, Catalogue.load()), Config(), [])
    return App(parse(settings, "the test"), Hub(), faculties, no_others), workers


@dataclass
class Served:
    """A device that listens."""

    url: str
    app: App
    loop: asyncio.AbstractEventLoop = field(repr=False)

    @property
    def chats(self) -> int:
        """How many conversations are going on: each listens to the hub."""
        return self.app.hub.observers


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Served]:
    """Serve a scripted device on a free port, until the end of the block."""
    app, workers = scripted_app({"storage": {"folder": str(folder)}, **settings})
    listening = server.listen("127.0.0.1:0")
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    serving: list[asyncio.Task[None]] = []

    async def run() -> None:
        serving.append(asyncio.create_task(server.serve(app, ready.set, listening)))
        await asyncio.wait(serving)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(60), "the server does not come up"
    host, port = listening.getsockname()[:2]
    try:
        yield Served(f"{host}:{port}", app, loop)
    finally:
        loop.call_soon_threadsafe(serving[0].cancel)
        thread.join(60)
        assert not thread.is_alive(), "the server does not end"
        for worker in workers:
            worker.close()
        loop.close()
