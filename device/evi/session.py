"""The settings of one chat in effect: taken from its client, and brought to its conversation.

Layer 4, on the event loop. Serves the chat.
"""

from __future__ import annotations

import json
from dataclasses import replace

from device.config import Config
from device.conversation.conversation import Conversation
from device.evi import faults
from device.evi.diary import Diary
from device.evi.faults import Fault
from device.evi.host import Host
from device.evi.messages import SessionSettings
from device.evi.records import Records
from device.evi.settings import ChatSettings
from device.settings import Speaking
from device.types import Briefed, Briefing, RapportError
from device.worker import Owned


class Session:
    """What a chat runs with at this moment."""

    def __init__(
        self,
        settings: ChatSettings,
        config: Config,
        conversation: Conversation,
        host: Host,
        records: Owned[Records],
        diary: Diary,
    ) -> None:
        self.settings = settings
        self._config, self._conversation = config, conversation
        self._host, self._records, self._diary = host, records, diary
        self._briefing: Briefing | None = None
        self._allow(settings.expression_measurement)

    @property
    def measuring(self) -> bool:
        """Whether how the user sounds is measured: if device, config and session all allow it."""
        return self._allowed and self._config.hearing.expression

    async def begin(self, asked: SessionSettings | None) -> None:
        """Bring the settings that the chat begins with to the conversation.

        ``asked`` are those among them that came with the connection. Raises RapportError if the
        device cannot do what they ask for.
        """
        settings = self.settings
        await self._brief(settings)
        if asked is not None:
            self._note(asked)
        if settings.voice_id is not None or (settings.chosen and settings.chosen.voice):
            await self._change_voice(settings)
        self._keep(settings)

    async def change(self, update: SessionSettings) -> None:
        """Change what ``update`` asks for, all of it, or nothing if a part cannot be had.

        Raises Fault then. Whether expression may be measured is no matter of what can be had: that
        holds at once, before anything is waited for, whatever becomes of the rest.
        """
        if "expression_measurement" in update.model_fields_set:
            self._allow(update.expression_measurement)
        changed = self.settings.updated(update)
        try:
            await self._brief(changed)
            if "voice_id" in update.model_fields_set:
                await self._change_voice(changed)
        except RapportError as error:
            raise error if isinstance(error, Fault) else faults.unusable(str(error)) from None
        self._keep(changed)
        self._note(update)

    def name(self, session_id: str) -> None:
        """Take the client's own name of the session, which every message carries back."""
        self.settings = replace(self.settings, custom_session_id=session_id)

    def _allow(self, measurement: bool | None) -> None:
        self._allowed = measurement is not False
        self._conversation.measure_expression(self.measuring)

    def _keep(self, settings: ChatSettings) -> None:
        # What is for the next message only must not come back with the next settings.
        passing = settings.context is not None and settings.context.type != "persistent"
        self.settings = replace(settings, context=None) if passing else settings

    async def _brief(self, settings: ChatSettings) -> None:
        """Tell the language model its prompt, tools and context; raises Fault if it is too long."""
        briefing = settings.briefing()
        if briefing == self._briefing:
            return  # counting waits for the model, and with it the sound of this client
        room = await self._conversation.composer.room_for(
            f"{briefing.persona} {briefing.note} {briefing.passing_note}"
        )
        if room <= 0:
            raise faults.prompt_too_long(-room)
        self._conversation.handle(Briefed(briefing))
        self._briefing = replace(briefing, passing_note="")

    async def _change_voice(self, settings: ChatSettings) -> None:
        model, speaking = await self._voice(settings)
        self._conversation.speak_with(await self._host.voice(model), speaking)

    async def _voice(self, settings: ChatSettings) -> tuple[str, Speaking]:
        """Return the model of the voice in effect, empty for the device's own, and its manner."""
        names = self._host.voice_names()
        posted = settings.chosen.voice if settings.chosen else None
        wanted: tuple[str | None, str | None, str | None]
        if settings.voice_id is not None:
            wanted = (settings.voice_id, None, None)
        elif posted is not None:
            wanted = (posted.id, posted.name, posted.provider)
        else:
            return "", self._config.speaking
        choice = await self._records.call(lambda r: r.voices.find(names, *wanted))
        return choice.model, choice.over(self._config.speaking)

    def _note(self, update: SessionSettings) -> None:
        told = {"type": "session_settings", **update.model_dump(exclude_unset=True)}
        # A key to somebody's account is nothing for a diary.
        told.pop("language_model_api_key", None)
        self._diary.note("SYSTEM", "SESSION_SETTINGS", json.dumps(told))
