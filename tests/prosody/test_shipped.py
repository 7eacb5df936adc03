"""The heads that come with the program, on three clips that come with the tests.

The rest of what they can do is in ``tests/contracts`` and ``rapport bench prosody``, on recordings
that do not come along.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from device.catalogue import Catalogue
from device.fetch import sha256_of
from device.hearing.prosody_head import ProsodyHead
from device.settings import Hearing
from device.types import Expression, Pcm
from models.prosody.corpora import read

CLIPS = Path(__file__).parent / "clips"
CATALOGUE = Catalogue.load()
HEADS = ("prosody-default", "prosody-research")
NEAR = 0.08
"""How far another processor's rounding may move a share or a dimension."""


@pytest.fixture(scope="module", params=HEADS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def engine(name: str) -> ProsodyHead:
    files = CATALOGUE.models[name].files
    paths = {f.role: CATALOGUE.folder / f.sources[0].bundled for f in files}
    return ProsodyHead(paths, Hearing())


def clip(file: str) -> Pcm:
    return read(CLIPS / file)


def heard(engine: ProsodyHead, file: str) -> Expression:
    expression = engine.measure(clip(file), None)
    assert expression is not None
    return expression


def test_the_files_are_those_of_the_catalogue(name: str) -> None:
    for file in CATALOGUE.models[name].files:
        bundled = CATALOGUE.folder / file.sources[0].bundled
        assert (bundled.stat().st_size, sha256_of(bundled)) == (file.bytes, file.sha256)


def test_the_heads_say_the_licence_that_the_catalogue_says(engine: ProsodyHead, name: str) -> None:
    model = CATALOGUE.models[name]
    assert model.licence == f"{engine.identity.licence} AND BSD-2-Clause"
    assert model.commercial is ("NC" not in engine.identity.licence)


@pytest.mark.parametrize(
    ("name", "file", "category", "share", "arousal"),
    [
        ("prosody-default", "emodb-03a01Wa-angry.flac", "angry", 0.82, 0.95),
        ("prosody-default", "emodb-03a01Nc-neutral.flac", "neutral", 0.68, -0.13),
        ("prosody-default", "lj001-0008.flac", "neutral", 0.64, -0.3),
        ("prosody-research", "emodb-03a01Wa-angry.flac", "angry", 1.0, 1.0),
        ("prosody-research", "emodb-03a01Nc-neutral.flac", "neutral", 1.0, -0.06),
    ],
    indirect=["name"],
)
def test_each_clip_is_measured_as_when_the_heads_were_made(
    engine: ProsodyHead, file: str, category: str, share: float, arousal: float
) -> None:
    expression = heard(engine, file)
    assert max(expression.categories, key=expression.categories.__getitem__) == category
    assert expression.categories[category] == pytest.approx(share, abs=NEAR)
    assert expression.arousal == pytest.approx(arousal, abs=NEAR)


def test_anger_is_further_from_a_voice_that_is_known(engine: ProsodyHead) -> None:
    stranger = heard(engine, "emodb-03a01Wa-angry.flac")
    for _ in range(5):
        heard(engine, "emodb-03a01Nc-neutral.flac")
        engine.learn()
    known = heard(engine, "emodb-03a01Wa-angry.flac")
    assert known.confidence > stranger.confidence
    assert known.emotions["Anger"] > 0.3
    assert heard(engine, "emodb-03a01Nc-neutral.flac").emotions.get("Anger", 0.0) < 0.1
