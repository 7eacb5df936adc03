"""One conversation on one line: what is heard and asked goes in, at most one turn comes of it.

Layer 3, on the event loop. The only place that starts, grants and cancels turns. ``handle`` is
synchronous: an interruption silences the speaker before anything else can run.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from device.config import Config
from device.conversation import floor
from device.conversation.answers import Answers
from device.conversation.interruption import Kind, is_farewell, kind
from device.conversation.state import TABLE, Act, Broke, Drained, Sounded
from device.conversation.turn import Speech, Turn
from device.conversation.waking import Waking, called_only
from device.hearing.ears import Ears
from device.ports import LanguageModel, Line, Voice
from device.settings import Speaking
from device.types import (
    Asked,
    Briefed,
    Command,
    Expressed,
    ExpressionHeard,
    HearingEvent,
    Muted,
    PassedOver,
    Paused,
    Pressed,
    Quiet,
    Say,
    SpeechContinued,
    SpeechFailed,
    SpeechStarted,
    State,
    StateChanged,
    TalkHeld,
    ToolReturned,
    Transcribed,
    TurnFailed,
    TurnLikely,
    Utterance,
    UtteranceEnded,
    VoiceHeld,
    WakeHeard,
)
from device.worker import Owned

log = logging.getLogger(__name__)

QUEUED = 32
"""Texts that may wait to be spoken; beyond that the oldest is left out."""
APOLOGY = "Sorry, something went wrong. Please say that again."
"""Spoken when a turn fails, as long as the voice itself works."""
AFTER_THE_BUTTON = 1.0
"""Seconds after which a device whose talk button was let go rests, if nothing was said."""

Taken = HearingEvent | Command | Sounded | Drained | Broke
"""Whatever happens to a conversation or is asked of it."""


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
        self._line, self._ears = line, ears
        self._settings, self._publish = settings.conversation, speech.publish
        self.state = State.LISTENING if self._settings.mode == "open" else State.IDLE
        self._answers = Answers(line, model, speech, settings, self.handle)
        self.composer = self._answers.composer
        self._floor = floor.Floor(ears, self._settings.min_interruption, self._settings.hold)
        self._waking = Waking(self._settings)
        self._to_say: deque[Say] = deque(maxlen=QUEUED)
        self._follow_up: asyncio.TimerHandle | None = None
        self._apology: Turn | None = None
        self._muted = self._held = self._ignoring = False

    async def run(self) -> None:
        """Converse until the line ends; what is still being said then is cut off."""
        async with asyncio.TaskGroup() as tasks:
            self._answers.tasks = tasks
            await self._ears.listen(self._line, self.handle)
            self._keep_listening()
            self._floor.settle()
            self._end()
        self._answers.tasks = None

    def handle(self, event: Taken) -> None:
        """Take what happened or is asked for; returns at once."""
        if self._set(event) or self._deaf_to(event):
            return
        if isinstance(event, Sounded | Drained | Broke):
            self._take(event)
            return
        for admitted in self._waking.admit(event, self.state is State.IDLE):
            self._take(admitted)

    def speak_with(self, voice: Owned[Voice], speaking: Speaking) -> None:
        """Speak with another voice and manner from the next turn on."""
        self._answers.speak_with(voice, speaking)

    def measure_expression(self, on: bool) -> None:
        """Measure how the user sounds from now on, or do not, in voice or words.

        Where the settings of the conversation forbid it, it stays off.
        """
        self._answers.measure_expression(on)
        self._ears.measure_expression(self._answers.measuring)

    @property
    def hears_speech(self) -> bool:
        """Whether somebody is speaking at this moment."""
        return self._ears.spoken > 0

    @property
    def resting(self) -> bool:
        """Whether nothing is being prepared, spoken or about to be."""
        return self._answers.turns.current is None and self.state in (State.IDLE, State.LISTENING)

    @property
    def answering(self) -> bool:
        """Whether a reply to somebody's spoken words is being made or spoken."""
        return (
            self._answers.turns.current is not None
            and self._answers.turns.current.utterance is not None
        )

    # What happens

    def _set(self, event: object) -> bool:
        """Take a setting; return whether that was all there is to do."""
        match event:
            case Muted(on):
                self._muted = on
                return not on
            case Paused(True):
                self._answers.pause.on = True
                return False
            case Paused(False):
                self._go_on()
            case TalkHeld(on):
                self._hold(on)
            case Briefed(briefing):
                self.composer.brief(briefing)
            case ToolReturned():
                if not self.composer.returned(event):
                    log.info("nobody waits for what tool call %s returned", event.call)
            case _:
                return False
        return True

    def _hold(self, on: bool) -> None:
        """Hear while the talk button is held, whatever the pauses; answer when it is let go."""
        self._held = on
        if on:
            self.handle(Pressed("talk"))
        self._ears.hold(on)
        if not on and not self._ears.spoken:
            self._wait_for_follow_up()

    def _deaf_to(self, event: object) -> bool:
        """Whether an utterance is passed over: muted, or begun while it must not interrupt."""
        if not isinstance(event, HearingEvent):
            return False
        if isinstance(event, SpeechStarted):
            busy = self.state in (State.THINKING, State.SPEAKING)
            unheld = self._settings.mode == "push-to-talk" and not self._held
            self._ignoring = unheld or (busy and not self._settings.barge_in)
        return self._muted or self._ignoring

    def _take(self, event: Taken) -> None:
        if isinstance(event, SpeechContinued):
            self._follow(event)  # an interruption is told before the words that made it
            self._tell(event)
        else:
            self._tell(event)
            self._follow(event)

    def _follow(self, event: Taken) -> None:
        if self._answers.pause.on and self._take_in(event):
            return
        if self.state is State.LISTENING and self._leave_unanswered(event):
            return
        transition = TABLE.get((self.state, type(event)))
        if transition is None:
            log.debug("%s is ignored while %s", type(event).__name__, self.state)
            return
        self._move(transition.to)
        self._act(transition.act, event)

    def _tell(self, event: object) -> None:
        """Publish what was heard."""
        match event:
            case SpeechContinued(text) if text:
                self._publish(Transcribed(text, interim=True))
            case ExpressionHeard(expression) if self._answers.measuring:
                self._publish(Expressed(expression, interim=True))
            case SpeechFailed() | WakeHeard():
                self._publish(event)
            case SpeechStarted():
                self._keep_listening()
                self._publish(event)

    def _take_in(self, event: object) -> bool:
        """While paused: take words in without an answer; return whether that was done."""
        match event:
            case UtteranceEnded(utterance):
                self._answers.note(
                    utterance.text, self._answers.expression(utterance), utterance=utterance
                )
            case Asked(text):
                self._answers.note(text, self._answers.worded(text))
            case TurnLikely():
                pass
            case _:
                return False
        return True

    def _leave_unanswered(self, event: object) -> bool:
        """While listening: see to what wants no answer; return whether that was all."""
        match event:
            case SpeechFailed():
                self._go_on_speaking("", "noise")
            case TurnLikely(utterance):
                return called_only(event) or self._wanted(utterance) is not None
            case UtteranceEnded(utterance):
                if called_only(event):
                    self._wait_for_follow_up()
                    return True
                end = self._wanted(utterance)
                if end is None:
                    self._answers.said.settled()
                    return False
                self._answers.turns.discard()
                self._close(utterance, end)
            case _:
                return False
        return True

    def _wanted(self, utterance: Utterance) -> str | None:
        """Return why an utterance wants no answer; None if it wants one."""
        if self._answers.said.echoed_by(utterance):
            return "echo"
        found = kind(utterance.text)
        if found is Kind.STOP:
            return "stop"
        if self._settings.mode == "wake" and is_farewell(utterance.text):
            return "farewell"
        return "backchannel" if found is Kind.BACKCHANNEL and self._interrupted else None

    @property
    def _interrupted(self) -> bool:
        """Whether something was cut off that may have to go on."""
        return self._answers.said.left() is not None or self._answers.owed

    def _close(self, utterance: Utterance, why: str) -> None:
        """Be done with an utterance that gets no reply."""
        if why in ("echo", "backchannel"):
            self._go_on_speaking(utterance.text, why)
            return
        self._answers.said.settled()
        self._publish(Transcribed(utterance.text, False, None, utterance.started, utterance.ended))
        if self._settings.mode == "open":
            return
        self._take(Quiet())

    def _go_on_speaking(self, text: str, reason: str) -> None:
        """It was no interruption: go on where the reply was left, or answer what was asked."""
        if self._answers.said.left() is not None:
            self._publish(PassedOver(text, reason))
            self._move(State.THINKING)
            self._answers.resume()
        elif self._answers.owed and self._answers.turns.current is None:
            self._answer_waiting()
        elif reason == "echo":
            self._publish(PassedOver(text, reason))
        self._answers.said.settled()

    def _weigh(self, event: floor.Speech) -> None:
        """While speaking: see whether what is heard takes the turn, and how the voice goes on."""
        if self.state is not State.SPEAKING:
            return
        ruling = self._floor.weigh(event, self._answers.turns.heard, self._weigh)
        match ruling.act:
            case floor.Act.DUCK:
                self._answers.turns.duck(True)
            case floor.Act.HOLD if self._answers.turns.hold(True):
                now, turn = self._line.now(), self._answers.turns.current
                self._publish(VoiceHeld(turn.number if turn else 0, now, self._floor.onset))
            case floor.Act.GIVE_UP:
                self._interrupt(self._floor.onset)
                if isinstance(event, TurnLikely | UtteranceEnded):
                    self._take(event)
            case floor.Act.GO_ON | floor.Act.PASS_OVER:
                self._answers.turns.hold(False)
                self._answers.turns.duck(False)
                if ruling.act is floor.Act.PASS_OVER:
                    self._floor.settle()
                    self._publish(PassedOver(ruling.text, ruling.reason))

    def _move(self, to: State) -> None:
        if to is State.IDLE and self._settings.mode == "open":
            to = State.LISTENING
        if to is not self.state:
            old, self.state = self.state, to
            self._ears.attentive = to is State.SPEAKING and self._settings.barge_in
            if old is State.SPEAKING:
                self._floor.settle()
            self._publish(StateChanged(old, to))

    def _act(self, act: Act, event: object) -> None:
        match act, event:
            case Act.WAKE, _:
                self._chime("woken" if isinstance(event, WakeHeard) else "")
                self._wait_for_follow_up()
            case ((Act.ASK | Act.SAY | Act.QUEUE | Act.REPEAT | Act.PREPARE | Act.ANSWER), _):
                self._speak_up(act, event)
            case Act.DISCARD, _:
                self._answers.turns.discard()
            case Act.DUCK | Act.UNDUCK, _ if self._settings.barge_in:
                self._answers.turns.duck(act is Act.DUCK)
            case Act.WEIGH, _ if isinstance(event, floor.Speech):
                self._weigh(event)
            case Act.INTERRUPT, _:
                self._interrupt(event.at if isinstance(event, SpeechStarted) else self._line.now())
                if not isinstance(event, SpeechStarted):
                    self._answers.said.settled()
                    self._wait_for_follow_up()
            case Act.REST, _:
                self._rest()
            case Act.STOP, _:
                self._end()
            case Act.FINISH, _:
                self._finish()
            case Act.FAIL, Broke(number, reason):
                self._fail(number, reason)

    def _go_on(self) -> None:
        """Reply again, to what was said last if that is unanswered."""
        self._answers.pause.on = False
        if self.resting:
            self._answer_waiting()
        else:
            self._answers.pause.owing = True  # what is being said comes first

    def _speak_up(self, act: Act, event: object) -> None:
        match act, event:
            case Act.ASK, Asked(text):
                self._to_say.clear()
                self._answers.answer_text(text)
            case Act.SAY, Say():
                self._answers.say(event)
            case Act.QUEUE, Say():
                self._to_say.append(event)
            case Act.REPEAT, _:
                self._to_say.clear()
                self._answers.repeat()
            case Act.PREPARE, TurnLikely(utterance) if self._settings.eager:
                self._answers.prepare(utterance)
            case Act.ANSWER, UtteranceEnded(utterance, at):
                self._answers.answer(utterance, at)

    def _answer_waiting(self) -> bool:
        """Reply to what was said last and has no answer; return whether there was anything."""
        waiting = self._answers.answer_waiting()
        if waiting:
            self._move(State.THINKING)
        return waiting

    # Endings

    def _interrupt(self, onset: float) -> None:
        """Fall silent for somebody who began to speak at ``onset``."""
        self._end(onset)
        self._answers.said.cut_off()
        self._move(State.LISTENING)

    def _end(self, onset: float | None = None) -> None:
        """Cut off what is being said and what was to be said."""
        self._to_say.clear()
        self._answers.end(interrupted=True, onset=onset)

    def _finish(self) -> None:
        self._answers.end(interrupted=False)
        if self._to_say:
            self._move(State.THINKING)
            self._answers.say(self._to_say.popleft())
        elif not (self._answers.pause.owing and self._answer_waiting()):
            self._wait_for_follow_up()

    def _fail(self, number: int, reason: str) -> None:
        failed = self._answers.turns.current
        self._end()
        self._publish(TurnFailed(reason, number))
        if failed is not self._apology:
            self._move(State.THINKING)
            self._apology = self._answers.say(Say(APOLOGY))

    # Being awake

    def _wait_for_follow_up(self) -> None:
        """Rest again when nothing more is said for a while."""
        self._keep_listening()
        if self.state is not State.LISTENING or self._settings.mode == "open" or self._held:
            return
        let_go = self._settings.mode == "push-to-talk"
        wait = AFTER_THE_BUTTON if let_go else self._settings.follow_up
        loop = asyncio.get_running_loop()
        self._follow_up = loop.call_later(wait, self.handle, Quiet())

    def _rest(self) -> None:
        self._end()
        if self._settings.mode == "wake":
            self._chime("resting")

    def _chime(self, name: str) -> None:
        if name and self._settings.chime:
            self._answers.turns.chime(name)

    def _keep_listening(self) -> None:
        if self._follow_up is not None:
            self._follow_up.cancel()
            self._follow_up = None
