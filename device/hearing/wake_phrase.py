"""Finds the wake phrase at the beginning of recognised words, however the recognizer spelt it.

Layer 3, pure. Serves the conversation: any phrase can be chosen, since nothing is trained for it.
Words are compared by roughly what they sound like: English spelling is brought to about one letter
a sound, then a weighted edit distance lets vowels, and consonants that are made alike, pass for
each other. How often it errs: ``rapport bench wake``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

STRICT, LENIENT = 0.75, 0.45
"""Similarity that is needed at sensitivity 0 and 1; in between it is interpolated. Measured on ten
phrases and 8,000 recordings of something else: below 0.45 nearly anything passes for some phrase,
and at 0.75 nothing does that a person would not take for it."""
HINT = 0.45
"""Similarity of what may be the phrase, where it is known to have been said."""
USUAL, GROWTH = 6.0, 0.75
"""Weight of a phrase of three or four syllables, and how what may differ grows with the weight. In
proportion to it, "dogs are sitting by the door" would pass for "kids are talking by the door"."""
LONGEST = 1.5
"""So many times as long as the phrase, in sounds, a spelling of it may be."""
TOO_SHORT = 3.5
"""Weight of the sounds, see ``_loss``, below which too many other words sound like the phrase."""

_WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:['\u2019][^\W_]+)*")
"""A word; a single sign where a script writes no blanks between words."""
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)]*\s*$")
_BETWEEN = re.compile(r"^[\W_]+")

_SPELLINGS = tuple(
    (re.compile(spelling), sound)
    for spelling, sound in (
        (r"^a$", "e"),  # the article, and what is written for a soft "hey"
        (r"^ok$", "oke"),
        (r"^[kg]n", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"tch|ch", "C"),
        (r"sch|sh|[ts]i(?=on)", "S"),
        (r"th", "T"),
        (r"ph", "f"),
        (r"(?<=[aeiou])gh", ""),
        (r"dge|g(?=[ei])|j", "J"),
        (r"ck|q", "k"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"x", "ks"),
        (r"(?<=[^aeiou])e$", ""),
        (r"(?<=[aeiou])[yw](?![aeiou])|y$", "i"),
        (r"([aeiou])[aeiou]+", r"\1"),  # one vowel or two: recognizers do not agree
        (r"(.)\1+", r"\1"),
    )
)
_VOWELS = frozenset("aeiouy")
_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("pb", "td", "kg", "fv", "sz", "SC", "CJ", "SJ", "mn", "rl", "Td", "Tf", "Tt", "Ts")
) | frozenset(frozenset(pair) for pair in ("vw", "vb", "sS", "zJ"))
_FAINT = {"h": 0.2, "w": 0.4, "r": 0.7, "l": 0.7}
"""What it costs to miss or add sounds that are easily swallowed or imagined."""
_VOWEL_LOSS, _ENDING_LOSS = 0.7, 0.5
_VOWEL_CHANGE, _ALIKE_CHANGE, _CHANGE = 0.3, 0.5, 1.0

_NUMBERS_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty
    ninety hundred thousand million first second third
"""
_NUMBERS = frozenset(_NUMBERS_WORDS.split())
_COMMON_WORDS = """
    a about all am an and are as at be but by can could did do does excuse for from get go
    good had has have he hello help her hey hi him his how i if in is it just know let like
    listen look me morning my no not now of off oh ok okay on or our out please right say see
    she so some sorry stop take tell thank thanks that the their them then there they think
    this to up us very wait want was we well what when where which who why will with would yes
    you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that begin sentences all day long."""

Sounds = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class WakeMatch:
    """The phrase was said."""

    similarity: float
    """How much what was recognised sounds like it: 1 is the phrase itself."""
    rest: str
    """The words after it, as they were recognised; empty if there are none (yet)."""


class WakePhrase:
    """One phrase to wait for, and how exactly it must be recognised. Holds no state."""

    def __init__(self, phrase: str, sensitivity: float) -> None:
        """``sensitivity`` from 0, only a clear phrase, to 1, nearly anything like it."""
        self.phrase = phrase
        self._threshold = threshold(sensitivity)
        self._sounds = _all_sounds(phrase)
        weight = sum(loss for _, loss in self._sounds)
        self._scale = USUAL ** (1 - GROWTH) * weight**GROWTH

    def match(self, text: str) -> WakeMatch | None:
        """Return where the phrase begins ``text`` or a sentence in it; None if nowhere.

        ``text`` is what was recognised so far. A phrase in the middle of a sentence is talk about
        the device, not to it.
        """
        found = self.nearest(text)
        return found if found is not None and found.similarity >= self._threshold else None

    def rest(self, text: str) -> str:
        """Return what follows the phrase in ``text``, where it is known that the phrase was said.

        It was heard in interim words, or by a network, so any spelling of it will do now; words
        that are nothing like it are left whole.
        """
        found = self.nearest(text)
        return found.rest if found is not None and found.similarity >= HINT else text

    def nearest(self, text: str) -> WakeMatch | None:
        """Return the best of all places, however unlike the phrase; None if there are no words."""
        words = list(_WORD.finditer(text))
        best: WakeMatch | None = None
        for first, word in enumerate(words):
            if first and not _SENTENCE_END.search(text, words[first - 1].end(), word.start()):
                continue
            found = self._from(text, words[first:])
            if best is None or found.similarity > best.similarity:
                best = found
        return best

    def _from(self, text: str, words: list[re.Match[str]]) -> WakeMatch:
        """Return the match with a beginning of ``words`` that fits best; of equals the shortest."""
        best, end = 0.0, words[0].end()
        if not self._sounds:
            return WakeMatch(best, _BETWEEN.sub("", text[end:], count=1))
        row = _first_row(self._sounds)
        length = 0
        for word in words:
            for sound in sounds(word.group()):
                row = _next_row(row, self._sounds, sound)
                length += 1
            similarity = 1 - row[-1] / self._scale
            if similarity > best:
                best, end = similarity, word.end()
            if length > LONGEST * len(self._sounds):
                break
        return WakeMatch(best, _BETWEEN.sub("", text[end:], count=1))


def threshold(sensitivity: float) -> float:
    """Return the similarity that is needed at a sensitivity from 0 to 1."""
    return STRICT + (LENIENT - STRICT) * sensitivity


def weakness(phrase: str) -> str | None:
    """Return in one sentence why ``phrase`` is no good wake phrase, and what would be; or None."""
    words = [word.group().lower() for word in _WORD.finditer(phrase)]
    heard = _all_sounds(phrase)
    if not heard:
        return f"the wake phrase {phrase!r} has no letters; choose words that can be said"
    number = next((word for word in words if word.isdigit() or word in _NUMBERS), None)
    if number is not None:
        return (
            f"the wake phrase {phrase!r} has the number {number!r}, which may be recognised as "
            "figures or as a word; choose words without numbers"
        )
    if sum(loss for _, loss in heard) < TOO_SHORT:
        return (
            f"the wake phrase {phrase!r} is so short that other words sound like it; "
            "choose three syllables or more"
        )
    if all(word in _COMMON for word in words):
        return (
            f"the wake phrase {phrase!r} is made of everyday words, which begin many sentences; "
            "add a word that is rarely said"
        )
    return None


@lru_cache(maxsize=4096)
def sounds(word: str) -> Sounds:
    """Return the sounds of a word, each with what it costs to miss or to add it.

    Accents go, other scripts than Latin stay as they are: each of their letters is a sound.
    """
    plain = unicodedata.normalize("NFKD", word.casefold())
    spelt = "".join(letter for letter in plain if letter.isalnum())
    for spelling, sound in _SPELLINGS:
        spelt = spelling.sub(sound, spelt)
    losses = [_loss(sound) for sound in spelt]
    if len(spelt) > 1 and spelt[-1] not in _VOWELS:
        losses[-1] = min(losses[-1], _ENDING_LOSS)
    return tuple(zip(spelt, losses, strict=True))


def _all_sounds(phrase: str) -> Sounds:
    return tuple(sound for word in _WORD.finditer(phrase) for sound in sounds(word.group()))


def _first_row(phrase: Sounds) -> list[float]:
    """Return what it costs to hear nothing of the first sounds, for each number of them."""
    return list(accumulate((loss for _, loss in phrase), initial=0.0))


def _next_row(row: list[float], phrase: Sounds, heard: tuple[str, float]) -> list[float]:
    """Return the same costs after one more sound was heard: the rows of an edit distance."""
    sound, loss = heard
    costs = [row[0] + loss]
    for at, (wanted, missed) in enumerate(phrase):
        costs.append(min(row[at] + _change(wanted, sound), row[at + 1] + loss, costs[at] + missed))
    return costs


def _loss(sound: str) -> float:
    return _VOWEL_LOSS if sound in _VOWELS else _FAINT.get(sound, 1.0)


def _change(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        return _VOWEL_CHANGE
    return _ALIKE_CHANGE if frozenset((one, other)) in _ALIKE else _CHANGE
