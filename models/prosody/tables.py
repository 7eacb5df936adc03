"""The tables of the model card: how well expression is measured, and where it fails.

Serves ``evaluate``. Values in brackets are 95 % intervals over speakers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.prosody import metrics
from models.prosody.features import TESTING, Features
from models.prosody.learning import NEUTRAL, Head, Recipe, merged, places
from models.prosody.predictions import ACQUAINTANCES, Predictions, Turn, conversations
from models.prosody.predictions import Table as Held

COMMON = ("neutral", "happy", "sad", "angry", "fearful", "disgust")
"""Categories that RAVDESS, EMO-DB and CREMA-D share."""


@dataclass(frozen=True)
class Table:
    """A table to print, to keep and to quote."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


Indices: TypeAlias = npt.NDArray[np.intp]


def spread(predictions: Predictions, measure: Callable[[Indices], float]) -> str:
    """Return a figure with its interval over speakers."""
    value, low, high = metrics.interval(predictions.speakers, measure)
    return f"{value:.3f} ({low:.2f} to {high:.2f})"


def recall_of(predictions: Predictions) -> str:
    """Return the unweighted average recall with its interval."""
    truth, found = predictions.truth, predictions.found
    return spread(predictions, lambda rows: metrics.average_recall(truth[rows], found[rows]))


def concordance_of(predictions: Predictions, dimension: int) -> str:
    """Return the concordance of arousal (0), valence (1) or dominance (2) with its interval."""
    target = places(predictions.corpus.labels())[:, dimension]
    found = predictions.dimensions[:, dimension]
    return spread(predictions, lambda rows: metrics.concordance(found[rows], target[rows]))


def calibration_of(predictions: Predictions) -> str:
    """Return the expected calibration error."""
    return f"{_calibration(predictions):.3f}"


def _calibration(predictions: Predictions) -> float:
    return metrics.calibration_error(
        predictions.probabilities, predictions.truth, predictions.categories
    )


def recognition(rows: Sequence[tuple[str, Predictions]]) -> Table:
    """Return how well categories, arousal and valence are recognised, setting by setting."""
    lines = []
    for name, whole in rows:
        p = whole.among(COMMON) if set(whole.truth) - set(whole.categories) else whole
        lines.append(
            (
                name,
                str(len(set(p.truth))),
                recall_of(p),
                f"{1 / len(set(p.truth)):.3f}",
                calibration_of(p),
                concordance_of(whole, 0),
                concordance_of(whole, 1),
            )
        )
    return Table(
        "Recognition by speakers and corpora that were not learnt from",
        ("setting", "categories", "average recall", "chance", "calibration error",
         "arousal concordance", "valence concordance"),
        lines,
        "Chance is also what the majority class gets. On another corpus the categories are those "
        "that both have; arousal and valence are of all its clips. They are judged against one "
        "number for each acted emotion, so that their concordance is partly circular.",
    )  # fmt: skip


def by_class(rows: Sequence[tuple[str, Predictions]]) -> Table:
    """Return the recall of each category."""
    names = [name for name in merged_order(p.truth for _, p in rows)]
    lines = []
    for title, predictions in rows:
        found = metrics.recalls(predictions.truth, predictions.found)
        lines.append((title, *(f"{found[name]:.2f}" if name in found else "" for name in names)))
    return Table("Recall by category", ("setting", *names), lines)


def merged_order(truths: object) -> list[str]:
    """Return all names of some label arrays, sorted."""
    return sorted({name for truth in truths for name in set(truth.tolist())})  # type: ignore[attr-defined]


def by_sex(rows: Sequence[tuple[str, Predictions]]) -> Table:
    """Return average recall and arousal concordance of women and men."""
    lines = []
    for title, predictions in rows:
        sexes = np.array([clip.sex for clip in predictions.corpus.clips])
        parts = [predictions.only(sexes == sex) for sex in ("F", "M")]
        lines.append(
            (title, *(recall_of(p) for p in parts), *(concordance_of(p, 0) for p in parts))
        )
    columns = ("setting", "recall, women", "recall, men", "arousal, women", "arousal, men")
    return Table("By sex", columns, lines)


def confusions(title: str, predictions: Predictions) -> Table:
    """Return what was found (columns) for what was acted (rows)."""
    names = predictions.categories
    shares = metrics.confusion(predictions.truth, predictions.found, names)
    lines = [
        (name, *(f"{share:.2f}" for share in row)) for name, row in zip(names, shares, strict=True)
    ]
    return Table(f"Confusions: {title}", ("acted", *names), lines)


def people(predictions: Predictions, votes: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the head's confusions among the common categories beside those of listeners."""
    among = predictions.among(COMMON)
    ours = metrics.confusion(among.truth, among.found, COMMON)
    theirs = np.array([[votes[row][column] for column in COMMON] for row in COMMON])
    lines = [
        (acted, *(f"{a:.2f} / {b:.2f}" for a, b in zip(ours[row], theirs[row], strict=True)))
        for row, acted in enumerate(COMMON)
    ]
    apart = ~np.eye(len(COMMON), dtype=bool)
    correlation = float(np.corrcoef(ours[apart], theirs[apart])[0, 1])
    return Table(
        "Confusions of the head / of people who heard only the voice (CREMA-D)",
        ("acted", *COMMON),
        lines,
        f"Correlation of the mistakes {correlation:.2f}. A listener is right in "
        f"{np.diag(theirs).mean():.2f} of the clips, the head in {np.diag(ours).mean():.2f}; "
        "theirs are other clips, many acted faintly.",
    )


def disturbed(title: str, held: Held, windows: Held) -> Table:
    """Return what noise, a room and a short window cost; ``windows``: by the window head."""
    lines = []
    for known in ACQUAINTANCES:
        clean = metrics.average_recall(held["clean", known].truth, held["clean", known].found)
        for condition in TESTING:
            predictions = (windows if condition in ("window", "beginning") else held)[
                condition, known
            ]
            recall = metrics.average_recall(predictions.truth, predictions.found)
            lines.append(
                (
                    condition,
                    known,
                    recall_of(predictions),
                    f"{100 * (1 - recall / clean):.0f} %",
                    calibration_of(predictions),
                    concordance_of(predictions, 0),
                )
            )
    columns = ("condition", "speaker", "average recall", "lost", "calibration error", "arousal")
    return Table(
        f"Noise at 10 dB, measured rooms, 2 s windows, long utterances: {title}",
        columns,
        lines,
        "Noises and rooms are others than in training. window: 2 s out of the clip and the first "
        "layer alone, as while somebody speaks; beginning: so of the first 0.6 to 1.4 s. long: 4 "
        "to 8 s put together of several clips.",
    )


def intensity(predictions: Predictions) -> Table:
    """Return how often an emotion acted strongly has more arousal than acted normally."""
    strong = np.array([clip.intensity == "strong" for clip in predictions.corpus.clips])
    arousal, lines = predictions.dimensions[:, 0], []
    for name in sorted(set(predictions.truth) - {"neutral"}):
        own = predictions.truth == name
        lines.append(
            (name, f"{metrics.area_under_curve(arousal[own & strong], arousal[own & ~strong]):.2f}")
        )
    return Table(
        "Arousal of clips acted strongly above those acted normally (area under the curve)",
        ("category", "area"),
        lines,
        "Intensity was not learnt. Below one half is right for calm: more of it is calmer.",
    )


def mostly_neutral(
    rows: Sequence[tuple[str, Sequence[tuple[Head, Features]], Recipe, Sequence[str]]],
) -> Table:
    """Return what the usual voice gains for users who are neutral three times in four."""
    lines = []
    for title, parts, recipe, neutral in rows:
        for learning in (False, True):
            judged = [
                _judged(turn, head, corpus, recipe, neutral)
                for head, corpus in parts
                for turn in conversations(head, corpus, learning, neutral)
            ]
            lines.append((title, "learnt" if learning else "not used", *_of_judged(judged)))
    return Table(
        "A mostly neutral user: what the speaker's usual voice gains",
        ("setting", "usual voice", "average recall", "first five", "from the 13th", "false alarms",
         "first five", "arousal concordance"),
        lines,
        "False alarms: share of neutral utterances taken for something else. Made conversations of "
        "24 utterances, three in four neutral; calm counts as neutral, bored too where there is no "
        "calm.",
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """One turn of a made conversation: what it was, what it was taken for."""

    place: int
    truth: str
    found: str
    arousal: float
    target: float


def _judged(
    turn: Turn, head: Head, corpus: Features, recipe: Recipe, neutral: Sequence[str]
) -> Judged:
    label = corpus.clips[turn.row].emotion
    truth = "neutral" if label in neutral else str(merged(np.array([label]), recipe.merged)[0])
    found = head.categories[int(turn.shares.argmax())]
    found = "neutral" if found in neutral or found in NEUTRAL else found
    return Judged(turn.place, truth, found, turn.arousal, float(places(np.array([label]))[0, 0]))


def _of_judged(judged: Sequence[Judged]) -> tuple[str, ...]:
    place = np.array([one.place for one in judged])
    truth, found = np.array([one.truth for one in judged]), np.array([one.found for one in judged])

    def recall(chosen: npt.NDArray[np.bool_]) -> str:
        return f"{metrics.average_recall(truth[chosen], found[chosen]):.3f}"

    def alarms(chosen: npt.NDArray[np.bool_]) -> str:
        neutral = chosen & (truth == "neutral")
        return f"{np.mean(found[neutral] != 'neutral'):.3f}"

    arousal, target = (
        np.array([getattr(one, name) for one in judged]) for name in ("arousal", "target")
    )
    return (
        recall(place >= 0),
        recall(place < 5),
        recall(place >= 12),
        alarms(place >= 0),
        alarms(place < 5),
        f"{metrics.concordance(arousal, target):.3f}",
    )
