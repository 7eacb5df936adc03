"""What every prosody engine must do, on real voices."""

from __future__ import annotations

import numpy as np
import pytest

from device.config import Hearing
from device.engines import engine
from device.ports import ProsodyModel
from device.types import Expression, Pcm
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken

AROUSED = {"angry", "fearful", "happy", "surprised"}
QUIET = {"neutral", "calm", "sad"}


@pytest.fixture(scope="module", params=[("acoustic", "swift-f0")])
def shared(request: pytest.FixtureRequest, model_files: ModelFiles) -> ProsodyModel:
    name, model = request.param
    made: ProsodyModel = engine(name)(model_files(model), Hearing())
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


def test_twice_the_amplitude_is_six_decibels_and_more_arousal(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    audio = sentences[1].audio // 2
    for _ in range(3):
        usual = prosody.measure(audio, None)
        prosody.learn()
    loud = prosody.measure(audio * 2, None)
    assert usual is not None
    assert loud is not None
    assert loud.measures["level_db"] - usual.measures["level_db"] == pytest.approx(6.0, abs=0.2)
    assert loud.measures["pitch_hz"] == pytest.approx(usual.measures["pitch_hz"], rel=0.02)
    assert loud.arousal is not None
    assert usual.arousal is not None
    assert loud.arousal > usual.arousal + 0.1


def test_confidence_grows_as_the_speaker_becomes_known(
    prosody: ProsodyModel, sentences: list[Spoken]
) -> None:
    confidences = []
    for sentence in [*sentences, *sentences]:
        expression = prosody.measure(sentence.audio, None)
        prosody.learn()
        assert expression is not None
        confidences.append(expression.confidence)
    assert confidences[0] < 0.7 * confidences[-1]


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
