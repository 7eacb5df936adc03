"""The voices that clients can choose: the device's models, and variations of them saved by name.

Layer 4, on the store's thread. Serves the chats and text-to-speech.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias
from uuid import uuid4

from device.evi.refusals import NotThere, Unusable
from device.evi.resources import Page
from device.evi.versions import Item, Selection, Versions
from device.settings import Speaking
from device.store import Store

Provider: TypeAlias = Literal["HUME_AI", "CUSTOM_VOICE"]

MOST_GENERATIONS = 100
"""So many generations are remembered, the latest; only these can be saved as voices."""
MOST_SAVED = 1_000
SLOWEST, FASTEST = 0.5, 2.0
LOWEST, HIGHEST = -6.0, 6.0
SOFTEST, LOUDEST = -20.0, 10.0
"""Bounds of ``config.Speaking``: factor, semitones, decibels."""


class UnknownVoice(NotThere):
    """There is no such voice."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """A voice as a client sees it, and what is behind it."""

    id: str
    name: str
    provider: Provider
    model: str
    """Name of the voice's model on this device."""
    rate: float = 1.0
    """Factor on the speed of every style."""
    pitch: float = 0.0
    """Semitones on top of every style's."""
    level: float = 0.0
    """Decibels on top of every style's."""

    def over(self, speaking: Speaking) -> Speaking:
        """Return the device's settings of speaking with this voice's own on top, within bounds."""
        return speaking.model_copy(
            update={
                "rate": min(max(speaking.rate * self.rate, SLOWEST), FASTEST),
                "pitch": min(max(speaking.pitch + self.pitch, LOWEST), HIGHEST),
                "level": min(max(speaking.level + self.level, SOFTEST), LOUDEST),
            }
        )


class Voices:
    """All voices there are. The models are the caller's to name, the device's own first."""

    def __init__(self, store: Store) -> None:
        self._saved = Versions(store, "voice")
        self._generations: OrderedDict[str, VoiceChoice] = OrderedDict()

    def listing(self, models: Sequence[str], provider: Provider) -> list[VoiceChoice]:
        """Return the voices of a provider: the models, HUME_AI; or those saved, newest first."""
        return built_in(models) if provider == "HUME_AI" else self._custom()

    def find(
        self,
        models: Sequence[str],
        id: str | None = None,
        name: str | None = None,
        provider: str | None = None,
    ) -> VoiceChoice:
        """Return a voice by its id, or else its name; capitals do not matter in names.

        Without a provider those saved go first. Without any of the three it is the device's own.
        Raises UnknownVoice.
        """
        if not (id or name):
            return built_in(models)[0]
        known: list[VoiceChoice] = []
        if provider != "HUME_AI":
            known += self._custom()
        if provider != "CUSTOM_VOICE":
            known += built_in(models)
        for voice in known:
            if voice.id == id if id else _names(voice, name or ""):
                return voice
        there = ", ".join(voice.name for voice in known) or "none"
        raise UnknownVoice(f"There is no voice {id or name}; there are: {there}.")

    def remember(self, generation: str, voice: VoiceChoice) -> None:
        """Keep in mind how something was spoken, for a while."""
        self._generations[generation] = voice
        while len(self._generations) > MOST_GENERATIONS:
            self._generations.popitem(last=False)

    def of_generation(self, generation: str) -> VoiceChoice:
        """Return the voice that something was spoken with; raises NotThere if it is forgotten."""
        try:
            return self._generations[generation]
        except KeyError:
            raise NotThere(
                f"There is no generation {generation}; the last {MOST_GENERATIONS} of them are "
                "remembered, until the device restarts."
            ) from None

    def create(self, generation: str, name: str) -> VoiceChoice:
        """Save the voice of a generation under a name of its own.

        Raises NotThere for the generation, Unusable if the name is taken or there are too many.
        """
        made = self.of_generation(generation)
        held = self._custom()
        if any(_names(voice, name) for voice in held):
            raise Unusable("name", f"there is a voice {name} already; delete it or name another")
        if len(held) >= MOST_SAVED:
            raise Unusable("name", f"{MOST_SAVED} voices are saved already; delete one of them")
        kept = asdict(replace(made, id=str(uuid4()), name=name, provider="CUSTOM_VOICE"))
        del kept["id"], kept["name"], kept["provider"]
        return _voice(self._saved.create(name, None, json.dumps(kept)))

    def delete(self, name: str) -> None:
        """Delete a saved voice; raises UnknownVoice."""
        for voice in self._custom():
            if _names(voice, name):
                self._saved.delete(voice.id)
                return
        raise UnknownVoice(f"There is no custom voice {name}.")

    def _custom(self) -> list[VoiceChoice]:
        found, _ = self._saved.listing(Selection(Page(size=MOST_SAVED)))
        return [_voice(item) for item in found]


def built_in(models: Iterable[str]) -> list[VoiceChoice]:
    """Return the voices of the device's models, under names for people: piper-joe is Joe."""
    voices: list[VoiceChoice] = []
    for model in models:
        engine, _, rest = model.partition("-")
        name = (rest or engine).replace("-", " ").replace("_", " ").title()
        if any(_names(voice, name) for voice in voices):
            name = f"{name} ({engine})"
        voices.append(VoiceChoice(model, name, "HUME_AI", model))
    return voices


def _names(voice: VoiceChoice, name: str) -> bool:
    return voice.name.casefold() == name.casefold()


def _voice(item: Item) -> VoiceChoice:
    return VoiceChoice(item.id, item.name, "CUSTOM_VOICE", **json.loads(item.body))
