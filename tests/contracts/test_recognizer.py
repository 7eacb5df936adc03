"""What every recognizer must do, on real speech and on what is not speech."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from device.engines import engine
from device.ports import Recognizer
from device.settings import Hearing
from device.types import Pcm, RapportError
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken


@pytest.fixture(scope="module", params=[("moonshine", "moonshine-tiny-en")])
def recognizer(request: pytest.FixtureRequest, model_files: ModelFiles) -> Recognizer:
    name, model = request.param
    made: Recognizer = engine(name)(model_files(model), Hearing())
    return made


def words(text: str) -> list[str]:
    return re.sub("[^a-z' ]", " ", text.lower()).split()


def errors(said: list[str], recognised: list[str]) -> int:
    """The least number of words to insert, delete or replace."""
    row = list(range(len(recognised) + 1))
    for place, word in enumerate(said, 1):
        before, row[0] = row[:], place
        for column, other in enumerate(recognised, 1):
            row[column] = min(
                before[column] + 1, row[column - 1] + 1, before[column - 1] + (word != other)
            )
    return row[-1]


def test_three_of_four_words_of_read_sentences_are_right(
    recognizer: Recognizer, sentences: list[Spoken]
) -> None:
    said = [words(sentence.text) for sentence in sentences]
    wrong = [
        errors(reference, words(recognizer.transcribe(sentence.audio)))
        for reference, sentence in zip(said, sentences, strict=True)
    ]
    assert sum(map(len, said)) > 100
    assert sum(wrong) / sum(map(len, said)) <= 0.25


def test_calmly_spoken_short_sentences_are_mostly_recognised(
    recognizer: Recognizer, acted: list[Spoken]
) -> None:
    clips = [clip for clip in acted if clip.emotion == "neutral"]
    right = [words(recognizer.transcribe(clip.audio)) == words(clip.text) for clip in clips]
    assert len(right) == 24
    assert np.mean(right) > 0.7


def test_speech_longer_than_the_networks_window_is_recognised_to_its_end(
    recognizer: Recognizer, sentences: list[Spoken]
) -> None:
    audio = np.concatenate([sentence.audio for sentence in sentences])
    said = words(" ".join(sentence.text for sentence in sentences))
    assert len(audio) > 40 * 16_000
    recognised = words(recognizer.transcribe(audio))
    assert errors(said, recognised) / len(said) <= 0.3
    assert said[-1] in recognised[-3:]


@pytest.mark.parametrize("length", [0, 1, 512, 3_000, 16_000])
def test_digital_silence_has_no_words(recognizer: Recognizer, length: int) -> None:
    assert recognizer.transcribe(np.zeros(length, np.int16)) == ""


def test_a_moment_of_sound_is_too_short_for_words(
    recognizer: Recognizer, sentences: list[Spoken]
) -> None:
    assert recognizer.transcribe(sentences[0].audio[8_000:11_000]) == ""


def test_most_noise_has_no_words_and_none_has_a_flood_of_them(
    recognizer: Recognizer, noises: dict[str, Pcm]
) -> None:
    texts = {name: recognizer.transcribe(audio) for name, audio in noises.items()}
    assert len(texts) > 50
    assert np.mean([text == "" for text in texts.values()]) > 0.6
    assert max(len(text.split()) for text in texts.values()) < 33
    assert not any("watching" in text.lower() for text in texts.values())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = {role: tmp_path / role for role in ("encoder", "decoder", "tokens")}
    with pytest.raises(RapportError, match="encoder is not there"):
        engine("moonshine")(files, Hearing())
