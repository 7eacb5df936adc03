"""Conversions from published files to what the engines load."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.convert import (
    CONVERSIONS,
    SMART_TURN,
    SMART_TURN_LAYERS,
    ConversionFailed,
    onnx_metadata,
    onnx_outputs,
    read_tokenizer,
    tokens_text,
    write_tokenizer,
)
from device.settings import Hearing
from device.types import Verdict
from tests.conftest import ModelFiles

PUBLISHED_SMART_TURN = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
VOICE = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "en-us"},
    "num_speakers": 1,
    "phoneme_id_map": {"_": [0], "^": [1], " ": [3], "ə": [59]},
}


def fields(data: bytes) -> list[tuple[int, bytes]]:
    """Read a protobuf message of length-delimited fields: number and content of each."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value, at

    found, at = [], 0
    while at < len(data):
        tag, at = varint(at)
        assert tag & 7 == 2, "length-delimited"
        length, at = varint(at)
        found.append((tag >> 3, data[at : at + length]))
        at += length
    return found


class TestTokenizer:
    @given(st.lists(st.binary(max_size=300)))
    def test_what_is_written_is_read_back(self, tokens: list[bytes]) -> None:
        assert read_tokenizer(write_tokenizer(tokens)) == tokens

    @given(st.lists(st.binary(max_size=300)), st.binary(min_size=1, max_size=300), st.data())
    def test_a_file_cut_inside_a_token_is_refused(
        self, before: list[bytes], last: bytes, data: st.DataObject
    ) -> None:
        whole = write_tokenizer([*before, last])
        begun = len(write_tokenizer(before)) + 1
        cut = data.draw(st.integers(begun, len(whole) - 1))
        with pytest.raises(ConversionFailed, match=r"tokenizer\.bin ends inside"):
            read_tokenizer(whole[:cut])

    def test_lengths_are_as_moonshine_writes_them(self) -> None:
        long = b"x" * 300
        assert read_tokenizer(b"\x00" + b"\x02hi" + bytes([300 % 128 + 128, 2]) + long) == [
            b"",
            b"hi",
            long,
        ]

    def test_tokens_become_lines_of_base64_and_number(self, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(write_tokenizer([b"", b"hi", b"\xff\n"]))
        CONVERSIONS["moonshine-tokens"]([tmp_path / "in"], tmp_path / "out")
        assert (tmp_path / "out").read_text() == " 0\naGk= 1\n/wo= 2\n"


class TestOnnxMetadata:
    @given(st.dictionaries(st.text(max_size=200), st.text(max_size=300)))
    def test_it_is_a_message_of_keys_and_values(self, properties: dict[str, str]) -> None:
        read = {}
        for number, entry in fields(onnx_metadata(properties)):
            assert number == 14, "ModelProto.metadata_props"
            (key, name), (value, text) = fields(entry)
            assert (key, value) == (1, 2)
            read[name.decode()] = text.decode()
        assert read == properties

    @pytest.mark.models
    def test_onnxruntime_reads_what_was_appended(self, tmp_path: Path) -> None:
        import onnxruntime  # noqa: PLC0415  only here

        from device.catalogue import Catalogue  # noqa: PLC0415
        from device.models import ModelStore  # noqa: PLC0415

        catalogue = Catalogue.load()
        store = ModelStore(None, catalogue)
        if store.state("silero") != "ready":
            pytest.skip("the model is not here; run: rapport models fetch silero")
        model = store.files("silero")["model"].read_bytes()
        (tmp_path / "m.onnx").write_bytes(model + onnx_metadata({"voice": "en-us", "é": ""}))
        session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
        held = session.get_modelmeta().custom_metadata_map
        assert held["voice"] == "en-us"
        assert held["é"] == ""


class TestOnnxOutputs:
    def test_it_is_a_graph_of_nothing_but_outputs(self) -> None:
        [(number, graph)] = fields(onnx_outputs(["hidden", "é"]))
        assert number == 7, "ModelProto.graph"
        outputs = fields(graph)
        assert [number for number, _ in outputs] == [12, 12], "GraphProto.output"
        names = [fields(output)[0] for _, output in outputs]
        assert names == [(1, b"hidden"), (1, "é".encode())], "ValueInfoProto.name"

    @pytest.mark.models
    def test_smart_turn_shows_its_layers_and_judges_exactly_as_before(
        self, model_files: ModelFiles, tmp_path: Path
    ) -> None:
        import onnxruntime  # noqa: PLC0415  only here

        converted = model_files(SMART_TURN)["model"]
        published = tmp_path / "published.onnx"
        published.write_bytes(converted.read_bytes().removesuffix(onnx_outputs(SMART_TURN_LAYERS)))
        assert hashlib.sha256(published.read_bytes()).hexdigest() == PUBLISHED_SMART_TURN
        before, after = map(onnxruntime.InferenceSession, (published, converted))
        assert [output.name for output in before.get_outputs()] == ["logits"]
        pictures = np.random.default_rng(5).normal(size=(3, 1, 80, 800)).astype(np.float32)
        for picture in pictures:
            [verdict] = before.run(None, {"input_features": picture})
            [same], *layers = after.run(None, {"input_features": picture})
            assert (same == verdict).all()
            assert [layer.shape for layer in layers] == [(1, 400, 384)] * 2

    @pytest.mark.models
    def test_the_engine_takes_the_layers_side_by_side_where_they_are_shown(
        self, model_files: ModelFiles, tmp_path: Path
    ) -> None:
        from device.hearing.smart_turn import SmartTurn  # noqa: PLC0415  only here

        converted = model_files(SMART_TURN)["model"]
        published = tmp_path / "published.onnx"
        published.write_bytes(converted.read_bytes().removesuffix(onnx_outputs(SMART_TURN_LAYERS)))
        sound = np.random.default_rng(5).integers(-9_000, 9_000, 40_000).astype(np.int16)
        before, after = (
            SmartTurn({"model": file}, Hearing()).listen(sound) for file in (published, converted)
        )
        assert before == Verdict(after.probability, None)
        embedding = after.embedding
        assert embedding is not None
        assert (embedding.network, embedding.picture.shape) == (SMART_TURN, (80, 800))
        assert embedding.layers.shape == (400, 768)


class TestPiper:
    def test_the_voice_gets_what_sherpa_asks_for_at_its_end(self, tmp_path: Path) -> None:
        (tmp_path / "v.onnx").write_bytes(b"a model")
        (tmp_path / "v.json").write_text(json.dumps(VOICE))
        CONVERSIONS["piper-model"]([tmp_path / "v.onnx", tmp_path / "v.json"], tmp_path / "out")
        made = (tmp_path / "out").read_bytes()
        assert made.startswith(b"a model")
        entries = [fields(entry) for _, entry in fields(made[len(b"a model") :])]
        assert {key.decode(): value.decode() for (_, key), (_, value) in entries} == {
            "model_type": "vits",
            "comment": "piper",
            "language": "English",
            "voice": "en-us",
            "has_espeak": "1",
            "n_speakers": "1",
            "sample_rate": "22050",
        }

    def test_its_sounds_become_lines(self, tmp_path: Path) -> None:
        (tmp_path / "v.json").write_text(json.dumps(VOICE))
        CONVERSIONS["piper-tokens"]([tmp_path / "v.json"], tmp_path / "out")
        assert (tmp_path / "out").read_text() == "_ 0\n^ 1\n  3\nə 59\n"

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"espeak": 3}', "\x00"])
    def test_another_file_in_its_place_is_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "v.json").write_text(text)
        with pytest.raises(ConversionFailed, match=r"v\.json is not the description of a Piper"):
            CONVERSIONS["piper-tokens"]([tmp_path / "v.json"], tmp_path / "out")


def test_a_line_is_a_symbol_and_its_number() -> None:
    assert tokens_text([("a", 1), ("é", 2)]) == "a 1\né 2\n".encode()
