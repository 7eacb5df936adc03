"""How a head is learnt: ridge regression in closed form, so that the same data give the same head.

Serves ``train`` and ``evaluate``. A head is linear: it reads category probabilities, arousal,
valence and dominance off the vector of an utterance from which the speaker's usual vector has been
taken. It is learnt with speakers known as badly and as well as they will be in use: for each
example the speaker's usual is made of none to a dozen of his or her neutral clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from device.hearing.usual_voice import PRIOR
from device.types import RapportError
from models.prosody.features import TRAINING, Features

Rows: TypeAlias = npt.NDArray[np.float64]
Names: TypeAlias = npt.NDArray[np.str_]
Chosen: TypeAlias = npt.NDArray[np.bool_]

SEED = 7
STRENGTH = 20.0
"""Of the ridge, on vectors scaled to unit length. From 10 to 100 the accuracy within a corpus falls
by four points, and that on an unseen corpus rises by two to six (RAVDESS to EMO-DB, 2026-11)."""
HEARD_BEFORE = (0, 1, 2, 4, 8, 12)
"""Neutral utterances that a speaker's usual is made of while a head is learnt."""
FOLDS = 4
LEAST_SPEAKERS = 4
NEUTRAL = ("neutral", "calm")
"""Categories that tell the speaker's usual voice."""

PLACES: dict[str, tuple[float, float, float]] = {
    # category: arousal, valence, dominance, -1 to 1. No corpus here has ratings of these; the
    # places are by hand, after Russell (1980) and Fontaine et al. (2007). Figures against them are
    # partly circular, and say so.
    "neutral": (-0.2, 0.1, 0.1),
    "calm": (-0.6, 0.3, 0.1),
    "happy": (0.6, 0.8, 0.4),
    "sad": (-0.4, -0.6, -0.5),
    "angry": (0.8, -0.6, 0.6),
    "fearful": (0.6, -0.6, -0.6),
    "disgust": (0.2, -0.6, 0.2),
    "surprised": (0.6, 0.2, 0.0),
    "boredom": (-0.6, -0.3, -0.2),
}
DIMENSIONS = ("arousal", "valence", "dominance")


@dataclass(frozen=True)
class Recipe:
    """How a head is to be learnt."""

    strength: float = STRENGTH
    conditions: Sequence[str] = TRAINING
    merged: Mapping[str, str] = field(default_factory=dict)
    """Categories that are learnt as part of another one; arousal and the like stay their own."""
    heard: Sequence[int] = HEARD_BEFORE
    listeners: float = 0.0
    """How far the probabilities are those of what people hear, 0 to 1, rather than of what was
    acted."""
    votes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What people hear, by what was acted: shares of the votes."""


@dataclass(frozen=True)
class Head:
    """A learnt head, in numbers."""

    categories: tuple[str, ...]
    centre: Rows
    """The usual vector of a speaker of whom nothing is known, shape (d,)."""
    mean: Rows
    scale: Rows
    weights: Rows
    """Shape (d, categories + 3)."""
    bias: Rows
    temperature: float = 1.0
    stretch: tuple[float, float] = (1.0, 0.0)
    """Factor and offset on arousal, which a ridge shrinks. Valence and dominance are left shrunk:
    of them little can be told."""

    def scores(self, vectors: Rows, usual: Rows | None = None) -> Rows:
        """Return the raw outputs, a row for each vector; ``usual`` None: unknown speakers."""
        centred = vectors - (self.centre if usual is None else usual)
        return (centred - self.mean) / self.scale @ self.weights + self.bias

    def probabilities(self, scores: Rows) -> Rows:
        """Return the calibrated category probabilities of raw outputs."""
        logits = scores[:, : len(self.categories)] / self.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def dimensions(self, scores: Rows) -> Rows:
        """Return arousal, valence and dominance, -1 to 1, of raw outputs: shape (n, 3)."""
        found = scores[:, len(self.categories) :].copy()
        found[:, 0] = found[:, 0] * self.stretch[0] + self.stretch[1]
        return np.asarray(np.clip(found, -1, 1))


@dataclass(frozen=True)
class Lesson:
    """Examples to learn from."""

    vectors: Rows
    labels: Names
    speakers: Names
    usual: Rows
    """What was usual for the speaker of each example."""
    centre: Rows

    def only(self, chosen: Chosen) -> Lesson:
        """Return the ``chosen`` examples."""
        return replace(
            self,
            vectors=self.vectors[chosen],
            labels=self.labels[chosen],
            speakers=self.speakers[chosen],
            usual=self.usual[chosen],
        )


def lesson(corpora: Sequence[Features], recipe: Recipe) -> Lesson:
    """Return the examples of ``corpora``, each with a usual of its speaker drawn at random."""
    random = np.random.default_rng(SEED)
    centre = neutral_centre(corpora)
    vectors, usual, labels, speakers = [], [], [], []
    for corpus in corpora:
        spoken_by, emotions = corpus.speakers(), corpus.labels()
        own = {name: (spoken_by == name) & np.isin(emotions, NEUTRAL) for name in set(spoken_by)}
        for condition in recipe.conditions:
            rows = corpus.vectors[condition].astype(np.float64)
            vectors.append(rows)
            for speaker in spoken_by:
                # heard under the same condition: a microphone and its room stay what they are
                usual.append(_drawn(rows[own[speaker]], centre, recipe.heard, random))
            labels.append(emotions)
            speakers.append(spoken_by)
    return Lesson(
        np.concatenate(vectors),
        np.concatenate(labels),
        np.concatenate(speakers),
        np.stack(usual),
        centre,
    )


def neutral_centre(corpora: Sequence[Features]) -> Rows:
    """Return the mean over speakers of their neutral clips."""
    means = [
        corpus.vectors["clean"][
            (corpus.speakers() == speaker) & np.isin(corpus.labels(), NEUTRAL)
        ].mean(axis=0)
        for corpus in corpora
        for speaker in sorted(set(corpus.speakers()))
        if np.any((corpus.speakers() == speaker) & np.isin(corpus.labels(), NEUTRAL))
    ]
    return np.asarray(np.mean(np.array(means, np.float64), axis=0))


def known_usual(neutral: Rows, centre: Rows) -> Rows:
    """Return what is taken as usual after so many ``neutral`` utterances of one speaker."""
    return np.asarray((neutral.sum(axis=0) + PRIOR * centre) / (len(neutral) + PRIOR))


def _drawn(neutral: Rows, centre: Rows, heard: Sequence[int], random: np.random.Generator) -> Rows:
    count = min(int(random.choice(heard)), len(neutral))
    if not count:
        return centre
    return known_usual(neutral[random.choice(len(neutral), size=count, replace=False)], centre)


def fit(corpora: Sequence[Features], recipe: Recipe) -> Head:
    """Return the head learnt from ``corpora``, calibrated on speakers it was not learnt from.

    Raises RapportError if there are too few speakers or emotions, or no neutral clips.
    """
    _require_enough(corpora)
    examples = lesson(corpora, recipe)
    head = solve(examples, recipe)
    return _calibrated(head, examples, recipe)


def _require_enough(corpora: Sequence[Features]) -> None:
    clips = [clip for corpus in corpora for clip in corpus.clips]
    speakers, emotions = ({getattr(c, name) for c in clips} for name in ("speaker", "emotion"))
    named = ", ".join(sorted(emotions)) or "none"
    told = f"these are {len(clips)} clips of {len(speakers)} speakers, {named}"
    if len(speakers) < LEAST_SPEAKERS:
        raise RapportError(
            f"a head needs clips of at least {LEAST_SPEAKERS} speakers, to be calibrated on some "
            f"that it was not learnt from; {told}"
        )
    if len(emotions) < 2 or not emotions & set(NEUTRAL):
        raise RapportError(f"a head needs neutral clips and another emotion; {told}")


def solve(examples: Lesson, recipe: Recipe) -> Head:
    """Return the head of one ridge regression, every category counting the same."""
    learnt = merged(examples.labels, recipe.merged)
    categories = tuple(name for name in PLACES if name in set(learnt))
    centred = examples.vectors - examples.usual
    mean, scale = centred.mean(axis=0), centred.std(axis=0) + 1e-6
    scale = scale * np.sqrt(centred.shape[1])  # to unit length
    rows = (centred - mean) / scale
    one_hot = (learnt[:, None] == np.array(categories)).astype(np.float64)
    targets = np.concatenate([one_hot, places(examples.labels)], axis=1)
    weight = _balance(learnt)[:, None]
    centre, middle = (targets * weight).mean(axis=0), (rows * weight).mean(axis=0)
    rows = (rows - middle) * np.sqrt(weight)
    gram = rows.T @ rows
    gram[np.diag_indices_from(gram)] += recipe.strength
    weights = np.linalg.solve(gram, rows.T @ ((targets - centre) * np.sqrt(weight)))
    return Head(categories, examples.centre, mean, scale, weights, centre - middle @ weights)


def merged(labels: Names, into: Mapping[str, str]) -> Names:
    """Return ``labels`` with those that are keys of ``into`` replaced."""
    return np.array([into.get(label, label) for label in labels.tolist()])


def places(labels: Names) -> Rows:
    """Return arousal, valence and dominance of each label: shape (n, 3)."""
    return np.array([PLACES[label] for label in labels.tolist()])


def folds(speakers: Names, count: int = FOLDS) -> Iterator[Chosen]:
    """Yield which rows are held out, fold by fold; no speaker is in two."""
    names = np.random.default_rng(SEED).permutation(sorted(set(speakers)))
    for at in range(min(count, len(names))):
        yield np.isin(speakers, names[at::count])


def _balance(labels: Names) -> Rows:
    counts = {name: np.count_nonzero(labels == name) for name in set(labels)}
    return np.array([len(labels) / (len(counts) * counts[label]) for label in labels])


def _calibrated(head: Head, examples: Lesson, recipe: Recipe) -> Head:
    """Return ``head`` with the temperature and stretch that suit speakers it does not know."""
    count = len(head.categories)
    scores = np.zeros((len(examples.labels), count + 3))
    for held in folds(examples.speakers):
        part = solve(examples.only(~held), recipe)
        known = [head.categories.index(name) for name in part.categories]
        place = np.array([*known, *range(count, count + 3)])
        scores[np.ix_(np.flatnonzero(held), place)] = part.scores(
            examples.vectors[held], examples.usual[held]
        )
    learnt = merged(examples.labels, recipe.merged)
    weight = _balance(learnt)
    heard = _heard(learnt, head.categories, recipe)
    return replace(
        head,
        temperature=best_temperature(scores[:, :count], heard, weight),
        stretch=_stretch(scores[:, count], places(examples.labels)[:, 0], weight),
    )


def _heard(labels: Names, categories: Sequence[str], recipe: Recipe) -> Rows:
    """Return for each label the shares of what was acted and of what people hear, mixed."""
    table = np.eye(len(categories))
    for row, acted in enumerate(categories):
        votes = [recipe.votes.get(acted, {}).get(name, 0.0) for name in categories]
        if sum(votes):
            people = np.array(votes) / sum(votes)
            table[row] = (1 - recipe.listeners) * table[row] + recipe.listeners * people
    return table[[categories.index(label) for label in labels.tolist()]]


def best_temperature(logits: Rows, heard: Rows, weight: Rows) -> float:
    """Return the temperature under which ``heard`` (shares, a row for each) is likeliest."""

    def surprise(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        logs = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-np.average((heard * logs).sum(axis=1), weights=weight))

    return min((float(t) for t in np.geomspace(0.02, 2.0, 240)), key=surprise)


def _stretch(found: Rows, target: Rows, weight: Rows) -> tuple[float, float]:
    """Return factor and offset that give predictions the mean and spread of their targets."""
    middle, wanted = np.average(found, weights=weight), np.average(target, weights=weight)
    spread = np.sqrt(np.average((found - middle) ** 2, weights=weight))
    wide = np.sqrt(np.average((target - wanted) ** 2, weights=weight))
    factor = float(wide / max(spread, 1e-9))
    return factor, float(wanted - factor * middle)
