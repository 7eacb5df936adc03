"""How the small ONNX networks of the hearing room are loaded.

Layer 2, on onnxruntime. Serves ``silero``, ``smart_turn``, ``trunk`` and ``head``; each is run by
the thread of the worker that owns it.
"""

from __future__ import annotations

from pathlib import Path

import onnxruntime  # type: ignore[import-untyped]

from device.types import RapportError

Session = onnxruntime.InferenceSession


def load(path: Path, inputs: frozenset[str], threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session for the network in ``path``, which must take exactly ``inputs``.

    Idle threads sleep instead of spinning: a device that listens all day must stay cool. Raises
    RapportError if the file is no such network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # An arena keeps the most that a network ever needed; without, 44 MB less of 638 (2026-11-22).
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors only; optimiser warnings tell an owner nothing
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no base class of their own
        reason = str(error).splitlines()[0]
        raise RapportError(
            f"{path}: is not a network that onnxruntime can load ({reason}); "
            "run: rapport models fetch"
        ) from None
    found = {node.name for node in session.get_inputs()}
    if found != inputs:
        raise RapportError(
            f"{path}: takes {sorted(found)} where {sorted(inputs)} are expected; "
            "it is another model: name the right one in models/catalogue.toml"
        )
    return session
