"""The cut is the same network as the one that decides on the end of a turn, and heads suit it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.catalogue import DEFAULT_PATH
from device.convert import SMART_TURN
from device.hearing.head import Head
from device.hearing.log_mel import log_mel
from device.hearing.pooling import pooled, sounding
from device.hearing.prosody_head import ProsodyHead
from device.hearing.smart_turn import SmartTurn
from device.hearing.trunk import Trunk
from device.settings import Hearing
from device.types import RapportError
from tests.conftest import ModelFiles
from tests.contracts.conftest import Spoken

FOLDER = DEFAULT_PATH.parent / "prosody"


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk(FOLDER / "trunk.onnx", SMART_TURN)


def test_on_8_s_it_gives_the_first_layer_of_the_whole_network(
    trunk: Trunk, model_files: ModelFiles, sentences: list[Spoken]
) -> None:
    detector = SmartTurn(model_files(SMART_TURN), Hearing())
    for sentence in sentences[:3]:
        embedding = detector.listen(sentence.audio).embedding
        assert embedding is not None
        layers, whole = trunk.layers(embedding.picture), embedding.layers[:, :384]
        assert layers.shape == whole.shape
        # int8 inside: a rounding that falls the other way moves single values a little
        assert np.mean(np.abs(layers - whole)) < 0.01 * np.std(whole)


@pytest.mark.parametrize("seconds", [0.1, 0.25, 1.0, 2.0, 3.7, 8.0, 11.0])
def test_any_window_up_to_8_s_will_do(
    trunk: Trunk, sentences: list[Spoken], seconds: float
) -> None:
    audio = np.concatenate([sentence.audio for sentence in sentences])[: int(seconds * 16_000)]
    embedding = trunk.embed(audio)
    frames = max(int(min(seconds, 8.0) * 50 + 1e-6), 10)
    assert embedding.network == SMART_TURN
    assert embedding.layers.shape == (frames, 384)
    assert embedding.picture.shape == (80, 2 * frames)


def test_a_window_sounds_much_like_the_same_end_of_8_s(
    trunk: Trunk, sentences: list[Spoken]
) -> None:
    whole = np.concatenate([sentence.audio for sentence in sentences])[: 8 * 16_000]
    window = trunk.embed(whole[-3 * 16_000 :])
    picture = log_mel(whole)
    tail = trunk.layers(picture)[-150:]
    one = pooled(window.layers, sounding(window.picture))
    other = pooled(tail, sounding(picture))
    assert np.corrcoef(one, other)[0, 1] > 0.95


@pytest.mark.parametrize("name", ["default", "research"])
def test_both_heads_of_a_name_read_what_they_are_made_for(
    name: str, trunk: Trunk, model_files: ModelFiles, sentences: list[Spoken]
) -> None:
    head, window_head = Head(FOLDER / f"{name}.onnx"), Head(FOLDER / f"{name}-window.onnx")
    whole = SmartTurn(model_files(SMART_TURN), Hearing()).listen(sentences[0].audio).embedding
    assert whole is not None
    assert head.network == whole.network != window_head.network
    window = trunk.embed(sentences[0].audio[-32_000:])
    for reader, embedding in ((head, whole), (window_head, window)):
        vector = pooled(embedding.layers, sounding(embedding.picture))
        assert vector.shape == (reader.size,)
        assert reader.read(vector).speech > 0.5
    assert head.identity == window_head.identity
    assert head.categories == window_head.categories
    assert (name == "research") == ("NC" in head.identity.licence)


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"no network")
    files = {
        "head": FOLDER / "default.onnx",
        "window_head": FOLDER / "default-window.onnx",
        "trunk": FOLDER / "trunk.onnx",
    }
    for role in files:
        with pytest.raises(RapportError, match=r"foreign\.onnx: is not a network"):
            ProsodyHead(files | {role: foreign}, Hearing())
    with pytest.raises(RapportError, match=r"trunk\.onnx: takes"):
        ProsodyHead(files | {"head": files["trunk"]}, Hearing())


def test_a_preview_costs_the_usual_voice_nothing_and_is_like_the_measurement(
    sentences: list[Spoken],
) -> None:
    files = {"head": "default", "window_head": "default-window", "trunk": "trunk"}
    paths = {role: FOLDER / f"{name}.onnx" for role, name in files.items()}
    engine = ProsodyHead(paths, Hearing())
    audio = sentences[1].audio[-32_000:]
    preview, measured = engine.preview(audio), engine.measure(audio, None)
    assert preview is not None
    assert measured is not None
    assert preview.categories == measured.categories
    assert preview.arousal == measured.arousal
    assert not preview.measures
    engine.learn()
    known = engine.preview(audio)
    engine.preview(sentences[0].audio)
    assert known is not None
    assert known.confidence > preview.confidence
    assert engine.preview(audio) == known
    assert engine.preview(np.zeros(32_000, np.int16)) is None
    assert engine.preview(audio[:4_000]) is None
