"""Taking out of a reply what a small language model only echoes from its prompt.

Pure. Serves the language model engines: notes in brackets (how the user sounds is told to the
model that way), the name of a role in front, "As an AI language model," openings, and letters'
endings ("Best, Alex") after the first paragraph, which is all that a spoken reply has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

OPENING = re.compile(
    r"\s*(?:(?:assistant|rapport|ai|answer|reply)\s*:\s*"
    r"|(?:as|i am|i'm)\s+an?\s+(?:ai|artificial intelligence|large language model)\b[^,.!?\n]*[,.!?]\s*)",
    re.IGNORECASE,
)
BEGUN = re.compile(r"\s*(?:assistant|rapport|answer|reply|as an? |ai\b|i am an? |i'm an? )", re.I)
LONGEST_OPENING, LONGEST_NOTE = 80, 160
"""Characters held back at most, before an unclosed opening or note is taken for the reply itself."""
CANDIDATES = ("assistant:", "rapport:", "answer:", "reply:", "ai:", "as a", "i am a", "i'm a")


def without_echoes(pieces: Iterator[str]) -> Iterator[str]:
    """Yield ``pieces`` without notes in brackets or a telltale opening, to the end of a paragraph.

    A paragraph that ends in a colon announces the next. Text is held back only while it may still
    become one of these, so nothing else waits.
    """
    yield from _one_paragraph(_capitalised(_without_opening(_without_notes(pieces))))


def _without_notes(pieces: Iterator[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        held += piece
        while held:
            before, bracket, rest = held.partition("[")
            if before:
                yield before
            inside, closing, after = rest.partition("]")
            if closing:
                # "[Photo](address)" is a link and keeps its words for ``speakable``.
                if not after:
                    held = bracket + rest
                    break
                if after.startswith("("):
                    yield bracket + inside + closing
                    held = after
                else:
                    held = after.lstrip(" ")
            elif len(rest) > LONGEST_NOTE:
                yield bracket + inside
                held = ""
            else:
                held = bracket + rest if bracket else ""
                break
    if held and not held.endswith("]"):
        yield held


def _without_opening(pieces: Iterator[str]) -> Iterator[str]:
    held, pieces = "", iter(pieces)
    for piece in pieces:
        held += piece
        if found := OPENING.match(held):
            held = held[found.end() :]
            if not held:
                continue
        if len(held) <= LONGEST_OPENING and _may_open(held):
            continue
        yield held
        yield from pieces
        return
    if held:
        yield held


def _may_open(text: str) -> bool:
    """Return whether more text could make an opening of this."""
    start = text.lstrip().lower()
    if BEGUN.match(start):
        return ":" not in start and not re.search(r"[,.!?\n]", start)
    return any(candidate.startswith(start) for candidate in CANDIDATES)


def _capitalised(pieces: Iterator[str]) -> Iterator[str]:
    begun = False
    for piece in pieces:
        text = piece if begun else piece.lstrip()
        if not text:
            continue
        yield text if begun else text[0].upper() + text[1:]
        begun = True


def _one_paragraph(pieces: Iterator[str]) -> Iterator[str]:
    """Yield up to the first blank line; white space is held back until something follows it."""
    gap, last = "", ""
    for piece in pieces:
        for part in re.findall(r"\s+|\S+", piece):
            if part.isspace():
                gap += part
                continue
            if last and last != ":" and gap.count("\n") > 1:
                return
            yield gap + part
            gap, last = "", part[-1]
