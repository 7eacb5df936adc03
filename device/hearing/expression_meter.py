"""When the expression of a voice is measured: now and then while it speaks, and at each pause.

Layer 3, on the event loop; the model runs on the thread that owns it. Serves the ears, one for each
line. The model's baseline follows what it measured last, so the order is everything: a pause calls
off the measurement under way, which the thread finishes before it takes the utterance's own, and
none comes between that and ``learn``, since nobody speaks between a pause and the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from device.ports import ProsodyModel
from device.types import Embedding, Expression, ExpressionHeard, Pcm
from device.worker import Owned

log = logging.getLogger(__name__)

EXPRESSION_WINDOW = 2.0
"""Seconds of speech that are measured while it goes on."""
LEAST_REST = 3.0
"""The model rests so many times as long as a measurement took, lest it be busy when the user stops
or another line wants it."""


class ExpressionMeter:
    """Measures one speaker, as often as is wanted and only while it may."""

    def __init__(self, prosody: Owned[ProsodyModel] | None, interval: float) -> None:
        """``prosody``: None if nothing may ever be measured; ``interval``: seconds, 0 for never."""
        self._prosody, self._interval = prosody, interval
        self._allowed = True
        self._due = 0.0
        self._interim: asyncio.Task[None] | None = None
        self._running = 0

    @property
    def on(self) -> bool:
        """Whether anything is measured."""
        return self._prosody is not None and self._allowed

    def allow(self, on: bool) -> None:
        """Measure from now on, or do not: then what is being measured is thrown away."""
        self._allowed = on
        if not on:
            self.pause()

    def begin(self, now: float) -> None:
        """Somebody begins to speak, or goes on; ``now`` is on the line's clock, as everywhere."""
        self._due = now + self._interval

    def due(self, now: float) -> bool:
        """Return whether what is being said is to be measured; never while something is."""
        busy = self._running or (self._interim is not None and not self._interim.done())
        return self.on and self._interval > 0 and now >= self._due and not busy

    def look(
        self,
        audio: Pcm,
        now: float,
        emit: Callable[[ExpressionHeard], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Measure speech that goes on; ``emit`` is told unless a pause comes first."""
        self._due = now + self._interval
        self._interim = tasks.create_task(self._look(audio, now, emit), name="interim expression")

    def pause(self) -> None:
        """Call off what is measured of speech that went on: it did not."""
        if self._interim is not None:
            self._interim.cancel()

    async def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        """Return the expression of ``audio``, None if there is none, or it fails or may not be."""
        return await self._ask(lambda model: model.measure(audio, embedding))

    async def _ask(self, use: Callable[[ProsodyModel], Expression | None]) -> Expression | None:
        """Return what the model says, None also if it fails: that is not worth the answer."""
        if self._prosody is None or not self._allowed:
            return None
        self._running += 1
        try:
            expression = await self._prosody.call(use)
        except Exception as error:
            log.warning("the expression could not be measured: %s", str(error) or repr(error))
            return None
        finally:
            self._running -= 1
        return expression if self.on else None

    def learn(self, expression: Expression | None, tasks: asyncio.TaskGroup) -> None:
        """Let the model follow an utterance that is over and was measured last."""
        if expression is not None and self.on:
            tasks.create_task(self._learn(), name="learn")

    async def _look(self, audio: Pcm, at: float, emit: Callable[[ExpressionHeard], None]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        expression = await self._ask(lambda model: model.preview(audio))
        took = loop.time() - begun
        self._due = max(self._due, at + took * (1 + LEAST_REST))
        if expression is not None:
            emit(ExpressionHeard(expression, at))

    async def _learn(self) -> None:
        assert self._prosody is not None
        try:
            await self._prosody.call(lambda model: model.learn())
        except Exception as error:
            log.warning("the speaker's usual voice was not learnt: %s", str(error) or repr(error))
