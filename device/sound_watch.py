"""Watches the local sound card: tells the hub how it is, and the user when it no longer hears.

Layer 4, on the event loop. Serves the composition root; one for each conversation on a sound card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, runtime_checkable

from device.types import AudioHealth, Say, ServiceFailed, ServiceReady

SERVICE = "local line"
EVERY_S = 10.0
"""Counts that grow are told no more often; a loss or recovery is told at once."""
CANNOT_HEAR = "I cannot hear you. The microphone is gone. Please plug it in again."
HEAR_AGAIN = "I can hear you again."

News = AudioHealth | ServiceFailed | ServiceReady


@runtime_checkable
class Watched(Protocol):
    """What is watched of a sound card."""

    @property
    def hears(self) -> bool:
        """Whether the microphone works."""
        ...

    @property
    def speaks(self) -> bool:
        """Whether the loudspeaker works."""
        ...

    @property
    def seeking(self) -> bool:
        """Whether what is lost may be replaced any moment."""
        ...

    @property
    def fault(self) -> str:
        """Why something is lost, in a sentence."""
        ...

    @property
    def health(self) -> AudioHealth:
        """What was lost so far, and what is in use."""
        ...

    async def changed(self) -> None:
        """Return when something was lost or works again."""
        ...

    def return_when(self, quiet: Callable[[], bool]) -> None:
        """Leave a makeshift for the device that is wanted only while ``quiet()``."""
        ...


class SoundWatch:
    """Tells of one sound card."""

    def __init__(
        self, card: Watched, publish: Callable[[News], None], say: Callable[[Say], object]
    ) -> None:
        """``publish`` takes what is told to observers, ``say`` what is told to the user."""
        self._card, self._publish, self._say = card, publish, say
        self._health: AudioHealth | None = None
        self._works = True
        self._deaf = self._said = False

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._card.changed()

    def _look(self) -> None:
        health, works = self._card.health, self._card.hears and self._card.speaks
        if health != self._health:
            self._health = health
            self._publish(health)
        if works != self._works:
            self._works = works
            failed = ServiceFailed(SERVICE, self._card.fault, EVERY_S)
            self._publish(ServiceReady(SERVICE) if works else failed)
        self._tell_user()

    def _tell_user(self) -> None:
        """Say that nothing is heard, once for each loss, and when it is over.

        Not for the second or two until another microphone takes over; and only to a loudspeaker.
        """
        card = self._card
        if not card.hears:
            self._deaf = self._deaf or not card.seeking
            if self._deaf and not self._said and card.speaks:
                self._said = True
                self._say(Say(CANNOT_HEAR, aside=True))
        elif self._deaf and card.speaks:
            self._deaf = self._said = False
            self._say(Say(HEAR_AGAIN, aside=True))
