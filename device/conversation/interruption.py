"""What words mean that are spoken into a reply: take the turn, or only keep company.

Layer 3, pure. Serves the conversation. The words are in ``interjections.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum, auto
from functools import cache
from importlib.resources import files


class Kind(Enum):
    """What somebody said while the device spoke."""

    NOTHING = auto()
    """No words."""
    BACKCHANNEL = auto()
    """"mm-hm", "yeah": go on, I am listening."""
    ECHO = auto()
    """The device's own words, heard through the microphone."""
    STOP = auto()
    """Be quiet; nothing else is wanted."""
    WORDS = auto()
    """Anything else: somebody takes the turn."""


ECHO_SHARE = 0.6
"""So many of the words that were heard, in the order in which the device said them, are its own."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+")
_LONG_DRAWN = re.compile(r"(\w)\1{2,}")


def kind(text: str, said: Sequence[str] = (), language: str = "english") -> Kind:
    """Return what ``text`` is, spoken while the device was saying the words ``said``.

    ``said`` are words as ``words`` returns them: those that were heard in the last seconds.
    """
    heard = words(text)
    if not heard:
        return Kind.NOTHING
    table = _table(language)
    whole = " ".join(heard)
    if whole in table["stops"]:
        return Kind.STOP
    if made_of(heard, table["backchannels"]):
        return Kind.BACKCHANNEL
    if is_request(text, language):
        return Kind.WORDS
    return Kind.ECHO if echoes(heard, said) else Kind.WORDS


def is_farewell(text: str, language: str = "english") -> bool:
    """Return whether somebody who says ``text`` wants no more."""
    return " ".join(words(text)) in _table(language)["farewells"]


def is_request(text: str, language: str = "english") -> bool:
    """Return whether ``text`` begins with words that ask for the turn, as "wait" or "stop"."""
    heard, table = words(text), _table(language)
    begins = {" ".join(heard[:count]) for count in (1, 2)}
    return bool(begins & (table["stops"] | table["interruptions"]))


def words(text: str) -> list[str]:
    """Return the words of ``text``: lower case, without marks, drawn-out letters shortened."""
    plain = text.lower().replace("\u2019", "'")
    return [_LONG_DRAWN.sub(r"\1\1", word) for word in _WORD.findall(plain)]


def echoes(heard: Sequence[str], said: Sequence[str]) -> bool:
    """Return whether the words ``heard`` are mostly those ``said``, in their order."""
    if not heard or not said:
        return False
    matcher = SequenceMatcher(None, heard, said, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return same >= ECHO_SHARE * len(heard)


def made_of(heard: Sequence[str], phrases: frozenset[str]) -> bool:
    """Return whether ``heard`` is nothing but one or more of ``phrases``, of one to three words."""
    reached = {0}
    for end in range(1, len(heard) + 1):
        starts = (end - count for count in (1, 2, 3))
        if any(at in reached and " ".join(heard[at:end]) in phrases for at in starts if at >= 0):
            reached.add(end)
    return len(heard) in reached


@cache
def _table(language: str) -> dict[str, frozenset[str]]:
    text = (files("device.conversation") / "interjections.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)[language]
    return {name: frozenset(phrases) for name, phrases in table.items()}
