"""What a conversation says: replies that are prepared and granted, texts, and what became of them.

Layer 3, on the event loop. Serves ``conversation``, which decides when.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from device.config import Config
from device.conversation.composing import Composer
from device.conversation.pause import Pause
from device.conversation.said import Said
from device.conversation.turn import Speech, Turn
from device.conversation.turns import Report, Turns
from device.mind import style
from device.mind.expression import combine
from device.ports import LanguageModel, Line, Voice
from device.settings import Speaking
from device.types import (
    Expressed,
    Expression,
    Interrupted,
    Message,
    Replied,
    Resumed,
    Say,
    Style,
    Transcribed,
    TurnTimed,
    Utterance,
)
from device.worker import Owned

NOTHING_SAID = "I have not said anything yet."
"""Spoken when the last reply is to be repeated and there was none."""


class Answers:
    """Makes the turns of one conversation, and keeps account of them."""

    def __init__(
        self,
        line: Line,
        model: Owned[LanguageModel],
        speech: Speech,
        settings: Config,
        report: Report,
    ) -> None:
        """``report`` is told how the current turn goes."""
        self.composer = Composer(model, settings, speech.publish)
        self.turns = Turns(line, speech, report)
        self.pause, self.said = Pause(), Said()
        self.tasks: asyncio.TaskGroup | None = None
        """What turns run in, while the conversation does."""
        self._line, self._publish = line, speech.publish
        self._speaking = settings.speaking
        self._measurable = self.measuring = settings.hearing.expression
        self._aside: Turn | None = None

    def speak_with(self, voice: Owned[Voice], speaking: Speaking) -> None:
        """Speak with another voice and manner from the next turn on."""
        self.turns.speech = replace(self.turns.speech, voice=voice)
        self._speaking = speaking

    def measure_expression(self, on: bool) -> None:
        """Take the user's expression into account, unless the settings forbid it, or do not."""
        before, self.measuring = self.measuring, on and self._measurable
        if before and not self.measuring:
            self.turns.discard()  # prepared with an expression; it is prepared again without

    @property
    def owed(self) -> bool:
        """Whether the user's last words have had no answer."""
        return not self.pause.on and self.composer.history.unanswered is not None

    def prepare(self, utterance: Utterance) -> Turn:
        """Begin to answer what may be a finished utterance; nothing is said or told yet."""
        expression = self.expression(utterance)
        return self._start(utterance.text, expression, utterance)

    def answer(self, utterance: Utterance, at: float) -> None:
        """Let the reply to an utterance, which ended the turn at ``at``, be spoken."""
        turn = self.turns.current
        if turn is None or turn.utterance is not utterance:
            turn = self.prepare(utterance)
        turn.marks.turn_end = at
        self._commit(turn, utterance.text, self.expression(utterance))

    def answer_text(self, text: str) -> None:
        """Reply to words that were not spoken, at once."""
        self.end(interrupted=True)
        expression = self.worded(text)
        turn = self._start(text, expression, None)
        self._commit(turn, text, expression)

    def _commit(self, turn: Turn, text: str, expression: Expression | None) -> None:
        """Make a prepared turn the answer: tell, remember, and let it speak."""
        self.pause.answered()
        self.note(text, expression, turn, turn.utterance)
        self.turns.grant(turn)

    def note(
        self,
        text: str,
        expression: Expression | None,
        turn: Turn | None = None,
        utterance: Utterance | None = None,
    ) -> None:
        """Tell what the user said, and remember it."""
        number = turn.number if turn else None
        begin, end = (utterance.started, utterance.ended) if utterance else (None, None)
        self._publish(Transcribed(text, False, number, begin, end, expression is not None))
        if expression is not None:
            self._publish(Expressed(expression, number))
        if self.pause.on:
            self.pause.keep(self.composer.message(text, expression))
        self.composer.remember(text, expression, apart=self.pause.on)

    def _start(self, text: str, expression: Expression | None, utterance: Utterance | None) -> Turn:
        # The prompt is taken now: by the time it is read, the message may be in the history.
        prompt = self.composer.history.with_user(self.composer.message(text, expression))
        return self._reply_to(prompt, text, expression, utterance)

    def _reply_to(
        self,
        prompt: list[Message],
        text: str,
        expression: Expression | None = None,
        utterance: Utterance | None = None,
    ) -> Turn:
        chosen = self._styled(style.choose(expression, self._speaking.style))
        return self.turns.start(
            self._running, lambda turn: self.composer.answer(prompt, text, turn), chosen, utterance
        )

    def say(self, command: Say) -> Turn:
        """Speak a text as it is."""
        turn = self._speak(command.text, self._styled(style.choose(None, command.style)))
        self._aside = turn if command.aside else None
        return turn

    def _speak(self, text: str, chosen: Style, verbatim: bool = True) -> Turn:
        """Speak words as they are."""

        async def words(_: Turn) -> AsyncGenerator[str, None]:
            yield text

        turn = self.turns.start(self._running, words, chosen, verbatim=verbatim)
        self.turns.grant(turn)
        return turn

    def _styled(self, chosen: Style) -> Style:
        manner = self._speaking
        return style.adjusted(chosen, manner.rate, manner.pitch, manner.level)

    def repeat(self) -> None:
        """Say the last reply again."""
        self.end(interrupted=True)
        self.say(Say(self.said.text or NOTHING_SAID))

    def resume(self) -> bool:
        """Go on where a reply was cut off for nothing; return whether there is anything left."""
        left = self.said.left()
        if left is None:
            return False
        again, rest = left
        self.composer.history.take_back(again)
        turn = self._speak(rest, self.said.style, verbatim=False)
        self._publish(Resumed(turn.number))
        return True

    def answer_waiting(self) -> bool:
        """Reply to what was said last and has no answer; return whether there was anything."""
        question = self.pause.question(self.composer.history)
        if question is None:
            return False
        self.pause.answered()
        self.turns.grant(self._reply_to(*question))
        return True

    @property
    def _running(self) -> asyncio.TaskGroup:
        assert self.tasks is not None, "a conversation starts turns only while it runs"
        return self.tasks

    def end(self, interrupted: bool, onset: float | None = None) -> None:
        """Close the current turn and remember only what was heard of it.

        ``onset`` is when the user began, if it was the user who spoke into it.
        """
        turn = self.turns.end(interrupted)
        if turn is not None and onset is not None:
            self._publish(Interrupted(turn.number, self._line.now(), onset))
        if turn is None or turn.playback is None:
            return
        reply = turn.reply()
        if turn is not self._aside:
            self.composer.history.add_reply(reply.heard)
        self.said.note(reply, turn.style, self._line.now())
        self._publish(Replied(reply, turn.number))
        self._publish(TurnTimed(turn.times(), turn.number))

    def expression(self, utterance: Utterance) -> Expression | None:
        """Return how an utterance sounds and reads, if that may be measured."""
        return combine(utterance.expression, utterance.text) if self.measuring else None

    def worded(self, text: str) -> Expression | None:
        """Return what words alone express, if that may be measured."""
        return combine(None, text) if self.measuring else None
