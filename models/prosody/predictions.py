"""What heads say of clips whose speakers they were not learnt from.

Serves ``tables``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from device.hearing.prosody_head import neutrality
from device.hearing.usual_voice import MEMORY, PRIOR
from models.prosody.features import TESTING, Features
from models.prosody.learning import (
    NEUTRAL,
    Chosen,
    Head,
    Names,
    Recipe,
    Rows,
    fit,
    folds,
    known_usual,
    merged,
)

Acquaintance: TypeAlias = Literal["stranger", "known"]
"""Of a stranger nothing was heard before; of a known speaker, all of his or her neutral clips."""
ACQUAINTANCES: tuple[Acquaintance, ...] = ("stranger", "known")
SEED = 5
SESSIONS = 8
"""Made conversations for each speaker."""
UTTERANCES = 24
NEUTRAL_SHARE = 0.75
"""Of the utterances of a mostly neutral user."""


@dataclass(frozen=True)
class Predictions:
    """What a head, or the heads of all folds, said of some clips."""

    corpus: Features
    truth: Names
    categories: tuple[str, ...]
    probabilities: Rows
    dimensions: Rows
    """Arousal, valence, dominance: shape (n, 3)."""

    @property
    def found(self) -> Names:
        """The likeliest category of each clip."""
        return np.asarray(np.array(self.categories)[self.probabilities.argmax(axis=1)])

    @property
    def speakers(self) -> Names:
        """The speaker of each clip."""
        return self.corpus.speakers()

    def only(self, chosen: Chosen) -> Predictions:
        """Return those of the ``chosen`` clips."""
        return replace(
            self,
            corpus=self.corpus.only(chosen),
            truth=self.truth[chosen],
            probabilities=self.probabilities[chosen],
            dimensions=self.dimensions[chosen],
        )

    def among(self, categories: Sequence[str]) -> Predictions:
        """Return those of clips of ``categories``, decided among these alone."""
        chosen = self.only(np.isin(self.truth, categories))
        columns = [self.categories.index(name) for name in categories]
        shares = chosen.probabilities[:, columns]
        shares = shares / shares.sum(axis=1, keepdims=True)
        return replace(chosen, categories=tuple(categories), probabilities=shares)


Table: TypeAlias = Mapping[tuple[str, Acquaintance], Predictions]


def apply(head: Head, corpus: Features, condition: str, known: Acquaintance) -> Predictions:
    """Return what ``head`` says of every clip of ``corpus``."""
    vectors = corpus.vectors[condition].astype(np.float64)
    scores = head.scores(vectors, usual(head, corpus, condition) if known == "known" else None)
    return Predictions(
        corpus,
        corpus.labels(),
        head.categories,
        head.probabilities(scores),
        head.dimensions(scores),
    )


def usual(head: Head, corpus: Features, condition: str) -> Rows:
    """Return the usual vector of each clip's speaker after all his or her neutral clips."""
    vectors = corpus.vectors[condition].astype(np.float64)
    speakers, neutral = corpus.speakers(), np.isin(corpus.labels(), NEUTRAL)
    found = np.empty_like(vectors)
    for speaker in set(speakers):
        own = speakers == speaker
        found[own] = known_usual(vectors[own & neutral], head.centre)
    return found


def fold_heads(corpus: Features, recipe: Recipe, count: int) -> list[tuple[Head, Chosen]]:
    """Return heads learnt without some of the speakers, each with whom it does not know."""
    return [(fit([corpus.only(~held)], recipe), held) for held in folds(corpus.speakers(), count)]


def held_out(corpus: Features, heads: Sequence[tuple[Head, Chosen]], recipe: Recipe) -> Table:
    """Return the predictions under each condition, each clip by the head that does not know it."""
    return {
        (condition, known): _joined(corpus, heads, recipe, condition, known)
        for condition in TESTING
        for known in ACQUAINTANCES
    }


def _joined(
    corpus: Features,
    heads: Sequence[tuple[Head, Chosen]],
    recipe: Recipe,
    condition: str,
    known: Acquaintance,
) -> Predictions:
    categories = heads[0][0].categories
    shares = np.zeros((len(corpus.clips), len(categories)))
    dimensions = np.zeros((len(corpus.clips), 3))
    for head, held in heads:
        part = apply(head, corpus.only(held), condition, known)
        shares[held], dimensions[held] = part.probabilities, part.dimensions
    truth = merged(corpus.labels(), recipe.merged)
    return Predictions(corpus, truth, categories, shares, dimensions)


def balanced(corpus: Features) -> Features:
    """Return ``corpus`` with each speaker brought to mean 0 and deviation 1 over all clips.

    That is how speaker normalisation is usually reported. It knows that a speaker shows every
    emotion equally often, which no user does.
    """
    speakers = corpus.speakers()
    vectors = {}
    for condition, rows in corpus.vectors.items():
        scaled = np.empty_like(rows)
        for speaker in set(speakers):
            own = speakers == speaker
            scaled[own] = (rows[own] - rows[own].mean(axis=0)) / (rows[own].std(axis=0) + 1e-3)
        vectors[condition] = scaled
    return Features(corpus.clips, vectors)


@dataclass(frozen=True)
class Turn:
    """One utterance of a made conversation, and what was measured of it."""

    place: int
    """How many utterances of the speaker came before."""
    row: int
    """Its row in the corpus."""
    shares: Rows
    arousal: float


def conversations(
    head: Head, corpus: Features, learning: bool, neutral: Sequence[str] = NEUTRAL
) -> Iterator[Turn]:
    """Yield the turns of mostly neutral users: three in four utterances are of ``neutral``.

    ``learning``: whether the usual voice follows the speaker, as it does on the device; without,
    each utterance is measured as a stranger's.
    """
    random = np.random.default_rng(SEED)
    speakers, calm = corpus.speakers(), np.isin(corpus.labels(), neutral)
    for speaker in sorted(set(speakers)):
        quiet, stirred = (np.flatnonzero((speakers == speaker) & kind) for kind in (calm, ~calm))
        for _ in range(SESSIONS):
            total, weight = np.zeros_like(head.centre), 0.0
            for place in range(UTTERANCES):
                row = int(random.choice(quiet if random.random() < NEUTRAL_SHARE else stirred))
                vector = corpus.vectors["clean"][row].astype(np.float64)
                base = (total + PRIOR * head.centre) / (weight + PRIOR)
                scores = head.scores(vector[None], base[None] if learning else None)
                shares = head.probabilities(scores)[0]
                yield Turn(place, row, shares, float(head.dimensions(scores)[0, 0]))
                told = neutrality(dict(zip(head.categories, shares.tolist(), strict=True)))
                keep = 1 - 1 / MEMORY
                weight, total = weight * keep + told, total * keep + told * vector
