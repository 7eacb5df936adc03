"""Checks of what the device stands on: packages, machine, sound card, model files.

Layer 6. Serves ``rapport doctor``. Each check yields its findings and raises nothing it expects.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from device.catalogue import choose
from device.config import Config
from device.engines import engine
from device.models import ModelStore
from device.settings import LineSettings
from device.terminal.bench_machine import HEALTHY_S, calibrate, describe
from device.terminal.findings import Finding, broken, ok, warning
from device.types import RapportError

OLDEST_PYTHON = (3, 11)
PACKAGES = (
    *("onnxruntime", "sherpa-onnx", "numpy", "soxr", "soundfile", "pydantic"),
    *("fastapi", "uvicorn", "websockets", "av", "cryptography"),
)
SETUP = "run: provisioning/setup"
NEEDED_MB = 700
"""Peak memory of the default preset."""
HOT_C = 80.0
"""A Raspberry Pi slows down at 80 to 85 degrees."""
SLOW = 2.0
"""Times the healthy duration of the calibration loop from which answers are noticeably late."""


def check_python() -> Iterator[Finding]:
    """Yield whether the interpreter and the libraries are there, with their versions."""
    text = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield broken("python", f"Python {text}", "install Python 3.11 or newer")
    else:
        yield ok("python", f"Python {text}, {sys.executable}")
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        yield broken("packages", f"not installed: {', '.join(missing)}", SETUP)
    else:
        yield ok("packages", ", ".join(f"{name} {there}" for name, there in found.items()))
    yield _llama()
    there = _version("PyAudio")
    if there:
        yield ok("sound library", f"PyAudio {there}")
    else:
        yield warning("sound library", "PyAudio is missing; only files can be talked to", SETUP)


def _llama() -> Finding:
    part, installed = "llama library", _version("llama-cpp-python")
    if installed:
        return ok(part, f"llama-cpp-python {installed}")
    return broken(part, "llama-cpp-python is not installed", SETUP)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_store(store: ModelStore) -> Iterator[Finding]:
    """Yield whether models can be kept where the configuration says."""
    part, existing = "model store", store.root
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free / 1e6
    found = f"{store.root}, {free:,.0f} MB free"
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        remedy = "what is there already can be used; to fetch more, set RAPPORT_MODELS"
        yield warning(part, f"{found}; cannot be written", remedy)
    elif free < NEEDED_MB:
        yield warning(part, found, "make room, or name another folder with RAPPORT_MODELS")
    else:
        yield ok(part, found)


def check_files(store: ModelStore, config: Config) -> Iterator[Finding]:
    """Yield for each model of the configuration whether its files are whole."""
    for task, name in choose(store.catalogue, config.models).items():
        model, part = store.catalogue.model(name), f"model {task.replace('_', ' ')}"
        sale = "" if model.commercial else ", NOT for commercial use"
        found = f"{name}, {model.bytes / 1e6:.0f} MB, {model.licence}{sale}"
        faults = list(store.faults(name))
        if faults:
            yield broken(part, str(faults[0]).partition("; run: ")[0], _fetching(name))
        elif sale:
            yield warning(part, found, "choose another before selling a device with it")
        else:
            yield ok(part, found)


def _fetching(name: str) -> str:
    return f"run: rapport models fetch {name}"


def check_sound(settings: LineSettings) -> Iterator[Finding]:
    """Yield which microphone and loudspeaker the configuration finds, and what else there is."""
    if not settings.enabled:
        yield ok("sound card", "switched off (line.enabled = false)")
        return
    try:
        engine("soundcard")  # tells of a missing library in a sentence
        present = import_module("device.audio.soundcard").devices()
    except RapportError as error:
        yield warning("sound card", str(error), "conversation from files works meanwhile")
        return
    wanted = {"microphone": ("input", settings.input), "loudspeaker": ("output", settings.output)}
    for part, (key, name) in wanted.items():
        able = [d.name for d in present if (d.inputs if key == "input" else d.outputs)]
        fitting = [one for one in able if name.casefold() in one.casefold()]
        if fitting:
            others = f"; there are: {', '.join(able)}" if len(able) > 1 else ""
            yield ok(part, (f"{fitting[0]}" if name else "the system's default") + others)
            continue
        found = f"none has {name!r} in its name" if name and able else "none is connected"
        remedy = "plug one in"
        if able and settings.fallback:
            found += f"; {_next_best(present, settings, key)} is used until it is there"
        if able:
            remedy += f", or set line.{key} to part of one of these names: {', '.join(able)}"
        yield warning(part, f"{found}; conversation from files works", remedy)


def _next_best(present: list[Any], settings: LineSettings, direction: str) -> str:
    choosing = import_module("device.audio.choosing")  # here, since the library may be missing
    ranked = choosing.ranked(present, choosing.wish(settings, direction))
    return str(ranked[0].name)


def check_machine() -> Iterator[Finding]:
    """Yield the processor and its speed at this moment, the free memory and the temperature."""
    machine = describe()
    took = calibrate()
    found = f"{machine.model}, {machine.cores} cores; calibration loop {took:.2f} s"
    found += f" ({took / HEALTHY_S:.1f} times the {HEALTHY_S} s of the reference)"
    if took > SLOW * HEALTHY_S:
        yield warning("processor", found, "expect late answers; see what else runs, or cool it")
    else:
        yield ok("processor", found)
    yield from _memory(machine.memory_mb)
    yield from _heat()


def _memory(total: float) -> Iterator[Finding]:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024 / 1e6
            found = f"{free:,.0f} of {total:,.0f} MB free"
            if free < NEEDED_MB:
                remedy = "end other programs, or choose a smaller preset with models.preset"
                yield warning("memory", f"{found}; {NEEDED_MB} are needed", remedy)
            else:
                yield ok("memory", found)


def _heat() -> Iterator[Finding]:
    sensors = Path("/sys/class/thermal").glob("thermal_zone*/temp")
    degrees = [int(text) / 1000 for one in sensors if (text := _read(one)).lstrip("-").isdigit()]
    throttled = _throttled()
    if not degrees and throttled is None:
        return  # a virtual machine; nothing can be told and nothing be done
    found = f"{max(degrees):.0f} °C" if degrees else "no sensor"
    if throttled:
        found += f", the firmware reports throttling ({throttled})"
    if throttled or (degrees and max(degrees) >= HOT_C):
        yield warning("temperature", found, "add a heat sink or fan, and a stronger power supply")
    else:
        yield ok("temperature", found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""  # a sensor that is switched off


def _throttled() -> str | None:
    """Return what a Raspberry Pi's firmware says of throttling; empty: none; None: it is no Pi."""
    tool = shutil.which("vcgencmd")
    if tool is None:
        return None
    said = subprocess.run([tool, "get_throttled"], capture_output=True, text=True, check=False)
    value = said.stdout.strip().partition("=")[2]
    return "" if value in ("", "0x0") else value
