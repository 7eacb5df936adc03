"""Makes every table of the model card anew: python -m models.prosody.evaluate

The same as ``rapport bench prosody``. Heads are learnt anew without the speakers or corpora that
they are tested on, so it takes some minutes, most of them once for making the vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table as Drawn

from device.types import RapportError
from models.prosody import conversation, field, tables, words
from models.prosody.features import HERE, Features, Maker
from models.prosody.learning import Chosen, Head, Recipe, fit
from models.prosody.listeners import votes
from models.prosody.plot import plot
from models.prosody.predictions import (
    Acquaintance,
    Predictions,
    apply,
    balanced,
    fold_heads,
    held_out,
)
from models.prosody.predictions import Table as Held
from models.prosody.tables import COMMON, Table
from models.prosody.train import data_option, default_recipe, load, progress_bar
from models.prosody.word_fit import Interval

PICTURE = HERE.parents[1] / "docs" / "prosody.png"
RAVDESS_FOLDS, EMODB_FOLDS = 4, 10
CALM, LOW = ("neutral", "calm"), ("neutral", "boredom")


@dataclass(frozen=True)
class Trial:
    """One recipe learnt from one corpus: within it speaker by speaker, and on the other corpus."""

    title: str
    corpus: Features
    recipe: Recipe
    heads: Sequence[tuple[Head, Chosen]]
    held: Held
    whole: Head
    other: Features

    def across(self, known: Acquaintance) -> Predictions:
        """Return the predictions on the other corpus."""
        return apply(self.whole, self.other, "clean", known)


def trial(title: str, corpus: Features, other: Features, recipe: Recipe, folds: int) -> Trial:
    """Learn all heads of one trial."""
    heads = fold_heads(corpus, recipe, folds)
    held = held_out(corpus, heads, recipe)
    return Trial(title, corpus, recipe, heads, held, fit([corpus], recipe), other)


@dataclass(frozen=True)
class Trials:
    """Everything that is learnt for the tables."""

    research: Trial
    default: Trial
    acted: Trial
    """Like ``default``, but calibrated to what was acted and not to what listeners hear."""
    balanced: list[tuple[str, Predictions]]


def all_tables(data: Path, console: Console, picture: Path | None) -> Iterator[Table]:
    """Yield the tables one by one, as soon as each is made; then draw the ``picture``."""
    with progress_bar() as bar:
        ravdess, emodb = (load(data / name, data, bar) for name in ("ravdess", "emodb"))
    heard = votes(data / "cremad-votes")
    with console.status("learning the heads of all folds"):
        recipe = default_recipe(heard)
        plain = Recipe(merged=recipe.merged)
        trials = Trials(
            trial("RAVDESS", ravdess, emodb, Recipe(), RAVDESS_FOLDS),
            trial("EMO-DB", emodb, ravdess, recipe, EMODB_FOLDS),
            trial("EMO-DB", emodb, ravdess, plain, EMODB_FOLDS),
            _balanced_rows(ravdess, emodb),
        )
    yield from _recognised(trials, data)
    yield tables.people(trials.research.held["clean", "known"], heard)
    yield from _conditions(trials.research, trials.default)
    yield field.not_speech(emodb, ravdess, data, field.shipped("default"))
    yield field.reading(data)
    yield field.cost(data)
    yield from _changes(trials.research, trials.default, data)
    yield from _words()
    if picture is not None:
        _, known, *_, across = _shown(trials)
        research_shown = ("research head on RAVDESS, speakers not learnt from", known[1])
        default_shown = ("default head on RAVDESS, a corpus not learnt from", across[1])
        plot(picture, [research_shown, default_shown])


def _recognised(trials: Trials, data: Path) -> Iterator[Table]:
    """Yield how well categories and dimensions are recognised, and what is taken for what."""
    acted = trials.acted
    yield tables.recognition(
        [
            *_settings(trials.research, "research, RAVDESS"),
            *trials.balanced,
            *_settings(trials.default, "default, EMO-DB"),
            ("default without listeners, EMO-DB, known", acted.held["clean", "known"]),
            ("default without listeners, EMO-DB to RAVDESS, known", acted.across("known")),
        ]
    )
    corpora = (("RAVDESS", trials.research), ("EMO-DB", trials.default))
    folders = {"RAVDESS": data / "ravdess", "EMO-DB": data / "emodb"}
    yield field.acoustic_rules([(name, tried.corpus, folders[name]) for name, tried in corpora])
    shown = _shown(trials)
    yield tables.by_class(shown)
    yield tables.by_sex(shown)
    for name, predictions in shown[1:]:
        yield tables.confusions(name, predictions)


def _shown(trials: Trials) -> list[tuple[str, Predictions]]:
    """Return the settings whose categories are looked at one by one."""
    research, default = trials.research, trials.default
    return [
        ("research, RAVDESS, stranger", research.held["clean", "stranger"]),
        ("research, RAVDESS, known", research.held["clean", "known"]),
        ("research, RAVDESS to EMO-DB, known", research.across("known").among(COMMON)),
        ("default, EMO-DB, known", default.held["clean", "known"]),
        ("default, EMO-DB to RAVDESS, stranger", default.across("stranger").among(COMMON)),
        ("default, EMO-DB to RAVDESS, known", default.across("known").among(COMMON)),
    ]


def _conditions(research: Trial, default: Trial) -> Iterator[Table]:
    """Yield what noise, rooms, length, intensity and acquaintance change."""
    yield tables.disturbed("research, RAVDESS", research.held, _windows(research))
    yield tables.disturbed("default, EMO-DB", default.held, _windows(default))
    yield _augmentation(research, default)
    yield tables.intensity(research.held["clean", "known"])
    other = {tried.title: [(tried.whole, tried.other)] for tried in (research, default)}
    yield tables.mostly_neutral(
        [
            ("research, RAVDESS", _parts(research), research.recipe, CALM),
            ("research, RAVDESS to EMO-DB", other["RAVDESS"], research.recipe, LOW),
            ("default, EMO-DB", _parts(default), default.recipe, LOW),
            ("default, EMO-DB to RAVDESS", other["EMO-DB"], default.recipe, CALM),
        ]
    )


def _settings(tried: Trial, title: str) -> list[tuple[str, Predictions]]:
    return [
        (f"{title}, stranger", tried.held["clean", "stranger"]),
        (f"{title}, known", tried.held["clean", "known"]),
        (f"{title} to {_other(tried)}, stranger", tried.across("stranger")),
        (f"{title} to {_other(tried)}, known", tried.across("known")),
    ]


def _other(tried: Trial) -> str:
    return "EMO-DB" if tried.title == "RAVDESS" else "RAVDESS"


def _balanced_rows(ravdess: Features, emodb: Features) -> list[tuple[str, Predictions]]:
    """Return what heads reach that see every speaker's clips normalised over all of them."""
    recipe = Recipe(heard=(0,))
    corpus, other = balanced(ravdess), balanced(emodb)
    heads = fold_heads(corpus, recipe, RAVDESS_FOLDS)
    within = held_out(corpus, heads, recipe)["clean", "stranger"]
    across = apply(fit([corpus], recipe), other, "clean", "stranger")
    return [
        ("research, RAVDESS, normalised over all clips", within),
        ("research, RAVDESS to EMO-DB, normalised over all clips", across),
    ]


def _windows(tried: Trial) -> Held:
    """Return what heads say that see the first layer alone, as while somebody speaks."""
    corpus, folds = tried.corpus.of_first_layer(), len(tried.heads)
    return held_out(corpus, fold_heads(corpus, tried.recipe, folds), tried.recipe)


def _parts(tried: Trial) -> list[tuple[Head, Features]]:
    return [(head, tried.corpus.only(held)) for head, held in tried.heads]


def _changes(research: Trial, default: Trial, data: Path) -> Iterator[Table]:
    """Yield how the tone changes the answers, on RAVDESS: the same words in eight tones."""
    clips, folder = research.corpus.clips, data / "ravdess"
    maker, writer = Maker(data), conversation.Writer()
    known = apply(default.whole, research.corpus, "clean", "known")
    for title, predictions in (
        ("research head, speakers not learnt", research.held["clean", "known"]),
        ("default head, corpus not learnt", known),
    ):
        found = conversation.expressions(predictions, folder, maker)
        planned = conversation.plans(clips, found, writer)
        yield conversation.changes(title, clips, planned)
        yield conversation.examples(clips, planned)


def _augmentation(research: Trial, default: Trial) -> Table:
    """Return what noise, rooms, colours and speeds in training gain."""
    lines = []
    for tried, name in ((research, "research, RAVDESS"), (default, "default, EMO-DB")):
        bare = replace(tried.recipe, conditions=("clean", "window"))
        heads = fold_heads(tried.corpus, bare, len(tried.heads))
        plain = held_out(tried.corpus, heads, bare)
        whole = fit([tried.corpus], bare)
        for condition in ("clean", "noise", "room", "noise and room"):
            pair = [held[condition, "known"] for held in (plain, tried.held)]
            lines.append((f"{name}, {condition}", *(tables.recall_of(p) for p in pair)))
        pair = [apply(head, tried.other, "clean", "known") for head in (whole, tried.whole)]
        lines.append(
            (f"{name} to {_other(tried)}", *(tables.recall_of(p.among(COMMON)) for p in pair))
        )
    return Table(
        "What disturbed clips in training gain (average recall, speakers known)",
        ("setting", "clean clips only", "clean and disturbed"),
        lines,
    )


def _words() -> Iterator[Table]:
    """Yield how well words tell valence, and what is gained by weighing them with the voice."""
    for title, rows in (
        ("Valence of words against people's ratings", words.accuracy()),
        ("Sign of 96 things said to a device", words.signs()),
        ("Calibration of the words' error", words.calibration()),
        ("Voice and words together (simulated voice)", words.fusion()),
    ):
        columns = tuple(entry.name for entry in fields(rows[0]))
        lines = [tuple(_text(getattr(row, name)) for name in columns) for row in rows]
        yield Table(title, tuple(name.replace("_", " ") for name in columns), lines)


def _text(value: object) -> str:
    if isinstance(value, Interval):
        return f"{value.value:.3f} ({value.low:.2f} to {value.high:.2f})"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def show(console: Console, table: Table) -> None:
    """Print one table."""
    drawn = Drawn(title=table.title, title_justify="left", caption=table.note or None)
    drawn.caption_justify = "left"
    for column in table.columns:
        drawn.add_column(column, overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    console.print(drawn)
    console.print()


def markdown(table: Table) -> str:
    """Return one table for the model card."""
    lines = [f"### {table.title}", "", "| " + " | ".join(table.columns) + " |"]
    lines.append("|" + "---|" * len(table.columns))
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    return "\n".join([*lines, "", *([table.note, ""] if table.note else [])])


@click.command()
@data_option
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the tables here.")
@click.option(
    "--card",
    is_flag=True,
    help="Write the tables into models/prosody/MEASURED.md, and docs/prosody.png, as well.",
)
def main(data: Path, json_file: Path | None, card: bool) -> None:
    """Measure how well expression is measured: every table of the model card, made anew."""
    console = Console(width=None if Console().is_terminal else 160)
    np.seterr(all="raise", under="ignore")
    made = []
    try:
        for table in all_tables(data, console, PICTURE if card else None):
            show(console, table)
            made.append(table)
    except RapportError as error:
        raise click.ClickException(str(error)) from None
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(table) for table in made], indent=1) + "\n")
    if card:
        text = "# Measured\n\nMade by `rapport bench prosody --card`.\n\n"
        (HERE / "MEASURED.md").write_text(text + "\n".join(markdown(table) for table in made))


if __name__ == "__main__":
    main()
