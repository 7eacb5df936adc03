"""What the device said last, and how much of it reached the user: to repeat it, or to go on.

Layer 3, pure. Serves ``conversation``.
"""

from __future__ import annotations

import re

from device.conversation.interruption import echoes, words
from device.types import Reply, Style, Utterance

ECHO_LAG = 1.0
"""Seconds after the last sound in which an utterance may have begun that is its echo."""
PLAIN = Style("neutral")
_SENTENCE = re.compile(r"(?<=[.!?\u2026])\s+")


class Said:
    """The last reply."""

    def __init__(self) -> None:
        self.text = ""
        """All of it, heard or not; empty: nothing was said yet."""
        self.style = PLAIN
        """How it was spoken."""
        self._heard = ""
        self._ended = 0.0
        self._cut = False

    def note(self, reply: Reply, style: Style, at: float) -> None:
        """A reply ended at ``at`` on the line's clock."""
        if reply.text:
            self.text, self._heard, self._ended = reply.text, reply.heard, at
            self.style, self._cut = style, False

    def cut_off(self) -> None:
        """What was noted last was cut off by somebody who spoke into it."""
        self._cut = True

    def settled(self) -> None:
        """Whoever cut it off meant to: there is nothing to go on with."""
        self._cut = False

    def left(self) -> tuple[str, str] | None:
        """Return what was heard of the sentence that was left, and the text from its beginning on.

        None unless it was cut off, or if there is nothing left.
        """
        if not self._cut:
            return None
        again, rest = parted(self.text, self._heard)
        return (again, rest) if rest else None

    def echoed_by(self, utterance: Utterance) -> bool:
        """Return whether ``utterance`` is what the device itself said, heard by its microphone."""
        heard = words(utterance.text)
        near = utterance.started < self._ended + ECHO_LAG
        return near and len(heard) > 1 and echoes(heard, words(self._heard))


def parted(text: str, heard: str) -> tuple[str, str]:
    """Return the part of ``heard`` that lies in the sentence it ends in, and the text from there.

    A sentence that was heard to its end is not begun again.
    """
    count = len(heard.split())
    reached = 0
    sentences = _SENTENCE.split(text.strip())
    for number, sentence in enumerate(sentences):
        length = len(sentence.split())
        if reached + length > count:
            again = " ".join(heard.split()[reached:])
            return again, " ".join(sentences[number:])
        reached += length
    return "", ""
