"""Which class stands behind the name of an engine.

Layer 1. A name is looked up only when it is chosen, so a library that is missing troubles nobody
who does not use it. ``"package.module:Class"`` names an engine of the owner's own.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from device.types import RapportError

ENGINES: dict[str, str] = {
    # voice activity
    "silero": "device.hearing.silero:Silero",
    # wake words
    "micro-wake-word": "device.hearing.micro_wake_word:MicroWakeWord",
    # end of turn
    "smart-turn": "device.hearing.smart_turn:SmartTurn",
    # recognition
    "moonshine": "device.hearing.moonshine:Moonshine",
    # prosody
    "prosody-head": "device.hearing.prosody_head:ProsodyHead",
    # language models
    "llama": "device.thinking.llama:Llama",
    # voices
    "sherpa": "device.speaking.sherpa:Sherpa",
    # the panel
    "gpio": "device.panel.gpio:GpioContacts",
    "led": "device.panel.gpio:GpioLed",
    "rgb": "device.panel.gpio:GpioRgb",
    "apa102": "device.panel.apa102:Apa102",
    "simulated-contacts": "device.panel.simulated:SimulatedContacts",
    "simulated-lights": "device.panel.simulated:SimulatedLights",
    # lines
    "soundcard": "device.audio.soundcard:SoundCard",
    "wav": "device.audio.wav:WavLine",
}


def engine(name: str) -> type[Any]:
    """Return the class of the engine called ``name``.

    Raises RapportError if there is none, or if the library it stands on is not installed.
    """
    target = ENGINES.get(name, name)
    module, _, attribute = target.partition(":")
    if not attribute:
        known = ", ".join(sorted(ENGINES))
        raise RapportError(
            f"engine {name!r} is not known; choose one of {known}, or 'module:Class'"
        )
    try:
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("device"):
            raise RapportError(f"engine {name!r}: there is no module {error.name}") from None
        raise RapportError(
            f"engine {name!r} needs the Python package {error.name!r}; "
            f"run provisioning/setup, or: pip install {error.name}"
        ) from None
    except AttributeError:
        raise RapportError(f"engine {name!r}: {module} has no class {attribute}") from None
