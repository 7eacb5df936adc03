"""Who is spoken to: what is heard reaches the conversation only when it is meant for the device.

Layer 3. Serves the conversation, on the event loop. In the mode ``wake`` a resting device passes
everything over until the wake phrase is heard; the words after it belong to the conversation, so
that phrase and question may be said in one breath.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from device.hearing.wake_phrase import WakePhrase
from device.settings import ConversationSettings
from device.types import (
    Command,
    HearingEvent,
    SpeechContinued,
    SpeechStarted,
    TurnLikely,
    Utterance,
    UtteranceEnded,
    WakeHeard,
)


class Waking:
    """Lets through what is meant for the device, without the phrase that woke it."""

    def __init__(self, settings: ConversationSettings) -> None:
        self._phrase = None
        if settings.mode == "wake":
            self._phrase = WakePhrase(settings.wake_phrase, settings.wake_sensitivity)
        self._open = settings.mode == "open"
        self._woken = False
        self._stripped: tuple[Utterance, Utterance] | None = None
        self._onset = 0.0

    def admit(
        self, event: HearingEvent | Command, resting: bool
    ) -> Sequence[HearingEvent | Command]:
        """Return what reaches the conversation of ``event``, a wake-up before it if it woke."""
        if self._open or not isinstance(event, HearingEvent):
            return (event,)
        if isinstance(event, WakeHeard):
            self._woken = True  # by its sound: the words of it are still to come, or just have
            return (event,)
        if isinstance(event, SpeechStarted):
            self._onset, self._woken = event.at, False
        if self._phrase is None:
            return () if resting else (event,)
        match event:
            case SpeechContinued(text, at):
                return self._words(self._phrase, event, text, at, resting)
            case TurnLikely(utterance) | UtteranceEnded(utterance):
                at = utterance.ended
                return self._words(self._phrase, event, utterance.text, at, resting)
        return () if resting else (event,)

    def _words(
        self,
        phrase: WakePhrase,
        event: SpeechContinued | TurnLikely | UtteranceEnded,
        text: str,
        at: float,
        resting: bool,
    ) -> Sequence[HearingEvent]:
        found = phrase.match(text)
        if found is None and not self._woken:
            return () if resting else (event,)
        # Once it was recognised, later words of the same utterance may spell it in any way.
        self._woken = True
        rest = self._without(event, found.rest if found else phrase.rest(text))
        if not resting:
            return (rest,)
        return (WakeHeard(phrase.phrase, at), SpeechStarted(self._onset), rest)

    def _without(
        self, event: SpeechContinued | TurnLikely | UtteranceEnded, rest: str
    ) -> HearingEvent:
        """Return the event with the words after the phrase alone."""
        if isinstance(event, SpeechContinued):
            return replace(event, text=rest)
        return replace(event, utterance=self._shortened(event.utterance, rest))

    def _shortened(self, utterance: Utterance, rest: str) -> Utterance:
        """Return the utterance without the phrase: the same one each time it comes by."""
        if self._stripped is None or self._stripped[0] is not utterance:
            self._stripped = (utterance, replace(utterance, text=rest))
        return self._stripped[1]


def called_only(event: HearingEvent | Command) -> bool:
    """Return whether the utterance was nothing but the wake phrase."""
    return isinstance(event, TurnLikely | UtteranceEnded) and not event.utterance.text
