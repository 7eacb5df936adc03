"""Imports run only downward through the layers, and each foreign library has its one place."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

DEVICE = Path(__file__).resolve().parent.parent / "device"

LAYERS: list[tuple[str, int]] = [
    # The first line that fits a module's path gives its layer.
    ("__init__.py", 0),
    ("types.py", 0),
    ("ports.py", 0),
    ("settings.py", 0),
    ("config.py", 0),
    ("worker.py", 1),
    ("hub.py", 1),
    ("supervisor.py", 1),
    ("engines.py", 1),
    ("virtual_time.py", 1),
    ("catalogue.py", 1),
    ("models.py", 1),
    ("fetch.py", 1),
    ("download.py", 1),
    ("packages.py", 1),
    ("convert.py", 1),
    ("store.py", 1),
    ("loading.py", 1),
    ("extra_models.py", 1),
    ("mute.py", 1),
    ("hearing/ears.py", 3),
    ("hearing/endpoint.py", 3),
    ("hearing/wake_phrase.py", 3),
    ("hearing/near_speech.py", 3),
    ("hearing/emotions.py", 3),
    ("hearing/expression_meter.py", 3),
    ("conversation/", 3),
    ("mind/", 3),
    ("audio/", 2),
    ("hearing/", 2),
    ("thinking/", 2),
    ("speaking/", 2),
    ("panel/gpio.py", 2),
    ("panel/apa102.py", 2),
    ("panel/simulated.py", 2),
    ("panel/", 4),
    ("evi/", 4),
    ("sound_watch.py", 4),
    ("app.py", 5),
    ("terminal/", 6),  # faces that drive the whole program, the composition root included
    ("__main__.py", 7),
]
PURE = (
    *("conversation/", "mind/", "hearing/ears.py", "hearing/endpoint.py", "hearing/emotions.py"),
    "hearing/wake_phrase.py",
    *("hearing/expression_meter.py", "panel/gestures.py", "panel/meaning.py"),
    *("panel/situation.py", "panel/patterns.py", "panel/lights.py"),
)
ONLY_IN = {
    "pywebrtc_audio": {"audio/echo.py"},
    "pyaudio": {"audio/listing.py", "audio/portaudio.py"},
    "sherpa_onnx": {"hearing/moonshine.py", "speaking/sherpa.py"},
    "pymicro_wakeword": {"hearing/micro_wake_word.py"},
    "llama_cpp": {"thinking/llama.py"},
    "soundfile": {"audio/rates.py", "evi/sounds.py"},
    "av": {"audio/demux.py", "audio/conversion.py"},
    "cryptography": {"evi/certificate.py"},
    "uvicorn": {"evi/server.py"},
    "RPi": {"panel/gpio.py"},
    "spidev": {"panel/apa102.py"},
}


def modules() -> list[str]:
    return sorted(str(path.relative_to(DEVICE)) for path in DEVICE.rglob("*.py"))


def layer(module: str) -> int:
    for prefix, number in LAYERS:
        if module == prefix or (prefix.endswith("/") and module.startswith(prefix)):
            return number
    raise AssertionError(f"device/{module} has no layer; give it a line in LAYERS")


def imports(module: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse((DEVICE / module).read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def own(name: str) -> str | None:
    """The path of a module of ours, or None for a foreign one or a name inside a module."""
    root, *parts = name.split(".")
    if root != "device" or not parts:
        return None
    path = Path(*parts)
    if (DEVICE / path.with_suffix(".py")).is_file():
        return str(path.with_suffix(".py"))
    return None


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_lies_below_it(module: str) -> None:
    for name in imports(module):
        imported = own(name)
        if imported is None or imported.split("/")[:-1] == module.split("/")[:-1]:
            continue
        assert layer(imported) <= layer(module), f"{module} imports {imported} from above"
        assert not (layer(module) == 3 and layer(imported) == 2), (
            f"{module} is the engine and imports the adapter {imported}"
        )


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith(PURE)])
def test_the_engine_knows_no_foreign_library(module: str) -> None:
    for name in imports(module):
        root = name.split(".")[0]
        assert root in {"device", "numpy", "__future__"} or root in sys.stdlib_module_names, (
            f"{module} imports {name}"
        )


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_foreign_library_is_imported_in_its_own_adapter_only(library: str) -> None:
    users = {m for m in modules() if library in {name.split(".")[0] for name in imports(m)}}
    assert users <= ONLY_IN[library] | {"terminal/doctor.py"}, users
    assert users, f"nothing imports {library} any more: delete it here and from setup.cfg"
