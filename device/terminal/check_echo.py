"""Check of the echo canceller: which one is chosen, and whether its library is there.

Layer 6. Serves ``rapport doctor``.
"""

from __future__ import annotations

from collections.abc import Iterator

from device.audio.echo_path import open_echo_path
from device.settings import LineSettings
from device.terminal.findings import Finding, broken, ok
from device.types import RapportError

PART = "echo canceller"


def check_echo(settings: LineSettings) -> Iterator[Finding]:
    """Yield whether the loudspeaker can be taken out of the microphone."""
    if not settings.enabled:
        return
    if settings.echo == "off":
        yield ok(PART, 'switched off (line.echo = "off"): right for a headset only')
        return
    try:
        open_echo_path(settings.echo)
    except RapportError as error:
        found, _, remedy = str(error).partition("; ")
        yield broken(PART, found, remedy)
    else:
        yield ok(PART, settings.echo)
