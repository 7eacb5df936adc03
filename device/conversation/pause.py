"""A conversation that is paused: it hears, and answers what was said last when it goes on.

Layer 3, on the event loop. Serves ``conversation``.
"""

from __future__ import annotations

from device.conversation.history import History
from device.types import Message


class Pause:
    """What was said during a pause and is still to be answered."""

    def __init__(self) -> None:
        self.on = False
        self.owing = False
        """Whether something is still being said that an answer has to wait for."""
        self._waiting: Message | None = None

    def keep(self, message: Message) -> None:
        """Remember what the user said meanwhile, apart from the history.

        What is spoken during the pause is no answer to it.
        """
        self._waiting = message

    def answered(self) -> None:
        """Something newer was answered."""
        self._waiting, self.owing = None, False

    def question(self, history: History) -> tuple[list[Message], str] | None:
        """Return the prompt for what was said last, and its words; None if nothing is waiting."""
        waiting = self._waiting
        if history.unanswered is not None:
            return history.messages, history.unanswered.content
        return (history.with_user(waiting), waiting.content) if waiting is not None else None
