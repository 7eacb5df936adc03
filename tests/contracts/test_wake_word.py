"""What every acoustic wake word must do, on real speech and on the device's own voice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Event as StopSignal

import numpy as np
import pytest

from device.audio.rates import resample
from device.catalogue import Catalogue, Model
from device.engines import engine
from device.ports import Voice, WakeWord
from device.settings import Hearing, Speaking
from device.types import HEARING_RATE, Pcm, RapportError, Sentence, Style
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken

TRAINED = [model for model in Catalogue.load().models.values() if model.task == "wake_word"]
BLOCK = 320


def package_files(model: Model) -> dict[str, Path]:
    """The files of a model as they lie in the installed package, compared with the catalogue."""
    package = pytest.importorskip("pymicro_wakeword", reason="needs: pip install rapport[wake]")
    folder = Path(package.__file__).parent / "models"
    found = {file.role: folder / file.path for file in model.files}
    for file in model.files:
        assert hashlib.sha256(found[file.role].read_bytes()).hexdigest() == file.sha256
    return found


@pytest.fixture(scope="module", params=TRAINED, ids=lambda model: model.name)
def trained(request: pytest.FixtureRequest) -> tuple[Model, WakeWord]:
    model: Model = request.param
    word: WakeWord = engine(model.engine)(package_files(model), Hearing())
    return model, word


@pytest.fixture(scope="module")
def voice(model_files: ModelFiles) -> Voice:
    made: Voice = engine("sherpa")(model_files("piper-joe"), Speaking())
    return made


def in_a_quiet_room(pcm: Pcm) -> Pcm:
    silence = np.zeros(HEARING_RATE, np.int16)
    whole = np.concatenate((silence, pcm, silence))
    hiss = np.random.default_rng(1).normal(0, 6, len(whole))
    return np.clip(whole + hiss, -32_768, 32_767).astype(np.int16)


def peak(word: WakeWord, pcm: Pcm, block: int = BLOCK) -> float:
    return max(word.hear(pcm[at : at + block]) for at in range(0, len(pcm), block))


def said(voice: Voice, text: str, rate: float = 1.0) -> Pcm:
    pcm = np.concatenate(list(voice.speak(Sentence(text, Style("even", rate)), StopSignal())))
    return in_a_quiet_room(resample(pcm, voice.rate, HEARING_RATE))


def test_it_listens_for_the_phrase_that_the_catalogue_names(
    trained: tuple[Model, WakeWord],
) -> None:
    model, word = trained
    assert word.phrase == model.phrase


def test_it_hears_its_phrase(trained: tuple[Model, WakeWord], voice: Voice) -> None:
    _, word = trained
    word.reset()
    tries = [peak(word, said(voice, f"{word.phrase.title()}.", rate)) for rate in (0.85, 1, 1.15)]
    assert max(tries) >= word.threshold(0.5)


def test_read_sentences_do_not_wake_it(
    trained: tuple[Model, WakeWord], sentences: list[Spoken]
) -> None:
    _, word = trained
    word.reset()
    for sentence in sentences:
        assert peak(word, in_a_quiet_room(sentence.audio)) < word.threshold(0.5), sentence.text


def test_the_length_of_the_pieces_does_not_matter(
    trained: tuple[Model, WakeWord], voice: Voice
) -> None:
    _, word = trained
    pcm = said(voice, f"{word.phrase.title()}.")
    found = []
    for block in (1_001, BLOCK, len(pcm)):
        word.reset()
        found.append(peak(word, pcm, block))
    assert found == [found[0]] * 3


def test_a_fresh_one_has_not_heard_what_another_heard(
    trained: tuple[Model, WakeWord], voice: Voice
) -> None:
    _, word = trained
    pcm = said(voice, f"{word.phrase.title()}.")
    word.reset()
    alone = peak(word, pcm)
    word.reset()
    other, mixed = word.fresh(), 0.0
    for at in range(0, len(pcm), BLOCK):
        mixed = max(mixed, word.hear(pcm[at : at + BLOCK]))
        other.hear(np.full(BLOCK, 9_000, np.int16))
    assert mixed == alone


def test_more_sensitive_needs_less(trained: tuple[Model, WakeWord]) -> None:
    _, word = trained
    needed = [word.threshold(value / 10) for value in range(11)]
    assert needed == sorted(needed, reverse=True)
    assert all(0 < value < 1 for value in needed)


def test_nothing_is_heard_in_nothing(trained: tuple[Model, WakeWord]) -> None:
    _, word = trained
    word.reset()
    assert word.hear(np.empty(0, np.int16)) == 0.0


@pytest.mark.parametrize("damaged", ["model", "description"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damaged: str) -> None:
    for role, path in package_files(TRAINED[0]).items():
        content = b"this is not what it should be" if role == damaged else path.read_bytes()
        (tmp_path / path.name).write_bytes(content)
    files = {role: tmp_path / path.name for role, path in package_files(TRAINED[0]).items()}
    with pytest.raises(RapportError, match=files[damaged].name):
        engine(TRAINED[0].engine)(files, Hearing())


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    files = {file.role: tmp_path / file.path for file in TRAINED[0].files}
    package_files(TRAINED[0])
    with pytest.raises(RapportError, match=r"cannot be read .* run: rapport models fetch"):
        engine(TRAINED[0].engine)(files, Hearing())
