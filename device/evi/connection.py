"""How a chat begins and ends: its socket, what its client asked for, why it is over.

Layer 4, pure. Serves the chat and those who open one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from device.config import Config
from device.evi import faults
from device.evi.faults import Fault
from device.evi.messages import SessionSettings
from device.evi.settings import ChatSettings
from device.types import Message


class Socket(Protocol):
    """The client's end, as far as a chat needs it."""

    async def receive(self) -> str | bytes | None:
        """Return the next frame, None when the client has gone."""
        ...

    async def send(self, text: str) -> None:
        """Send a text frame; waits while the client does not read. A client gone is no error."""
        ...

    async def close(self, code: int) -> None:
        """Close the connection, within a bounded time."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client asked for when it connected, looked up and checked."""

    settings: ChatSettings
    config: Config
    verbose: bool = False
    allow_connection: bool = False
    group_id: str = field(default_factory=lambda: str(uuid4()))
    past: tuple[Message, ...] = ()
    asked: SessionSettings | None = None
    """The settings given with the connection, which are part of ``settings`` already."""
    chat_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True)
class End:
    """Why a chat is over."""

    status: str
    """EVI's: USER_ENDED, INACTIVITY_TIMEOUT, MAX_DURATION_TIMEOUT or ERROR."""
    fault: Fault | None = None
    farewell: str = ""
    """What is said before."""
    code: int = faults.NORMAL
