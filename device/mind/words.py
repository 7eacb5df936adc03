"""What the words themselves say of pleasure and displeasure.

Layer 3, pure. Serves ``expression``. A short lexicon made by hand (``lexicon.toml``), negation and
intensifiers; English only. It knows some hundred words and understands none: what it does not find
is no sign that nothing was felt, so its weight says how much it found.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LEXICON = Path(__file__).with_name("lexicon.toml")

NEGATIONS = frozenset({"not", "no", "never", "hardly", "without", "cannot", "neither", "nor"})
"""Besides everything that ends in n't."""
REACH = 3
"""A negation or an intensifier governs so many words after it, up to a clause's end."""
INTENSIFIERS: Mapping[str, float] = {
    "very": 1.3, "so": 1.25, "really": 1.3, "extremely": 1.5, "totally": 1.3, "completely": 1.3,
    "absolutely": 1.4, "incredibly": 1.4, "such": 1.2, "too": 1.2, "terribly": 1.4, "quite": 1.1,
    "slightly": 0.6, "little": 0.6, "bit": 0.6, "kinda": 0.7, "somewhat": 0.7, "rather": 0.9,
}  # fmt: skip
"""Factors on the valence of what follows."""
REVERSED = -0.5
"""Not happy is half as unpleasant as happy is pleasant; not bad, half as pleasant as bad is not."""

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,;:!?]")
_PAUSES = frozenset(".,;:!?")
_CLAUSE_ENDS = _PAUSES | {"but", "because", "and"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase of the lexicon."""

    valence: float
    arousal: float
    category: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words of an utterance say."""

    valence: float
    """-1 to 1; 0 if nothing was found."""
    weight: float
    """0: nothing was found; 1: unmistakable."""
    arousal: float
    """How far the words shift the arousal, -1 to 1."""
    categories: Mapping[str, float]
    """Strength from 0 to 1 by category of the lexicon."""


def word_valence(text: str) -> tuple[float, float, dict[str, float]]:
    """Return valence (-1 to 1), weight (0 to 1) and the strength of each category in ``text``."""
    wording = read(text)
    return wording.valence, wording.weight, dict(wording.categories)


def read(text: str) -> Wording:
    """Return what the words of ``text`` say of how its speaker feels."""
    tokens = _TOKEN.findall(text.lower().replace("\u2019", "'"))
    found = [_in_context(entry, *_governed(tokens, start)) for start, entry in _entries(tokens)]
    force = sum(abs(entry.valence) for entry in found)
    if not force:
        return Wording(0.0, 0.0, 0.0, {})
    categories: dict[str, float] = {}
    doubt = 1.0
    for entry in found:
        doubt *= 1.0 - abs(entry.valence)
        if entry.category:
            before = categories.get(entry.category, 0.0)
            categories[entry.category] = round(1 - (1 - before) * (1 - abs(entry.valence)), 3)
    return Wording(
        valence=round(sum(entry.valence * abs(entry.valence) for entry in found) / force, 3),
        weight=round(1.0 - doubt, 3),
        arousal=round(sum(entry.arousal * abs(entry.valence) for entry in found) / force, 3),
        categories=categories,
    )


def emotions_of(categories: Mapping[str, float]) -> dict[str, float]:
    """Return the names of expressions, scored 0 to 1, that these ``categories`` stand for."""
    scores: dict[str, float] = {}
    for category, strength in categories.items():
        for name, share in _emotions()[category].items():
            scores[name] = max(scores.get(name, 0.0), strength * share)
    return scores


def _in_context(entry: Entry, negated: bool, factor: float) -> Entry:
    """Return ``entry`` as it is meant after the words before it."""
    valence = max(-1.0, min(entry.valence * factor, 1.0))
    if not negated:
        return Entry(valence, entry.arousal, entry.category)
    # "not happy" disappoints; "not sad" names nothing
    return Entry(valence * REVERSED, 0.0, "disappointment" if valence > 0 else "")


def _governed(tokens: list[str], start: int) -> tuple[bool, float]:
    """Return whether the word at ``start`` is negated, and its intensifiers' factor."""
    negated, factor = False, 1.0
    for token in reversed(tokens[max(start - REACH, 0) : start]):
        if token in _CLAUSE_ENDS:
            break
        negated = negated != (token in NEGATIONS or token.endswith("n't"))
        factor *= INTENSIFIERS.get(token, 1.0)
    return negated, factor


def _entries(tokens: list[str]) -> Iterator[tuple[int, Entry]]:
    """Yield the place and entry of each word or phrase that the lexicon knows, longest first."""
    lexicon = _lexicon()
    place = 0
    while place < len(tokens):
        for length in range(4, 0, -1):
            phrase = tokens[place : place + length]
            entry = lexicon.get(" ".join(phrase))
            if entry is None and length == 1:
                entry = next((lexicon[stem] for stem in _stems(phrase[0]) if stem in lexicon), None)
            if entry is not None:
                yield place, entry
                place += len(phrase) - 1
                break
        place += 1


def _stems(word: str) -> Iterator[str]:
    """Yield what ``word`` may be a form of."""
    for ending in ("s", "es", "d", "ed", "ing", "ly", "ness"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            yield stem
            yield stem + "e"


@cache
def _lexicon() -> dict[str, Entry]:
    return {
        word: Entry(valence, arousal, category)
        for category, section in _sections().items()
        for word, (valence, arousal) in section["words"].items()
    }


@cache
def _emotions() -> dict[str, dict[str, float]]:
    return {category: section["emotions"] for category, section in _sections().items()}


@cache
def _sections() -> dict[str, dict[str, Any]]:
    return tomllib.loads(LEXICON.read_text(encoding="utf-8"))
