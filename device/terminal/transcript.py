"""Shows a conversation as a transcript, turn by turn, as it happens.

Layer 6. Serves ``rapport talk`` with files; the words for an expression serve the live view too.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from device.terminal.record import Record, TurnRecord
from device.types import Expression, Observed

LOUD_ENOUGH = 0.2
"""Scores of expressions below this are not worth a word."""


class Transcript:
    """Prints each turn once it is over."""

    def __init__(self, aside: bool = False, gaps: bool = False) -> None:
        """``aside``: print to stderr; ``gaps``: show how long each answer took to begin."""
        self._console = Console(stderr=aside, highlight=False)
        self._gaps = gaps
        self._record = Record()

    def see(self, observed: Observed) -> None:
        """Take the next event."""
        ended = self._record.take(observed)
        if ended is not None:
            self._console.print(render(ended, self._gaps))


def render(turn: TurnRecord, gap: bool = False) -> Text:
    """Return one turn as two or three lines: what the user said and how, and what came back."""
    text = Text()
    if turn.transcript:
        text.append("you      ", "bold cyan").append(turn.transcript)
        sounds = describe(turn.expression)
        if sounds:
            text.append(f"  (sounds {sounds})", "cyan")
        text.append("\n")
    reply = turn.reply
    if reply is None:
        return text
    text.append("rapport  ", "bold green").append(reply.text)
    text.append(f"  [{reply.style}", "green")
    if gap and turn.gap is not None:
        text.append(f", after {turn.gap:.2f} s", "green")
    text.append("]", "green")
    if reply.interrupted:
        heard = f'"{reply.heard}"' if reply.heard else "nothing"
        text.append(f"\n         interrupted; heard was {heard}", "yellow")
    return text


def describe(expression: Expression | None) -> str:
    """Return how a voice sounded, such as "sadness 0.62, calm"; empty if nothing stood out.

    Emotions come strongest first; arousal and valence follow where they are clear.
    """
    if expression is None:
        return ""
    scores = sorted(expression.emotions.items(), key=lambda item: -item[1])
    words = [f"{name.lower()} {score:.2f}" for name, score in scores[:2] if score >= LOUD_ENOUGH]
    if expression.arousal is not None and abs(expression.arousal) >= LOUD_ENOUGH:
        words.append("agitated" if expression.arousal > 0 else "calm")
    if expression.valence is not None and abs(expression.valence) >= LOUD_ENOUGH:
        words.append("pleasant" if expression.valence > 0 else "unpleasant")
    return ", ".join(words)
