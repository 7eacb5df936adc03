"""How the gap before a reply divides among the parts that were waited for.

Layer 6, pure. Serves ``rapport bench``.

Eager turns work on several things at once, so durations do not add up; what adds up is the time
line. It is walked from the user's last sample to the first of the reply, and each stretch belongs
to what the reply was waiting for then:

    speech ends -[first silence]- the analysis begins -[ASR]- words, end of turn and expression are
    known -[LLM]- the first clause is complete -[TTS]- its first sound is made -[endpoint]- it is
    decided that the user had finished -[line]- the first sample is played

A moment that came before the one preceding it in this order cost nothing: its part is zero. So a
decision that falls before the sound is ready adds no endpoint, and work that was done while the
decision was still open is hidden behind it: without that work the gap would not have been shorter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["recognizer", "turn", "prosody", "voice"]


@dataclass(frozen=True, slots=True)
class Span:
    """One call of a model: its begin and end in seconds of ``time.monotonic``."""

    part: Part
    begin: float
    end: float
    """For a voice: when the first piece of sound was there."""


Spans = list[Span]
"""In the order of their ends; appended to on the models' threads."""

PARTS = ("first silence", "ASR", "LLM", "TTS", "endpoint", "line")
"""In the order of the time line. What the endpoint costs in all: its first and its fifth."""


@dataclass(frozen=True, slots=True)
class Milestones:
    """The moments of one answered utterance, in seconds on the line's clock."""

    speech_end: float
    """Of the recording, not as the device heard it."""
    analysis_begun: float
    analysed: float
    first_clause: float
    synthesized: float
    decided: float
    first_audio: float

    @property
    def gap(self) -> float:
        """From the last sample of the speech to the first of the reply."""
        return self.first_audio - self.speech_end

    @property
    def hidden(self) -> float:
        """Seconds of work on the reply done before the turn was known to be over."""
        return max(0.0, min(self.decided, self.synthesized) - self.analysis_begun)

    @property
    def exposed(self) -> float:
        """Seconds of work on the reply left to do when the turn was known to be over."""
        return max(0.0, self.synthesized - max(self.decided, self.analysis_begun))


def divide(moments: Milestones) -> dict[str, float]:
    """Return the seconds that each of ``PARTS`` adds to the gap; their sum is the gap."""
    ends = (
        moments.analysis_begun,
        moments.analysed,
        moments.first_clause,
        moments.synthesized,
        moments.decided,
        moments.first_audio,
    )
    reached, parts = moments.speech_end, {}
    for part, end in zip(PARTS, ends, strict=True):
        later = min(max(end, reached), moments.first_audio)
        parts[part], reached = later - reached, later
    return parts


def analysis(spans: Spans, first_token: float) -> tuple[float, float] | None:
    """Return when the analysis behind a reply began and ended; ``first_token`` in the same clock.

    It is the last one before the model's first token: its turn detector is called as it begins.
    None if there was none.
    """
    turns = [s for s in spans if s.part == "turn" and s.begin <= first_token]
    if not turns:
        return None
    begun = turns[-1].begin
    done = [s.end for s in spans if s.part != "voice" and begun <= s.end <= first_token]
    return (begun, max(done)) if done else None


def first_sound_made(spans: Spans, first_clause: float) -> float | None:
    """Return when the first sound of the clause that was complete at ``first_clause`` was made."""
    made = [s.end for s in spans if s.part == "voice" and s.begin >= first_clause - 0.001]
    return min(made, default=None)
