"""How a reply's words come about: the prompt is fitted, a tool is asked, the language model writes.

Layer 3, on the event loop. Serves the conversation; one for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from threading import Event as StopSignal
from uuid import uuid4

from device.config import Config
from device.conversation.history import History, fit
from device.conversation.turn import Turn
from device.mind import persona, tools
from device.ports import LanguageModel
from device.types import (
    Briefing,
    Expression,
    Message,
    RapportError,
    Tool,
    ToolCalled,
    ToolReturned,
)
from device.worker import Owned

log = logging.getLogger(__name__)

TIMED_OUT = "it did not answer in time"


class Composer:
    """Writes the replies of one conversation, and keeps what they are written from."""

    def __init__(
        self,
        model: Owned[LanguageModel],
        settings: Config,
        publish: Callable[[ToolCalled], None],
    ) -> None:
        self._model, self._settings, self._publish = model, settings, publish
        self._briefing = Briefing(settings.thinking.persona)
        self.history = History(persona.opening(self._briefing.persona))
        self._calls: dict[str, asyncio.Future[ToolReturned]] = {}

    async def room_for(self, text: str) -> int:
        """Return how many tokens a persona ``text`` leaves for the rest of a prompt."""
        opening, reserve = persona.opening(text), self._settings.thinking.max_tokens
        return await self._model.call(lambda m: m.context - reserve - m.count(opening))

    def brief(self, briefing: Briefing) -> None:
        """Write from another briefing from now on; what was said stays."""
        self._briefing = briefing
        self.history.brief(persona.opening(briefing.persona))

    def message(self, text: str, expression: Expression | None) -> Message:
        """Return what the user said as the language model is told it."""
        notes = (self._briefing.note, self._briefing.passing_note)
        return persona.user(text, expression, notes)

    def remember(self, text: str, expression: Expression | None, apart: bool) -> None:
        """Let what the user said be part of all that follows; ``apart``: not of what was before."""
        self.history.add_user(self.message(text, expression), apart)
        self._briefing = replace(self._briefing, passing_note="")

    def recall(self, past: Sequence[Message]) -> None:
        """Let messages of an earlier conversation go before those of this one."""
        for message in past:
            if message.role == "user":
                self.history.add_user(message)
            else:
                self.history.add_reply(message.content)

    async def answer(
        self, prompt: list[Message], text: str, turn: Turn
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of a reply to ``prompt``, after a tool was asked if ``text`` wants one.

        ``text`` is what was said just now; the prompt's last message may hold older words too.

        A tool is asked only once the turn is the answer: a prepared one may be thrown away.
        """
        tool = tools.fitting(self._briefing.tools, text)
        told = await self._ask(prompt, tool, turn) if tool is not None else ""
        if told and self._settings.thinking.tool_results == "spoken":
            yield told
            return
        if told:
            prompt = [*prompt[:-1], tools.informed(prompt[-1], told)]
        fitting = await self._fitted(prompt)
        temperature = self._settings.thinking.temperature
        replies = self._model.stream(lambda m, stop: m.reply(fitting, stop, temperature))
        async with aclosing(replies) as pieces:
            async for piece in pieces:
                yield piece

    def returned(self, result: ToolReturned) -> bool:
        """Take what a tool said; return whether anybody waits for it."""
        waiting = self._calls.get(result.call)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(result)
        return True

    async def _fitted(self, prompt: list[Message]) -> list[Message]:
        fixed, reserve = self.history.fixed, self._settings.thinking.max_tokens
        fitting, dropped = await self._model.call(
            lambda model: fit(prompt, fixed, model.count, model.context - reserve)
        )
        self.history.forget(dropped)
        return fitting

    async def _ask(self, prompt: list[Message], tool: Tool, turn: Turn) -> str:
        """Return what is to be told of a tool's result or failure, empty if nothing is."""
        try:
            arguments = await self._arguments(prompt, tool)
        except RapportError as error:
            log.warning("tool %s was not called: %s", tool.name, error)
            return tools.failed(tool, "it could not be called")
        await turn.permitted()
        call = f"call_{uuid4().hex}"
        if tool.builtin:
            self._publish(ToolCalled(call, tool, arguments, turn.number))
            return ""
        returned = await self._call(ToolCalled(call, tool, arguments, turn.number))
        if returned.failed and not returned.content:
            return tool.fallback or tools.failed(tool, "it gave an error")
        return tools.told(returned.content)

    async def _arguments(self, prompt: list[Message], tool: Tool) -> str:
        if not tools.parameters(tool):
            return "{}"
        question = await self._fitted([*prompt[:-1], tools.question(prompt[-1], tool)])

        def fill(model: LanguageModel, stop: StopSignal) -> Iterator[str]:
            yield model.fill(question, tool.schema, stop)

        # As a stream of one step, which a turn that is given up stops.
        async with aclosing(self._model.stream(fill)) as objects:
            return await anext(objects)

    async def _call(self, call: ToolCalled) -> ToolReturned:
        result = asyncio.get_running_loop().create_future()
        self._calls[call.call] = result
        self._publish(call)
        try:
            async with asyncio.timeout(self._settings.conversation.tool_timeout):
                returned: ToolReturned = await result
                return returned
        except TimeoutError:
            log.warning("tool %s: %s", call.tool.name, TIMED_OUT)
            told = call.tool.fallback or tools.failed(call.tool, TIMED_OUT)
            return ToolReturned(call.call, told, failed=True)
        finally:
            del self._calls[call.call]
