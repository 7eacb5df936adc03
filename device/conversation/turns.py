"""The turns of one conversation, one after the other: at most one is being made or spoken.

Layer 3, on the event loop. Owns each turn's task; serves ``conversation``, which alone decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from device.conversation.earcons import earcon
from device.conversation.playback import Playback, sound
from device.conversation.state import Broke, Drained, Sounded
from device.conversation.turn import Pieces, Speech, Turn
from device.ports import Line
from device.supervisor import first_cause
from device.types import Style, Utterance

log = logging.getLogger(__name__)

Report = Callable[[Sounded | Drained | Broke], None]


class Turns:
    """Starts turns, grants one the right to speak, and ends it."""

    def __init__(self, line: Line, speech: Speech, report: Report) -> None:
        """``report`` is told how the current turn goes, once it was granted."""
        self.current: Turn | None = None
        self.speech = speech
        """How the turns that begin from now on are spoken."""
        self._line, self._report = line, report
        self._task: asyncio.Task[None] | None = None
        self._count = 0

    def start(
        self,
        tasks: asyncio.TaskGroup,
        pieces: Pieces,
        style: Style,
        utterance: Utterance | None = None,
        verbatim: bool = False,
    ) -> Turn:
        """Begin a turn in place of one that was only prepared; it has no right to speak yet."""
        self.discard()
        self._count += 1
        turn = Turn(self._count, pieces, self.speech, style, utterance, verbatim)
        previous, name = self._task, f"turn {turn.number}"
        self._task = tasks.create_task(self._carry(turn, previous), name=name)
        self.current = turn
        return turn

    def grant(self, turn: Turn) -> None:
        """Give a turn the speaker."""

        def sounded(at: float) -> None:
            turn.marks.first_audio = at
            self._tell(turn, Sounded(turn.number))

        turn.grant(Playback(self._line, sounded))

    def discard(self) -> None:
        """Throw away a turn that was prepared but never granted."""
        if self.current is not None and self.current.playback is None:
            self.end(interrupted=True)

    def end(self, interrupted: bool) -> Turn | None:
        """Close the current turn and return it; if interrupted: silence first, then cancel."""
        turn, self.current = self.current, None
        if turn is not None and interrupted:
            if turn.playback is not None:
                turn.playback.stop()
            assert self._task is not None
            self._task.cancel()
        return turn

    def duck(self, on: bool) -> None:
        """Lower the voice while somebody may have begun to speak, or raise it again."""
        if self.current is not None and self.current.playback is not None:
            self.current.playback.duck(on)

    def hold(self, on: bool) -> bool:
        """Be silent for a while, or go on from there; return whether that changed anything."""
        turn = self.current
        return turn is not None and turn.playback is not None and turn.playback.hold(on)

    @property
    def heard(self) -> str:
        """What was heard so far of the turn that is being spoken."""
        turn = self.current
        return turn.playback.heard() if turn is not None and turn.playback is not None else ""

    def chime(self, name: str) -> None:
        """Play a tone, unless a reply is being spoken."""
        if self.current is None or self.current.playback is None:
            sound(self._line, earcon(name, self._line.rate))

    async def _carry(self, turn: Turn, previous: asyncio.Task[None] | None) -> None:
        """Run a turn once the one before has ended, and report how it went."""
        if previous is not None:
            await asyncio.wait([previous])
        try:
            await turn.run()
        except Exception as error:
            first = first_cause(error)
            reason = str(first) or type(first).__name__
            log.error("turn %d failed: %s", turn.number, reason, exc_info=error)
            self._tell(turn, Broke(turn.number, reason))
        else:
            self._tell(turn, Drained(turn.number))

    def _tell(self, turn: Turn, event: Sounded | Drained | Broke) -> None:
        if self.current is not turn:
            return
        if turn.playback is None:
            self.current = None  # a guess that failed; the utterance itself gets another turn
        else:
            self._report(event)
