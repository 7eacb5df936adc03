"""A device with voices for the tests of text-to-speech: one that hums, and real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as StopSignal
from typing import Any

import numpy as np
from fastapi import FastAPI

from device.config import Config
from device.conversation.conversation import Conversation
from device.evi import rest_tts, rest_voices
from device.evi.documentation import add_documentation
from device.evi.host import Host
from device.evi.records import Records
from device.evi.resources import add_refusals
from device.hub import Hub
from device.ports import Line, Voice
from device.types import Pcm, RapportError, Sentence
from device.worker import Owned, Worker

LETTER_S = 0.02
"""Seconds that a letter takes at rate 1."""


class Hum:
    """A voice that hums as long as a sentence is, higher and louder as its style is."""

    rate = 16_000

    def __init__(self, pitch: float = 200.0) -> None:
        self.pitch = pitch
        self.sentences: list[Sentence] = []
        self.breath = threading.Semaphore(0)
        """What each sentence waits for, if ``breathless``."""
        self.breathless = False
        self.stopped = threading.Event()

    def speak(self, sentence: Sentence, stop: StopSignal) -> Iterator[Pcm]:
        """Hum, 100 ms at a time, and be silent as long as the style asks for."""
        self.sentences.append(sentence)
        if self.breathless:
            while not self.breath.acquire(timeout=0.01):
                if stop.is_set():
                    self.stopped.set()
                    return
        style = sentence.style
        length = round(len(sentence.text) * LETTER_S / style.rate * self.rate)
        at = np.arange(length) / self.rate
        height = self.pitch * 2 ** (style.pitch / 12)
        loud = 5_000 * 10 ** (style.level / 20)
        hum = (np.sin(2 * np.pi * height * at) * loud).astype(np.int16)
        sound = np.concatenate([hum, np.zeros(round(style.pause * self.rate), np.int16)])
        for start in range(0, len(sound), self.rate // 10):
            yield sound[start : start + self.rate // 10]


@dataclass
class Speakers:
    """A device that has voices and no conversations; close it."""

    voices: Mapping[str, Any]
    """By the names of their models, its own first."""
    config: Config = field(default_factory=Config)
    hub: Hub = field(default_factory=Hub)
    worker: Worker = field(default_factory=lambda: Worker("voice"))
    broken: str = ""
    """A model that cannot be loaded."""

    def voice_names(self) -> Sequence[str]:
        """Return the names of the models."""
        return [*self.voices]

    async def voice(self, name: str = "") -> Owned[Voice]:
        """Return a voice; raises RapportError for the broken one."""
        if name == self.broken:
            raise RapportError(f"{name}: is damaged; run: rapport models fetch")
        return Owned(self.voices[name or next(iter(self.voices))], self.worker)

    def conversation(self, line: Line, session: str, settings: Config) -> Conversation:
        """Refuse."""
        raise NotImplementedError


def application(records: Owned[Records], host: Host) -> FastAPI:
    """The routes of text-to-speech and voices, their refusals and their documentation."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(rest_tts.router(records, host))
    app.include_router(rest_voices.router(records, host))
    add_refusals(app)
    add_documentation(app)
    return app
