"""Taking out of a reply what a small language model only echoes: it is no speech.

Pure. Serves the language model engines. Taken out are notes in brackets (how the user sounds is
told to the model that way), the name of a role in front, an "As an AI language model," in front,
and all after the first paragraph (a letter's ending, "Best, Alex"). "I am an AI." stays: it is the
honest answer to somebody who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

LONGEST_OPENING, LONGEST_NOTE = 80, 160
"""Characters held back at most; an opening or note that is not over by then is the reply itself."""
ROLES = ("assistant:", "rapport:", "answer:", "reply:", "ai:")
KINDS = ("ai", "artificial intelligence", "language model", "large language model")
LEADS = tuple(f"as {article} {kind}" for article in ("a", "an") for kind in KINDS)


class _Stage(Protocol):
    def take(self, character: str) -> str:
        """Return what may go on, now that ``character`` arrived."""
        ...

    def rest(self) -> str:
        """Return what was held back and turned out to be speech."""
        ...


def without_echoes(pieces: Iterator[str]) -> Iterator[str]:
    """Yield ``pieces`` without echoes; ends early, and asks for no more, after a paragraph.

    Text is held back only while it may still become an echo, so nothing else waits. What is left
    does not depend on how the reply is cut into pieces.
    """
    paragraph = _Paragraph()
    stages: tuple[_Stage, ...] = (_Notes(), _Opening(), paragraph)
    for piece in pieces:
        if text := _through(stages, piece):
            yield text
        if paragraph.over:
            return
    tail = ""
    for number, stage in enumerate(stages):
        tail += _through(stages[number + 1 :], stage.rest())
    if tail:
        yield tail


def _through(stages: tuple[_Stage, ...], text: str) -> str:
    for stage in stages:
        text = "".join(stage.take(character) for character in text)
    return text


class _Notes:
    """Leaves out notes in brackets; "[words](address)" is a link, which ``speakable`` reads."""

    def __init__(self) -> None:
        self._held = ""
        self._closed = self._after = False

    def take(self, character: str) -> str:
        """Return what may go on, now that ``character`` arrived."""
        if self._closed:
            note, self._held, self._closed = self._held, "", False
            if character == "(":
                return note + character
            self._after = True
        if self._after and character == " ":
            return ""
        self._after = False
        if not self._held and character != "[":
            return character
        self._held += character
        if character == "]":
            self._closed = True
        elif len(self._held) > LONGEST_NOTE:
            note, self._held = self._held, ""
            return note
        return ""

    def rest(self) -> str:
        """Return a bracket that was never closed."""
        return "" if self._closed else self._held


class _Opening:
    """Leaves out a role's name or a lead-in in front, and begins what follows with a capital."""

    def __init__(self) -> None:
        self._held = ""
        self._decided = self._removed = False

    def take(self, character: str) -> str:
        """Return what may go on, now that ``character`` arrived."""
        if self._decided:
            if self._removed and not character.isspace():
                self._removed = False
                return character.upper()
            return character
        self._held += character
        start = self._held.lstrip().lower()
        if start in ROLES or (character in ",." and start.startswith(LEADS)):
            self._decided = self._removed = True
            return ""
        if len(self._held) <= LONGEST_OPENING and _may_open(start):
            return ""
        self._decided, held = True, self._held
        return held

    def rest(self) -> str:
        """Return the beginning of an opening that never came to its end."""
        return "" if self._decided else self._held


def _may_open(start: str) -> bool:
    if any(opening.startswith(start) for opening in (*ROLES, *LEADS)):
        return True
    longer = [start[len(lead) :] for lead in LEADS if start.startswith(lead)]
    return any(not rest[0].isalnum() and not set(rest) & set("!?:\n") for rest in longer)


class _Paragraph:
    """Leaves out white space at both ends, and all after the first blank line.

    A paragraph that ends in a colon announces the next.
    """

    def __init__(self) -> None:
        self.over = False
        self._gap = self._last = ""

    def take(self, character: str) -> str:
        """Return what may go on, now that ``character`` arrived."""
        if self.over:
            return ""
        if character.isspace():
            self._gap += character
            return ""
        if self._last not in {"", ":"} and self._gap.count("\n") > 1:
            self.over = True
            return ""
        text = (self._gap if self._last else "") + character
        self._gap, self._last = "", character
        return text

    def rest(self) -> str:
        """Return nothing: white space at the end is no speech."""
        return ""
