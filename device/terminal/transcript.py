"""Shows a conversation as a transcript, turn by turn, as it happens.

Layer 6. Serves ``rapport talk`` with files; the words for an expression serve the live view too.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from device.terminal.record import Record, TurnRecord
from device.types import Expression, Observed

INDENT = 9
"""Columns of the names before what was said."""
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
            show(ended, self._console, self._gaps)


def show(turn: TurnRecord, console: Console, gap: bool = False) -> None:
    """Print what the user said and how, what came back, and what of it was heard if not all."""
    if turn.transcript:
        said = Text(turn.transcript)
        sounds = describe(turn.expression)
        said.append(f"  (sounds {sounds})" if sounds else "", "cyan")
        _print(console, Text("you", "bold cyan"), said)
    reply = turn.reply
    if reply is None:
        return
    after = f", after {turn.gap:.2f} s" if gap and turn.gap is not None else ""
    answer = Text(reply.text).append(f"  [{reply.style}{after}]", "green")
    _print(console, Text("rapport", "bold green"), answer)
    if reply.interrupted:
        heard = f'"{reply.heard}"' if reply.heard else "nothing"
        _print(console, Text(), Text(f"interrupted; heard was {heard}", "yellow"))


def _print(console: Console, label: Text, body: Text) -> None:
    """Print a label with a text beside it; only a terminal needs the lines broken."""
    width = console.width - INDENT
    lines = body.wrap(console, width) if console.is_terminal and width > 0 else [body]
    label.pad_right(INDENT - len(label))
    for line in lines:
        console.print(label + line, soft_wrap=True)
        label = Text(" " * INDENT)


def dimensions(expression: Expression) -> str:
    """Return what was measured of a voice in figures, such as "arousal +0.4, valence -0.1"."""
    known = {"arousal": expression.arousal, "valence": expression.valence}
    return ", ".join(f"{name} {value:+.1f}" for name, value in known.items() if value is not None)


def describe(expression: Expression | None) -> str:
    """Return how a voice sounded, such as "sadness 0.62, calm"; empty if nothing stood out.

    Emotions come strongest first; arousal and valence follow where they are clear.
    """
    if expression is None:
        return ""
    scores = sorted(expression.emotions.items(), key=lambda item: -item[1])
    words = [f"{name.lower()} {score:.2f}" for name, score in scores[:2] if score >= LOUD_ENOUGH]
    # Arousal counts only as far as it is sure: a stranger's usual voice is not known yet.
    if abs((expression.arousal or 0.0) * expression.confidence) >= LOUD_ENOUGH:
        assert expression.arousal is not None
        words.append("agitated" if expression.arousal > 0 else "calm")
    if expression.valence is not None and abs(expression.valence) >= LOUD_ENOUGH:
        words.append("pleasant" if expression.valence > 0 else "unpleasant")
    return ", ".join(words)
