"""Makes the prosody heads anew: python -m models.prosody.train

Run it from the root of the checkout, after ``provisioning/setup --train``. It writes

  trunk.onnx      the short-window cut of the end-of-turn network (BSD-2, nothing is learnt in it)
  default.onnx    learnt from EMO-DB (CC0): a maker may ship it
  research.onnx   learnt from EMO-DB and RAVDESS (CC BY-NC-SA): not for commercial use

beside each head a smaller one for windows, which reads the trunk (default-window.onnx, ...), and
with --corpus a head of your own from your recordings, beside EMO-DB or alone. The same data give
the same files, to the byte, on the same kind of processor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from device.catalogue import Catalogue
from device.convert import SMART_TURN
from device.models import ModelStore
from device.types import RapportError
from models.prosody.export import export
from models.prosody.features import HERE, TRAINING, Features, features, first_layers, noise_vectors
from models.prosody.learning import Head, Recipe, Rows, fit
from models.prosody.listeners import votes
from models.prosody.trunk import cut

DEPTH = 1
"""Encoder layers in the trunk. A second would double what listening costs, and gain three points of
recall (five in noise)."""
VERSION = "1"
SPEECH_STRENGTH = 20.0
MERGED: Mapping[str, str] = {"boredom": "neutral"}
"""EMO-DB's actors are bored in a low, even voice, and that is how neutral speakers elsewhere sound
to a head that has learnt it: as categories of their own, three quarters of RAVDESS's neutral clips
were taken for bored. Arousal still tells the two apart."""
SHARE_OF_LISTENERS = 0.5
"""The default head is learnt from ten people in one studio and is far too sure of itself elsewhere.
Its probabilities are half those of what was acted and half those of what listeners hear."""


@dataclass(frozen=True)
class Plan:
    """One head to make."""

    name: str
    licence: str
    corpora: tuple[str, ...]
    recipe: Recipe

    @property
    def data(self) -> str:
        """The corpora in words, for the file."""
        return " ".join(self.corpora)


def default_recipe(heard: Mapping[str, Mapping[str, float]]) -> Recipe:
    """Return the recipe of the default head; ``heard``: the listeners' votes."""
    return Recipe(merged=MERGED, listeners=SHARE_OF_LISTENERS, votes=heard)


def plans(heard: Mapping[str, Mapping[str, float]]) -> list[Plan]:
    """Return the heads that the project ships."""
    return [
        Plan("default", "Apache-2.0", ("emodb",), default_recipe(heard)),
        Plan("research", "CC-BY-NC-SA-4.0", ("emodb", "ravdess"), Recipe()),
    ]


def speech(
    corpora: Sequence[Features], noises: Mapping[str, npt.NDArray[np.float32]]
) -> tuple[Rows, float]:
    """Return weights and bias that give speech 1 and other sound 0, both counting the same."""
    spoken = np.concatenate([corpus.vectors[name] for corpus in corpora for name in TRAINING])
    other = np.concatenate(list(noises.values()))
    rows = np.concatenate([spoken, other]).astype(np.float64)
    target = np.repeat([1.0, 0.0], [len(spoken), len(other)])
    weight = np.where(target == 1, 0.5 / len(spoken), 0.5 / len(other)) * len(rows)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scale = scale * np.sqrt(rows.shape[1])
    rows = (rows - mean) / scale
    middle, centre = np.average(rows, axis=0, weights=weight), 0.5
    rows = (rows - middle) * np.sqrt(weight)[:, None]
    gram = rows.T @ rows
    gram[np.diag_indices_from(gram)] += SPEECH_STRENGTH
    weights = np.linalg.solve(gram, rows.T @ ((target - centre) * np.sqrt(weight)))
    weights = weights / scale
    return weights, float(centre - (mean + middle * scale) @ weights)


def make(plan: Plan, corpora: Sequence[Features], data: Path, target: Path) -> Head:
    """Learn the heads of ``plan`` from ``corpora`` and write them: ``target``, and for windows."""
    facts = {
        "name": f"rapport-prosody-{plan.name}",
        "version": VERSION,
        "licence": plan.licence,
        "network": SMART_TURN,
        "corpora": plan.data,
    }
    noises = noise_vectors(data)
    head = fit(corpora, plan.recipe)
    export(head, speech(corpora, noises), facts, target)
    first = [corpus.of_first_layer() for corpus in corpora]
    noises = {kind: first_layers(rows) for kind, rows in noises.items()}
    facts["network"] += "/first-layer"
    export(fit(first, plan.recipe), speech(first, noises), facts, window_head(target))
    return head


def window_head(target: Path) -> Path:
    """Return where the head for windows lies that belongs to the head at ``target``."""
    return target.with_name(f"{target.stem}-window.onnx")


data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=HERE.parents[2] / "shared" / "data",
    envvar="RAPPORT_DATA",
    show_default=True,
    help="Folder with emodb, ravdess, speech, esc10-120, acoustics and cremad-votes.",
)
"""Where the corpora are; ``evaluate`` takes it too."""

EPILOG = """\b
Examples:
  python -m models.prosody.train
  python -m models.prosody.train --corpus ~/crema-d --name mine --licence ODbL-1.0
  python -m models.prosody.train --corpus ~/studio --alone --name studio --licence Proprietary

A corpus is a folder of recordings with a table labels.csv: the columns file, speaker and emotion,
and sex, intensity and sentence if you have them. Emotions: neutral, calm, happy, sad, angry,
fearful, disgust, surprised, boredom. Speakers need some neutral clips each.
"""


@click.command(epilog=EPILOG)
@data_option
@click.option(
    "--corpus",
    "own",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A corpus of your own; may be given again. Only your head is made then.",
)
@click.option("--alone", is_flag=True, help="Leave EMO-DB out of your head.")
@click.option("--name", default="own", show_default=True, help="Name of your head.")
@click.option("--licence", default="Proprietary", show_default=True, help="Licence of your head.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=HERE, help="Folder that the files go to."
)
def main(
    data: Path, own: tuple[Path, ...], alone: bool, name: str, licence: str, out: Path
) -> None:
    """Make the heads that measure expression from corpora of labelled speech."""
    try:
        _train(data, own, alone, Plan(name, licence, (), Recipe()), out)
    except RapportError as error:
        raise click.ClickException(str(error)) from None


def _train(data: Path, own: tuple[Path, ...], alone: bool, mine: Plan, out: Path) -> None:
    heard = votes(data / "cremad-votes")
    store = ModelStore(None, Catalogue.load())
    out.mkdir(parents=True, exist_ok=True)
    trunk = out / "trunk.onnx"
    cut(store.files(SMART_TURN)["model"], trunk, DEPTH)
    _told(trunk)
    folders = {folder.name: folder for folder in own}
    wanted = plans(heard)
    if own:
        named = (*(() if alone else ("emodb",)), *folders)
        wanted = [replace(mine, corpora=named, recipe=default_recipe(heard))]
    needed = sorted({name for plan in wanted for name in plan.corpora})
    with progress_bar() as bar:
        corpora = {name: load(folders.get(name, data / name), data, bar) for name in needed}
    for plan in wanted:
        target = out / f"{plan.name}.onnx"
        head = make(plan, [corpora[name] for name in plan.corpora], data, target)
        click.echo(f"{plan.name}: {', '.join(head.categories)}; from {plan.data}")
        _told(target)
        _told(window_head(target))
    if own:
        click.echo(_entry(wanted[0], out, trunk))


def _entry(plan: Plan, out: Path, trunk: Path) -> str:
    """Return what an owner puts into the catalogue to use a head."""
    head = out / f"{plan.name}.onnx"
    files = {"head": head, "window_head": window_head(head), "trunk": trunk}
    lines = [
        "\nTo use it, put this into models/catalogue.toml (the files lie beside it, or in a folder "
        f'there), set models.prosody = "prosody-{plan.name}", and run: rapport models fetch',
        f"\n[models.prosody-{plan.name}]",
        'task = "prosody"\nengine = "prosody-head"',
        f'title = "Expression of a voice, from {plan.data}"',
        f'licence = "{plan.licence} AND BSD-2-Clause"\ncommercial = false\ntested = false',
    ]
    for role, file in files.items():
        inside = file.resolve().is_relative_to(HERE.parent)
        bundled = file.resolve().relative_to(HERE.parent) if inside else file.name
        lines += [
            f"\n[[models.prosody-{plan.name}.files]]",
            f'role = "{role}"\npath = "{role}.onnx"',
            f'bytes = {file.stat().st_size}\nsha256 = "{_digest(file)}"',
            f'sources = [{{ bundled = "{bundled}" }}]',
        ]
    return "\n".join(lines)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _told(file: Path) -> None:
    """Print what the catalogue has to know of a file."""
    click.echo(f'{file.name}\n  bytes = {file.stat().st_size}\n  sha256 = "{_digest(file)}"')


def progress_bar() -> Progress:
    """Return a bar for the making of vectors, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        transient=True,
    )


def load(folder: Path, data: Path, bar: Progress) -> Features:
    """Return a corpus, with a bar while its vectors are made."""
    task = bar.add_task(folder.name, total=None)

    def told(what: str, done: int, total: int) -> None:
        if total:
            bar.update(task, completed=done, total=total)
        else:
            bar.console.print(what)

    found = features(folder, data, told)
    bar.update(task, completed=1, total=1)
    return found


if __name__ == "__main__":
    main()
