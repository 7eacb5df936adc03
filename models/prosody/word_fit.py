"""What is made of the rated words and sentences: a table of words, and their valence's error.

Serves ``words``, which says what comes out of it.
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np

from device.mind.words import INTENSIFIERS, NEGATIONS, in_lexicon, read
from models.prosody import word_ratings
from models.prosody.word_ratings import SETS, Sentence

Numbers: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Chosen: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | slice

SEED = 20261125
RESAMPLES = 1000
STEP = 0.1
"""To this the words' valences are rounded: it costs no correlation (0.817 with and without)."""
_ASKED = """
please play plays playing played stop stops stopped cancel save saved saves create created creates
creating share sharing cut cuts cutting join help helps helping increase increased lower low bright
brighter brightness brighten alarm alarms alert alerts joke jokes comedy comedies thriller horror
party yes yeah yep no ok sure certainly
"""
"""What is asked of a device, or answered to it."""
_MEANT_OTHERWISE = """
like likes want wants well kind pretty leave number top clear hand hands energy fire amazon novel
niggas original value interest interests care ready reach reaching matter matters chance chances
"""
"""What mostly has another sense in talk than when it is rated by itself."""
LEFT_OUT = frozenset(f"{_ASKED} {_MEANT_OTHERWISE}".split())
"""Rated words that are taken for no feeling.

With these words in, something was found in 46 % of 220 commands out of SLURP (Bastianelli et al.
2020; among the first in its list of sentences, not kept here), without them in 18 %, and by the
lexicon alone in 8 %. The list was made while looking at those commands. 2026-11-25.
"""
ERRORS = np.arange(0.10, 1.01, 0.01)
POWERS = np.arange(0.0, 1.01, 0.05)
"""Among these the fit chooses."""
LIKE_SPEECH = "tweets"
"""The set that the error is fitted to: short, in the first person, about how somebody feels."""


class Interval(NamedTuple):
    """A figure and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted to the ratings; see ``device.mind.words.fitted_valence``."""

    spread: float
    error: Interval
    power: Interval


@dataclass(frozen=True, slots=True)
class Measured:
    """What the words of some sentences tell, beside what people rated; an array of each."""

    valence: Numbers
    weight: Numbers
    share: Numbers
    rated: Numbers
    scatter: Numbers
    """Standard deviation of one person's rating about the rated mean."""

    def __getitem__(self, chosen: Chosen) -> Measured:
        return Measured(
            self.valence[chosen],
            self.weight[chosen],
            self.share[chosen],
            self.rated[chosen],
            self.scatter[chosen],
        )


def table(sets: Iterable[str]) -> dict[str, float]:
    """Return the rated words that occur in these ``sets`` and the lexicon does not know.

    Tried and dropped, by correlation on the set that was not trained on (tweets, films, products,
    editorials; the lexicon .73 .30 .51 .28, with these words .82 .42 .60 .49; 2026-11-25):
    - valences of all words learnt from the other sets' sentences, by ridge: .69 .40 .57 .32; by an
      elastic net through a saturating sum: .76 .40 .62 .34. Topics of a set get a valence.
    - the rated valences, shifted by ridge to fit the other sets: at most .03 better, on tweets .00,
      and .01 where four fifths of the tweets were trained on too.
    - all 7,200 rated words, with nothing left out: .84 .41 .58 .50.
    """
    present = set().union(*(_vocabulary(name) for name in sets))
    silent = LEFT_OUT | NEGATIONS | set(INTENSIFIERS)
    rounded = {
        word: round(round(valence / STEP) * STEP, 2)
        for word, valence in sorted(word_ratings.words().items())
        if word in present and word not in silent and not in_lexicon(word)
    }
    return {word: valence for word, valence in rounded.items() if valence}


@cache
def unseen(name: str) -> Measured:
    """Return what is read in set ``name`` with words chosen by the other sets alone."""
    return measure(word_ratings.sentences()[name], table(other for other in SETS if other != name))


def measure(sentences: Sequence[Sentence], rated: Mapping[str, float]) -> Measured:
    """Return what is read in ``sentences``, with ``rated`` words besides the lexicon's."""
    wordings = [read(sentence.text, rated) for sentence in sentences]
    return Measured(
        valence=np.array([wording.valence for wording in wordings]),
        weight=np.array([wording.weight for wording in wordings]),
        share=np.array([wording.share for wording in wordings]),
        rated=np.array([sentence.valence for sentence in sentences]),
        scatter=np.array([sentence.scatter for sentence in sentences]),
    )


def fit(measured: Measured, by: str = "share") -> Fitted:
    """Return the spread and the error under which one person's ratings are the likeliest.

    Valence is taken to be normal about 0 with the ``spread`` of all ratings, and what words tell to
    be off by a normal error, ``error`` / share ** ``power``. ``by`` may be "weight" instead.
    """
    spread = float(np.sqrt(np.mean(measured.rated**2 + measured.scatter**2)))
    found = measured[measured.share > 0]
    depths = found.share if by == "share" else found.weight
    grid = [(error, power) for error in ERRORS for power in POWERS]
    doubts = np.array([_doubt(found, spread, error / depths**power) for error, power in grid])
    best = grid[int(doubts.mean(axis=1).argmin())]
    random = np.random.default_rng(SEED)
    count = len(depths)
    counts = random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES // 5)
    again = np.array(grid)[(doubts @ counts.T).argmin(axis=0)]
    low, high = np.percentile(again, [2.5, 97.5], axis=0)
    error, power = (
        Interval(*(round(float(figure), 3) for figure in (best[i], low[i], high[i])))
        for i in range(2)
    )
    return Fitted(round(spread, 3), error, power)


def drawn(measured: Measured, fitted: Fitted) -> tuple[Numbers, Numbers]:
    """Return the valence that is to be expected of each sentence, and its standard deviation."""
    errors = fitted.error.value / measured.share**fitted.power.value
    return _drawn(measured, fitted.spread, errors)


def fuse(measured: Measured, fitted: Fitted, voice: Numbers, error: float) -> Numbers:
    """Return the valences to be expected beside those of a ``voice``, off by a normal ``error``.

    The same as ``device.mind.expression.combine`` does for one utterance.
    """
    with np.errstate(divide="ignore"):
        said = (measured.share**fitted.power.value / fitted.error.value) ** 2
    said = np.where(measured.share > 0, said, 0.0)
    told = said * measured.valence + voice / error**2
    expected: Numbers = told / (1 / fitted.spread**2 + said + 1 / error**2)
    return expected


def agreement(told: Numbers, rated: Numbers, sources: Sequence[str]) -> tuple[Interval, Interval]:
    """Return correlation and concordance of what was told with what was rated.

    The bootstrap draws sources, not sentences: those of one text are not independent.
    """
    groups = np.unique(np.array(sources), return_inverse=True)[1]
    each = np.array([np.ones_like(told), told, rated, told**2, rated**2, told * rated])
    sums = np.array([np.bincount(groups, row) for row in each])
    random = np.random.default_rng(SEED)
    count = sums.shape[1]
    drawn_sums = [sums.sum(axis=1)]
    for _ in range(RESAMPLES):
        drawn_sums.append(sums[:, random.integers(count, size=count)].sum(axis=1))
    number, told_sum, rated_sum, told_square, rated_square, product = np.array(drawn_sums).T
    told_mean, rated_mean = told_sum / number, rated_sum / number
    told_variance = told_square / number - told_mean**2
    rated_variance = rated_square / number - rated_mean**2
    shared = product / number - told_mean * rated_mean
    apart = (told_mean - rated_mean) ** 2
    return (
        _interval(shared / np.sqrt(told_variance * rated_variance)),
        _interval(2 * shared / (told_variance + rated_variance + apart)),
    )


def document(fitted: Fitted, words: Mapping[str, float]) -> str:
    """Return the text of ``word_valence.toml``."""
    by_valence: dict[float, list[str]] = defaultdict(list)
    for word, valence in words.items():
        by_valence[valence].append(word)
    parts = [HEADER, "[valence]"]
    parts += [f"spread = {fitted.spread}", f"error = {fitted.error.value}"]
    parts += [f"power = {fitted.power.value}", "", "[words]"]
    for valence in sorted(by_valence):
        lines = textwrap.fill(" ".join(sorted(by_valence[valence])), 99)
        parts.append(f'"{valence}" = """\n{lines}\n"""')
    return "\n".join(parts) + "\n"


def _drawn(measured: Measured, spread: float, errors: Numbers) -> tuple[Numbers, Numbers]:
    variance = 1 / (1 / spread**2 + 1 / errors**2)
    return measured.valence * variance / errors**2, np.sqrt(variance)


def _doubt(measured: Measured, spread: float, errors: Numbers) -> Numbers:
    """Return the negative logarithm of the likelihood of one person's rating, by sentence."""
    expected, deviation = _drawn(measured, spread, errors)
    squared = (measured.rated - expected) ** 2 + measured.scatter**2
    doubt: Numbers = 0.5 * (np.log(2 * np.pi * deviation**2) + squared / deviation**2)
    return doubt


def share(right: Sequence[bool]) -> Interval:
    """Return the share that is true, with Wilson's interval of 95 %."""
    count, found, z = len(right), sum(right) / len(right), 1.96
    middle = (found + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z * np.sqrt(found * (1 - found) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return Interval(found, float(middle - reach), float(middle + reach))


def _interval(figures: Numbers) -> Interval:
    low, high = np.percentile(figures[1:], [2.5, 97.5])
    return Interval(float(figures[0]), float(low), float(high))


@cache
def _vocabulary(name: str) -> frozenset[str]:
    text = " ".join(sentence.text for sentence in word_ratings.sentences()[name])
    return frozenset(re.findall("[a-z]+(?:'[a-z]+)?", text.lower().replace("\u2019", "'")))


HEADER = """\
# Made by `python -m models.prosody.words --write`; do not edit. For device/mind/words.py.
# [valence]  fitted to how people rated tweets: what the words' valence is worth (words.py says how)
# [words]    valence, -1 to 1, of words that device/mind/lexicon.toml does not know: the mean of ten
#            people's ratings, rounded. Of all rated words these occur in 23,703 rated sentences;
#            what tells no feeling where a device is spoken to was left out.
# Both from C.J. Hutto & Eric Gilbert, VADER: A Parsimonious Rule-based Model for Sentiment Analysis
# of Social Media Text, ICWSM-14, Ann Arbor 2014 (package vaderSentiment 0.5), under this licence:
#
# The MIT License (MIT). Copyright (c) 2014 cjhutto
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
# associated documentation files (the "Software"), to deal in the Software without restriction,
# including without limitation the rights to use, copy, modify, merge, publish, distribute,
# sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
# furnished to do so, subject to the following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or
# substantial portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
# NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
# NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
# DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
# OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
