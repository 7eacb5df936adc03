"""How a head is learnt, calibrated and written, on made vectors whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from device.hearing.head import Head as DeviceHead
from device.types import RapportError
from models.prosody.corpora import Clip
from models.prosody.export import export
from models.prosody.features import Features
from models.prosody.learning import Head, Recipe, best_temperature, fit, folds, known_usual, lesson

EMOTIONS = ("neutral", "happy", "sad", "angry")
SIZE = 24
RECIPE = Recipe(strength=1.0, conditions=("clean",))
FACTS = {"name": "made", "version": "3", "licence": "CC0-1.0", "network": "none", "corpora": "made"}


def made(speakers: int = 8, clips: int = 12, apart: float = 1.5, seed: int = 3) -> Features:
    """Return a corpus in which each emotion is a direction, and each speaker an offset."""
    random = np.random.default_rng(seed)
    directions = random.standard_normal((len(EMOTIONS), SIZE)) * apart
    directions[0] = 0
    rows, table = [], []
    for speaker in range(speakers):
        offset = random.standard_normal(SIZE) * 2
        for at in range(clips):
            number = at % len(EMOTIONS)
            rows.append(offset + directions[number] + random.standard_normal(SIZE))
            name = f"{speaker}-{at}"
            table.append(Clip("made", name, f"made/{speaker}", EMOTIONS[number], "", "", ""))
    return Features(table, {"clean": np.array(rows, np.float32)})


def recall(head: Head, corpus: Features, known: bool) -> float:
    vectors, speakers = corpus.vectors["clean"].astype(float), corpus.speakers()
    neutral = corpus.labels() == "neutral"
    usual = np.stack(
        [known_usual(vectors[(speakers == s) & neutral], head.centre) for s in speakers]
    )
    scores = head.scores(vectors, usual if known else None)
    found = np.array(head.categories)[head.probabilities(scores).argmax(axis=1)]
    return float(np.mean(found == corpus.labels()))


def test_what_was_put_in_is_recognised_of_speakers_that_were_not_learnt_from() -> None:
    corpus = made()
    head = fit([corpus.only(corpus.speakers() < "made/6")], RECIPE)
    assert recall(head, corpus.only(corpus.speakers() >= "made/6"), known=True) > 0.8


def test_knowing_the_speaker_helps_where_speakers_differ() -> None:
    corpus = made(speakers=16)
    learnt = corpus.speakers() < "made/4"  # as text: 0 to 3 and 10 to 15
    head, others = fit([corpus.only(learnt)], RECIPE), corpus.only(~learnt)
    assert recall(head, others, known=True) > recall(head, others, known=False) + 0.1


def test_the_same_data_give_the_same_head() -> None:
    one, other = fit([made()], RECIPE), fit([made()], RECIPE)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.temperature == other.temperature


def test_no_speaker_is_learnt_from_and_tested_on() -> None:
    speakers = made().speakers()
    held = list(folds(speakers, 4))
    assert len(held) == 4
    assert np.all(np.sum(held, axis=0) == 1)
    for chosen in held:
        assert not set(speakers[chosen]) & set(speakers[~chosen])


def test_the_usual_of_an_example_is_its_own_speakers() -> None:
    corpus = made()
    examples = lesson([corpus], replace(RECIPE, heard=(3,)))
    for speaker in set(corpus.speakers()):
        own = corpus.vectors["clean"][
            (corpus.speakers() == speaker) & (corpus.labels() == "neutral")
        ]
        expected = known_usual(own.astype(float), examples.centre)  # three clips are all there are
        np.testing.assert_allclose(examples.usual[examples.speakers == speaker][0], expected)


def test_merged_categories_are_learnt_as_one_and_keep_their_own_arousal() -> None:
    head = fit([made()], replace(RECIPE, merged={"sad": "neutral"}))
    assert head.categories == ("neutral", "happy", "angry")
    corpus = made()
    scores = head.scores(corpus.vectors["clean"].astype(float))
    arousal = head.dimensions(scores)[:, 0]
    labels = corpus.labels()
    assert arousal[labels == "angry"].mean() > arousal[labels == "neutral"].mean()
    assert arousal[labels == "neutral"].mean() > arousal[labels == "sad"].mean()


def test_listeners_who_hear_less_make_the_head_less_sure() -> None:
    votes = {name: dict.fromkeys(EMOTIONS, 0.25) for name in EMOTIONS}
    vectors = made().vectors["clean"].astype(float)
    acted, heard = (fit([made()], replace(RECIPE, votes=votes, listeners=s)) for s in (0.0, 0.5))
    sure, unsure = (h.probabilities(h.scores(vectors)).max(axis=1).mean() for h in (acted, heard))
    assert unsure < sure - 0.1


def test_too_few_speakers_or_emotions_are_refused_with_what_there_is() -> None:
    corpus = made()
    with pytest.raises(RapportError, match=r"at least 4 speakers.*12 clips of 1 speakers"):
        fit([corpus.only(corpus.speakers() == "made/1")], RECIPE)
    with pytest.raises(RapportError, match=r"needs neutral clips.*angry, happy, sad"):
        fit([corpus.only(corpus.labels() != "neutral")], RECIPE)
    with pytest.raises(RapportError, match="another emotion"):
        fit([corpus.only(corpus.labels() == "neutral")], RECIPE)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    random = np.random.default_rng(4)
    logits = random.standard_normal((20_000, 3))
    shares = np.exp(logits / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    drawn = np.array([random.choice(3, p=share) for share in shares])
    found = best_temperature(logits, np.eye(3)[drawn], np.ones(len(drawn)))
    assert found == pytest.approx(temperature, rel=0.1)


class TestExported:
    """The file that the device loads."""

    @pytest.fixture
    def head(self) -> Head:
        return fit([made()], RECIPE)

    @pytest.fixture
    def file(self, head: Head, tmp_path: Path) -> Path:
        target = tmp_path / "made.onnx"
        export(head, (np.full(SIZE, 0.05), 0.4), FACTS, target)
        return target

    @pytest.mark.parametrize("known", [0.0, 0.3, 1.0])
    def test_it_gives_what_the_numbers_give(self, head: Head, file: Path, known: float) -> None:
        device, vectors = DeviceHead(file), made().vectors["clean"]
        usual: npt.NDArray[np.float32] = vectors[:5].mean(axis=0)
        base = known * usual.astype(float) + (1 - known) * head.centre
        scores = head.scores(vectors.astype(float), base)
        shares, dimensions = head.probabilities(scores), head.dimensions(scores)
        for row in range(0, len(vectors), 7):
            reading = device.read(vectors[row], usual, known)
            np.testing.assert_allclose(list(reading.categories.values()), shares[row], atol=1e-4)
            found = (reading.arousal, reading.valence, reading.dominance)
            np.testing.assert_allclose(found, dimensions[row], atol=1e-4)
            speech = np.clip(vectors[row].sum() * 0.05 + 0.4, 0, 1)
            assert reading.speech == pytest.approx(float(speech), abs=1e-4)

    def test_of_a_stranger_only_the_corpus_s_usual_counts(self, head: Head, file: Path) -> None:
        vector = made().vectors["clean"][0]
        reading = DeviceHead(file).read(vector)
        expected = head.probabilities(head.scores(vector[None].astype(float)))[0]
        np.testing.assert_allclose(list(reading.categories.values()), expected, atol=1e-4)

    def test_it_says_what_it_is(self, file: Path) -> None:
        device = DeviceHead(file)
        assert (device.identity.name, device.identity.version) == ("made", "3")
        assert device.identity.licence == "CC0-1.0"
        assert device.categories == EMOTIONS
        assert device.size == SIZE

    def test_the_same_head_gives_the_same_bytes(self, head: Head, file: Path) -> None:
        again = file.with_name("again.onnx")
        export(head, (np.full(SIZE, 0.05), 0.4), FACTS, again)
        assert again.read_bytes() == file.read_bytes()

    def test_a_file_that_does_not_say_what_it_is_is_refused(self, head: Head, file: Path) -> None:
        silent = file.with_name("silent.onnx")
        export(head, (np.full(SIZE, 0.05), 0.4), {"name": "made"}, silent)
        with pytest.raises(RapportError, match=r"does not say its version, licence, network"):
            DeviceHead(silent)
