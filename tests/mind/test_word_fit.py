"""The program that measures the words: its statistics, its fit, and that it makes the same file."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from device.mind.expression import VOICE_ERROR, fused_valence
from device.mind.words import INTENSIFIERS, NEGATIONS, RATED_WORDS, Wording, rated_words
from device.types import Expression
from models.prosody import word_fit, word_ratings
from models.prosody.word_fit import Fitted, Interval, Measured, Numbers


def simulated(count: int, error: float, power: float) -> Measured:
    """Sentences whose words tell their valence with just this error."""
    random = np.random.default_rng(7)
    rated = random.normal(0, 0.4, count)
    share = random.uniform(0.02, 1, count)
    told = rated + random.normal(0, 1, count) * error / share**power
    return Measured(told, np.ones(count), share, rated, np.zeros(count))


def known(spread: float, error: float, power: float) -> Fitted:
    return Fitted(spread, Interval(error, error, error), Interval(power, power, power))


def test_the_fit_finds_the_error_that_was_put_in() -> None:
    fitted = word_fit.fit(simulated(20_000, error=0.3, power=0.5))
    assert fitted.spread == pytest.approx(0.4, abs=0.01)
    assert fitted.error.value == pytest.approx(0.3, abs=0.011)
    assert fitted.power.value == pytest.approx(0.5, abs=0.051)
    assert fitted.error.low <= fitted.error.value <= fitted.error.high


def test_the_fit_is_the_same_every_time() -> None:
    sentences = simulated(500, error=0.4, power=0.2)
    assert word_fit.fit(sentences) == word_fit.fit(sentences)


def test_agreement_is_pearsons_and_lins() -> None:
    random = np.random.default_rng(3)
    rated = random.normal(0, 1, 400)
    told = 0.5 * rated + random.normal(0.2, 0.5, 400)
    correlation, concordance = word_fit.agreement(told, rated, [str(i) for i in range(400)])
    assert correlation.value == pytest.approx(np.corrcoef(told, rated)[0, 1])
    apart = np.mean((told - rated) ** 2)
    chance = told.var() + rated.var() + (told.mean() - rated.mean()) ** 2
    assert concordance.value == pytest.approx(1 - apart / chance)
    assert correlation.low < correlation.value < correlation.high
    assert correlation.high - correlation.low == pytest.approx(0.09, abs=0.04)


def test_sentences_of_one_text_count_as_less_than_as_many_texts() -> None:
    random = np.random.default_rng(3)
    rated = np.repeat(random.normal(0, 1, 40), 10)
    told = np.repeat(random.normal(0, 1, 40), 10) + rated
    together, _ = word_fit.agreement(told, rated, [str(i // 10) for i in range(400)])
    apart, _ = word_fit.agreement(told, rated, [str(i) for i in range(400)])
    assert together.value == apart.value
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_a_share_has_wilsons_interval() -> None:
    share = word_fit.share([True] * 70 + [False] * 26)
    assert share.value == pytest.approx(0.729, abs=0.001)
    assert (share.low, share.high) == pytest.approx((0.633, 0.808), abs=0.001)


def test_the_program_fuses_as_the_device_does() -> None:
    fitted = tomllib.loads(RATED_WORDS.read_text(encoding="utf-8"))["valence"]
    voice, confidence, share = -0.5, 0.6, 0.25
    one: Numbers = np.array([0.7])
    sentence = Measured(one, one, np.array([share]), one, one)
    program = word_fit.fuse(
        sentence, known(**fitted), np.array([voice]), VOICE_ERROR / np.sqrt(confidence)
    )
    device = fused_valence(
        Expression(voice, None, None, confidence=confidence),
        Wording(0.7, weight=0.7, share=share, arousal=0.0, categories={}),
    )
    assert device == pytest.approx(program[0], abs=0.001)


def test_the_file_that_is_written_reads_as_what_was_fitted() -> None:
    words = {"delicious": 0.7, "tasty": 0.7, "disaster": -0.8}
    read = tomllib.loads(word_fit.document(known(0.4, 0.3, 0.1), words))
    assert read["valence"] == {"spread": 0.4, "error": 0.3, "power": 0.1}
    assert {float(valence): text.split() for valence, text in read["words"].items()} == {
        -0.8: ["disaster"],
        0.7: ["delicious", "tasty"],
    }


def test_what_is_asked_of_a_device_and_what_governs_other_words_is_not_among_the_rated() -> None:
    assert not rated_words().keys() & (word_fit.LEFT_OUT | NEGATIONS | INTENSIFIERS.keys())


@pytest.mark.network
def test_the_ratings_still_give_the_file_that_is_there() -> None:
    fitted = word_fit.fit(word_fit.unseen(word_fit.LIKE_SPEECH))
    made = word_fit.document(fitted, word_fit.table(word_ratings.SETS))
    assert made == RATED_WORDS.read_text(encoding="utf-8")


@pytest.mark.network
def test_rated_words_tell_more_of_sets_that_had_no_part_in_choosing_them() -> None:
    for name, gain in {"tweets": 0.07, "films": 0.1, "products": 0.07, "editorials": 0.18}.items():
        sentences = word_ratings.sentences()[name]
        both, alone = word_fit.unseen(name), word_fit.measure(sentences, {})
        with_words, without = (
            np.corrcoef(told.valence, told.rated)[0, 1] for told in (both, alone)
        )
        assert with_words - without > gain, name
