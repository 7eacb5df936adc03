"""What every detector of the end of a turn must do, on real speech."""

from __future__ import annotations

import numpy as np
import pytest

from device.engines import engine
from device.ports import TurnDetector
from device.settings import Hearing
from device.types import Pcm, Verdict
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken


@pytest.fixture(scope="module", params=[("smart-turn", "smart-turn-v3.2")])
def detector(request: pytest.FixtureRequest, model_files: ModelFiles) -> TurnDetector:
    name, model = request.param
    made: TurnDetector = engine(name)(model_files(model), Hearing())
    return made


def spoken_part(audio: Pcm) -> Pcm:
    """Return the recording from its first to its last sound, so that a cut falls into speech."""
    magnitude = np.abs(audio.astype(np.int32))
    sounding = np.flatnonzero(magnitude > 0.03 * magnitude.max())
    return audio[sounding[0] : sounding[-1] + 800]


def test_whole_sentences_sound_more_finished_than_cut_ones(
    detector: TurnDetector, acted: list[Spoken], sentences: list[Spoken]
) -> None:
    clips = [spoken_part(clip.audio) for clip in acted if clip.emotion == "neutral"]
    clips += [spoken_part(sentence.audio) for sentence in sentences]
    assert len(clips) >= 30
    pause = np.zeros(3_200, np.int16)
    whole = [detector.probability(np.concatenate([clip, pause])) for clip in clips]
    cut = [
        detector.probability(np.concatenate([clip[: int(share * len(clip))], pause]))
        for clip in clips
        for share in (0.55, 0.75)
    ]
    assert np.mean(whole) > np.mean(cut) + 0.1
    assert np.mean(np.array(whole)[:, None] > np.array(cut)) > 0.65  # the area under the curve


def test_only_the_last_eight_seconds_count(detector: TurnDetector, sentences: list[Spoken]) -> None:
    audio = np.concatenate([sentence.audio for sentence in sentences])
    assert len(audio) > 16 * 16_000
    assert detector.probability(audio) == detector.probability(audio[-8 * 16_000 :])


@pytest.mark.parametrize("length", [0, 1, 159, 400, 8 * 16_000])
def test_silence_of_any_length_gives_a_probability(detector: TurnDetector, length: int) -> None:
    assert 0 <= detector.probability(np.zeros(length, np.int16)) <= 1


def test_nothing_at_all_is_no_end_of_a_turn(detector: TurnDetector) -> None:
    assert detector.probability(np.zeros(0, np.int16)) == 0
    assert detector.listen(np.zeros(0, np.int16)) == Verdict(0.0)


def test_listening_gives_the_same_probability_and_what_led_to_it(
    detector: TurnDetector, sentences: list[Spoken]
) -> None:
    seen = []
    for sentence in sentences[:3]:
        verdict = detector.listen(sentence.audio)
        assert verdict.probability == detector.probability(sentence.audio)
        embedding = verdict.embedding
        assert embedding is not None
        assert embedding.picture.shape[0] == 80
        assert embedding.layers.ndim == 2 and embedding.layers.dtype == np.float32
        assert np.isfinite(embedding.layers).all() and embedding.network
        seen.append(embedding.layers)
    assert not np.allclose(seen[0], seen[1]), "it is the same whatever is heard"
