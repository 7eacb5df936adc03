"""The composition root: the only file that knows which concrete class stands for what.

Layer 5. Loads the chosen models, each on a thread of its own, and joins them to lines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from device.audio.rates import Resampler
from device.catalogue import Catalogue, choose
from device.config import Config, Task
from device.conversation.conversation import Conversation
from device.conversation.turn import Speech
from device.engines import engine
from device.extra_models import ExtraModels
from device.hearing.ears import Ears
from device.hub import Hub
from device.loading import load_models
from device.mind import persona, style
from device.models import ModelStore
from device.mute import Mute
from device.panel.panel import ControlPanel, Reach, control_panel
from device.panel.reset import FactoryReset, erase, say_farewell
from device.ports import (
    LanguageModel,
    Line,
    ProsodyModel,
    Recognizer,
    TurnDetector,
    Voice,
    VoiceActivity,
    WakeWord,
)
from device.settings import Hearing
from device.sound_watch import SERVICE, SoundWatch, Watched
from device.speaking.speakable import speakable
from device.store import state_folder
from device.supervisor import supervise
from device.types import Command, Event, MuteChanged, Muted, Pcm, RapportError, Sentence
from device.worker import Owned

log = logging.getLogger(__name__)

LOCAL = "local"
"""The session of the device's own microphone and loudspeaker."""
CARD_PAUSES = (0.5, 10.0)
"""Seconds between two searches for any sound card: whoever plugs one in stands before it."""


@dataclass(frozen=True, slots=True)
class HearingModels:
    """The models that hear, each with the thread that owns it."""

    voice_activity: Owned[VoiceActivity]
    turn: Owned[TurnDetector]
    recognizer: Owned[Recognizer]
    prosody: Owned[ProsodyModel]

    def ears(self, settings: Hearing) -> Ears:
        """Return ears on these models, for a line and a speaker of whom nothing is known."""
        return Ears(
            self.voice_activity.model.fresh(),
            self.turn,
            self.recognizer,
            _fresh(self.prosody) if settings.expression else None,
            settings,
        )


HEARING_TASKS: tuple[Task, ...] = ("voice_activity", "turn", "recognizer", "prosody")
"""What the models of ``HearingModels`` are for."""


@dataclass(frozen=True, slots=True)
class Faculties(HearingModels):
    """The models of the device, each with the thread that owns it."""

    language_model: Owned[LanguageModel]
    voice: Owned[Voice]
    names: Mapping[Task, str]
    """The model behind each task."""
    load_s: Mapping[Task, float]
    """Seconds that checking and loading each of them took."""
    wake_word: Owned[WakeWord] | None = None
    """What was trained for the wake phrase, where it is waited for and there is such a model."""

    def urgent(self) -> Faculties:
        """Return the same models for a caller that goes before others that wait."""
        return replace(
            self,
            turn=replace(self.turn, urgent=True),
            recognizer=replace(self.recognizer, urgent=True),
            prosody=replace(self.prosody, urgent=True),
            language_model=replace(self.language_model, urgent=True),
            voice=replace(self.voice, urgent=True),
        )


class App:
    """The device's models and hub, and the conversations that use them."""

    def __init__(
        self, config: Config, hub: Hub, faculties: Faculties, extra_models: ExtraModels
    ) -> None:
        self.config, self.hub, self.faculties = config, hub, faculties
        self.extra_models = extra_models
        self.conversations: dict[str, Conversation] = {}
        self.mute = Mute(self._mute_changed)
        self.panel: ControlPanel | None = None
        """Buttons and lights, while they are served."""

    def conversation(
        self,
        line: Line,
        session: str,
        settings: Config | None = None,
        language_model: Owned[LanguageModel] | None = None,
    ) -> Conversation:
        """Return a new conversation on an open line, whose events the hub gets as ``session``'s.

        ``settings`` and ``language_model`` are its own, None for the device's. The models serve the
        local line first.
        """
        settings = settings or self.config
        faculties = self.faculties.urgent() if session == LOCAL else self.faculties

        def publish(event: Event) -> None:
            self.hub.publish(session, line.now(), event)

        ears = faculties.ears(settings.hearing)
        if faculties.wake_word is not None and settings.conversation.mode == "wake":
            sensitivity = settings.conversation.wake_sensitivity
            ears.wake_by(faculties.wake_word.model.fresh(), sensitivity)
        voice = faculties.voice
        speech = Speech(
            voice,
            speakable,
            lambda voice_rate, line_rate: Resampler(voice_rate, line_rate).process,
            line.now,
            publish,
            line.rate,
        )
        model = language_model or faculties.language_model
        return Conversation(line, ears, model, speech, settings)

    async def converse(self, line: Line, session: str, card: Watched | None = None) -> None:
        """Hold a conversation on an open line until it ends.

        ``card`` is the sound card behind the line, whose losses are told meanwhile.
        """
        conversation = self.conversation(line, session)
        self.conversations[session] = conversation
        if session == LOCAL and self.mute.on:
            conversation.handle(Muted(True))
        try:
            async with self._watched(card, conversation):
                await conversation.run()
        finally:
            del self.conversations[session]

    @asynccontextmanager
    async def _watched(
        self, card: Watched | None, conversation: Conversation
    ) -> AsyncIterator[None]:
        """Tell how the sound card is, and let it change to a better one at quiet moments."""
        if card is None:
            yield
            return
        card.return_when(lambda: conversation.resting and not conversation.hears_speech)
        watch = SoundWatch(card, partial(self.hub.publish, "device", 0.0), conversation.handle)
        watching = asyncio.create_task(watch.run(), name="sound watch")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def serve(self) -> None:
        """Run the device's own services until cancelled: panel, local sound card and API.

        Raises FactoryReset in a group, with all that was kept erased, when a hand asks for it.
        """
        reset = asyncio.Event()
        try:
            await self._serve(reset)
        except* FactoryReset:
            erase(state_folder(self.config.storage.folder))  # now that nothing has it open
            raise

    async def _serve(self, reset: asyncio.Event) -> None:
        announce = partial(self.hub.publish, "device", 0.0)
        async with asyncio.TaskGroup() as tasks:
            panel = partial(self.serve_panel, reset=reset.set)
            tasks.create_task(supervise("panel", panel, announce))
            if self.config.line.enabled:
                tasks.create_task(supervise(SERVICE, self._local_line, announce, CARD_PAUSES))
            else:
                log.info("the local line is switched off (line.enabled = false)")
            if self.config.api.enabled:
                tasks.create_task(supervise("API", self._api, announce))
            await reset.wait()
            await say_farewell(self.hub, self.command)
            raise FactoryReset

    async def serve_panel(
        self, ready: Callable[[], None], reset: Callable[[], None] | None = None
    ) -> None:
        """Be the device's buttons and lights until cancelled; return at once where they are off.

        ``reset`` begins a factory reset, None where there is none.
        """
        local = self.conversations.get(LOCAL)
        reach = Reach(self.command, self.mute, reset)
        self.panel = control_panel(self.config, self.hub, reach, local.state if local else None)
        if self.panel is None:
            return
        try:
            await self.panel.run(ready)
        finally:
            self.panel = None

    def command(self, command: Command) -> bool:
        """Hand a command to the conversation on the local line; return whether there is one."""
        local = self.conversations.get(LOCAL)
        if local is None:
            log.info("%s: there is no conversation on the local line", type(command).__name__)
            return False
        local.handle(command)
        return True

    def _mute_changed(self, on: bool, by_switch: bool) -> None:
        if LOCAL in self.conversations:
            self.command(Muted(on))
        self.hub.publish("device", 0.0, MuteChanged(on, by_switch))

    async def _api(self, ready: Callable[[], None]) -> None:
        from device.evi.server import serve  # noqa: PLC0415  20 MB that not every command needs

        await serve(self, ready)

    def voice_names(self) -> list[str]:
        """Return the models of the voices that are on this device, its own voice first."""
        return self._names("voice")

    async def voice(self, name: str = "") -> Owned[Voice]:
        """Return a voice by its model's name (empty: the device's own), loading it if need be.

        Raises RapportError if there is none of that name, or it cannot be loaded.
        """
        if name in ("", self.faculties.names["voice"]):
            return self.faculties.voice
        return await self.extra_models.load("voice", name)

    def language_model_names(self) -> list[str]:
        """Return the language models that are on this device, its own first."""
        return self._names("language_model")

    async def language_model(self, name: str = "") -> Owned[LanguageModel]:
        """Return a language model by its name (empty: the device's own), loading it if need be.

        Raises RapportError if there is none of that name, or it cannot be loaded.
        """
        if name in ("", self.faculties.names["language_model"]):
            return self.faculties.language_model
        return await self.extra_models.load("language_model", name)

    def _names(self, task: Task) -> list[str]:
        own = self.faculties.names[task]
        return [own, *(name for name in self.extra_models.names(task) if name != own)]

    async def _local_line(self, ready: Callable[[], None]) -> None:
        async with engine("soundcard")(self.config.line, either=True) as line:
            ready()
            log.info("listening on %s", line.name)
            await self.converse(line, LOCAL, line)

    async def say(self, text: str, style_name: str = "neutral") -> tuple[Pcm, int]:
        """Return ``text`` spoken in a style, and the samples per second.

        Raises RapportError for an unknown style, or if nothing in the text can be pronounced.
        """
        manner = self.config.speaking
        chosen = style.adjusted(
            style.choose(None, style_name), manner.rate, manner.pitch, manner.level
        )
        words = speakable(text)
        voice = self.faculties.voice
        pieces = [
            piece
            async for piece in voice.stream(lambda v, stop: v.speak(Sentence(words, chosen), stop))
        ]
        if not pieces:
            raise RapportError(f"there is nothing to pronounce in {text!r}; give it some words")
        return np.concatenate(pieces), voice.model.rate


@asynccontextmanager
async def open_app(config: Config, store: ModelStore | None = None) -> AsyncIterator[App]:
    """Load every model of the configuration side by side, and let them go at the end.

    Raises RapportError naming a model that is missing, damaged or not usable, or a persona that
    the language model cannot hold.
    """
    store = store or _store(config)
    names = choose(store.catalogue, config.models)
    names.update(_wake_word(store, config))
    async with load_models(names, store, config) as loaded:
        faculties = Faculties(**loaded.models, names=names, load_s=loaded.seconds)
        await _warm_up(faculties, config)
        yield App(config, Hub(), faculties, ExtraModels(store, config, loaded.workers))


@asynccontextmanager
async def open_hearing(
    config: Config, store: ModelStore | None = None
) -> AsyncIterator[HearingModels]:
    """Load only the models that hear, for whoever wants no answer, and let them go at the end.

    Raises RapportError naming a model that is missing, damaged or not usable.
    """
    store = store or _store(config)
    chosen = choose(store.catalogue, config.models)
    names = {task: name for task, name in chosen.items() if task in HEARING_TASKS}
    async with load_models(names, store, config) as loaded:
        yield HearingModels(**loaded.models)


def _wake_word(store: ModelStore, config: Config) -> dict[Task, str]:
    """Return the model that was trained for the wake phrase, if there is one and it is here."""
    if config.conversation.mode != "wake":
        return {}
    model = store.catalogue.wake_word(config.conversation.wake_phrase)
    if model is None:
        return {}
    try:
        store.files(model.name)
    except RapportError as error:
        log.warning("the wake phrase is found in words alone: %s", error)
        return {}
    return {"wake_word": model.name}


def _store(config: Config) -> ModelStore:
    folder = Path(config.models.store) if config.models.store else None
    return ModelStore(folder, Catalogue.load())


async def _warm_up(faculties: Faculties, config: Config) -> None:
    """Check that the persona fits, and do what is slow the first time before anyone waits."""
    opening = persona.opening(config.thinking.persona)
    model, room = faculties.language_model, config.thinking.context - config.thinking.max_tokens
    needed = await model.call(lambda m: m.count(opening))
    if needed >= room:
        raise RapportError(
            f"thinking.persona takes {needed} tokens, but thinking.context = "
            f"{config.thinking.context} leaves {room} for the whole prompt; shorten the persona "
            "or raise thinking.context"
        )
    second = np.zeros(16_000, np.int16)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(model.call(lambda m: m.prepare(opening)))
        tasks.create_task(faculties.turn.call(lambda m: m.probability(second)))
        tasks.create_task(_warm_voice(faculties.voice))


async def _warm_voice(voice: Owned[Voice]) -> None:
    sentence = Sentence("Hello.", style.choose(None))
    async for _ in voice.stream(lambda v, stop: v.speak(sentence, stop)):
        pass


def _fresh(owned: Owned[Any]) -> Owned[Any]:
    """Return the same model for a new speaker: it shares the weights, not what it remembers."""
    return replace(owned, model=owned.model.fresh())
