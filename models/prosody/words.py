"""How well words tell valence, and how far they are to be trusted against the voice.

Run as ``python -m models.prosody.words`` from the checkout's root. It measures what
``device.mind.words`` reads in sentences whose valence people rated, and prints the tables; with
``--write`` it also makes ``device/mind/word_valence.toml``: the rated words that the lexicon lacks,
and the error of a valence that words tell. The same data give the same file. The data, human
ratings under the MIT licence, are fetched with pip by ``word_ratings`` and never kept in the
checkout.

No word's valence is fitted to a sentence. For every figure on a set of sentences, the words are
chosen by the other three sets; for every figure on tweets that needs their fit, the fit is to one
half of them and the figure on the other.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from device.mind.expression import VOICE_ERROR
from device.mind.words import RATED_WORDS, read
from device.types import RapportError
from models.prosody import word_fit, word_ratings
from models.prosody.word_fit import LIKE_SPEECH, SEED, Fitted, Interval, Measured, Numbers
from models.prosody.word_ratings import SETS, Sentence

SPOKEN = Path("tests/mind/spoken.toml")
"""Things said to a device, with the sign of the feeling in their words; nothing is fitted to it."""
NEUTRAL = 0.1
"""A valence nearer to 0 than this has no sign."""
SHORT = 7
"""Words at most in what counts as short."""
VOICES = ((0.55, 1.0), (0.25, 1 / 3))
"""Correlation of a simulated voice with the ratings, and its confidence: see VOICE_ERROR."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well an estimate agrees with what people rated."""

    texts: str
    estimate: str
    sentences: int
    correlation: Interval
    concordance: Interval
    coverage: float
    """Share of the sentences in which it found anything."""


@dataclass(frozen=True, slots=True)
class Signs:
    """For how many things said to a device an estimate has the right sign."""

    estimate: str
    sign: str
    """Of the feeling: positive, negative or neutral; all: of any."""
    manner: str
    """How it was said: plain, negated or idiomatic."""
    of: int
    right: Interval
    """Share, with Wilson's interval."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether valences that words tell are off by as much as the fit expects."""

    texts: str
    sentences: int
    slope: float
    """Of the ratings on the valence, drawn towards 0 as it should be; 1 is right."""
    expected: float
    """Root mean square of one person's rating about that, as the fit has it."""
    found: float
    """The same, as it is."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """How near a valence comes to the ratings, beside a voice that is only simulated."""

    voice: str
    estimate: str
    correlation: float
    off: float
    """Root mean square."""
    off_silent: float
    """The same where the words say nothing."""


def accuracy() -> list[Accuracy]:
    """Return how well words tell what people rated, by set and estimate.

    VADER is there for comparison: as its makers have it, and without what nobody can say aloud.
    Raises RapportError if the data cannot be fetched.
    """
    rows = []
    for name, sentences in word_ratings.sentences().items():
        short = [sentence for sentence in sentences if len(sentence.text.split()) <= SHORT]
        chosen = word_fit.table(other for other in SETS if other != name)
        parts = [(name, sentences)] + [(f"{name}, short", short)] * (name == LIKE_SPEECH)
        for texts, part in parts:
            for estimate, tell in _estimates(chosen).items():
                rows.append(_accuracy(texts, estimate, part, tell))
    return rows


def signs() -> list[Signs]:
    """Return for how many things in ``SPOKEN`` each estimate has the right sign.

    Raises RapportError if the checkout's tests are not there or VADER cannot be fetched.
    """
    if not SPOKEN.is_file():
        raise RapportError(f"{SPOKEN} is not there; run this from the checkout's root")
    kinds = tomllib.loads(SPOKEN.read_text(encoding="utf-8"))
    rows = []
    for estimate, tell in _estimates(None).items():
        every: list[bool] = []
        for sign, manners in kinds.items():
            for manner, texts in manners.items():
                right = [_sign(tell(text)) == sign for text in texts]
                rows.append(Signs(estimate, sign, manner, len(right), word_fit.share(right)))
                every += right
        rows.append(Signs(estimate, "all", "all", len(every), word_fit.share(every)))
    return rows


def calibration() -> list[Calibration]:
    """Return how well the error that was fitted to tweets holds, for them and for the other sets.

    Raises RapportError if the data cannot be fetched.
    """
    tweets = word_fit.unseen(LIKE_SPEECH)
    half, fitted = tweets[1::2], word_fit.fit(tweets[::2])
    rows = []
    for low, high in ((0.0, 0.08), (0.08, 0.12), (0.12, 0.2), (0.2, 0.35), (0.35, 1.0)):
        part = half[(half.share > low) & (half.share <= high)]
        rows.append(_calibration(f"tweets, share {low:.2f} to {high:.2f}", part, fitted))
    rows.append(_calibration(LIKE_SPEECH, half[half.share > 0], fitted))
    fitted = word_fit.fit(tweets)
    for name in SETS:
        told = word_fit.unseen(name)
        if name != LIKE_SPEECH:
            rows.append(_calibration(name, told[told.share > 0], fitted))
    return rows


def fusion() -> list[Fusion]:
    """Return how near valences come to tweets' ratings, by the way voice and words are combined.

    The voice is made up of the rating and noise, for the correlation in ``VOICES`` and the ratings'
    spread; nobody has read these sentences aloud. "As before" is the rule by hand of the time
    before the fit, weight / (weight + 0.5 confidence), on the words as they are read now.
    Raises RapportError if the data cannot be fetched.
    """
    tweets = word_fit.unseen(LIKE_SPEECH)
    tweets, fitted = tweets[1::2], word_fit.fit(tweets[::2])
    noise = np.random.default_rng(SEED).standard_normal(len(tweets.rated)) * tweets.rated.std()
    rows = []
    for correlation, confidence in VOICES:
        voice = correlation * tweets.rated + np.sqrt(1 - correlation**2) * noise
        name = f"r {correlation}, confidence {confidence:.2f}"
        share = tweets.weight / (tweets.weight + 0.5 * confidence)
        combined = {
            "voice": voice,
            "words": word_fit.fuse(tweets, fitted, voice, np.inf),
            "as before": share * tweets.valence + (1 - share) * voice,
            "by inverse variance": word_fit.fuse(
                tweets, fitted, voice, VOICE_ERROR / np.sqrt(confidence)
            ),
        }
        rows += [_fusion(name, way, valence, tweets) for way, valence in combined.items()]
    return rows


def fitted() -> list[tuple[str, str, Fitted]]:
    """Return what was fitted, by set and by what the error falls with; the first is written.

    Raises RapportError if the data cannot be fetched.
    """
    ways = [(name, by) for name in SETS for by in ("share", "weight")]
    return [(name, by, word_fit.fit(word_fit.unseen(name), by)) for name, by in ways]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return what the shell is to be told."""
    parser = argparse.ArgumentParser(prog="python -m models.prosody.words", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--write", action="store_true", help=f"write {RATED_WORDS.name} as well")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.write:
            fit = word_fit.fit(word_fit.unseen(LIKE_SPEECH))
            RATED_WORDS.write_text(word_fit.document(fit, word_fit.table(SETS)), encoding="utf-8")
            print(f"wrote {RATED_WORDS}\n")
        _print("Agreement with what people rated [95 % interval]", accuracy())
        _print("Sign of things said to a device, tests/mind/spoken.toml", signs())
        print("Error of a valence that words tell, at share (or weight) 1, and its power")
        for name, by, fit in fitted():
            print(f"  {name:12}by {by:8}spread {fit.spread:.3f}  {fit.error}  {fit.power}")
        print()
        _print("How well that holds", calibration())
        _print("Voice and words combined; the voice is SIMULATED", fusion())
    except RapportError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _estimates(rated: Mapping[str, float] | None) -> dict[str, Callable[[str], float | None]]:
    """Return ways of telling the valence of a text; None: nothing was found in it."""
    vader = word_ratings.vader()
    return {
        "lexicon": lambda text: _read(text, {}),
        "lexicon and rated words": lambda text: _read(text, rated),
        "VADER": lambda text: vader(text) or None,
        "VADER, as spoken": lambda text: vader(_spoken(text)) or None,
    }


def _read(text: str, rated: Mapping[str, float] | None) -> float | None:
    wording = read(text, rated)
    return wording.valence if wording.weight else None


def _spoken(text: str) -> str:
    """Return ``text`` in words and pauses: no addresses, capitals, emoticons."""
    text = re.sub(r"https?://\S+|@\w+|&\w+;", " ", text.lower().replace("\u2019", "'"))
    return " ".join(re.findall(r"[a-z]+(?:'[a-z]+)?|[.,;:!?](?=\s|$)", text))


def _sign(valence: float | None) -> str:
    if valence is None or abs(valence) < NEUTRAL:
        return "neutral"
    return "positive" if valence > 0 else "negative"


def _accuracy(
    texts: str,
    estimate: str,
    sentences: Sequence[Sentence],
    tell: Callable[[str], float | None],
) -> Accuracy:
    told = [tell(sentence.text) for sentence in sentences]
    correlation, concordance = word_fit.agreement(
        np.array([valence or 0.0 for valence in told]),
        np.array([sentence.valence for sentence in sentences]),
        [sentence.source for sentence in sentences],
    )
    coverage = sum(valence is not None for valence in told) / len(told)
    return Accuracy(texts, estimate, len(told), correlation, concordance, coverage)


def _calibration(texts: str, measured: Measured, fitted: Fitted) -> Calibration:
    expected, deviation = word_fit.drawn(measured, fitted)
    squared = (measured.rated - expected) ** 2 + measured.scatter**2
    return Calibration(
        texts,
        len(expected),
        float((expected @ measured.rated) / (expected @ expected)),
        float(np.sqrt(np.mean(deviation**2))),
        float(np.sqrt(np.mean(squared))),
    )


def _fusion(voice: str, estimate: str, valence: Numbers, tweets: Measured) -> Fusion:
    off = (valence - tweets.rated) ** 2
    return Fusion(
        voice,
        estimate,
        float(np.corrcoef(valence, tweets.rated)[0, 1]),
        float(np.sqrt(off.mean())),
        float(np.sqrt(off[tweets.share == 0].mean())),
    )


def _print(title: str, rows: Sequence[Any]) -> None:
    """Print a table of ``rows``, dataclasses of one type."""
    cells = [[field.name.replace("_", " ") for field in fields(rows[0])]]
    for row in rows:
        figures = (getattr(row, field.name) for field in fields(row))
        cells.append([f"{x:.3f}" if isinstance(x, float) else str(x) for x in figures])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(title)
    for line in cells:
        print("  " + "  ".join(map(str.ljust, line, widths)).rstrip())
    print()


if __name__ == "__main__":
    sys.exit(main())
