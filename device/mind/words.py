"""What the words themselves say of pleasure and displeasure.

Layer 3, pure. Serves ``expression``. Two tables, negation and intensifiers; English only. The
lexicon (``lexicon.toml``), made by hand, knows some hundred words and phrases and what to call the
feeling in each. Some thousand more words (``word_valence.toml``) have the valence that people gave
them, and no name. Neither understands a sentence: what they do not find is no sign that nothing was
felt, so the weight says how much was found, and the error how far the valence may be wrong.

Measured on sentences that people rated (models/prosody/words.py, 2026-11-25): on 4,200 tweets, of
all the texts there the most like speech, the lexicon by itself correlates .73 with the rating and
finds something in 54 %, together with rated words that the other texts hold, .82 and in 81 %. Of 96
things said to a device (tests/mind/spoken.toml) the sign was right in 63, and is in 70.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LEXICON = Path(__file__).with_name("lexicon.toml")
RATED_WORDS = Path(__file__).with_name("word_valence.toml")

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
_ENDINGS = (
    ("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""),
    ("ness", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase of the tables."""

    valence: float
    arousal: float | None
    """None: not known."""
    category: str
    """Of the lexicon; empty: it names no feeling."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words of an utterance say."""

    valence: float
    """-1 to 1; 0 if nothing was found, or as much of one sign as of the other."""
    weight: float
    """0: nothing was found; 1: something unmistakable."""
    share: float
    """How many of the words were found, 0 to 1."""
    arousal: float
    """How far the words shift the arousal, -1 to 1."""
    categories: Mapping[str, float]
    """Strength from 0 to 1 by category of the lexicon."""

    @property
    def error(self) -> float:
        """Standard deviation of the valence's error, in its units; infinite if nothing was found.

        It falls with a power of the share: of a long sentence, one word tells less. That it fell
        with the weight could not be seen (fitted power 0.00, 2026-11-25).
        """
        if not self.share:
            return math.inf
        fitted = fitted_valence()
        return fitted["error"] / math.pow(self.share, fitted["power"])


def word_valence(text: str) -> tuple[float, float, dict[str, float]]:
    """Return valence (-1 to 1), weight (0 to 1) and the strength of each category in ``text``."""
    wording = read(text)
    return wording.valence, wording.weight, dict(wording.categories)


def read(text: str, rated: Mapping[str, float] | None = None) -> Wording:
    """Return what the words of ``text`` say of how its speaker feels.

    ``rated`` is the valence, -1 to 1, of words besides the lexicon's: those of ``rated_words``
    where it is None.
    """
    tokens = _TOKEN.findall(text.lower().replace("\u2019", "'"))
    known = list(_entries(tokens, rated_words() if rated is None else rated))
    found = [_in_context(entry, *_governed(tokens, start)) for start, _, entry in known]
    words = sum(token not in _PAUSES for token in tokens)
    # Each word takes from the doubt that anything pleasant, or unpleasant, was said at all.
    pleasant = 1.0 - math.prod(1.0 - max(entry.valence, 0.0) for entry in found)
    unpleasant = 1.0 - math.prod(1.0 + min(entry.valence, 0.0) for entry in found)
    return Wording(
        valence=round(pleasant - unpleasant, 3),
        weight=round(1.0 - (1.0 - pleasant) * (1.0 - unpleasant), 3),
        share=sum(length for _, length, entry in known if entry.valence) / words if words else 0.0,
        arousal=_arousal(found),
        categories=_categories(found),
    )


@cache
def rated_words() -> Mapping[str, float]:
    """Return the valence, -1 to 1, of words that people rated and the lexicon does not know."""
    return {
        word: float(valence)
        for valence, words in _rated_words()["words"].items()
        for word in words.split()
    }


@cache
def fitted_valence() -> Mapping[str, float]:
    """Return what was fitted to rated sentences: ``spread``, ``error`` and ``power``.

    ``spread`` is the standard deviation of valence, on -1 to 1, before anything is known; ``error``
    that of a valence told by words of which all were found, and ``power`` how it grows as fewer
    were.
    """
    return {name: float(value) for name, value in _rated_words()["valence"].items()}


def in_lexicon(word: str) -> bool:
    """Return whether the lexicon knows ``word`` or a stem of it."""
    return _entry([word], {}) is not None


def emotions_of(categories: Mapping[str, float]) -> dict[str, float]:
    """Return the names of expressions, scored 0 to 1, that these ``categories`` stand for."""
    scores: dict[str, float] = {}
    for category, strength in categories.items():
        for name, share in _emotions()[category].items():
            scores[name] = max(scores.get(name, 0.0), strength * share)
    return scores


def _arousal(found: list[Entry]) -> float:
    told = [(entry.arousal, abs(entry.valence)) for entry in found if entry.arousal is not None]
    force = sum(strength for _, strength in told)
    return round(sum(shift * strength for shift, strength in told) / force, 3) if force else 0.0


def _categories(found: list[Entry]) -> dict[str, float]:
    doubts: dict[str, float] = {}
    for entry in found:
        if entry.category and entry.valence:
            doubts[entry.category] = doubts.get(entry.category, 1.0) * (1.0 - abs(entry.valence))
    return {category: round(1.0 - doubt, 3) for category, doubt in doubts.items()}


def _in_context(entry: Entry, negated: bool, factor: float) -> Entry:
    """Return ``entry`` as it is meant after the words before it."""
    valence = max(-1.0, min(entry.valence * factor, 1.0))
    if not negated:
        return Entry(valence, entry.arousal, entry.category)
    # "not happy" disappoints; "not sad" names nothing
    category = "disappointment" if entry.category and valence > 0 else ""
    return Entry(valence * REVERSED, None if entry.arousal is None else 0.0, category)


def _governed(tokens: list[str], start: int) -> tuple[bool, float]:
    """Return whether the word at ``start`` is negated, and its intensifiers' factor."""
    negated, factor = False, 1.0
    for token in reversed(tokens[max(start - REACH, 0) : start]):
        if token in _CLAUSE_ENDS:
            break
        negated = negated != (token in NEGATIONS or token.endswith("n't"))
        factor *= INTENSIFIERS.get(token, 1.0)
    return negated, factor


def _entries(tokens: list[str], rated: Mapping[str, float]) -> Iterator[tuple[int, int, Entry]]:
    """Yield place, length and entry of each word or phrase that is known, longest first."""
    place = 0
    while place < len(tokens):
        for length in range(min(4, len(tokens) - place), 0, -1):
            entry = _entry(tokens[place : place + length], rated)
            if entry is not None:
                yield place, length, entry
                place += length - 1
                break
        place += 1


def _entry(phrase: list[str], rated: Mapping[str, float]) -> Entry | None:
    lexicon = _lexicon()
    entry = lexicon.get(" ".join(phrase))
    if entry is None and len(phrase) == 1:
        word = phrase[0]
        entry = next((lexicon[stem] for stem in _stems(word) if stem in lexicon), None)
        if entry is None and word in rated:
            entry = Entry(rated[word], None, "")
    return entry


def _stems(word: str) -> Iterator[str]:
    """Yield what ``word`` may be a form of; "fund" is none of "fun", nor "hats" of "hate"."""
    for ending, restored in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 2:
            yield word.removesuffix(ending) + restored


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


@cache
def _rated_words() -> dict[str, dict[str, Any]]:
    return tomllib.loads(RATED_WORDS.read_text(encoding="utf-8"))
