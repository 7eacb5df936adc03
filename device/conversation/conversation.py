"""One conversation on one line: what is heard and asked goes in, at most one turn comes of it.

Layer 3, on the event loop. The only place that starts, grants and cancels turns. ``handle`` is
synchronous: an interruption silences the speaker before anything else can run.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import replace

from device.config import Config
from device.conversation.composing import Composer
from device.conversation.overlap import Overlap
from device.conversation.state import TABLE, Act, Broke, Drained, Sounded
from device.conversation.turn import Speech, Turn
from device.conversation.turns import Turns
from device.hearing.ears import Ears
from device.mind import style
from device.mind.expression import combine
from device.ports import LanguageModel, Line, Voice
from device.settings import Speaking
from device.types import (
    Asked,
    Briefed,
    Command,
    Expressed,
    Expression,
    ExpressionHeard,
    HearingEvent,
    Interrupted,
    Message,
    Muted,
    Paused,
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
    ToolReturned,
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

QUEUED = 32
"""Texts that may wait to be spoken; beyond that the oldest is left out."""
APOLOGY = "Sorry, something went wrong."
"""Spoken when a turn fails, as long as the voice itself works."""


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
        self.state = State.LISTENING if settings.conversation.mode == "open" else State.IDLE
        self._line, self._ears = line, ears
        self._settings, self._publish = settings, speech.publish
        self.composer = Composer(model, settings, speech.publish)
        self._speaking = settings.speaking
        self._measuring = settings.hearing.expression
        self._turns = Turns(line, speech, self.handle)
        self._overlap = Overlap(settings.conversation.min_interruption, lambda: self._ears.spoken)
        self._to_say: deque[Say] = deque(maxlen=QUEUED)
        self._tasks: asyncio.TaskGroup | None = None
        self._follow_up: asyncio.TimerHandle | None = None
        self._apology: Turn | None = None
        self._muted = self._paused = self._ignoring = self._owing = False
        self._waiting: Message | None = None

    async def run(self) -> None:
        """Converse until the line ends; what is still being said then is cut off."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._ears.listen(self._line, self.handle)
            self._keep_listening()
            self._overlap.end()
            self._end(interrupted=True)
        self._tasks = None

    def handle(self, event: HearingEvent | Command | Sounded | Drained | Broke) -> None:
        """Take what happened or is asked for; returns at once."""
        if self._set(event) or self._deaf_to(event) or self._tell(event):
            return
        if self._paused and self._take_in(event):
            return
        if isinstance(event, SpeechStarted) and self._hold_back(event):
            return
        transition = TABLE.get((self.state, type(event)))
        if transition is None:
            log.debug("%s is ignored while %s", type(event).__name__, self.state)
            return
        self._move(transition.to)
        self._act(transition.act, event)

    def speak_with(self, voice: Owned[Voice], speaking: Speaking) -> None:
        """Speak with another voice and manner from the next turn on."""
        self._turns.speech = replace(self._turns.speech, voice=voice)
        self._speaking = speaking

    def measure_expression(self, on: bool) -> None:
        """Measure how the user sounds from now on, or do not, in voice or words.

        Where the settings of the conversation forbid it, it stays off.
        """
        before, self._measuring = self._measuring, on and self._settings.hearing.expression
        self._ears.measure_expression(self._measuring)
        if before and not self._measuring:
            self._turns.discard()  # prepared with an expression; it is prepared again without

    @property
    def resting(self) -> bool:
        """Whether nothing is being prepared, spoken or about to be."""
        return self._turns.current is None and self.state in (State.IDLE, State.LISTENING)

    def _set(self, event: object) -> bool:
        """Take a setting; return whether that was all there is to do."""
        match event:
            case Muted(on):
                self._muted = on
                return not on
            case Paused(True):
                self._paused = True
                return False
            case Paused(False):
                self._go_on()
            case Briefed(briefing):
                self.composer.brief(briefing)
            case ToolReturned():
                if not self.composer.returned(event):
                    log.info("nobody waits for what tool call %s returned", event.call)
            case _:
                return False
        return True

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
            case ExpressionHeard(expression) if self._measuring:
                self._publish(Expressed(expression, interim=True))
            case SpeechFailed():
                self._publish(event)
            case SpeechStarted():
                self._keep_listening()
                self._publish(event)
                return False
            case _:
                return False
        return True

    def _take_in(self, event: object) -> bool:
        """While paused: take words in without an answer; return whether that was done."""
        match event:
            case UtteranceEnded(utterance):
                self._note(utterance.text, self._expression(utterance), utterance=utterance)
            case Asked(text):
                self._note(text, self._worded(text))
            case TurnLikely():
                pass
            case _:
                return False
        return True

    def _hold_back(self, event: SpeechStarted) -> bool:
        """Wait with an interruption until it has lasted; return whether it has to be waited for."""
        if self.state is not State.SPEAKING:
            self._overlap.end()
            return False
        held = self._overlap.begin(event, self.handle)
        if held:
            self._turns.duck(True)
        return held

    def _move(self, to: State) -> None:
        if to is State.IDLE and self._settings.conversation.mode == "open":
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
            case Act.SAY | Act.QUEUE, Say():
                self._say(event) if act is Act.SAY else self._to_say.append(event)
            case Act.PREPARE, TurnLikely(utterance) if self._settings.conversation.eager:
                self._prepare(utterance)
            case Act.DISCARD, _:
                self._turns.discard()
            case Act.ANSWER, UtteranceEnded(utterance, at):
                self._answer(utterance, at)
            case Act.DUCK | Act.UNDUCK, _ if self._settings.conversation.barge_in:
                self._turns.duck(act is Act.DUCK)
            case Act.INTERRUPT, SpeechStarted(at):
                self._interrupt(at)
            case Act.STOP, _:
                self._end(interrupted=True)
            case Act.FINISH, _:
                self._finish()
            case Act.FAIL, Broke(number, reason):
                self._fail(number, reason)

    # Turns

    def _prepare(self, utterance: Utterance) -> Turn:
        """Begin to answer what may be a finished utterance; nothing is said or told yet."""
        expression = self._expression(utterance)
        return self._start(utterance.text, expression, utterance)

    def _answer(self, utterance: Utterance, at: float) -> None:
        turn = self._turns.current
        if turn is None or turn.utterance is not utterance:
            turn = self._prepare(utterance)
        turn.marks.turn_end = at
        self._commit(turn, utterance.text, self._expression(utterance))

    def _answer_text(self, text: str) -> None:
        self._end(interrupted=True)
        expression = self._worded(text)
        turn = self._start(text, expression, None)
        self._commit(turn, text, expression)

    def _commit(self, turn: Turn, text: str, expression: Expression | None) -> None:
        """Make a prepared turn the answer: tell, remember, and let it speak."""
        self._waiting, self._owing = None, False
        self._note(text, expression, turn, turn.utterance)
        self._turns.grant(turn)

    def _note(
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
        if self._paused:
            # Kept apart from the history: what is spoken during the pause is no answer to it.
            self._waiting = self.composer.message(text, expression)
        self.composer.remember(text, expression, apart=self._paused)

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
        return self._turns.start(
            self._running, lambda turn: self.composer.answer(prompt, text, turn), chosen, utterance
        )

    def _say(self, command: Say) -> Turn:
        async def words(_: Turn) -> AsyncGenerator[str, None]:
            yield command.text

        chosen = self._styled(style.choose(None, command.style))
        turn = self._turns.start(self._running, words, chosen, verbatim=True)
        self._turns.grant(turn)
        return turn

    def _styled(self, chosen: Style) -> Style:
        manner = self._speaking
        return style.adjusted(chosen, manner.rate, manner.pitch, manner.level)

    def _go_on(self) -> None:
        """Reply again, to what was said last if that is unanswered."""
        self._paused = False
        if self.resting:
            self._answer_waiting()
        else:
            self._owing = True  # what is being said comes first

    def _answer_waiting(self) -> bool:
        """Reply to what was said last during a pause; return whether there was anything."""
        history, waiting = self.composer.history, self._waiting
        if history.unanswered is not None:
            prompt, waiting = history.messages, history.unanswered
        elif waiting is not None:
            prompt = history.with_user(waiting)
        else:
            return False
        self._waiting, self._owing = None, False
        turn = self._reply_to(prompt, waiting.content)
        self._move(State.THINKING)
        self._turns.grant(turn)
        return True

    @property
    def _running(self) -> asyncio.TaskGroup:
        assert self._tasks is not None, "a conversation starts turns only while it runs"
        return self._tasks

    # Endings

    def _interrupt(self, onset: float) -> None:
        self._end(interrupted=True, onset=onset)

    def _finish(self) -> None:
        self._end(interrupted=False)
        if self._to_say:
            self._move(State.THINKING)
            self._say(self._to_say.popleft())
        elif not (self._owing and self._answer_waiting()):
            self._wait_for_follow_up()

    def _end(self, interrupted: bool, onset: float | None = None) -> None:
        """Close the current turn and remember only what was heard of it.

        ``onset`` is when the user began, if it was the user who spoke into it.
        """
        if interrupted:
            self._to_say.clear()
        turn = self._turns.end(interrupted)
        if turn is not None and onset is not None:
            self._publish(Interrupted(turn.number, self._line.now(), onset))
        if turn is None or turn.playback is None:
            return
        reply = turn.reply()
        self.composer.history.add_reply(reply.heard)
        self._publish(Replied(reply, turn.number))
        self._publish(TurnTimed(turn.times(), turn.number))

    def _fail(self, number: int, reason: str) -> None:
        failed = self._turns.current
        self._end(interrupted=True)
        self._publish(TurnFailed(reason, number))
        if failed is not self._apology:
            self._move(State.THINKING)
            self._apology = self._say(Say(APOLOGY))

    def _wait_for_follow_up(self) -> None:
        self._keep_listening()
        if self._settings.conversation.mode == "wake" and self.state is State.LISTENING:
            loop = asyncio.get_running_loop()
            wait = self._settings.conversation.follow_up
            self._follow_up = loop.call_later(wait, self.handle, Quiet())

    def _keep_listening(self) -> None:
        if self._follow_up is not None:
            self._follow_up.cancel()
            self._follow_up = None

    def _expression(self, utterance: Utterance) -> Expression | None:
        return combine(utterance.expression, utterance.text) if self._measuring else None

    def _worded(self, text: str) -> Expression | None:
        return combine(None, text) if self._measuring else None
