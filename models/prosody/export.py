"""A learnt head as an ONNX file that says what it is.

Serves ``train``. Three products and a softmax: the same numbers as ``learning.Head``, with the
speaker's usual vector mixed in by how well he or she is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.prosody.learning import Head, Rows

OPSET = 18


def export(head: Head, speech: tuple[Rows, float], facts: Mapping[str, str], target: Path) -> None:
    """Write ``head`` to ``target``; ``speech``: weights and bias on the vector itself.

    ``facts`` are kept in the file: name, version, licence, network and whatever else.
    """
    count, size = len(head.categories), len(head.centre)
    slope = head.weights / head.scale[:, None]
    bias = head.bias - head.mean @ slope
    slope, bias = slope.copy(), bias.copy()
    slope[:, :count] /= head.temperature
    bias[:count] /= head.temperature
    slope[:, count] *= head.stretch[0]
    bias[count] = bias[count] * head.stretch[0] + head.stretch[1]
    constants = {
        "centre": head.centre[None],
        "weights": slope,
        "bias": bias,
        "speech_weights": speech[0][:, None],
        "speech_bias": np.array([speech[1]]),
        "one": np.array(1.0),
        "zero": np.array(0.0),
        "minus_one": np.array(-1.0),
    }
    sizes = numpy_helper.from_array(np.array([count, 3], np.int64), "sizes")
    graph = helper.make_graph(
        _nodes(),
        facts["name"],
        [
            helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, size]),
            helper.make_tensor_value_info("usual", TensorProto.FLOAT, [1, size]),
            helper.make_tensor_value_info("known", TensorProto.FLOAT, [1, 1]),
        ],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, count]),
            helper.make_tensor_value_info("dimensions", TensorProto.FLOAT, [1, 3]),
            helper.make_tensor_value_info("speech", TensorProto.FLOAT, [1, 1]),
        ],
        [_constant(value, name) for name, value in constants.items()] + [sizes],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
        producer_name="models/prosody",
    )
    helper.set_model_props(model, {**facts, "categories": " ".join(head.categories)})
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))


def _nodes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Sub", ["one", "known"], ["unknown"]),
        helper.make_node("Mul", ["usual", "known"], ["own"]),
        helper.make_node("Mul", ["centre", "unknown"], ["others"]),
        helper.make_node("Add", ["own", "others"], ["base"]),
        helper.make_node("Sub", ["vector", "base"], ["centred"]),
        helper.make_node("Gemm", ["centred", "weights", "bias"], ["scores"]),
        helper.make_node("Split", ["scores", "sizes"], ["logits", "places"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Clip", ["places", "minus_one", "one"], ["dimensions"]),
        helper.make_node("Gemm", ["vector", "speech_weights", "speech_bias"], ["likeness"]),
        helper.make_node("Clip", ["likeness", "zero", "one"], ["speech"]),
    ]


def _constant(value: npt.NDArray[np.float64], name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, np.float32), name)
