"""Voices are the device's models, and what clients saved of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.evi.refusals import NotThere, Unusable
from device.evi.voices import MOST_GENERATIONS, UnknownVoice, VoiceChoice, Voices
from device.settings import Speaking
from device.store import Store

MODELS = ["piper-joe", "piper-ljspeech", "kokoro-joe"]
DEEP = VoiceChoice("piper-joe", "Joe", "HUME_AI", "piper-joe", rate=0.9, pitch=-2.0, level=1.5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def voices(store: Store) -> Voices:
    return Voices(store)


def saved(voices: Voices, name: str, choice: VoiceChoice = DEEP) -> VoiceChoice:
    voices.remember(f"generation of {name}", choice)
    return voices.create(f"generation of {name}", name)


def test_each_model_is_a_voice_under_a_name_for_people(voices: Voices) -> None:
    listed = voices.listing(MODELS, "HUME_AI")
    assert [voice.id for voice in listed] == MODELS
    assert [voice.name for voice in listed] == ["Joe", "Ljspeech", "Joe (kokoro)"]
    assert voices.listing(MODELS, "CUSTOM_VOICE") == []


@pytest.mark.parametrize("name", ["Joe", "joe", "JOE"])
def test_a_voice_is_found_by_its_name_whatever_its_capitals(voices: Voices, name: str) -> None:
    assert voices.find(MODELS, name=name).model == "piper-joe"


def test_a_voice_is_found_by_its_id(voices: Voices) -> None:
    made = saved(voices, "Grandfather")
    assert voices.find(MODELS, "piper-ljspeech").name == "Ljspeech"
    assert voices.find(MODELS, made.id) == made


def test_nothing_asked_for_is_the_devices_own_voice(voices: Voices) -> None:
    assert voices.find(MODELS).model == "piper-joe"
    assert voices.find(MODELS, provider="HUME_AI").model == "piper-joe"


def test_a_saved_voice_keeps_what_was_said_of_it_also_after_a_restart(
    voices: Voices, store: Store
) -> None:
    made = saved(voices, "Grandfather")
    assert (made.model, made.rate, made.pitch, made.level) == ("piper-joe", 0.9, -2.0, 1.5)
    assert (made.name, made.provider) == ("Grandfather", "CUSTOM_VOICE")
    assert Voices(store).find(MODELS, name="grandfather") == made


def test_saved_voices_are_listed_newest_first(voices: Voices) -> None:
    for name in ("One", "Two", "Three"):
        saved(voices, name)
    listed = voices.listing(MODELS, "CUSTOM_VOICE")
    assert [voice.name for voice in listed] == ["Three", "Two", "One"]


def test_of_two_voices_of_one_name_the_provider_decides(voices: Voices) -> None:
    mine = saved(voices, "Joe")
    assert voices.find(MODELS, name="Joe") == mine
    assert voices.find(MODELS, name="Joe", provider="CUSTOM_VOICE") == mine
    assert voices.find(MODELS, name="Joe", provider="HUME_AI").id == "piper-joe"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"name": "Ada"}, r"Ada; there are: Joe, Ljspeech, Joe \(kokoro\)\."),
        ({"id": "0a1b"}, "0a1b; there are: Joe"),
        ({"name": "Joe", "provider": "CUSTOM_VOICE"}, "Joe; there are: none"),
    ],
)
def test_an_unknown_voice_is_named_with_those_there_are(
    voices: Voices, asked: dict[str, str], named: str
) -> None:
    with pytest.raises(UnknownVoice, match=f"There is no voice {named}"):
        voices.find(MODELS, **asked)


def test_a_deleted_voice_is_gone_and_its_name_free(voices: Voices) -> None:
    saved(voices, "Grandfather")
    voices.delete("grandfather")
    with pytest.raises(UnknownVoice):
        voices.find(MODELS, name="Grandfather")
    with pytest.raises(UnknownVoice, match="no custom voice Grandfather"):
        voices.delete("Grandfather")
    assert saved(voices, "Grandfather").name == "Grandfather"


def test_the_devices_own_voices_cannot_be_deleted(voices: Voices) -> None:
    with pytest.raises(UnknownVoice, match="no custom voice Joe"):
        voices.delete("Joe")


def test_a_name_can_be_given_once(voices: Voices) -> None:
    saved(voices, "Grandfather")
    with pytest.raises(Unusable, match="GRANDFATHER already"):
        saved(voices, "GRANDFATHER")


def test_only_the_latest_generations_can_become_voices(voices: Voices) -> None:
    for number in range(MOST_GENERATIONS + 1):
        voices.remember(str(number), DEEP)
    with pytest.raises(NotThere, match="There is no generation 0;"):
        voices.create("0", "Too late")
    assert voices.create("1", "In time").model == "piper-joe"


def test_a_voice_adds_to_the_devices_settings_within_bounds() -> None:
    own = Speaking(rate=1.2, pitch=1.0, level=-3.0)
    over = DEEP.over(own)
    assert (round(over.rate, 3), over.pitch, over.level) == (1.08, -1.0, -1.5)
    extreme = VoiceChoice("m", "M", "CUSTOM_VOICE", "m", rate=9, pitch=-50, level=99).over(own)
    assert Speaking.model_validate(extreme.model_dump()) == extreme
