"""The seams of the device: what each part must be able to do, whoever makes it.

Layer 0. An engine is a plain class with one of these shapes. It is owned by one thread (see
``worker``), so it needs no lock and knows nothing of asyncio. A call that may take longer than
100 ms takes ``stop`` and gives up soon after that is set.

Engines are constructed as ``Engine(files, settings)``: ``files`` maps the roles named in
``models/catalogue.toml`` to verified paths, ``settings`` is the section of the configuration that
the engine belongs to. A model that cannot be loaded raises ``RapportError``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from threading import Event as StopSignal
from types import TracebackType
from typing import Protocol, Self

from device.types import (
    AudioChunk,
    Embedding,
    Expression,
    Frame,
    Message,
    ModelIdentity,
    Pcm,
    Sentence,
    Verdict,
)


class Microphone(Protocol):
    """Where a conversation hears from."""

    def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield mono chunks at 16 kHz, 10 to 40 ms each, without gaps, until the line closes."""
        ...


class Speaker(Protocol):
    """Where a conversation is heard. Only ``conversation.playback`` touches it."""

    rate: int
    """Samples per second of what ``write`` takes."""
    gain: float
    """Factor on everything played from now on; 1.0 leaves it alone."""

    def write(self, pcm: Pcm) -> int:
        """Queue samples to be played and return how many there was room for; never block."""
        ...

    def clear(self) -> None:
        """Be silent now: drop all that was written and not yet played."""
        ...

    @property
    def played(self) -> int:
        """How many of the samples written since the line opened have been played."""
        ...

    async def tick(self) -> None:
        """Return after the next block was handed to the loudspeaker."""
        ...


class Line(Microphone, Speaker, Protocol):
    """One way to talk to the device: the sound card, a WAV file, a remote client."""

    name: str

    def now(self) -> float:
        """Seconds since the line opened."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class VoiceActivity(Protocol):
    """Tells speech from other sound, frame by frame; one object for each line."""

    frame: int
    """Samples per frame at 16 kHz."""

    def probability(self, frame: Pcm) -> float:
        """Return how likely this frame is speech, 0 to 1, given the frames before it."""
        ...

    def reset(self) -> None:
        """Forget the frames before."""
        ...

    def fresh(self) -> Self:
        """Return one for another line: it shares the weights, not the memory."""
        ...


class WakeWord(Protocol):
    """Hears one phrase, which it was trained for, in sound; one object for each line."""

    phrase: str
    """What it listens for, as "hey jarvis"."""

    def hear(self, pcm: Pcm) -> float:
        """Return how likely the phrase has just ended, 0 to 1; ``pcm`` at 16 kHz, of any length.

        The highest of the moments in ``pcm``; 0 until it has heard about half a second.
        """
        ...

    def threshold(self, sensitivity: float) -> float:
        """Return the probability above which a sensitivity, 0 to 1, calls it heard."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...

    def fresh(self) -> Self:
        """Return one for another line, which has heard nothing."""
        ...


class TurnDetector(Protocol):
    """Tells from the sound of an utterance whether its speaker has finished."""

    def probability(self, audio: Pcm) -> float:
        """Return how likely the turn is over, 0 to 1; audio at 16 kHz, its last 8 s are used."""
        ...

    def listen(self, audio: Pcm) -> Verdict:
        """Return the same probability, with what the same run made of the sound on the way."""
        ...


class Recognizer(Protocol):
    """Turns speech into words."""

    def transcribe(self, audio: Pcm) -> str:
        """Return the words in ``audio`` (16 kHz), empty if there are none."""
        ...


class ProsodyModel(Protocol):
    """Measures how something was said."""

    identity: ModelIdentity
    """Stands in each expression it returns."""

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        """Return the expression of an utterance (16 kHz), or None if it cannot be told.

        ``embedding`` is what an end-of-turn network made of the same ``audio``, None if it was not
        run. An utterance may be measured several times while it grows; that changes nothing.
        """
        ...

    def preview(self, audio: Pcm) -> Expression | None:
        """Return the expression of speech that goes on, quickly; None if it cannot be told.

        It changes nothing, and nothing is learnt of it.
        """
        ...

    def learn(self) -> None:
        """Let the speaker's baseline follow the utterance measured last: it is complete."""
        ...

    def fresh(self) -> Self:
        """Return one for another speaker: it shares the weights, not the baseline."""
        ...


class LanguageModel(Protocol):
    """Continues a chat."""

    context: int
    """How many tokens of prompt and reply it can hold."""
    evaluated: int
    """How many tokens of the last prompt were really read, the rest being kept from before."""

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens these messages take as a prompt."""
        ...

    def prepare(self, messages: Sequence[Message]) -> None:
        """Read messages that every prompt begins with, so that the first reply is quick too."""
        ...

    def reply(
        self, messages: Sequence[Message], stop: StopSignal, temperature: float | None = None
    ) -> Iterator[str]:
        """Yield the next assistant message piece by piece, ending soon after ``stop`` is set.

        ``temperature`` is for this reply, None for the setting's.
        """
        ...

    def fill(self, messages: Sequence[Message], schema: str, stop: StopSignal) -> str:
        """Return the next assistant message as a JSON object of the JSON schema ``schema``.

        Empty if ``stop`` was set; raises RapportError if no such object can be had.
        """
        ...


class Voice(Protocol):
    """Speaks."""

    rate: int
    """Samples per second of what it makes."""

    def speak(self, sentence: Sentence, stop: StopSignal) -> Iterator[Pcm]:
        """Yield the sentence as sound, piece by piece, ending soon after ``stop`` is set.

        A sentence with nothing to pronounce yields nothing.
        """
        ...


class Contacts(Protocol):
    """The panel's buttons and switches, by their names: talk, mute, switch."""

    names: Sequence[str]
    """Those that are wired."""

    def open(self, changed: Callable[[str], None]) -> None:
        """From now on call ``changed`` on the running loop, with the name of what moved.

        It may be called too often, as contacts bounce. Raises RapportError if a pin cannot be had.
        """
        ...

    def closed(self, name: str) -> bool:
        """Return whether a button is down, or a switch is on, at this moment."""
        ...

    def close(self) -> None:
        """Call nobody any more, and let the pins go."""
        ...


class Lights(Protocol):
    """The panel's lights."""

    leds: int
    """How many colours a frame has."""
    dimmable: bool
    """Whether they have colour and brightness; otherwise anything but black is on."""

    def show(self, frame: Frame) -> None:
        """Show a frame until the next; it takes less than a millisecond or two."""
        ...

    def close(self) -> None:
        """Go dark, and let the pins go."""
        ...
