"""Whether the tone of the same words changes the conversation: the plan, the style, the wording.

Serves ``evaluate``. RAVDESS has two sentences in eight tones by 24 people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event as StopSignal

import numpy as np

from device.catalogue import Catalogue
from device.config import Config
from device.engines import engine
from device.hearing.head import Reading
from device.hearing.measures import measure_voice
from device.hearing.pitch import track
from device.hearing.prosody_head import express, sureness, trust
from device.mind import persona, style
from device.mind.expression import combine
from device.models import ModelStore
from device.ports import LanguageModel
from device.types import Expression, ModelIdentity
from models.prosody.corpora import Clip, read_sounds
from models.prosody.features import Maker, scaled
from models.prosody.predictions import Predictions
from models.prosody.tables import Table

KNOWN = 0.8
"""How well a speaker is known after half a dozen neutral utterances."""


@dataclass(frozen=True, slots=True)
class Planned:
    """How one clip is to be answered."""

    note: str
    """What the language model is told of the sound."""
    style: str
    wording: str
    """The reply."""


def expressions(predictions: Predictions, folder: Path, maker: Maker) -> dict[str, Expression]:
    """Return the expression of each clip as the device would make it of a known speaker, by file.

    ``predictions`` are of heads that do not know the speakers.
    """
    rows = {clip.file: row for row, clip in enumerate(predictions.corpus.clips)}
    nobody = ModelIdentity("held out", "0", "none")
    found = {}
    for name, sound in read_sounds(folder):
        if name not in rows:
            continue
        speech = scaled(maker.spoken_part(sound))
        voice = measure_voice(speech, track(speech))
        if voice is None:
            continue
        shares = predictions.probabilities[rows[name]].tolist()
        arousal, valence, dominance = predictions.dimensions[rows[name]].tolist()
        categories = dict(zip(predictions.categories, shares, strict=True))
        reading = Reading(categories, arousal, valence, dominance, 1.0)
        found[name] = express(reading, round(sureness(voice) * trust(KNOWN), 3), {}, nobody)
    return found


class Writer:
    """Writes replies with the language model of the development preset, each only once."""

    def __init__(self) -> None:
        catalogue, self._settings = Catalogue.load(), Config()
        name = catalogue.preset("dev")["language_model"]
        make = engine(catalogue.model(name).engine)
        files = ModelStore(None, catalogue).files(name)
        self._model: LanguageModel = make(files, self._settings.thinking)
        self._written: dict[tuple[str, str], str] = {}

    def reply(self, text: str, heard: Expression | None) -> str:
        """Return the reply to ``text``, said like that; without chance in it."""
        key = (text, persona.in_words(heard))
        if key not in self._written:
            opening = persona.opening(self._settings.thinking.persona)
            prompt = [*opening, persona.user(text, heard)]
            self._written[key] = "".join(self._model.reply(prompt, StopSignal(), 0.0)).strip()
        return self._written[key]


def plans(
    clips: Sequence[Clip], found: Mapping[str, Expression], writer: Writer
) -> dict[str, Planned]:
    """Return how each clip is to be answered, by file."""
    planned = {}
    for clip in clips:
        heard = combine(found.get(clip.file), clip.sentence)
        wording = writer.reply(clip.sentence, heard)
        planned[clip.file] = Planned(persona.in_words(heard), style.choose(heard).name, wording)
    return planned


def changes(title: str, clips: Sequence[Clip], planned: Mapping[str, Planned]) -> Table:
    """Return how often the same words in another tone are answered otherwise, by emotion.

    Each clip is compared with the same speaker's neutral clips of the same sentence.
    """
    usual: dict[tuple[str, str], list[Planned]] = {}
    for clip in clips:
        if clip.emotion == "neutral":
            usual.setdefault((clip.speaker, clip.sentence), []).append(planned[clip.file])
    lines = []
    for emotion in dict.fromkeys(clip.emotion for clip in clips):
        own = [clip for clip in clips if clip.emotion == emotion]
        pairs = [
            (planned[clip.file], other)
            for clip in own
            for other in usual.get((clip.speaker, clip.sentence), [])
            if other is not planned[clip.file]
        ]
        notes = [planned[clip.file].note for clip in own]
        styles = [planned[clip.file].style for clip in own]
        shares = [
            np.mean([a.note != b.note for a, b in pairs]),
            np.mean([a.style != b.style for a, b in pairs]),
            np.mean([a.wording != b.wording for a, b in pairs]),
            np.mean([a != b for a, b in pairs]),
        ]
        lines.append((emotion, *(f"{share:.2f}" for share in shares), _most(notes), _most(styles)))
    return Table(
        f"Same words, other tone: {title}",
        ("acted", "note", "style", "wording", "any", "notes", "styles"),
        lines,
        "Share of pairs of a clip and a neutral clip of the same speaker and sentence that are "
        "answered otherwise; in the row of neutral, how much two neutral clips differ. Wording: "
        "replies of SmolLM2-135M without chance.",
    )


def examples(clips: Sequence[Clip], planned: Mapping[str, Planned]) -> Table:
    """Return the commonest reply to the first sentence for each emotion."""
    lines = []
    for emotion in dict.fromkeys(clip.emotion for clip in clips):
        own = [c for c in clips if c.emotion == emotion and c.sentence == clips[0].sentence]
        kinds = [(planned[clip.file].note, planned[clip.file].wording) for clip in own]
        note, wording = max(kinds, key=kinds.count)
        lines.append((emotion, note or "none", wording))
    return Table(f"The commonest answer to: {clips[0].sentence}", ("acted", "note", "reply"), lines)


def _most(values: Sequence[str]) -> str:
    names, counts = np.unique(values, return_counts=True)
    order = counts.argsort()[::-1][:3]
    return ", ".join(f"{names[at] or 'none'} {counts[at] / len(values):.2f}" for at in order)
