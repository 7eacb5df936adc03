"""Chats, their groups and their events as they are returned.

Layer 4, on pydantic. Serves the archive and its routes. Times are Unix milliseconds.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from device.evi.resources import Directed, Returned

Status: TypeAlias = Literal[
    "ACTIVE",
    "USER_ENDED",
    "USER_TIMEOUT",
    "MAX_DURATION_TIMEOUT",
    "INACTIVITY_TIMEOUT",
    "ERROR",
]
OWNER = "local"
"""The ``user_id`` of everything: a device has one owner."""


class ReturnConfigSpec(Returned):
    """Which config a chat ran with."""

    id: str
    version: int | None = None


class ChatAbout(Returned):
    """What is known of a chat."""

    id: str
    chat_group_id: str
    status: Status
    start_timestamp: int
    end_timestamp: int | None = None
    metadata: str | None = None
    """JSON text that the client gave."""
    config: ReturnConfigSpec | None = None


class ReturnChat(ChatAbout):
    """A chat."""

    event_count: int


class ReturnChatEvent(Returned):
    """Something that happened in a chat."""

    id: str
    chat_id: str
    timestamp: int
    role: Literal["USER", "AGENT", "SYSTEM", "TOOL"]
    type: Literal[
        "SYSTEM_PROMPT",
        "CHAT_START_MESSAGE",
        "USER_RECORDING_START_MESSAGE",
        "SESSION_SETTINGS",
        "USER_MESSAGE",
        "USER_INTERRUPTION",
        "AGENT_MESSAGE",
        "ASSISTANT_PROSODY",
        "FUNCTION_CALL",
        "FUNCTION_CALL_RESPONSE",
        "PAUSE_ONSET",
        "RESUME_ONSET",
        "CHAT_END_MESSAGE",
    ]
    message_text: str | None = None
    emotion_features: str = ""
    """JSON text with a score for each of the 48 expressions, or empty."""
    metadata: str | None = None
    """JSON text: of the user's words what was measured, of the device's what was not heard."""
    related_event_id: str | None = None


class GroupAbout(Returned):
    """What is known of chats that continue one another."""

    id: str
    first_start_timestamp: int
    most_recent_start_timestamp: int
    num_chats: int
    active: bool
    """Whether one of them is going on."""


class ReturnChatGroup(GroupAbout):
    """Chats that continue one another."""

    most_recent_chat_id: str
    most_recent_config: ReturnConfigSpec | None = None


class ReturnAudio(Returned):
    """The sound of a chat. This device keeps none, so there is never a file."""

    id: str
    user_id: str = OWNER
    status: Literal["CANCELLED"] = "CANCELLED"
    filename: str | None = None
    modified_at: int | None = None
    signed_audio_url: str | None = None
    signed_url_expiration_timestamp_millis: int | None = None


class PagedChats(Directed):
    """A page of chats."""

    chats_page: list[ReturnChat]


class PagedChatEvents(ChatAbout, Directed):
    """A chat and a page of its events."""

    events_page: list[ReturnChatEvent]


class PagedGroups(Directed):
    """A page of groups."""

    chat_groups_page: list[ReturnChatGroup]


class PagedGroupChats(GroupAbout, Directed):
    """A group and a page of its chats."""

    chats_page: list[ReturnChat]


class PagedGroupEvents(Directed):
    """A page of the events of all chats of a group."""

    id: str
    events_page: list[ReturnChatEvent]


class PagedAudio(Directed):
    """A page with the sound of every chat of a group."""

    id: str
    user_id: str = OWNER
    num_chats: int
    audio_reconstructions_page: list[ReturnAudio]


class Erased(Returned):
    """What was erased."""

    erased: int
    """How many chats."""
