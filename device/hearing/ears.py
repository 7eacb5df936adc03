"""From chunks of sound to what was heard: speech beginning, words, pauses, finished utterances.

Layer 3. One ``Ears`` for each line, on the event loop; its models run on their own threads, but for
voice activity: its 0.14 to 0.2 ms a frame hold nobody up, and without the way to a thread and back
idle listening takes 4.6 instead of 5.3 % of a core (x86, 2026-11-22).
At each first short silence the words, the end of turn and the expression are worked out side by
side, so that a reply can be prepared before it is sure that the turn is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import numpy as np

from device.hearing.endpoint import Endpoint, Mark, finished
from device.hearing.expression_meter import EXPRESSION_WINDOW, ExpressionMeter
from device.hearing.near_speech import NearSpeech
from device.ports import Microphone, ProsodyModel, Recognizer, TurnDetector, VoiceActivity, WakeWord
from device.settings import Hearing
from device.types import (
    HEARING_RATE,
    AudioChunk,
    Expression,
    HearingEvent,
    Pcm,
    SpeechContinued,
    SpeechDismissed,
    SpeechFailed,
    SpeechStarted,
    SpeechSuspected,
    TurnLikely,
    TurnResumed,
    Utterance,
    UtteranceEnded,
    WakeHeard,
)
from device.worker import Owned

log = logging.getLogger(__name__)

TAIL = 8.0
"""Seconds that the end-of-turn and prosody models look back on."""
LOOK_FIRST, LOOK_AGAIN = 0.16, 0.1
"""Seconds from the onset of speech to the first search for words, and from one to the next, while
it matters at once whether somebody interrupts."""
WAKE_AGAIN = 2.0
"""Seconds after which the wake phrase may have been spoken once more."""
LOOK_UNTIL = 4.0
"""Seconds of speech after which it is known what it is, or will not be."""
INTERIM_SHARE = 3.0
"""Interim words are sought again after this many times what the last search took, so that the
recognizer is mostly free when the user stops."""

Emit = Callable[[HearingEvent], None]


class Ears:
    """Hears one line."""

    def __init__(
        self,
        voice_activity: VoiceActivity,
        turn: Owned[TurnDetector],
        recognizer: Owned[Recognizer],
        prosody: Owned[ProsodyModel] | None,
        settings: Hearing,
    ) -> None:
        self._turn = turn
        self._recognizer = recognizer
        self._settings = settings
        self._frame = voice_activity.frame
        frame_s = self._frame / HEARING_RATE
        self._endpoint = Endpoint(settings, frame_s)
        self._meter = ExpressionMeter(prosody, settings.expression_interval)
        self._recent: deque[Pcm] = deque(maxlen=round(TAIL / frame_s))
        self._lead_frames = max(1, round(settings.lead / frame_s))
        self._long = settings.segment / 2 * HEARING_RATE
        self._segment: list[Pcm] = []
        self._settled: list[asyncio.Task[str | Exception] | str] = []
        self._heard = 0
        self._near = NearSpeech(voice_activity, settings.speech_threshold)
        self._started = self._ended = self._interim_due = self._look_due = 0.0
        self._ready: Utterance | None = None
        self._failure = ""
        self._analysis: asyncio.Task[None] | None = None
        self._interim: asyncio.Task[None] | None = None
        self._wake: tuple[WakeWord, float] | None = None
        self._woken = -WAKE_AGAIN
        self.attentive = False
        """Whether words are sought as soon as somebody begins to speak, and again and again."""

    async def listen(self, microphone: Microphone, emit: Emit) -> None:
        """Hear until the microphone ends, handing each event to ``emit`` as it happens."""
        pending = np.empty((2, 0), np.int16)
        async with asyncio.TaskGroup() as tasks:
            async for chunk in microphone.chunks():
                # A line that rests skips time, and so does its clock.
                skipped = chunk.start * HEARING_RATE // chunk.rate - self._heard - pending.shape[1]
                self._heard += max(0, skipped)
                pending = np.concatenate((pending, _heard_twice(chunk)), axis=1)
                while pending.shape[1] >= self._frame:
                    (frame, strict), pending = np.split(pending, [self._frame], axis=1)
                    doubtful = chunk.strict is not None
                    begun = self._endpoint.speaking
                    probability = self._near.hear(frame, strict if doubtful else None, begun)
                    self._hear(frame, probability, emit, tasks)

    @property
    def spoken(self) -> float:
        """Seconds from the beginning of the utterance to its last sound so far; 0: there is none.

        Silence within it counts, silence at its end does not.
        """
        if not self._endpoint.speaking:
            return 0.0
        return self._now - self._endpoint.silence - self._started

    @property
    def beyond_doubt(self) -> bool:
        """Whether the utterance is somebody's, and not the echo of what is played."""
        return self._near.beyond_doubt

    def wake_by(self, word: WakeWord, sensitivity: float) -> None:
        """Tell when ``word`` is spoken, by its sound; ``sensitivity`` from 0 to 1."""
        self._wake = (word, word.threshold(sensitivity))

    def hold(self, on: bool) -> None:
        """Let no pause end the turn while ``on``; then let it end at once."""
        self._endpoint.hold(on)

    def measure_expression(self, on: bool) -> None:
        """Measure the voice's expression from now on, or do not.

        Ears that were made without a prosody model never do.
        """
        self._meter.allow(on)

    @property
    def _now(self) -> float:
        return self._heard / HEARING_RATE

    def _hear(self, frame: Pcm, probability: float, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        self._heard += len(frame)
        self._recent.append(frame)
        self._await_wake_word(frame, emit)
        mark = self._endpoint.hear(probability)
        if self._endpoint.speaking:
            self._segment.append(frame)
        match mark:
            case Mark.SUSPECTED:
                self._near.begin()
                emit(SpeechSuspected(self._now))
            case Mark.DISMISSED:
                emit(SpeechDismissed(self._now))
            case Mark.STARTED:
                self._begin(emit)
            case Mark.PAUSED:
                self._pause(emit, tasks)
            case Mark.RESUMED:
                self._resume(emit)
            case Mark.ENDED:
                self._finish(emit, tasks)
            case None if self._endpoint.speaking and self._endpoint.silence == 0:
                self._go_on(emit, tasks)

    def _await_wake_word(self, frame: Pcm, emit: Emit) -> None:
        if self._wake is None:
            return
        word, threshold = self._wake
        if word.hear(frame) >= threshold and self._now >= self._woken + WAKE_AGAIN:
            self._woken = self._now
            emit(WakeHeard(word.phrase, self._now))

    def _begin(self, emit: Emit) -> None:
        self._segment = list(self._recent)[-self._lead_frames :]
        self._settled = []
        onset = max(1, round(self._settings.onset * HEARING_RATE / self._frame)) * self._frame
        self._started = max(0.0, self._now - onset / HEARING_RATE)
        self._interim_due = self._now + self._settings.interim
        self._look_due = self._started + LOOK_FIRST
        self._meter.begin(self._now)
        emit(SpeechStarted(self._started))

    def _go_on(self, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        if len(self._segment) * self._frame >= self._settings.segment * HEARING_RATE:
            self._settle(tasks)
        searching = self._interim is not None and not self._interim.done()
        look = self.attentive and self._look_due <= self._now < self._started + LOOK_UNTIL
        due = look or (self._settings.interim and self._now >= self._interim_due)
        if due and not searching:
            self._look_due = self._now + LOOK_AGAIN
            self._interim = tasks.create_task(self._seek_interim(emit), name="interim")
        if self._meter.due(self._now):
            # From the onset on: what comes before may be the end of another utterance.
            length = min(EXPRESSION_WINDOW, self._now - self._started)
            self._meter.look(self._last(length), self._now, emit, tasks)

    def _last(self, seconds: float) -> Pcm:
        return np.concatenate(self._recent)[-round(seconds * HEARING_RATE) :]

    def _settle(self, tasks: asyncio.TaskGroup) -> None:
        """Hand a long stretch to the recognizer for good, up to its quietest late moment."""
        late = len(self._segment) * 2 // 3
        power = [float(np.mean(np.square(f, dtype=np.float32))) for f in self._segment[late:]]
        # Over 96 ms: a single quiet frame is the closure of a consonant, and cuts a word in two.
        quietest = int(np.argmin(np.convolve(power, np.ones(3), "valid"))) + 1
        cut = late + quietest
        audio, self._segment = np.concatenate(self._segment[:cut]), self._segment[cut:]
        self._settled.append(tasks.create_task(self._try_transcribing(audio), name="segment"))

    async def _transcribe(self, audio: Pcm) -> str:
        return await self._recognizer.call(lambda model: model.transcribe(audio))

    async def _try_transcribing(self, audio: Pcm) -> str | Exception:
        """Return the words, or why there are none: whoever puts the parts together is told."""
        try:
            return await self._transcribe(audio)
        except Exception as error:
            return error

    async def _words(self, audio: Pcm | None) -> str:
        parts: list[str] = []
        for settled in self._settled:
            # Shielded: an analysis that the user's next words make void must not take this with it.
            part = settled if isinstance(settled, str) else await asyncio.shield(settled)
            if isinstance(part, Exception):
                raise part
            parts.append(part)
        if audio is not None:
            parts.append(await self._transcribe(audio))
        return " ".join(part for part in parts if part)

    async def _seek_interim(self, emit: Emit) -> None:
        begun, audio = self._now, np.concatenate(self._segment) if self._segment else None
        try:
            text = await self._words(audio)
        except Exception as error:
            log.warning("interim recognition failed: %s", error)
            return
        took = self._now - begun
        self._interim_due = self._now + max(self._settings.interim, took * INTERIM_SHARE)
        if text and self._endpoint.speaking and self._ready is None:
            emit(SpeechContinued(text, self._now))

    def _pause(self, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        self._ended = self._now - self._endpoint.silence
        self._ready, self._failure = None, ""
        self._meter.pause()
        self._analysis = tasks.create_task(self._analyse(emit), name="analysis")

    async def _analyse(self, emit: Emit) -> None:
        """Work out words, end of turn and expression of the utterance so far, side by side."""
        segment = np.concatenate(self._segment) if self._segment else None
        tail = self._last(self._now - self._started + self._settings.lead)
        try:
            async with asyncio.TaskGroup() as parts:
                words = parts.create_task(self._words(segment))
                sounded = parts.create_task(self._listen(tail))
        except* Exception as errors:
            reason = str(errors.exceptions[0]) or repr(errors.exceptions[0])
            log.error("the utterance could not be analysed: %s", reason)
            self._failure = reason
            self._endpoint.judge(1.0)
        else:
            self._conclude(words.result(), *sounded.result(), tail, emit)

    def _conclude(
        self,
        text: str,
        probability: float,
        expression: Expression | None,
        audio: Pcm,
        emit: Emit,
    ) -> None:
        self._endpoint.judge(finished(probability, text) if text else 1.0)
        if not text:
            return
        self._ready = Utterance(
            text, audio, self._started, self._ended, expression, probability, self._now
        )
        emit(TurnLikely(self._ready))

    async def _listen(self, tail: Pcm) -> tuple[float, Expression | None]:
        """Return how likely the turn is over, and the expression if it is measured."""
        if not self._meter.on:
            return await self._turn.call(lambda model: model.probability(tail)), None
        verdict = await self._turn.call(lambda model: model.listen(tail))
        # The words join the voice's measurement later, in the mind; the model gets sound alone.
        return verdict.probability, await self._meter.measure(tail, verdict.embedding)

    def _resume(self, emit: Emit) -> None:
        if self._analysis is not None and not self._analysis.done():
            self._analysis.cancel()
        if self._ready is not None and len(self._segment) * self._frame >= self._long:
            # These words are known; only what follows needs to be recognised.
            self._settled, self._segment = [self._ready.text], self._segment[-2:]
        self._ready = None
        self._interim_due = self._now + self._settings.interim
        self._meter.begin(self._now)
        emit(TurnResumed(self._now))

    def _finish(self, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        utterance, self._ready = self._ready, None
        self._segment, self._settled = [], []
        if utterance is None:
            emit(SpeechFailed(self._failure or "no words were recognised", self._now))
        else:
            emit(UtteranceEnded(utterance, self._now))
            self._meter.learn(utterance.expression, tasks)


def _heard_twice(chunk: AudioChunk) -> Pcm:
    """Return the sound and, beside it, what is left after a harder echo canceller: shape (2, n)."""
    return np.stack((chunk.pcm, chunk.pcm if chunk.strict is None else chunk.strict))
