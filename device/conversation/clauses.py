"""Cuts a reply into clauses that can be spoken, while it is still being written.

Layer 3, pure. The first clause may end at a comma, so that speaking begins early; later ones are
whole sentences, unless they grow too long for one breath.
"""

from __future__ import annotations

import re

FIRST_WORDS = 3
"""A first clause this long may end at a comma: shorter ones sound chopped."""
LONG, TOO_LONG = 140, 250
"""Characters after which a clause is cut at a comma, and at any space."""

_ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "e.g", "i.e", "approx", "no", "fig", "inc", "ltd", "co", "a.m", "p.m", "u.s", "u.k"]
)
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s)|\n+")
_COMMA = re.compile(r"[,;:—–][\"'”’)\]*_]*(?=\s)")
_SAYS_SOMETHING = re.compile(r"[^\W_]")


class Clauses:
    """Feed it a reply piece by piece; it hands back each clause as soon as that is complete."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def feed(self, piece: str) -> list[str]:
        """Take the next piece of the reply and return the clauses it completed."""
        self._text += piece
        found = []
        while (cut := self._cut()) is not None:
            clause, self._text = self._text[:cut].strip(), self._text[cut:]
            if clause:
                found.append(clause)
                self._first = False
        return found

    def finish(self) -> list[str]:
        """Return what is left when the reply is complete."""
        rest, self._text = self._text.strip(), ""
        self._first = True
        return [rest] if rest else []

    def _cut(self) -> int | None:
        for match in _END.finditer(self._text):
            head = self._text[: match.end()]
            if _SAYS_SOMETHING.search(head) and not _goes_on(head, self._text[match.end() :]):
                return match.end()
        if self._first:
            for match in _COMMA.finditer(self._text):
                if len(_words(self._text[: match.end()])) >= FIRST_WORDS:
                    return match.end()
        if len(self._text) > LONG:
            for match in _COMMA.finditer(self._text, LONG // 2):
                return match.end()
        if len(self._text) > TOO_LONG:
            space = self._text.rfind(" ", LONG, TOO_LONG)
            return space if space > 0 else None
        return None


def _words(text: str) -> list[str]:
    return [word for word in text.split() if _SAYS_SOMETHING.search(word)]


def _goes_on(head: str, rest: str) -> bool:
    """Whether the full stop at the end of ``head`` does not end a sentence."""
    if head.endswith("\n"):
        return False
    last = head.rsplit(maxsplit=1)[-1]
    if not last.endswith("."):
        return False
    bare = last.strip(".\"'()*_").lower()
    initial = len(bare) == 1 and bare.isalpha() and bare != "i"
    numbering = bare.isdigit() and len(head.split()) == 1
    return bare in _ABBREVIATIONS or initial or numbering
