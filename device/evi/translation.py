"""From the events of a conversation to the messages of a chat, in the order that clients need.

Layer 4, pure. One for each chat. What the user said goes out before any sound of the answer, the
text of a segment before its sound, and the sound of one segment before the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

from device.evi import messages
from device.evi.expressions import prosody, scores_of_style
from device.evi.faults import internal
from device.evi.messages import Prosody, Sent
from device.evi.sounds import wav
from device.types import (
    Event,
    Expressed,
    Expression,
    Interrupted,
    Replied,
    Replying,
    SpeechStarted,
    Spoken,
    SpokenAll,
    ToolCalled,
    Transcribed,
    TurnFailed,
)


class Translation:
    """Hand it each event; it hands back what the client is to be told."""

    def __init__(
        self, measuring: Callable[[], bool], verbose: bool, began: Callable[[], float]
    ) -> None:
        """``measuring`` returns whether the client may be told of expressions at this moment.

        ``verbose``: words are sent while they are spoken. ``began`` returns when the audio began,
        on the line's clock.
        """
        self._measuring, self._verbose, self._began = measuring, verbose, began
        self._transcribed: Transcribed | None = None
        self._sounding: Expression | None = None
        """How the user has sounded last, in the utterance that goes on."""
        self._segment = ""
        self._style = ""
        self._index = 0
        self._replying = False

    def messages(self, event: Event) -> list[Sent]:
        """Return the messages that ``event`` gives rise to."""
        match event:
            case SpeechStarted() | Transcribed() | Expressed():
                return self._words(event)
            case Interrupted():
                self._segment = ""
                return [messages.user_interruption(round(time.time() * 1000)), *self._end()]
            case ToolCalled(call, tool, arguments) if tool.builtin:
                return [messages.tool_response(call, tool.name, "done")]
            case ToolCalled(call, tool, arguments):
                return [messages.tool_call(call, tool.name, arguments)]
            case TurnFailed():
                return [messages.error(internal())]
        return self._speech(event)

    def _words(self, event: SpeechStarted | Transcribed | Expressed) -> list[Sent]:
        match event:
            case SpeechStarted():
                self._sounding = None
            case Expressed(expression, interim=True):
                self._sounding = expression
            case Transcribed(interim=True) if self._verbose:
                return [self._user(event, self._sounding)]
            case Transcribed(interim=False, expressed=True):
                self._transcribed = event
            case Transcribed(interim=False):
                return [*self._end(), self._user(event, None)]
            case Expressed(expression) if self._transcribed is not None:
                heard, self._transcribed = self._transcribed, None
                return [*self._end(), self._user(heard, expression)]
        return []

    def _speech(self, event: Event) -> list[Sent]:
        match event:
            case Replying(sentence, _, verbatim):
                closed = self._close()
                self._segment, self._index, self._replying = str(uuid4()), 0, True
                self._style = sentence.style.name
                told = messages.assistant_message(self._segment, sentence.text, from_text=verbatim)
                return [*closed, told]
            case Spoken(pcm, rate) if len(pcm) and self._segment:
                self._index += 1
                sound = wav(pcm, rate)
                return [messages.audio_output(self._segment, self._index - 1, sound)]
            case SpokenAll():
                return [*self._close(), *self._end()]
            case Replied():
                self._segment = ""
                return self._end()
        return []

    def _user(self, heard: Transcribed, expression: Expression | None) -> Sent:
        interim, begin, end = heard.interim, heard.started, heard.ended
        spoken = interim or begin is not None
        span = (0, 0) if begin is None or end is None else (self._ms(begin), self._ms(end))
        told: Prosody | None = None
        # EVI measures voices: what is guessed from typed words is for the device's own use.
        if expression is not None and spoken and self._measuring():
            told = prosody(expression, final=not interim)
        return messages.user_message(heard.text, told, span, from_text=not spoken, interim=interim)

    def _ms(self, at: float) -> int:
        return max(0, round((at - self._began()) * 1000))

    def _close(self) -> list[Sent]:
        """Return what follows the sound of a segment."""
        segment, self._segment = self._segment, ""
        if not segment:
            return []
        return [messages.assistant_prosody(segment, scores_of_style(self._style))]

    def _end(self) -> list[Sent]:
        replying, self._replying = self._replying, False
        return [messages.assistant_end()] if replying else []
