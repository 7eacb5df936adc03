"""What every voice activity detector must do, on real sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.engines import engine
from device.ports import VoiceActivity
from device.settings import Hearing
from device.types import Pcm, RapportError
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken


@pytest.fixture(scope="module", params=[("silero", "silero")])
def detector(request: pytest.FixtureRequest, model_files: ModelFiles) -> VoiceActivity:
    name, model = request.param
    made: VoiceActivity = engine(name)(model_files(model), Hearing())
    return made


def probabilities(detector: VoiceActivity, audio: Pcm) -> list[float]:
    detector.reset()
    starts = range(0, len(audio) - detector.frame + 1, detector.frame)
    return [detector.probability(audio[start : start + detector.frame]) for start in starts]


def test_most_frames_of_read_sentences_are_speech(
    detector: VoiceActivity, sentences: list[Spoken]
) -> None:
    assert sentences
    for sentence in sentences:
        assert np.mean(np.array(probabilities(detector, sentence.audio)) > 0.5) > 0.7


def test_noise_is_hardly_ever_speech(detector: VoiceActivity, noises: dict[str, Pcm]) -> None:
    shares = {
        name: np.mean(np.array(probabilities(detector, audio)) > 0.5)
        for name, audio in noises.items()
    }
    assert len(shares) > 50
    assert np.mean([share < 0.05 for share in shares.values()]) > 0.95


def test_silence_is_not_speech(detector: VoiceActivity) -> None:
    assert max(probabilities(detector, np.zeros(16_000, np.int16))) < 0.1


def test_the_same_sound_gives_the_same_answers_after_a_reset(
    detector: VoiceActivity, sentences: list[Spoken]
) -> None:
    audio = sentences[0].audio[:32_000]
    assert probabilities(detector, audio) == probabilities(detector, audio)


def test_a_fresh_detector_has_not_heard_what_another_heard(
    detector: VoiceActivity, sentences: list[Spoken]
) -> None:
    audio = sentences[0].audio[:32_000]
    alone = probabilities(detector, audio)
    other = detector.fresh()  # type: ignore[attr-defined]
    detector.reset()
    interleaved = []
    for start in range(0, len(audio) - detector.frame + 1, detector.frame):
        interleaved.append(detector.probability(audio[start : start + detector.frame]))
        other.probability(np.full(other.frame, 9_000, np.int16))
    assert interleaved == alone


@pytest.mark.parametrize("length", [0, 1, 511, 513])
def test_a_frame_of_another_length_is_refused_by_name(detector: VoiceActivity, length: int) -> None:
    with pytest.raises(RapportError, match=r"voice activity: .*512"):
        detector.probability(np.zeros(length, np.int16))


def test_the_full_range_of_samples_is_taken(detector: VoiceActivity) -> None:
    loudest = np.where(np.arange(detector.frame) % 2, 32767, -32768).astype(np.int16)
    assert 0 <= detector.probability(loudest) <= 1


def test_a_file_that_is_no_network_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"this is not a network")
    with pytest.raises(RapportError, match=r"model\.onnx: is not a network"):
        engine("silero")({"model": path}, Hearing())


def test_the_network_of_another_task_is_refused(model_files: ModelFiles) -> None:
    with pytest.raises(RapportError, match="it is another model"):
        engine("silero")(model_files("smart-turn-v3.2"), Hearing())
