"""One turn's right to the speaker, and the account of what was really heard.

Layer 3, on the event loop. Only this module writes to a speaker. A handle that was stopped refuses
every later write, so nothing that was still on its way can be heard after an interruption.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from device.ports import Line
from device.types import Pcm

DUCKED = 0.125
"""Factor on the voice while it is unclear whether the user has begun to speak: -18 dB."""


class PlaybackStopped(Exception):
    """The turn has lost its right to speak."""


@dataclass(slots=True)
class _Clause:
    text: str
    first: int
    """Samples written before it."""
    samples: int = 0


class Playback:
    """Plays the clauses of one reply. ``stop`` is synchronous: silence, now and for good."""

    def __init__(self, line: Line, sounded: Callable[[float], None]) -> None:
        """``sounded`` is called once, with the line's time of the first sample played."""
        self._line = line
        self._sounded: Callable[[float], None] | None = sounded
        self._stopped = False
        self._clauses: list[_Clause] = []
        self._begin = line.played
        self._written = 0
        self._final = 0
        self._held = False
        self._recent: deque[Pcm] = deque()
        """What was given to the line last, as much as it may still hold."""
        self._back: Pcm = np.empty(0, np.int16)
        """What was taken back from the line, to be given to it again."""
        line.gain = 1.0

    async def play(self, pcm: Pcm, clause: int, text: str) -> None:
        """Queue sound of the clause numbered ``clause``, waiting while the speaker is full.

        Raises PlaybackStopped once ``stop`` was called.
        """
        if clause == len(self._clauses):
            self._clauses.append(_Clause(text, self._written + len(self._back)))
        while len(pcm):
            self._check()
            taken = self._give(pcm)
            self._clauses[clause].samples += taken
            pcm = pcm[taken:]
            if len(pcm):
                await self._tick()
        while self._sounded is not None and self._written:
            await self._tick()  # the conversation has to know at once that it is heard

    async def drained(self) -> None:
        """Return when all that was queued has been played; raises PlaybackStopped if stopped."""
        while len(self._back) or self._played < self._written:
            await self._tick()

    def stop(self) -> None:
        """Be silent now and refuse whatever comes later."""
        if self._stopped:
            return
        self._notice()
        self._final = self._played
        self._stopped = True
        self._line.clear()
        self._line.gain = 1.0

    def hold(self, on: bool) -> bool:
        """Be silent now; or go on from there, of which nothing is lost.

        Return whether that changed anything.
        """
        if self._stopped or on is self._held:
            return False
        self._held = on
        if on:
            left = self._written - self._played
            given = np.concatenate((*self._recent, self._back[:0]))
            self._line.clear()
            self._back = np.concatenate((given[len(given) - left :], self._back))
            self._written -= left
            self._recent.clear()
            return True
        # A block that was on its way when it was cleared counts as played: it is played again.
        self._begin = self._line.played - self._written
        self._line.gain = 1.0
        self._give(self._back[:0])
        return True

    def duck(self, on: bool) -> None:
        """Lower the voice, or raise it again."""
        if not self._stopped:
            self._line.gain = DUCKED if on else 1.0

    def heard(self) -> str:
        """Return the words that were played so far, cut between words."""
        played = self._final if self._stopped else self._played
        return " ".join(part for c in self._clauses if (part := _share(c, played)))

    @property
    def _played(self) -> int:
        return min(self._line.played - self._begin, self._written)

    def _give(self, pcm: Pcm) -> int:
        """Give the line what was taken back and then ``pcm``; return how much of that it took."""
        if self._held:
            return 0
        back = self._line.write(self._back)
        self._note(self._back[:back])
        self._back = self._back[back:]
        if len(self._back):
            return 0
        taken = self._line.write(pcm)
        self._note(pcm[:taken])
        return taken

    def _note(self, given: Pcm) -> None:
        if not len(given):
            return
        self._written += len(given)
        self._recent.append(given)
        held = self._written - self._played
        while len(self._recent) > 1 and sum(map(len, self._recent)) - len(self._recent[0]) >= held:
            self._recent.popleft()

    async def _tick(self) -> None:
        await self._line.tick()
        self._check()
        self._give(self._back[:0])
        self._notice()

    def _check(self) -> None:
        if self._stopped:
            raise PlaybackStopped

    def _notice(self) -> None:
        played = self._played
        if self._sounded is not None and played > 0 and not self._stopped:
            tell, self._sounded = self._sounded, None
            tell(self._line.now() - played / self._line.rate)


def sound(line: Line, pcm: Pcm) -> None:
    """Play a short sound at once that belongs to no reply."""
    line.gain = 1.0
    line.write(pcm)


def _share(clause: _Clause, played: int) -> str:
    """Return the words of a clause that fit into the share of its samples that was played."""
    if clause.samples == 0 or played >= clause.first + clause.samples:
        return clause.text if played >= clause.first + clause.samples and clause.samples else ""
    share = max(0, played - clause.first) / clause.samples
    reach = share * len(clause.text)
    end, kept = 0, []
    for word in clause.text.split():
        end = clause.text.index(word, end) + len(word)
        if end > reach:
            break
        kept.append(word)
    return " ".join(kept)
