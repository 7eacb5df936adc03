"""One chat: a conversation of the device's engine with a client at the other end of a socket.

Layer 4, on the event loop. What the client sends becomes sound and commands, the conversation's
events become messages; ``clock`` watches the time limits. Whatever goes wrong ends this chat only.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from device.conversation.conversation import Conversation
from device.evi import faults, messages
from device.evi.clock import Clock, greeting_of
from device.evi.connection import End, Opening, Socket
from device.evi.diary import Diary, now_ms
from device.evi.faults import Fault
from device.evi.host import Host
from device.evi.intake import Intake
from device.evi.line import ChatLine
from device.evi.messages import (
    AssistantInput,
    AudioInput,
    ClientMessage,
    Pause,
    Resume,
    Sent,
    SessionSettings,
    ToolError,
    ToolResponse,
    UserInput,
)
from device.evi.outbox import Outbox
from device.evi.records import Records
from device.evi.session import Session
from device.evi.translation import Translation
from device.hub import Subscription
from device.mind.tools import HANG_UP
from device.ports import LanguageModel
from device.supervisor import first_cause
from device.types import (
    Asked,
    Muted,
    Paused,
    RapportError,
    Replied,
    Say,
    SpeechStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
)
from device.worker import Owned

log = logging.getLogger(__name__)

EVENTS_BEHIND = 5_000
"""Events of the hub that may wait for translation; it takes microseconds each."""
LAST_WORDS_S = 2.0
"""A client has so long to read the last messages before the connection is closed."""
FAREWELL_S = 20.0
"""A farewell may take so long to be spoken."""
MEGABYTE = 1_000_000


class Chat:
    """A chat; ``hold`` it, and hand ``take`` what comes from beside its own socket."""

    def __init__(
        self,
        host: Host,
        records: Owned[Records],
        opening: Opening,
        language_model: Owned[LanguageModel] | None = None,
    ) -> None:
        self.opening = opening
        self._host, self._records = host, records
        self._line = ChatLine(f"chat {opening.chat_id}")
        self._intake = Intake(self._line)
        self._diary = Diary(records, opening.chat_id)
        self._outbox = Outbox(round(host.config.api.send_buffer_mb * MEGABYTE))
        self._watchers: list[Outbox] = []
        self._over: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._away = asyncio.Event()
        self._hanging_up = self._recording = False
        config = opening.config
        self._conversation: Conversation = host.conversation(
            self._line, opening.chat_id, config, language_model
        )
        self._session = Session(
            opening.settings, config, self._conversation, host, records, self._diary
        )
        self._translation = Translation(
            lambda: self._session.measuring, opening.verbose, lambda: self._line.audio_began
        )
        self._clock = Clock(config.api, opening.settings.chosen)

    async def hold(self, socket: Socket) -> None:
        """Talk with the client until either side ends the chat."""
        self._send(
            messages.chat_metadata(self.opening.chat_id, self.opening.group_id, str(uuid4()))
        )
        with self._host.hub.subscribe(EVENTS_BEHIND) as events:
            async with asyncio.TaskGroup() as tasks:
                parts = {
                    name: tasks.create_task(self._guarded(part), name=name)
                    for name, part in self._parts(socket, events).items()
                }
                end = await self._over
                with suppress(TimeoutError):
                    await self._say_farewell(end)
                # What is still being said ends here, and is noted as far as it was heard.
                self._conversation.handle(Stopped())
                events.close()
                await asyncio.wait([parts["translate"]])
                for part in parts.values():
                    part.cancel()
        self._line.close()
        self._intake.close()
        await self._put_away(end, socket)

    async def over(self) -> None:
        """Return when the chat has ended, all its messages being on their way."""
        await self._away.wait()

    def end(self, end: End) -> None:
        """End the chat soon; only the first reason counts."""
        if not self._over.done():
            self._over.set_result(end)

    async def take(self, message: ClientMessage) -> None:
        """Do what a message asks for; raises Fault if it cannot be done."""
        if message.custom_session_id is not None:
            self._session.name(message.custom_session_id)
        match message:
            case AudioInput():
                await self._hear(message.sound())
            case UserInput(text=text):
                self._conversation.handle(Asked(_worded(text, "user_input")))
            case AssistantInput(text=text):
                self._conversation.handle(Say(_worded(text, "assistant_input")))
            case ToolResponse(tool_call_id=call, content=content):
                self._diary.note("TOOL", "FUNCTION_CALL_RESPONSE", message.model_dump_json())
                self._conversation.handle(ToolReturned(call, content))
            case ToolError(tool_call_id=call, content=told):
                self._diary.note("TOOL", "FUNCTION_CALL_RESPONSE", message.model_dump_json())
                self._conversation.handle(ToolReturned(call, told or "", failed=True))
            case Pause():
                self._diary.note("SYSTEM", "PAUSE_ONSET")
                self._conversation.handle(Paused(True))
            case Resume():
                self._diary.note("SYSTEM", "RESUME_ONSET")
                self._conversation.handle(Paused(False))
            case SessionSettings():
                await self._session.change(message)

    def watch(self, outbox: Outbox) -> Callable[[], None]:
        """Send ``outbox`` everything the client is sent from now on; call the result to stop."""
        self._watchers.append(outbox)
        return lambda: self._watchers.remove(outbox)

    # The parts that run while it lasts; what any of them raises ends the chat.

    def _parts(self, socket: Socket, events: Subscription) -> dict[str, Awaitable[None]]:
        return {
            "conversation": self._converse(),
            "begin": self._begin(),
            "receive": self._receive(socket),
            "translate": self._translate(events),
            "send": self._outbox.run(socket.send),
            "hear": self._intake.run(),
            "diary": self._diary.run(),
            "clock": self._watch_clock(),
            "reader": self._watch_reader(),
        }

    async def _guarded(self, part: Awaitable[None]) -> None:
        try:
            await part
        except Fault as fault:
            log.info("chat %s: %s", self.opening.chat_id, fault)
            self.end(End("ERROR", fault))
        except RapportError as error:
            log.warning("chat %s: %s", self.opening.chat_id, error)
            self.end(End("ERROR", faults.unusable(str(error))))
        except Exception as error:
            first = first_cause(error)
            log.error("chat %s: %s", self.opening.chat_id, first, exc_info=error)
            self.end(End("ERROR", faults.internal(), code=faults.FAILED))

    async def _converse(self) -> None:
        async with self._line:
            await self._conversation.run()

    async def _begin(self) -> None:
        opening = self.opening
        self._diary.note("SYSTEM", "CHAT_START_MESSAGE")
        self._conversation.composer.recall(opening.past)
        await self._session.begin(opening.asked)
        if greeting := greeting_of(opening.settings.chosen):
            self._conversation.handle(Say(greeting))

    async def _receive(self, socket: Socket) -> None:
        await asyncio.sleep(0)  # the conversation comes into being
        while (frame := await socket.receive()) is not None:
            try:
                if isinstance(frame, bytes):
                    await self._hear(frame)
                else:
                    await self.take(messages.read(frame))
            except Fault as fault:
                if fault.final:
                    raise
                self._send(messages.error(fault))
        self.end(End("USER_ENDED"))

    async def _translate(self, events: Subscription) -> None:
        async for observed in events:
            if observed.session != self.opening.chat_id:
                continue
            event = observed.event
            if isinstance(event, SpeechStarted | Replied):
                self._clock.active()
            for message in self._translation.messages(event):
                self._note(message)
                self._send(message)
            match event:
                case ToolCalled(tool=tool) if tool.builtin and tool.name == HANG_UP:
                    self._hanging_up = True
                case Replied(reply):
                    self._note_reply(reply.text, reply.heard)
                    if self._hanging_up and not reply.interrupted:
                        self.end(End("USER_ENDED"))

    async def _watch_clock(self) -> None:
        while True:
            due = self._clock.due(resting=self._conversation.resting)
            if due.ends:
                self.end(End(due.ends, due.fault, due.says))
                return
            if due.says:
                self._conversation.handle(Say(due.says))
            await asyncio.sleep(due.again)

    async def _watch_reader(self) -> None:
        await self._outbox.full.wait()
        self._outbox.forget_audio()
        raise faults.slow_reader()

    # What they do

    async def _hear(self, data: bytes) -> None:
        if not self._recording:
            self._recording = True
            self._diary.note("USER", "USER_RECORDING_START_MESSAGE")
        await self._intake.take(data, self._session.settings.audio)

    def _send(self, message: Sent) -> None:
        name = self._session.settings.custom_session_id
        if name is not None:
            message = {**message, "custom_session_id": name}
        if message["type"] in ("user_interruption", "user_message"):
            self._outbox.forget_audio()
        for outbox in (self._outbox, *self._watchers):
            outbox.put(message)

    def _note(self, message: Sent) -> None:
        if message["type"] == "user_message":
            self._clock.active()
        self._diary.note_message(message)

    def _note_reply(self, said: str, heard: str) -> None:
        cut = json.dumps({"said": said}) if heard != said else None
        if heard:
            self._diary.note("AGENT", "AGENT_MESSAGE", heard, metadata=cut)

    async def _say_farewell(self, end: End) -> None:
        if end.farewell:
            self._conversation.handle(Muted(True))
            self._conversation.handle(Say(end.farewell))
            async with asyncio.timeout(FAREWELL_S):
                while not self._conversation.resting:
                    await asyncio.sleep(0.05)

    async def _put_away(self, end: End, socket: Socket) -> None:
        if end.fault is not None:
            self._send(messages.error(end.fault))
        self._away.set()
        sending = asyncio.create_task(self._outbox.run(socket.send))
        try:
            await self._outbox.drained(LAST_WORDS_S)
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        await socket.close(end.code)
        self._diary.note("SYSTEM", "CHAT_END_MESSAGE")
        await self._diary.finish()
        chat_id, status = self.opening.chat_id, end.status
        await self._records.call(lambda r: r.archive.end_chat(chat_id, status, now_ms()))


def _worded(text: str, field: str) -> str:
    if not text.strip():
        raise Fault("E0101", "invalid_message", f"{field}.text is empty; send some words.")
    return text
