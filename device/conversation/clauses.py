"""Cuts a reply into clauses that can be spoken, while it is still being written.

Layer 3, pure. Serves the turn, on the event loop. The first clause may end at a comma, so that
speaking begins early; later ones are whole sentences, unless they grow too long for one breath.
Markdown and emoji pass through: ``speaking.speakable`` decides later what is read aloud.
"""

from __future__ import annotations

import re

FIRST_WORDS = 3
"""A first clause this long may end at a comma: shorter ones sound chopped."""
LONG, TOO_LONG, ENDLESS = 140, 250, 400
"""Characters after which a clause is cut at a comma or conjunction, at any space, anywhere."""

NEVER_LAST = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "rev",
        "gen",
        "col",
        "sgt",
        "capt",
        "lt",
        "mt",
        "vs",
        "e.g",
        "i.e",
        "cf",
        "dept",
    ]
)
"""Abbreviations that something always follows."""
MAYBE_LAST = frozenset(
    [
        "etc",
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
        "corp",
        "approx",
        "est",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "u.n",
        "ph.d",
        "b.c",
        "a.d",
    ]
)
"""Abbreviations that end a sentence if a capital follows."""
NUMBERED = frozenset(["no", "nos", "fig", "vol", "ch", "p", "pp", "eq", "sec"])
"""Abbreviations if a figure follows, otherwise words."""
CONJUNCTIONS = frozenset(
    ["and", "but", "or", "because", "so", "which", "while", "although", "however", "then"]
)

_CLOSERS = "\"'”’)]*_`»"  # noqa: RUF001
_SENTENCE = re.compile(rf"[.!?…]+[{re.escape(_CLOSERS)}]*$")
_COMMA = re.compile(rf"(?:[,;:—–]|--|\.\.\.|…)[{re.escape(_CLOSERS)}]*$")  # noqa: RUF001
_ELLIPSIS = re.compile(rf"(?:\.\.+|…)[{re.escape(_CLOSERS)}]*$")
_PRONOUNCEABLE = re.compile(r"[^\W_]")
_FULL_WIDTH = "。！？"  # noqa: RUF001


class Clauses:
    """Feed it a reply piece by piece; it hands back each clause as soon as that is complete.

    Every decision depends on the characters so far and not on how they were cut into pieces. All
    clauses joined are the reply, but for white space.
    """

    def __init__(self) -> None:
        self._held = ""
        self._first = True
        self._doubtful = 0
        """Where the held text may be cut, once the next character tells; 0: nowhere."""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece of the reply and return the clauses it completed."""
        found = []
        for character in piece:
            self._held += character
            if cut := self._cut(character):
                clause, self._held = self._held[:cut].strip(), self._held[cut:].lstrip()
                found.append(clause)
                self._first, self._doubtful = False, 0
        return found

    def finish(self) -> list[str]:
        """Return what is left when the reply is complete, and be ready for another."""
        rest = self._held.strip()
        self._held, self._first, self._doubtful = "", True, 0
        return [rest] if rest else []

    def _cut(self, character: str) -> int:
        """Return where to cut now that ``character`` arrived, 0 for nowhere."""
        held = self._held
        if not character.isspace():
            at, self._doubtful = self._doubtful, 0
            if at and _begins_sentence(held[:at], character):
                return at
            if character in _FULL_WIDTH or len(held) >= ENDLESS:
                return len(held) if _PRONOUNCEABLE.search(held) else 0
            return 0
        before = held[:-1]
        if not _PRONOUNCEABLE.search(before) or (character == "\n" and _is_marker(before)):
            return 0
        if character == "\n":
            return len(held)
        return 0 if before[-1].isspace() else self._cut_after(before)

    def _cut_after(self, before: str) -> int:
        """Return where to cut now that a word has just ended ``before``."""
        word = before.rsplit(maxsplit=1)[-1]
        if _SENTENCE.search(word) and not _ELLIPSIS.search(word):
            if _is_marker(before):
                return 0
            kind = _abbreviation(word)
            if not kind:
                return len(before)
            self._doubtful = len(before) if kind == "maybe" else 0
        elif _COMMA.search(word):
            early = self._first and _words(before) >= FIRST_WORDS
            return len(before) if early or len(before) >= LONG else 0
        if len(before) >= TOO_LONG:
            return len(before)
        start = len(before) - len(word)
        if start >= LONG and word.lower() in CONJUNCTIONS:
            return start
        return 0


def _words(text: str) -> int:
    return sum(1 for word in text.split() if _PRONOUNCEABLE.search(word))


def _is_marker(text: str) -> bool:
    """Return whether ``text`` is only the number or letter in front of an item: "1.", "**b)**"."""
    return bool(re.fullmatch(r"\s*[*_(]*(?:\d{1,3}|[A-Za-z])[.):]+[*_)]*\s*", text))


def _abbreviation(word: str) -> str:
    """Return how the full stop of ``word`` is to be read: "always", "maybe" or "" for an end."""
    bare = word.strip(_CLOSERS + "([")
    if not bare.endswith(".") or bare.endswith(".."):
        return ""
    stem = bare[:-1].lower()
    if stem in NEVER_LAST or re.fullmatch(r"(?:[A-HJ-Z]\.)+|[a-z]\.", bare):
        # Initials ("J. K. Rowling"), but not "I."
        return "always" if stem in NEVER_LAST or len(bare) == 2 else "maybe"
    return "maybe" if stem in MAYBE_LAST | NUMBERED else ""


def _begins_sentence(before: str, character: str) -> bool:
    """Return whether ``character`` after an abbreviation shows that this one ended a sentence."""
    stem = before.rsplit(maxsplit=1)[-1].strip(_CLOSERS + "([").rstrip(".").lower()
    if stem in NUMBERED:
        return not character.isdigit()
    return character.isupper() or character in "\"“'*"
