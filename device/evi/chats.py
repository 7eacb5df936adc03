"""The chats that are going on: who may open one, and what it runs with.

Layer 4, on the event loop. Serves the sockets; ``take`` and ``watch`` of a chat serve those that
reach it from beside.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import suppress

from device.evi import faults
from device.evi.chat import Chat
from device.evi.connection import End, Opening, Socket
from device.evi.diary import now_ms
from device.evi.host import Host
from device.evi.limits import Places
from device.evi.messages import SessionSettings
from device.evi.records import Records
from device.evi.refusals import NotThere
from device.evi.resolved import ResolvedConfig
from device.evi.settings import ChatSettings, at_connection, configured
from device.ports import LanguageModel
from device.types import Message
from device.worker import Owned

log = logging.getLogger(__name__)

RESUMED_EVENTS = 300
LONGEST_NUMBER = 9
"""Digits of the numbers in a query."""

Query = Sequence[tuple[str, str]]


class Chats:
    """All chats of the device, by id."""

    def __init__(self, host: Host, records: Owned[Records]) -> None:
        self._host, self._records = host, records
        self._places = Places(host.config.api.connections)
        self._open: dict[str, Chat] = {}

    def find(self, chat_id: str) -> Chat | None:
        """Return a chat that is going on."""
        return self._open.get(chat_id)

    async def end_all(self, patience: float) -> None:
        """End every chat, and return when they have ended or ``patience`` seconds have passed."""
        for chat in self._open.values():
            chat.end(End("USER_ENDED"))
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._open:
                    await asyncio.sleep(0.02)

    async def hold(self, socket: Socket, query: Query) -> None:
        """Hold a chat with a client that connected with these parameters.

        Raises Fault if all places are taken or what it asks for is not there.
        """
        with self._places.taken():
            opening = await self._opening(query)
            chosen = opening.settings.chosen
            model = await self._language_model(chosen)
            chat = Chat(self._host, self._records, opening, model)
            about = json.dumps(opening.settings.metadata) if opening.settings.metadata else None
            await self._records.call(
                lambda r: r.archive.start_chat(
                    opening.chat_id,
                    opening.group_id,
                    now_ms(),
                    chosen.id if chosen else None,
                    chosen.version if chosen else None,
                    about,
                )
            )
            self._open[opening.chat_id] = chat
            try:
                await chat.hold(socket)
            finally:
                del self._open[opening.chat_id]

    async def _opening(self, query: Query) -> Opening:
        named = dict(query)
        chosen = await self._chosen(named.get("config_id", ""), named.get("config_version", ""))
        asked = at_connection(query)
        settings = ChatSettings(self._host.config.thinking.persona, chosen)
        if asked is not None:
            settings = settings.updated(asked)
        if named.get("voice_id"):
            settings = settings.updated(SessionSettings(voice_id=named["voice_id"]))
        resumed = named.get("resumed_chat_group_id", "")
        limit = _number(named.get("event_limit", ""))
        if limit is None and asked is not None:
            limit = asked.event_limit
        past = await self._past(resumed, RESUMED_EVENTS if limit is None else limit)
        more = {"group_id": resumed} if resumed else {}
        return Opening(
            settings,
            configured(self._host.config, chosen),
            verbose=_truth(named.get("verbose_transcription", "")),
            allow_connection=_truth(named.get("allow_connection", "")),
            past=past,
            asked=asked,
            **more,
        )

    async def _chosen(self, config_id: str, version: str) -> ResolvedConfig | None:
        if not config_id:
            return None
        number = _number(version)
        try:
            chosen = await self._records.call(lambda r: r.library.resolved(config_id, number))
        except NotThere:
            asked = f"{config_id} version {version}" if version else config_id
            raise faults.not_found("config", asked) from None
        return chosen

    async def _language_model(self, chosen: ResolvedConfig | None) -> Owned[LanguageModel] | None:
        """Return the language model of a config, None where it is the device's own."""
        if chosen is None or chosen.language_model is None:
            return None
        wanted = chosen.language_model.model_resource
        own, *others = self._host.language_model_names()
        if wanted in others:
            return await self._host.language_model(wanted)
        if wanted and wanted != own:
            log.warning(
                "config %s wants the language model %s, which is not on this device; it answers "
                "with its own, %s",
                chosen.id,
                wanted,
                own,
            )
        return None

    async def _past(self, group_id: str, limit: int) -> tuple[Message, ...]:
        if not group_id:
            return ()
        if not await self._records.call(lambda r: r.archive.group_exists(group_id)):
            raise faults.not_found("chat group", group_id)
        said = await self._records.call(lambda r: r.archive.history(group_id, limit))
        roles = {"USER": "user", "AGENT": "assistant"}
        return tuple(Message(roles[role], text) for role, text in said)


def _truth(value: str) -> bool:
    return value.lower() in ("true", "1")


def _number(value: str) -> int | None:
    return int(value) if value.isdecimal() and len(value) <= LONGEST_NUMBER else None
