"""What clients post to have something spoken, and what they are given: the bodies of the routes.

Layer 4, on pydantic. Serves text-to-speech. Field for field as Hume's SDKs have it; what this
device cannot do differently is accepted and has no effect, and says so.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from device.evi.resources import Identifier, Returned
from device.evi.resources_posted import Posted, PostedVoice
from device.evi.sounds import Encoding

LONGEST_TEXT = 5_000
"""Characters of one utterance, as EVI has it: about six minutes."""
MOST_UTTERANCES = 32
MOST_GENERATIONS = 5
LONGEST_WHOLE = 5_000
"""Characters spoken in one answer that is not a stream: as a WAV it takes 35 MB, several times."""


def _is_speakable(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("there is nothing to pronounce in it")
    return text


class PostedUtterance(Posted):
    """Something to be spoken."""

    text: Annotated[
        str,
        Field(max_length=LONGEST_TEXT, json_schema_extra={"pattern": r"[^\W_]"}),
        AfterValidator(_is_speakable),
    ]
    voice: PostedVoice | None = None
    """Whose voice; absent: as the utterance before, and the first in the device's own."""
    description: Annotated[str, Field(max_length=1_000)] | None = None
    """How: moods (calm, apologetic, sympathetic, gentle, bright) and manners (slow, fast, low,
    high, loud, soft), or words near them. Others have no effect."""
    speed: Annotated[float, Field(ge=0.5, le=2)] | None = None
    """Factor on the speed."""
    trailing_silence: Annotated[float, Field(ge=0, le=60)] | None = None
    """Seconds of silence after it."""


class PostedContext(Posted):
    """What went before: a generation, whose voice is gone on with, or utterances, which have no
    effect."""

    generation_id: Identifier | None = None
    utterances: Annotated[list[Any], Field(max_length=1_000)] | None = None


class PostedFormat(Posted):
    """The file format of the sound."""

    type: Encoding = "mp3"


class PostedTts(Posted):
    """A text-to-speech request."""

    utterances: Annotated[list[PostedUtterance], Field(min_length=1, max_length=MOST_UTTERANCES)]
    format: PostedFormat | None = None
    """Absent: MP3."""
    context: PostedContext | None = None
    num_generations: Annotated[int, Field(ge=1, le=MOST_GENERATIONS)] | None = None
    """How many times it is spoken."""
    split_utterances: bool | None = None
    """Whether each sentence is a snippet (absent: it is), or each utterance."""
    strip_headers: bool | None = None
    """Whether all pieces of a stream of JSON make up one file, or each is a file."""
    include_timestamp_types: Annotated[list[Any], Field(max_length=10)] | None = None
    """Has no effect: there are no timestamps."""
    temperature: float | None = None
    """Has no effect."""
    version: Annotated[str, Field(max_length=20)] | None = None
    """Has no effect."""
    instant_mode: bool | None = None
    """Has no effect: it is always on."""

    @property
    def encoding(self) -> Encoding:
        """The file format that is wanted."""
        return self.format.type if self.format else "mp3"

    @property
    def characters(self) -> int:
        """How much is to be spoken altogether."""
        return sum(len(utterance.text) for utterance in self.utterances) * (
            self.num_generations or 1
        )


class PostedWholeTts(PostedTts):
    """A text-to-speech request that is answered when all of it was spoken."""

    @model_validator(mode="after")
    def _is_short(self) -> PostedWholeTts:
        if self.characters > LONGEST_WHOLE:
            raise ValueError(
                f"{self.characters} characters are to be spoken at once, and at most "
                f"{LONGEST_WHOLE} can be; use /v0/tts/stream"
            )
        return self


class PostedFileTts(PostedTts):
    """A text-to-speech request for one file that begins before all of it was spoken."""

    num_generations: Literal[1] | None = None
    """One file has one generation."""


class PostedWholeFileTts(PostedWholeTts):
    """A text-to-speech request for one file."""

    num_generations: Literal[1] | None = None
    """One file has one generation."""


class AudioEncoding(Returned):
    """How sound is encoded."""

    format: Encoding
    sample_rate: int


class Snippet(Returned):
    """A stretch of an utterance."""

    id: str
    text: str
    generation_id: str
    utterance_index: int
    transcribed_text: str | None = None
    """Always null."""
    timestamps: list[Any]
    """Always empty."""
    audio: str
    """A file, as base64."""


class ReturnGeneration(Returned):
    """All utterances, spoken once."""

    generation_id: str
    duration: float
    """Seconds."""
    file_size: int
    """Bytes of the file in ``audio``."""
    encoding: AudioEncoding
    audio: str
    """A file, as base64."""
    snippets: list[list[Snippet]]
    """For each utterance, its stretches."""


class ReturnTts(Returned):
    """The answer to a text-to-speech request."""

    request_id: str
    generations: list[ReturnGeneration]


class SnippetAudioChunk(Returned):
    """A line of the stream: some of the sound of a snippet."""

    type: Literal["audio"] = "audio"
    request_id: str
    generation_id: str
    snippet_id: str
    utterance_index: int
    text: str
    """Of the whole snippet."""
    transcribed_text: str | None = None
    """Always null."""
    chunk_index: int
    """Of this piece in its snippet."""
    is_last_chunk: bool
    """Whether the snippet ends with it."""
    audio_format: Encoding
    audio: str
    """A file, or a part of one if headers are stripped, as base64."""
    snippet: None = None
