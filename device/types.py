"""The words the whole program is written in: audio, utterances, expression, replies and events.

Layer 0. Everything here is immutable data without behaviour; every other module may import it.

Times in fields named ``at``, ``started`` or ``ended`` are seconds on the line's clock: zero is the
moment the line was opened, and the clock runs with the samples of its microphone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pcm: TypeAlias = npt.NDArray[np.int16]
"""Mono samples, int16, shape (n,)."""

Floats: TypeAlias = npt.NDArray[np.float32]

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue, each 0 to 1."""

Frame: TypeAlias = tuple[Colour, ...]
"""What each light of the panel shows at one moment."""

HEARING_RATE = 16_000
"""Samples per second of everything that is heard: each model of the hearing room wants it."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A few milliseconds of microphone sound, with what the loudspeaker played meanwhile."""

    pcm: Pcm
    """int16 mono, shape (n,)."""
    rate: int
    """Samples per second."""
    start: int
    """Index of the first sample since the stream opened: the sample clock."""
    far: Pcm | None = None
    """What the speaker played during these samples, at the same rate; None: not known."""
    strict: Pcm | None = None
    """The same sound after an echo canceller that takes away more, also of whoever is near: what
    is left in it is no echo. None where nothing is played or nothing cancels echo."""

    @property
    def started(self) -> float:
        """Seconds on the line's clock at the first sample."""
        return self.start / self.rate

    @property
    def ended(self) -> float:
        """Seconds on the line's clock just after the last sample."""
        return (self.start + len(self.pcm)) / self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What an end-of-turn network made of sound on the way to its verdict.

    A prosody model that is built on the same network need not run it again.
    """

    network: str
    """Which network, by its name in the catalogue: its numbers mean nothing to another."""
    picture: Floats
    """The log-mel spectrogram it looked at, shape (80, n)."""
    layers: Floats
    """Hidden states after its early layers, side by side: shape (frames, dimensions)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a speaker has finished."""

    probability: float
    """How likely the turn is over, 0 to 1."""
    embedding: Embedding | None = None
    """None where the network does not show its layers, or there was nothing to hear."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model measured something, and under which licence it may be used."""

    name: str
    version: str
    licence: str
    """An SPDX expression."""


@dataclass(frozen=True, slots=True)
class Expression:
    """How something was said. It describes the sound of a voice, not what a person feels."""

    valence: float | None
    """Unpleasant -1 to pleasant +1; None where nothing measured it."""
    arousal: float | None
    """Sleepy -1 to agitated +1; None where nothing measured it."""
    dominance: float | None
    """Submissive -1 to in control +1; None where nothing measured it."""
    emotions: Mapping[str, float] = field(default_factory=dict)
    """Score from 0 to 1 by the name of the expression; the scores need not sum to one."""
    confidence: float = 0.0
    """0: a guess about an unknown speaker; 1: a clear measurement of a well-known one."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """What was really measured, by name with its unit: pitch_hz, level_db, rate_sps, ..."""
    categories: Mapping[str, float] = field(default_factory=dict)
    """Calibrated probability of each of the model's own categories; empty where it has none."""
    model: ModelIdentity | None = None
    """What measured the voice; None where no voice was measured."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the user said in one turn."""

    text: str
    audio: Pcm
    """int16 mono at 16 kHz, bounded to the most recent part of a very long utterance."""
    started: float
    ended: float
    expression: Expression | None = None
    turn_probability: float = 0.0
    """How sure the end-of-turn network was that the user had finished, 0 to 1."""
    transcribed: float = 0.0
    """When the transcript was ready."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a sentence is to be spoken."""

    name: str
    rate: float = 1.0
    """Factor on the speed of speech; 0.9 is slower."""
    pitch: float = 0.0
    """Semitones above (positive) or below the voice's own pitch."""
    level: float = 0.0
    """Decibels louder (positive) or softer than the voice's own level."""
    pause: float = 0.15
    """Seconds of silence after each sentence."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a reply that can be spoken by itself."""

    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, and the part of it that reached the user's ears."""

    text: str
    heard: str
    interrupted: bool
    style: str = "neutral"


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the language model can have done for a reply."""

    name: str
    description: str
    schema: str
    """JSON schema of its arguments, an object."""
    fallback: str = ""
    """What is told in place of its result when it fails."""
    builtin: bool = False
    """Whether the device itself does it, so that nobody is asked for a result."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the language model is told beside what was said."""

    persona: str
    note: str = ""
    """Added to what the user says from now on."""
    passing_note: str = ""
    """Added to the next thing the user says, and then forgotten."""
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """When the parts of one turn happened, in seconds on the line's clock; None: it did not."""

    speech_start: float | None = None
    speech_end: float | None = None
    transcript: float | None = None
    turn_end: float | None = None
    """When it was decided that the user had finished."""
    first_token: float | None = None
    first_clause: float | None = None
    first_audio: float | None = None
    """When the first sample of the reply was played."""
    reply_end: float | None = None


class State(StrEnum):
    """What a conversation is doing."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


# Into the conversation: what happens to it, and what it is asked to do.


@dataclass(frozen=True, slots=True)
class WakeHeard:
    """The wake phrase was spoken."""

    word: str
    at: float


@dataclass(frozen=True, slots=True)
class SpeechSuspected:
    """A first frame that may be speech: enough to lower the voice, not to stop it."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechDismissed:
    """What was suspected to be speech was not."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody is speaking."""

    at: float
    """The onset, not the moment it was noticed."""


@dataclass(frozen=True, slots=True)
class SpeechContinued:
    """Words recognised so far, while the user still speaks."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class ExpressionHeard:
    """How the user has sounded just now, while still speaking."""

    expression: Expression
    """Of the voice alone."""
    at: float
    """Where the sound that was measured ends."""


@dataclass(frozen=True, slots=True)
class TurnLikely:
    """The user paused and may have finished: work may begin, nothing may be said yet."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The user went on after a pause: whatever was prepared is void."""

    at: float


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The user has finished."""

    utterance: Utterance
    at: float
    """When it was decided."""


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """Speech was heard but came to nothing: no words in it, or its analysis failed."""

    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed."""

    button: str


@dataclass(frozen=True, slots=True)
class TalkHeld:
    """The button of push-to-talk went down (what is said from now on is meant) or came up."""

    on: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say the last reply again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The user typed, or an interface sent, words to be answered."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Words to be spoken as they are."""

    text: str
    style: str = "neutral"
    aside: bool = False
    """Whether they are no part of what the two talk about: the language model is not told them."""


@dataclass(frozen=True, slots=True)
class Briefed:
    """From now on the language model is told this."""

    briefing: Briefing


@dataclass(frozen=True, slots=True)
class Paused:
    """Hear, but do not reply; when it is over, reply to what was said last."""

    on: bool


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """What a tool said, or what is to be told because it failed."""

    call: str
    content: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """Be quiet and rest."""


@dataclass(frozen=True, slots=True)
class Muted:
    """The microphone's gate was closed or opened."""

    on: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nobody has spoken for the length of the follow-up window."""


# Out of the conversation: everything that can be observed of it.


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The conversation went from one state to another."""

    old: State
    new: State


@dataclass(frozen=True, slots=True)
class Transcribed:
    """Words of the user, while speaking (interim) or when finished."""

    text: str
    interim: bool
    turn: int | None = None
    started: float | None = None
    """When the words were spoken; None: they were not, or are still being spoken."""
    ended: float | None = None
    expressed: bool = False
    """Whether their expression follows at once."""


@dataclass(frozen=True, slots=True)
class Expressed:
    """How the user sounded in the utterance of this turn, or sounds while speaking (interim)."""

    expression: Expression
    """Of voice and words together; while interim, of the voice alone."""
    turn: int | None = None
    interim: bool = False


@dataclass(frozen=True, slots=True)
class Replying:
    """A sentence is about to be spoken."""

    sentence: Sentence
    turn: int
    verbatim: bool = False
    """Whether these words were given, not made by the language model."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Audio of the reply on its way to the speaker."""

    pcm: Pcm
    rate: int
    turn: int


@dataclass(frozen=True, slots=True)
class SpokenAll:
    """All sound of a reply is on its way to the speaker; some of it is still to be played."""

    turn: int


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply ended, because all of it was heard or because it was cut off."""

    reply: Reply
    turn: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user spoke into the reply, which fell silent."""

    turn: int
    at: float
    onset: float
    """When the user began."""


@dataclass(frozen=True, slots=True)
class VoiceHeld:
    """The voice fell silent for somebody who speaks; it goes on, or what follows is Interrupted."""

    turn: int
    at: float
    onset: float
    """When the user began."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something was said or sounded while the device spoke, and was no interruption."""

    text: str
    reason: str
    """backchannel, echo, short, or noise, which has no words."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A reply that had been interrupted by nothing goes on, in a turn of its own."""

    turn: int


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The reply needs what a tool returns: ``ToolReturned`` with the same ``call`` is awaited."""

    call: str
    tool: Tool
    arguments: str
    """JSON."""
    turn: int


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """A turn ended without its reply."""

    reason: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """When the parts of a finished turn happened."""

    times: TurnTimes
    turn: int


@dataclass(frozen=True, slots=True)
class ServiceFailed:
    """A part of the device stopped working; it is tried again."""

    service: str
    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class ServiceReady:
    """A part of the device works, for the first time or again."""

    service: str


@dataclass(frozen=True, slots=True)
class AudioHealth:
    """How the local sound card is: told at each loss and recovery, and when a count has grown."""

    lost_frames: int
    """Frames of the microphone that came while the program was too late for them."""
    overflows: int
    """Times the card lost recorded sound."""
    underflows: int
    """Times the card ran out of sound to play."""
    recoveries: int
    """Times a microphone or loudspeaker that was lost worked again, it or another."""
    device: str
    """What is in use, "microphone + loudspeaker"; of what is lost there is nothing."""
    fallback: str = ""
    """Which of the two is a makeshift, "microphone", "loudspeaker" or both; empty: neither."""


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """The device was muted or unmuted, or its mute switch was moved."""

    on: bool
    by_switch: bool
    """Whether the hardware switch is on; while it is, nothing can unmute."""


@dataclass(frozen=True, slots=True)
class Updating:
    """The device began to install an update, or ended it."""

    on: bool


HearingEvent: TypeAlias = (
    WakeHeard
    | SpeechSuspected
    | SpeechDismissed
    | SpeechStarted
    | SpeechContinued
    | SpeechFailed
    | ExpressionHeard
    | TurnLikely
    | TurnResumed
    | UtteranceEnded
)
Command: TypeAlias = (
    Pressed
    | TalkHeld
    | Repeat
    | Asked
    | Say
    | Briefed
    | Paused
    | ToolReturned
    | Stopped
    | Muted
    | Quiet
)
Event: TypeAlias = (
    StateChanged
    | Transcribed
    | Expressed
    | Replying
    | Spoken
    | SpokenAll
    | Replied
    | Interrupted
    | VoiceHeld
    | PassedOver
    | Resumed
    | ToolCalled
    | TurnFailed
    | TurnTimed
    | ServiceFailed
    | ServiceReady
    | AudioHealth
    | SpeechStarted
    | SpeechFailed
    | MuteChanged
    | Updating
    | WakeHeard
)


@dataclass(frozen=True, slots=True)
class Observed:
    """An event as an observer gets it: with whose it is and when it was published."""

    session: str
    at: float
    """Seconds on the clock of that session's line."""
    event: Event


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the chat that a language model continues."""

    role: str
    """system, user or assistant."""
    content: str


class RapportError(Exception):
    """Something a user can mend; the message is one sentence naming the thing and the remedy."""
