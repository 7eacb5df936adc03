"""When somebody speaks, pauses, goes on, and has finished.

Layer 3, pure: frames of voice activity go in, marks come out; time is counted in frames. Serves
``ears``. The end of a turn is decided from two things together: how long the silence has lasted,
and how finished the utterance sounded and read.
"""

from __future__ import annotations

import math
import re
from enum import Enum, auto

from device.settings import Hearing


class Mark(Enum):
    """What a frame of voice activity brought to light."""

    SUSPECTED = auto()
    DISMISSED = auto()
    STARTED = auto()
    PAUSED = auto()
    RESUMED = auto()
    ENDED = auto()


HYSTERESIS = 0.15
"""Silero's own iterator leaves speech this much below the threshold that enters it."""
DISMISS_FRAMES = 3
"""So many silent frames in a row end a suspicion: 96 ms."""
RESUME_FRAMES = 2
"""A lone voiced frame in a pause is a click or a breath."""
SURE, UNSURE = 0.8, 0.2
"""Beyond these the end-of-turn network is taken at its word."""

_HANGING_WORDS = """
    a an and as because but by from if into my of or our than the their to uh um which while with
    your
"""
_HANGING = frozenset(_HANGING_WORDS.split())
_LAST_WORD = re.compile(r"([\w']+)\W*$")


class Endpoint:
    """The state of one line's speech; ``hear`` one probability for each frame."""

    def __init__(self, settings: Hearing, frame_s: float) -> None:
        self._settings = settings
        self._frame_s = frame_s
        self._onset_frames = max(1, math.ceil(settings.onset / frame_s))
        self._state = Mark.ENDED
        self._voiced = 0
        self._silent = 0
        self._resuming = 0
        self._limit: float | None = None
        self._held = self._hurried = False

    def hold(self, on: bool) -> None:
        """Let no silence end the turn; when that is over, let the next frame end it."""
        self._held, self._hurried = on, not on and self.speaking

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._state in (Mark.STARTED, Mark.PAUSED)

    @property
    def silence(self) -> float:
        """Seconds since the last frame of speech."""
        return self._silent * self._frame_s

    def judge(self, finished: float) -> None:
        """Take the verdict on the present pause, 0 (goes on) to 1 (finished): it sets the wait."""
        settings = self._settings
        share = min(max((finished - UNSURE) / (SURE - UNSURE), 0.0), 1.0)
        if settings.shortest_silence <= 0:
            self._limit = (1 - share) * settings.longest_silence
        else:
            ratio = settings.shortest_silence / settings.longest_silence
            self._limit = settings.longest_silence * ratio**share

    def hear(self, probability: float) -> Mark | None:
        """Take the speech probability of the next frame and say what it brought, if anything."""
        threshold = self._settings.speech_threshold
        # Once entered, speech goes on at less: a voiceless onset ("pr") wavers for 0.2 s.
        entered = self._state in (Mark.SUSPECTED, Mark.STARTED) and self._silent == 0
        voiced = probability >= (threshold - HYSTERESIS if entered else threshold)
        match self._state:
            case Mark.ENDED:
                return self._in_silence(voiced)
            case Mark.SUSPECTED:
                return self._in_suspicion(voiced)
            case Mark.STARTED:
                return self._in_speech(voiced)
            case _:
                return self._in_pause(voiced)

    def _in_silence(self, voiced: bool) -> Mark | None:
        if not voiced:
            return None
        self._voiced, self._silent = 1, 0
        self._state = Mark.SUSPECTED
        return self._confirm() or Mark.SUSPECTED

    def _in_suspicion(self, voiced: bool) -> Mark | None:
        if voiced:
            self._voiced, self._silent = self._voiced + 1, 0
            return self._confirm()
        self._silent += 1
        if self._silent < DISMISS_FRAMES:
            return None
        self._state = Mark.ENDED
        return Mark.DISMISSED

    def _confirm(self) -> Mark | None:
        if self._voiced < self._onset_frames:
            return None
        self._state = Mark.STARTED
        self._silent = 0
        return Mark.STARTED

    def _in_speech(self, voiced: bool) -> Mark | None:
        self._silent = 0 if voiced else self._silent + 1
        if self.silence < self._settings.eager_silence and not self._hurried:
            return None
        self._state = Mark.PAUSED
        self._limit, self._resuming = None, 0
        return Mark.PAUSED

    def _in_pause(self, voiced: bool) -> Mark | None:
        self._silent += 1
        self._resuming = self._resuming + 1 if voiced else 0
        if self._resuming >= RESUME_FRAMES and not self._hurried:
            self._state, self._silent = Mark.STARTED, 0
            return Mark.RESUMED
        waiting = self._resuming or self._held or self.silence < (self._limit or 0.0)
        if self._limit is None or (waiting and not self._hurried):
            return None
        self._state, self._hurried = Mark.ENDED, False
        return Mark.ENDED


def finished(turn_probability: float, text: str) -> float:
    """Return how finished an utterance is, 0 to 1, from the sound of it and from its words.

    The network alone separates whole clips from cut ones with an AUC of about 0.8, so the words
    have a say: a closing mark supports the end, a hanging word ("and", "the", "um") opposes it.
    """
    stripped = text.strip()
    last = _LAST_WORD.search(stripped.lower())
    if last is not None and last.group(1) in _HANGING and not stripped.endswith("?"):
        return turn_probability * 0.3
    if stripped.endswith(("...", "…", ",", "-", ":", ";")):
        return turn_probability * 0.5
    if stripped.endswith((".", "?", "!")):
        return 0.25 + 0.75 * turn_probability
    return turn_probability
