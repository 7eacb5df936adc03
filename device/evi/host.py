"""What the API needs of the device it is the face of.

Layer 4. ``app.App`` has this shape; the seam keeps the API from knowing the composition root.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from device.config import Config
from device.conversation.conversation import Conversation
from device.hub import Hub
from device.ports import LanguageModel, Line, Voice
from device.worker import Owned


class Host(Protocol):
    """The device, as far as the API goes."""

    config: Config
    hub: Hub

    def voice_names(self) -> Sequence[str]:
        """Return the models of the voices that are on this device, its own voice first."""
        ...

    async def voice(self, name: str = "") -> Owned[Voice]:
        """Return a voice by its model's name (empty: the device's own), loading it if need be.

        Raises RapportError if there is none of that name, or it cannot be loaded.
        """
        ...

    def language_model_names(self) -> Sequence[str]:
        """Return the language models that are on this device, its own first."""
        ...

    async def language_model(self, name: str = "") -> Owned[LanguageModel]:
        """Return a language model by its name (empty: the device's own), loading it if need be.

        Raises RapportError if there is none of that name, or it cannot be loaded.
        """
        ...

    def conversation(
        self,
        line: Line,
        session: str,
        settings: Config,
        language_model: Owned[LanguageModel] | None = None,
    ) -> Conversation:
        """Return a new conversation on an open line, with settings and a model of its own."""
        ...
