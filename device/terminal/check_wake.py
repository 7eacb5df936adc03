"""Whether the wake phrase is fit to be one, and what listens for it.

Layer 6. Serves ``rapport doctor``.
"""

from __future__ import annotations

from collections.abc import Iterator

from device.config import Config
from device.engines import engine
from device.hearing.wake_phrase import weakness
from device.models import ModelStore
from device.terminal.findings import Finding, ok, warning
from device.types import RapportError

PART = "wake phrase"


def check_wake_phrase(store: ModelStore, config: Config) -> Iterator[Finding]:
    """Yield what there is to say of the wake phrase, where the device waits for one."""
    if config.conversation.mode != "wake":
        return
    phrase = config.conversation.wake_phrase
    fault = weakness(phrase)
    if fault is not None:
        found, _, remedy = fault.partition("; ")
        yield warning(PART, found, f"{remedy} (conversation.wake_phrase)")
    else:
        yield ok(PART, f"{phrase!r}, found in recognised words")
    yield from _acoustic(store, config)


def _acoustic(store: ModelStore, config: Config) -> Iterator[Finding]:
    model = store.catalogue.wake_word(config.conversation.wake_phrase)
    if model is None:
        return
    part = "acoustic wake word"
    if store.state(model.name) != "ready":
        remedy = f"run: rapport models fetch {model.name}"
        yield warning(part, f"{model.name} is not here; recognised words serve instead", remedy)
        return
    try:
        engine(model.engine)(store.files(model.name), config.hearing)
        yield ok(part, f"{model.name}: hears {model.phrase!r}")
    except RapportError as error:
        found, _, remedy = str(error).partition("; ")
        yield warning(part, f"{found}; recognised words serve instead", remedy)
