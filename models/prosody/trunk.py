"""The short-window cut of the end-of-turn network, which hears expression while somebody speaks.

Serves ``train``. Smart Turn looks at 8 s; its first encoder layers carry the prosody, and they are
the cheap part. The cut keeps the convolutions and the first layers, and takes any window up to 8 s:
the frames get the last positions of the table, as the last frames of the whole network do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = {1: "add_146", 2: "add_268"}
"""The hidden state after each of the first encoder layers, by the name it has in the network."""
_POSITIONS = "inner.encoder.embed_positions.weight"
_FRAMES = "val_21"
"""The constant 400, of which the network's reshapes are made."""


def cut(network: Path, target: Path, depth: int) -> None:
    """Write the part of Smart Turn v3.2 up to encoder layer ``depth`` (1 or 2) to ``target``.

    It takes ``input_features`` (1, 80, 2 n) for n up to 400, and gives the hidden states of the
    layers, each (1, n, 384).
    """
    whole = onnx.load(network)
    outputs = [LAYERS[layer] for layer in range(1, depth + 1)]
    part = onnx.utils.Extractor(whole).extract_model(["input_features"], outputs)
    graph = part.graph
    permuted = next(node for node in graph.node if _POSITIONS in node.input).input[0]
    for constant in list(graph.initializer):
        if constant.name == _FRAMES:
            graph.initializer.remove(constant)
    place = next(at for at, node in enumerate(graph.node) if _POSITIONS in node.input)
    for made in reversed(_sliding(permuted)):
        graph.node.insert(place, made)
    adding = next(node for node in graph.node if _POSITIONS in node.input and node.op_type == "Add")
    adding.input[list(adding.input).index(_POSITIONS)] = "positions"
    for name, value in (("zero", 0), ("one", 1), ("two", 2), ("all", 1 << 30), ("minus", -1)):
        graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    _one_gelu(graph)
    _moved_up(graph)
    _described(graph, outputs)
    target.write_bytes(part.SerializeToString(deterministic=True))


def _sliding(permuted: str) -> list[onnx.NodeProto]:
    """Return nodes that count the frames and take as many positions from the end of the table."""
    return [
        helper.make_node("Shape", [permuted], ["shape"]),
        helper.make_node("Slice", ["shape", "one", "two", "zero"], [_FRAMES]),
        helper.make_node("Mul", [_FRAMES, "minus"], ["from_the_end"]),
        helper.make_node("Slice", [_POSITIONS, "from_the_end", "all", "zero"], ["positions"]),
    ]


def _one_gelu(graph: onnx.GraphProto) -> None:
    """Put one operation in place of each chain x * (0.5 * (erf(x / sqrt 2) + 1))."""
    makers = {name: node for node in graph.node for name in node.output}
    readers = {name: node for node in graph.node for name in node.input}
    for erf in [node for node in graph.node if node.op_type == "Erf"]:
        divided = makers[erf.input[0]]
        added = readers[erf.output[0]]
        halved = readers[added.output[0]]
        product = readers[halved.output[0]]
        chain = (divided, erf, added, halved, product)
        if [node.op_type for node in chain] != ["Div", "Erf", "Add", "Mul", "Mul"]:
            raise ValueError(f"{erf.name} is not part of a GELU as it was expected")
        gelu = helper.make_node(
            "Gelu", [divided.input[0]], list(product.output), domain="com.microsoft"
        )
        for node in chain:
            graph.node.remove(node)
        graph.node.append(gelu)


def _moved_up(graph: onnx.GraphProto) -> None:
    """Order the nodes so that each stands behind what it reads."""
    ready = {one.name for one in (*graph.initializer, *graph.input)} | {""}
    waiting, ordered = list(graph.node), []
    while waiting:
        able = [node for node in waiting if set(node.input) <= ready]
        ordered += able
        ready.update(name for node in able for name in node.output)
        waiting = [node for node in waiting if node not in able]
    del graph.node[:]
    graph.node.extend(ordered)


def _described(graph: onnx.GraphProto, outputs: list[str]) -> None:
    """Say that any window is taken, where the network's own description promises 8 s."""
    del graph.value_info[:]
    del graph.input[:]
    del graph.output[:]
    size: list[str | int | None] = ["batch", 80, "frames"]
    graph.input.append(helper.make_tensor_value_info("input_features", TensorProto.FLOAT, size))
    for name in outputs:
        size = ["batch", "half_frames", 384]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, size))
    used = {name for node in graph.node for name in node.input}
    for constant in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(constant)
