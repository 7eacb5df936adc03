"""What every prosody engine must do, on real voices."""

from __future__ import annotations

import numpy as np
import pytest

from device.catalogue import DEFAULT_PATH
from device.engines import engine
from device.ports import ProsodyModel
from device.settings import Hearing
from device.types import HEARING_RATE, Embedding, Expression, Pcm
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken
from tests.contracts.test_turn_detector import spoken_part

AROUSED = {"angry", "fearful", "happy", "surprised"}
QUIET = {"neutral", "calm", "sad"}


@pytest.fixture(scope="module", params=["default", "research"])
def shared(request: pytest.FixtureRequest) -> ProsodyModel:
    """The engine with each head that comes with the program."""
    folder = DEFAULT_PATH.parent / "prosody"
    files = {
        "head": folder / f"{request.param}.onnx",
        "window_head": folder / f"{request.param}-window.onnx",
        "trunk": folder / "trunk.onnx",
    }
    made: ProsodyModel = engine("prosody-head")(files, Hearing())
    return made


@pytest.fixture
def prosody(shared: ProsodyModel) -> ProsodyModel:
    fresh: ProsodyModel = shared.fresh()
    return fresh


def in_range(expression: Expression) -> bool:
    dimensions = [expression.valence, expression.arousal, expression.dominance]
    return (
        all(value is None or -1 <= value <= 1 for value in dimensions)
        and all(0 <= score <= 1 for score in expression.emotions.values())
        and 0 <= expression.confidence <= 1
        and all(np.isfinite(value) for value in expression.measures.values())
    )


def test_agitated_voices_score_a_higher_arousal_than_quiet_ones(
    prosody: ProsodyModel, acted: list[Spoken]
) -> None:
    aroused, quiet = [], []
    for speaker in sorted({clip.speaker for clip in acted}):
        voice = prosody.fresh()
        own = [clip for clip in acted if clip.speaker == speaker]
        # as in life, a speaker is first heard in a neutral voice
        for clip in sorted(own, key=lambda clip: clip.emotion != "neutral"):
            expression = voice.measure(clip.audio, None)
            voice.learn()
            if expression is None:
                continue
            assert in_range(expression)
            if clip.emotion in AROUSED:
                aroused.append(expression.arousal)
            elif clip.emotion in QUIET:
                quiet.append(expression.arousal)
    assert len(aroused) > 150
    assert len(quiet) > 80
    assert np.mean(np.array(aroused)[:, None] > np.array(quiet)) > 0.8  # the area under the curve


def test_measuring_a_growing_utterance_again_teaches_nothing(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    once = prosody.measure(sentences[0].audio, None)
    assert once is not None
    assert prosody.measure(sentences[0].audio, None) == once
    prosody.learn()
    assert prosody.measure(sentences[0].audio, None) != once


def test_it_says_what_measured_and_what_it_calls_probabilities_are_some(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    expression = prosody.measure(sentences[0].audio, None)
    assert expression is not None
    assert expression.model == prosody.identity == prosody.fresh().identity
    assert all((prosody.identity.name, prosody.identity.version, prosody.identity.licence))
    if expression.categories:
        assert all(0 <= share <= 1 for share in expression.categories.values())
        assert sum(expression.categories.values()) == pytest.approx(1.0, abs=0.01)


def test_most_voices_can_be_measured(prosody: ProsodyModel, acted: list[Spoken]) -> None:
    measured = [prosody.measure(clip.audio, None) is not None for clip in acted[::6]]
    assert np.mean(measured) > 0.9


def test_measures_carry_units_and_agree_with_the_voice(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    expression = prosody.measure(sentences[0].audio, None)
    assert expression is not None
    measures = expression.measures
    assert 150 < measures["pitch_hz"] < 300  # a woman reading aloud
    assert -40 < measures["level_db"] < -10
    assert 3 < measures["rate_sps"] < 7
    assert 0 <= measures["pauses_share"] < 0.5
    assert measures["pitch_range_st"] > 2


def test_twice_the_amplitude_is_six_decibels_and_the_same_expression(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    audio = sentences[1].audio // 2
    usual = prosody.measure(audio, None)
    loud = prosody.measure(audio * 2, None)
    assert usual is not None
    assert loud is not None
    assert loud.measures["level_db"] - usual.measures["level_db"] == pytest.approx(6.0, abs=0.2)
    assert loud.measures["pitch_hz"] == pytest.approx(usual.measures["pitch_hz"], rel=0.02)
    assert loud.arousal == pytest.approx(usual.arousal, abs=0.1)  # the user may have come nearer


def test_confidence_grows_as_the_speaker_becomes_known(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    first = prosody.measure(sentences[0].audio, None)
    for sentence in sentences * 2:
        prosody.measure(sentence.audio, None)
        prosody.learn()
    last = prosody.measure(sentences[0].audio, None)
    assert first is not None
    assert last is not None
    assert first.confidence < 0.85 * last.confidence


def test_speakers_do_not_share_what_is_usual(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    alone = prosody.measure(sentences[0].audio, None)
    other = prosody.fresh()
    other.measure(sentences[1].audio, None)
    assert prosody.fresh().measure(sentences[0].audio, None) == alone


@pytest.mark.parametrize("length", [0, 1, 511, 2_047, 2_048, 3_000, 160_000])
def test_silence_of_any_length_has_no_expression(prosody: ProsodyModel, length: int) -> None:
    assert prosody.measure(np.zeros(length, np.int16), None) is None


def test_a_moment_of_voice_is_too_short(prosody: ProsodyModel, sentences: list[Spoken]) -> None:
    assert prosody.measure(sentences[0].audio[8_000:11_000], None) is None


def test_most_noise_has_no_expression(prosody: ProsodyModel, noises: dict[str, Pcm]) -> None:
    none = [prosody.measure(audio, None) is None for audio in noises.values()]
    assert len(none) > 50
    assert np.mean(none) > 0.85


def test_music_has_no_expression(prosody: ProsodyModel) -> None:
    none = [prosody.measure(chords(seed), None) is None for seed in range(12)]
    assert np.mean(none) > 0.8


def chords(seed: int) -> Pcm:
    """Return 4 s of chords, each of three tones with five harmonics, dying away."""
    random = np.random.default_rng(seed)
    time = np.arange(HEARING_RATE) / HEARING_RATE
    bars = []
    for _ in range(4):
        tones = random.choice([196.0, 220.0, 247.0, 262.0, 294.0, 330.0, 392.0], 3, replace=False)
        sound = sum(np.sin(2 * np.pi * n * tone * time) / n for tone in tones for n in range(1, 6))
        bars.append(sound * np.exp(-2 * time))
    made = np.concatenate(bars)
    return np.asarray(made / np.abs(made).max() * 12_000, np.int16)


def test_clipped_speech_has_no_expression(prosody: ProsodyModel, sentences: list[Spoken]) -> None:
    loud = np.clip(sentences[0].audio.astype(np.int32) * 40, -32_768, 32_767).astype(np.int16)
    assert prosody.measure(sentences[0].audio, None) is not None
    assert prosody.measure(loud, None) is None


def test_the_layers_of_the_turn_detector_tell_the_same_as_its_own_run(
    prosody: ProsodyModel, acted: list[Spoken], model_files: ModelFiles
) -> None:
    detector = engine("smart-turn")(model_files("smart-turn-v3.2"), Hearing())
    pairs = []
    for clip in acted[::10]:
        speech = spoken_part(clip.audio)
        own = prosody.measure(speech, None)
        given = prosody.measure(speech, detector.listen(speech).embedding)
        assert (own is None) == (given is None)
        if own is not None and given is not None:
            pairs.append((own.arousal, given.arousal))
    assert len(pairs) > 25
    assert np.corrcoef(np.array(pairs, float).T)[0, 1] > 0.95


def test_the_layers_of_another_network_are_not_used_and_that_is_said_once(
    prosody: ProsodyModel, sentences: list[Spoken], caplog: pytest.LogCaptureFixture
) -> None:
    audio = sentences[0].audio
    strange = Embedding("another", np.zeros((80, 2), np.float32), np.zeros((1, 3), np.float32))
    assert prosody.measure(audio, strange) == prosody.measure(audio, None)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "the layers of another, and rapport-prosody" in said
    assert "less exactly" in said
