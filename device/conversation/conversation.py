"""One conversation on one line: what is heard and asked goes in, at most one turn comes of it.

Layer 3, on the event loop. The only place that starts, grants and cancels turns. ``handle`` is
synchronous: an interruption silences the speaker before anything else can run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from device.config import Config
from device.conversation.history import History, fit
from device.conversation.playback import Playback
from device.conversation.state import TABLE, Act, Broke, Drained, Sounded
from device.conversation.turn import Pieces, Speech, Turn
from device.hearing.ears import Ears
from device.mind import persona, style
from device.mind.expression import combine
from device.ports import LanguageModel, Line
from device.types import (
    Asked,
    Command,
    Expressed,
    Expression,
    HearingEvent,
    Interrupted,
    Message,
    Muted,
    Pressed,
    Quiet,
    Replied,
    Say,
    SpeechContinued,
    SpeechFailed,
    SpeechStarted,
    State,
    StateChanged,
    Style,
    Transcribed,
    TurnFailed,
    TurnLikely,
    TurnTimed,
    Utterance,
    UtteranceEnded,
    WakeHeard,
)
from device.worker import Owned

log = logging.getLogger(__name__)

APOLOGY = "Sorry, something went wrong."
"""Spoken when a turn fails, as long as the voice itself works."""


@dataclass(slots=True)
class _Running:
    turn: Turn
    task: asyncio.Task[None]
    granted: bool = False
    apology: bool = False


class Conversation:
    """Talks with whoever is at the other end of a line."""

    def __init__(
        self,
        line: Line,
        ears: Ears,
        model: Owned[LanguageModel],
        speech: Speech,
        settings: Config,
    ) -> None:
        self.state = State.IDLE if settings.conversation.wake else State.LISTENING
        self._line, self._ears, self._model = line, ears, model
        self._settings, self._publish = settings, speech.publish
        self._speech = speech
        self._history = History(persona.opening(settings.thinking.persona))
        self._current: _Running | None = None
        self._last: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._follow_up: asyncio.TimerHandle | None = None
        self._turns = 0
        self._muted = False
        self._ignoring = False

    async def run(self) -> None:
        """Converse until the line ends; what is still being said then is cut off."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._ears.listen(self._line, self.handle)
            self._keep_listening()
            self._end(interrupted=True)
        self._tasks = None

    def handle(self, event: HearingEvent | Command | Sounded | Drained | Broke) -> None:
        """Take what happened or is asked for; returns at once."""
        if isinstance(event, Muted):
            self._muted = event.on
            if not event.on:
                return
        if self._deaf_to(event) or self._tell(event):
            return
        transition = TABLE.get((self.state, type(event)))
        if transition is None:
            log.debug("%s is ignored while %s", type(event).__name__, self.state)
            return
        self._move(transition.to)
        self._act(transition.act, event)

    @property
    def resting(self) -> bool:
        """Whether nothing is being prepared, spoken or about to be."""
        return self._current is None and self.state in (State.IDLE, State.LISTENING)

    def _deaf_to(self, event: object) -> bool:
        """Whether an utterance is passed over: muted, or begun while it must not interrupt."""
        if not isinstance(event, HearingEvent):
            return False
        busy = self.state in (State.THINKING, State.SPEAKING)
        if isinstance(event, SpeechStarted):
            self._ignoring = self._muted or (busy and not self._settings.conversation.barge_in)
        return self._muted or self._ignoring

    def _tell(self, event: object) -> bool:
        """Publish what is only told; return whether nothing else is to be done."""
        match event:
            case SpeechContinued(text):
                self._publish(Transcribed(text, interim=True))
            case SpeechFailed():
                self._publish(event)
            case SpeechStarted():
                self._keep_listening()
                self._publish(event)
                return False
            case _:
                return False
        return True

    def _move(self, to: State) -> None:
        if to is State.IDLE and not self._settings.conversation.wake:
            to = State.LISTENING
        if to is not self.state:
            old, self.state = self.state, to
            self._publish(StateChanged(old, to))

    def _act(self, act: Act, event: object) -> None:
        match act, event:
            case Act.WAKE, WakeHeard() | Pressed():
                self._wait_for_follow_up()
            case Act.ASK, Asked(text):
                self._answer_text(text)
            case Act.SAY, Say():
                self._say(event)
            case Act.PREPARE, TurnLikely(utterance) if self._settings.conversation.eager:
                self._prepare(utterance)
            case Act.DISCARD, _:
                self._discard()
            case Act.ANSWER, UtteranceEnded(utterance, at):
                self._answer(utterance, at)
            case Act.DUCK | Act.UNDUCK, _ if self._settings.conversation.barge_in:
                self._duck(act is Act.DUCK)
            case Act.INTERRUPT, SpeechStarted(at):
                self._interrupt(at)
            case Act.STOP, _:
                self._end(interrupted=True)
            case Act.FINISH, _:
                self._end(interrupted=False)
                self._wait_for_follow_up()
            case Act.FAIL, Broke(number, reason):
                self._fail(number, reason)

    # Turns

    def _prepare(self, utterance: Utterance) -> None:
        """Begin to answer what may be a finished utterance; nothing is said or told yet."""
        self._discard()
        expression = self._expression(utterance)
        message = persona.user(utterance.text, expression)
        chosen = style.choose(expression, self._settings.speaking.style)
        self._start(lambda: self._think(message), chosen, utterance)

    def _answer(self, utterance: Utterance, at: float) -> None:
        prepared = self._current
        if prepared is None or prepared.turn.utterance is not utterance:
            self._prepare(utterance)
        running = self._current
        assert running is not None
        running.turn.marks.turn_end = at
        expression = self._expression(utterance)
        self._publish(Transcribed(utterance.text, interim=False, turn=running.turn.number))
        if expression is not None:
            self._publish(Expressed(expression, running.turn.number))
        self._history.add_user(persona.user(utterance.text, expression))
        self._grant(running)

    def _answer_text(self, text: str) -> None:
        expression = combine(None, text) if self._settings.hearing.expression else None
        message = persona.user(text, expression)
        chosen = style.choose(expression, self._settings.speaking.style)
        self._discard()
        running = self._start(lambda: self._think(message), chosen, None)
        self._publish(Transcribed(text, interim=False, turn=running.turn.number))
        self._history.add_user(message)
        self._grant(running)

    def _say(self, command: Say) -> _Running:
        async def words() -> AsyncGenerator[str, None]:
            yield command.text

        self._discard()
        running = self._start(words, style.choose(None, command.style), None)
        self._grant(running)
        return running

    def _start(self, pieces: Pieces, chosen: Style, utterance: Utterance | None) -> _Running:
        assert self._tasks is not None, "a conversation starts turns only while it runs"
        self._turns += 1
        turn = Turn(self._turns, pieces, self._speech, chosen, utterance)
        task = self._tasks.create_task(self._carry(turn, self._last), name=f"turn {turn.number}")
        self._last, self._current = task, _Running(turn, task)
        return self._current

    async def _carry(self, turn: Turn, previous: asyncio.Task[None] | None) -> None:
        """Run a turn once the one before has ended, and report how it went."""
        if previous is not None:
            await asyncio.wait([previous])
        try:
            await turn.run()
        except Exception as error:
            reason = _reason(error)
            log.error("turn %d failed: %s", turn.number, reason, exc_info=error)
            self._report(turn, Broke(turn.number, reason))
        else:
            self._report(turn, Drained(turn.number))

    def _report(self, turn: Turn, event: Sounded | Drained | Broke) -> None:
        """Pass on what a turn reports, unless it is no longer the current one."""
        current = self._current
        if current is None or current.turn is not turn:
            return
        if isinstance(event, Broke) and not current.granted:
            self._current = None  # a guess that failed; the utterance itself gets another turn
            return
        self.handle(event)

    async def _think(self, message: Message) -> AsyncGenerator[str, None]:
        prompt, fixed = self._history.with_user(message), self._history.fixed
        reserve = self._settings.thinking.max_tokens
        fitting, dropped = await self._model.call(
            lambda model: fit(prompt, fixed, model.count, model.context - reserve)
        )
        self._history.forget(dropped)
        async with aclosing(self._model.stream(lambda m, stop: m.reply(fitting, stop))) as pieces:
            async for piece in pieces:
                yield piece

    def _grant(self, running: _Running) -> None:
        running.granted = True
        turn = running.turn

        def sounded(at: float) -> None:
            turn.marks.first_audio = at
            self._report(turn, Sounded(turn.number))

        turn.grant(Playback(self._line, sounded))

    def _discard(self) -> None:
        """Throw away a turn that was prepared but never granted."""
        if self._current is not None and not self._current.granted:
            self._current.task.cancel()
            self._current = None

    # Endings

    def _interrupt(self, onset: float) -> None:
        running = self._current
        self._end(interrupted=True)
        if running is not None:
            self._publish(Interrupted(running.turn.number, self._line.now(), onset))

    def _end(self, interrupted: bool) -> None:
        """Close the current turn: silence, cancel, and remember only what was heard."""
        running, self._current = self._current, None
        if running is None:
            return
        turn = running.turn
        if interrupted:
            if turn.playback is not None:
                turn.playback.stop()
            running.task.cancel()
        if not running.granted:
            return
        reply = turn.reply()
        self._history.add_reply(reply.heard)
        self._publish(Replied(reply, turn.number))
        self._publish(TurnTimed(turn.times(), turn.number))

    def _fail(self, number: int, reason: str) -> None:
        running = self._current
        self._end(interrupted=True)
        self._publish(TurnFailed(reason, number))
        if running is not None and not running.apology:
            self._move(State.THINKING)
            self._say(Say(APOLOGY)).apology = True

    def _duck(self, on: bool) -> None:
        if self._current is not None and self._current.turn.playback is not None:
            self._current.turn.playback.duck(on)

    def _wait_for_follow_up(self) -> None:
        self._keep_listening()
        if self._settings.conversation.wake and self.state is State.LISTENING:
            loop = asyncio.get_running_loop()
            wait = self._settings.conversation.follow_up
            self._follow_up = loop.call_later(wait, self.handle, Quiet())

    def _keep_listening(self) -> None:
        if self._follow_up is not None:
            self._follow_up.cancel()
            self._follow_up = None

    def _expression(self, utterance: Utterance) -> Expression | None:
        if not self._settings.hearing.expression:
            return None
        return combine(utterance.expression, utterance.text)


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
