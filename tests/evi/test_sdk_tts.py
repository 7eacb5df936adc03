"""Hume's own Python SDK has text spoken by the device, and the device understands what it said."""

from __future__ import annotations

import base64
import io
import re
import wave
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fastapi import FastAPI
from hume import HumeClient
from hume.core.api_error import ApiError
from hume.tts import (
    FormatMp3,
    FormatPcm,
    FormatWav,
    PostedContextWithGenerationId,
    PostedUtterance,
    PostedUtteranceVoiceWithId,
    PostedUtteranceVoiceWithName,
    SnippetAudioChunk,
)
from hume.tts.errors import BadRequestError, UnprocessableEntityError

from device.audio.demux import decoded
from device.engines import engine
from device.evi.records import Records
from device.settings import Hearing, Speaking
from device.types import Pcm
from device.worker import Owned
from tests.conftest import ModelFiles
from tests.evi.conftest import Serve
from tests.evi.speakers import Hum, Speakers, application

TALE = "The weather was lovely. We walked along the river for an hour."
WORDS = ("weather", "lovely", "walked", "river", "hour")


@pytest.fixture
def humming(records: Owned[Records]) -> Iterator[FastAPI]:
    host = Speakers({"hum-low": Hum(), "hum-high": Hum(400.0)})
    yield application(records, host)
    host.worker.close()


@pytest.fixture
def client(humming: FastAPI, serve: Serve) -> HumeClient:
    return HumeClient(base_url=serve(humming), api_key="any")


@pytest.fixture(scope="module")
def joe(model_files: ModelFiles) -> object:
    return engine("sherpa")(model_files("piper-joe"), Speaking())


@pytest.fixture
def speaking(records: Owned[Records], joe: object, serve: Serve) -> Iterator[HumeClient]:
    """A client of a device with a real voice."""
    host = Speakers({"piper-joe": joe})
    yield HumeClient(base_url=serve(application(records, host)), api_key="any")
    host.worker.close()


@pytest.fixture(scope="module")
def understood(model_files: ModelFiles) -> Callable[[Pcm], str]:
    """What the device's own recognizer hears."""
    recognizer = engine("moonshine")(model_files("moonshine-tiny-en"), Hearing())
    return lambda pcm: " ".join(re.findall("[a-z]+", recognizer.transcribe(pcm).lower()))


def heard(data: bytes) -> Pcm:
    return np.concatenate(list(decoded(io.BytesIO(data))))


@pytest.mark.models
def test_what_was_asked_for_is_what_is_understood(
    speaking: HumeClient, understood: Callable[[Pcm], str]
) -> None:
    voice = PostedUtteranceVoiceWithName(name="Joe", provider="HUME_AI")
    utterances = [PostedUtterance(text=TALE, voice=voice, description="calm, slowly", speed=1.1)]
    (made,) = speaking.tts.synthesize_json(utterances=utterances).generations
    assert made.encoding.format == "mp3" and made.encoding.sample_rate == 48_000
    text = understood(heard(base64.b64decode(made.audio)))
    assert all(word in text for word in WORDS), text
    (snippets,) = made.snippets
    assert [snippet.text for snippet in snippets] == TALE.replace(". ", ".|").split("|")
    assert "weather" in understood(heard(base64.b64decode(snippets[0].audio)))
    assert "river" in understood(heard(base64.b64decode(snippets[1].audio)))


@pytest.mark.models
def test_the_files_of_a_stream_join_as_the_sdks_player_joins_them(
    speaking: HumeClient, understood: Callable[[Pcm], str]
) -> None:
    chunks = list(
        speaking.tts.synthesize_json_streaming(
            utterances=[PostedUtterance(text=TALE)], format=FormatWav(), instant_mode=True
        )
    )
    assert len(chunks) > 2
    assert all(isinstance(chunk, SnippetAudioChunk) for chunk in chunks)
    files = [base64.b64decode(chunk.audio) for chunk in chunks if chunk.type == "audio"]
    text = understood(heard(files[0] + b"".join(file[44:] for file in files[1:])))
    assert all(word in text for word in WORDS), text


def test_a_file_is_read_as_it_comes(client: HumeClient) -> None:
    asked = {"utterances": [PostedUtterance(text=TALE, trailing_silence=0.5)]}
    whole = b"".join(client.tts.synthesize_file(**asked, format=FormatWav()))
    with wave.open(io.BytesIO(whole)) as file:
        assert (file.getframerate(), file.getnchannels()) == (48_000, 1)
        samples = file.readframes(file.getnframes())
    bare = b"".join(client.tts.synthesize_file_streaming(**asked, format=FormatPcm()))
    assert bare == samples
    small = b"".join(client.tts.synthesize_file_streaming(**asked, format=FormatMp3()))
    assert len(small) < len(bare) / 4
    assert abs(len(heard(small)) * 3 - len(bare) / 2) < 0.1 * 48_000


def test_voices_are_paged_through_saved_used_and_deleted(client: HumeClient) -> None:
    own = list(client.tts.voices.list(provider="HUME_AI", page_size=1))
    assert [voice.name for voice in own] == ["Low", "High"]
    voice = PostedUtteranceVoiceWithId(id=own[1].id, provider="HUME_AI")
    made = client.tts.synthesize_json(utterances=[PostedUtterance(text="Oh.", voice=voice)])
    generation = made.generations[0].generation_id
    saved = client.tts.voices.create(generation_id=generation, name="Mine")
    assert (saved.name, saved.provider) == ("Mine", "CUSTOM_VOICE")
    assert list(client.tts.voices.list(provider="CUSTOM_VOICE")) == [saved]
    for mine in (
        PostedUtteranceVoiceWithName(name="Mine"),
        PostedUtteranceVoiceWithId(id=saved.id, provider="CUSTOM_VOICE"),
    ):
        again = client.tts.synthesize_json(utterances=[PostedUtterance(text="Oh.", voice=mine)])
        assert again.generations[0].duration > 0
    context = PostedContextWithGenerationId(generation_id=generation)
    client.tts.synthesize_json(utterances=[PostedUtterance(text="Oh.")], context=context)
    client.tts.voices.delete(name="Mine")
    assert not list(client.tts.voices.list(provider="CUSTOM_VOICE"))


def test_refusals_are_the_errors_that_the_sdk_knows(client: HumeClient) -> None:
    with pytest.raises(UnprocessableEntityError) as wrong:
        client.tts.synthesize_json(utterances=[PostedUtterance(text="...")])
    (fault,) = wrong.value.body.detail
    assert fault.loc == ["body", "utterances", 0, "text"]
    with pytest.raises(UnprocessableEntityError):
        list(client.tts.synthesize_json_streaming(utterances=[]))
    with pytest.raises(BadRequestError) as bad:
        client.tts.voices.list(provider="ACME")
    assert "provider" in bad.value.body.message
    voice = PostedUtteranceVoiceWithName(name="Ada")
    with pytest.raises(ApiError) as unknown:
        client.tts.synthesize_json(utterances=[PostedUtterance(text="Oh.", voice=voice)])
    assert unknown.value.status_code == 404
    assert "There is no voice Ada" in unknown.value.body["message"]
    with pytest.raises(ApiError) as gone:
        client.tts.voices.delete(name="Ada")
    assert gone.value.status_code == 404
