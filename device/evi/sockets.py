"""The WebSocket routes: a chat, whoever joins one beside its client, and commands by POST.

Layer 4, on Starlette's sockets. Serves the API server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Body, Path, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketState

from device.evi import faults, messages
from device.evi.access import Access, Refused, refusal
from device.evi.chat import MEGABYTE, Chat
from device.evi.chats import Chats
from device.evi.faults import Fault
from device.evi.messages import AudioInput, Command
from device.evi.outbox import Outbox
from device.evi.refusals import NotThere

CLOSING_S = 2.0
"""A client that does not read gets so long to be told that it is closed."""


class ClientSocket:
    """A Starlette WebSocket in the shape of ``chat.Socket``."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        """Return the next frame, None when the client has gone."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def send(self, text: str) -> None:
        """Send a text frame; waits while the client does not read. A client gone is no error."""
        if self._socket.client_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.send_text(text)

    async def close(self, code: int) -> None:
        """Close the connection, within a bounded time."""
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await self._socket.close(code)


def router(chats: Chats, access: Access, send_buffer_mb: float) -> APIRouter:
    """Return the routes of chats; each checks its caller by itself, before the upgrade."""
    routes = APIRouter()

    async def admitted(socket: WebSocket) -> bool:
        try:
            await access.admit(socket)
        except Refused as refused:
            await socket.send_denial_response(JSONResponse(refusal(refused), refused.status))
            return False
        return True

    @routes.websocket("/v0/evi/chat")
    async def chat(socket: WebSocket) -> None:
        """Hold a chat."""
        if not await admitted(socket):
            return
        await socket.accept()
        client = ClientSocket(socket)
        try:
            await chats.hold(client, socket.query_params.multi_items())
        except Fault as fault:
            await _refuse(client, fault)

    @routes.websocket("/v0/evi/chat/{chat_id}/connect")
    async def connect(socket: WebSocket, chat_id: str) -> None:
        """Join a chat beside its client: the same messages, but for audio input."""
        if not await admitted(socket):
            return
        await socket.accept()
        client, found = ClientSocket(socket), chats.find(chat_id)
        if found is None or not found.opening.allow_connection:
            await _refuse(client, faults.not_found("open chat", chat_id))
            return
        await _join(client, found, Outbox(round(send_buffer_mb * MEGABYTE)))

    return routes


def control_router(find: Callable[[str], Chat | None]) -> APIRouter:
    """Return the route that sends a command to a chat that is going on."""
    routes = APIRouter(tags=["chat"])

    @routes.post("/v0/evi/chat/{chat_id}/send", responses={404: {"description": "No such chat."}})
    async def send(
        chat_id: Annotated[str, Path(max_length=200)],
        message: Annotated[Command, Body(discriminator="type")],
    ) -> str:
        """Send a message into an open chat, as its client could: settings, text, pause, tools."""
        chat = find(chat_id)
        if chat is None:
            raise NotThere(f"There is no open chat {chat_id}.")
        try:
            await chat.take(message)
        except Fault as fault:
            detail = {"loc": ["body"], "msg": fault.message, "type": fault.slug}
            raise RequestValidationError([detail]) from None
        return ""

    return routes


async def _refuse(client: ClientSocket, fault: Fault) -> None:
    """Tell an accepted client why there is no chat, with a code that keeps it from trying again."""
    await client.send(json.dumps(messages.error(fault)))
    await client.close(faults.NORMAL)


async def _join(client: ClientSocket, chat: Chat, outbox: Outbox) -> None:
    leave = chat.watch(outbox)
    sending = asyncio.create_task(outbox.run(client.send))
    full = asyncio.create_task(outbox.full.wait())
    receiving = asyncio.create_task(_take_all(client, chat, outbox))
    over = asyncio.create_task(chat.over())
    tasks = {sending, full, receiving, over}
    try:
        await asyncio.wait(tasks - {sending}, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            await outbox.drained(CLOSING_S)
    finally:
        leave()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await client.close(faults.NORMAL)


async def _take_all(client: ClientSocket, chat: Chat, outbox: Outbox) -> None:
    while (frame := await client.receive()) is not None:
        try:
            if isinstance(frame, bytes):
                raise _NO_AUDIO
            message = messages.read(frame)
            if isinstance(message, AudioInput):
                raise _NO_AUDIO
            await chat.take(message)
        except Fault as fault:
            outbox.put(messages.error(fault))


_NO_AUDIO = Fault(
    "E0101", "invalid_message", "Audio can be sent on the chat's own connection only."
)
