"""Turning files as they are published into files as an engine loads them.

Layer 1. Serves ``models`` while it fetches; pure functions of bytes, so that a conversion always
gives the same file and its sha256 can stand in the catalogue.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from device.types import RapportError

_METADATA_PROPS, _GRAPH, _OUTPUT = 14, 7, 12
"""Numbers of ``ModelProto.metadata_props`` and ``.graph``, and ``GraphProto.output`` (onnx.proto).
"""
_FLOAT_TENSOR = b"\x0a\x02\x08\x01"
"""TypeProto{tensor_type = 1: {elem_type = 1: FLOAT = 1}}; the shape may be left out."""
_DELIMITED = 2
"""Wire type of a length-delimited protobuf field."""

SMART_TURN = "smart-turn-v3.2"
"""The network whose layers the conversion ``smart-turn-layers`` shows, by its catalogue name."""
SMART_TURN_LAYERS = ("add_146", "add_268")
"""What it calls its hidden states after the first and the second layer of its encoder; each is
float32 of shape (1, 400, 384): a vector for every 20 ms of 8 s."""


class ConversionFailed(RapportError):
    """A published file is not what its conversion expects."""


def read_tokenizer(data: bytes) -> list[bytes]:
    """Return the tokens of a Moonshine ``tokenizer.bin``.

    The file is a run of tokens, each after its length: one byte below 128, or two, the first of
    which carries the low seven bits and a mark, the second the rest. A zero is the empty token.
    Raises ConversionFailed if the data ends inside a token.
    """
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        length, size = data[at], 1
        if length >= 128:
            if at + 1 == len(data):
                raise ConversionFailed("tokenizer.bin ends inside the length of a token")
            length, size = data[at + 1] * 128 + length - 128, 2
        at += size
        if at + length > len(data):
            raise ConversionFailed("tokenizer.bin ends inside a token")
        tokens.append(data[at : at + length])
        at += length
    return tokens


def write_tokenizer(tokens: Iterable[bytes]) -> bytes:
    """Return the ``tokenizer.bin`` of ``tokens``, each shorter than 32,768 bytes."""
    parts: list[bytes] = []
    for token in tokens:
        length = len(token)
        if length < 128:
            parts.append(bytes([length]))
        else:
            parts.append(bytes([length % 128 + 128, length // 128]))
        parts.append(token)
    return b"".join(parts)


def tokens_text(symbols: Iterable[tuple[str, int]]) -> bytes:
    """Return the ``tokens.txt`` that sherpa-onnx reads: a line ``symbol number`` for each."""
    return "".join(f"{symbol} {number}\n" for symbol, number in symbols).encode()


def onnx_metadata(properties: Mapping[str, str]) -> bytes:
    """Return ``properties`` encoded so that, appended to an ONNX file, they become its metadata.

    Protobuf allows the fields of a message in any order, so appending is all it takes; each
    property is a StringStringEntryProto, key = field 1, value = field 2.
    """
    fields = bytearray()
    for key, value in properties.items():
        entry = _field(1, key.encode()) + _field(2, value.encode())
        fields += _field(_METADATA_PROPS, entry)
    return bytes(fields)


def onnx_outputs(tensors: Iterable[str]) -> bytes:
    """Return bytes that, appended to an ONNX file, make outputs of these float tensors in it.

    A message that occurs twice in a field meant for one is merged, says protobuf, and lists in it
    are joined: a second graph with nothing but outputs adds those to the first. Each is a
    ValueInfoProto, name = field 1, type = field 2.
    """
    outputs = (_field(1, tensor.encode()) + _field(2, _FLOAT_TENSOR) for tensor in tensors)
    return _field(_GRAPH, b"".join(_field(_OUTPUT, output) for output in outputs))


def _field(number: int, content: bytes) -> bytes:
    return bytes(_varint(number << 3 | _DELIMITED)) + bytes(_varint(len(content))) + content


def _varint(value: int) -> Iterator[int]:
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value


def _moonshine_tokens(inputs: Sequence[Path], output: Path) -> None:
    tokens = read_tokenizer(inputs[0].read_bytes())
    numbered = ((base64.b64encode(token).decode(), at) for at, token in enumerate(tokens))
    output.write_bytes(tokens_text(numbered))


def _piper_model(inputs: Sequence[Path], output: Path) -> None:
    """Append what sherpa-onnx wants to know, from the voice's JSON, to the voice's ONNX file."""
    voice = _piper_settings(inputs[1])
    properties = {
        "model_type": "vits",
        "comment": "piper",
        "language": "English",
        "voice": str(voice["espeak"]["voice"]),
        "has_espeak": "1",
        "n_speakers": str(voice.get("num_speakers", 1)),
        "sample_rate": str(voice["audio"]["sample_rate"]),
    }
    shutil.copyfile(inputs[0], output)
    with output.open("ab") as file:
        file.write(onnx_metadata(properties))


def _smart_turn_layers(inputs: Sequence[Path], output: Path) -> None:
    """Have the network show what it makes of sound on the way to its verdict."""
    shutil.copyfile(inputs[0], output)
    with output.open("ab") as file:
        file.write(onnx_outputs(SMART_TURN_LAYERS))


def _piper_tokens(inputs: Sequence[Path], output: Path) -> None:
    numbers = _piper_settings(inputs[0])["phoneme_id_map"]
    output.write_bytes(tokens_text((symbol, ids[0]) for symbol, ids in numbers.items()))


def _piper_settings(path: Path) -> dict[str, dict[str, list[int]]]:
    try:
        settings = json.loads(path.read_bytes())
        settings["espeak"]["voice"], settings["audio"]["sample_rate"]
        if not all(ids for ids in settings["phoneme_id_map"].values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConversionFailed(f"{path.name} is not the description of a Piper voice") from None
    return settings  # type: ignore[no-any-return]


CONVERSIONS: dict[str, Callable[[Sequence[Path], Path], None]] = {
    "moonshine-tokens": _moonshine_tokens,
    "piper-model": _piper_model,
    "piper-tokens": _piper_tokens,
    "smart-turn-layers": _smart_turn_layers,
}
"""By name: a function of the published files and the file to write."""
