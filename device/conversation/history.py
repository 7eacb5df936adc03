"""What was said so far, as the messages that a language model continues.

Layer 3, pure. The assistant's part holds only what was heard; the persona never falls out; the
oldest turns do, several at once, so that the prompt's beginning stays the same for many turns and
the model need not read it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device.types import Message, RapportError

KEEP_SHARE = 0.6
"""When the prompt overflows, turns fall out until it fills this share of its room."""


UNASKED = "[has not said anything yet]"
"""What stands for the user where the assistant spoke first."""


LISTENING = "I am listening."
"""What stands for the assistant between two things that the user said while it was paused."""


class History:
    """The chat of one conversation, beginning with the fixed messages of the persona."""

    def __init__(self, fixed: Sequence[Message]) -> None:
        self._fixed = tuple(fixed)
        self._turns: list[Message] = []

    def brief(self, fixed: Sequence[Message]) -> None:
        """Begin with other fixed messages from now on."""
        self._fixed = tuple(fixed)

    def with_user(self, message: Message) -> list[Message]:
        """Return the prompt for answering ``message``, without adding it.

        Words that were never answered are joined to those that follow.
        """
        turns = self._turns
        if turns and turns[-1].role == "user":
            joined = Message("user", f"{turns[-1].content}\n{message.content}")
            return [*self._fixed, *turns[:-1], joined]
        return [*self._fixed, *turns, message]

    def add_user(self, message: Message, apart: bool = False) -> None:
        """Add what the user said; ``apart``: not joined to words that were never answered."""
        if apart and self.unanswered is not None:
            self._turns.append(Message("assistant", LISTENING))
        self._turns = self.with_user(message)[len(self._fixed) :]

    def add_reply(self, heard: str) -> None:
        """Add what the user heard of the reply, if anything was.

        What follows another reply is joined to it, and before what was said unasked stands that
        nobody asked: chat templates want the roles to alternate, the user first.
        """
        if not heard:
            return
        if not self._turns:
            self._turns.append(Message("user", UNASKED))
        last = self._turns[-1]
        if last.role == "assistant":
            self._turns[-1] = Message("assistant", f"{last.content} {heard}")
        else:
            self._turns.append(Message("assistant", heard))

    def take_back(self, heard: str) -> None:
        """Take the last words of the last reply back, which are about to be said again."""
        if heard and self._turns and self._turns[-1].content.endswith(heard):
            content = self._turns[-1].content.removesuffix(heard).rstrip()
            self._turns[-1:] = [Message("assistant", content)] if content else []

    def forget(self, messages: int) -> None:
        """Let the oldest messages fall out."""
        self._turns = self._turns[messages:]

    @property
    def unanswered(self) -> Message | None:
        """The user's last words, if they have had no answer."""
        return self._turns[-1] if self._turns and self._turns[-1].role == "user" else None

    @property
    def fixed(self) -> int:
        """How many messages never fall out."""
        return len(self._fixed)

    @property
    def messages(self) -> list[Message]:
        """Everything, as a prompt would begin."""
        return [*self._fixed, *self._turns]


def fit(
    prompt: Sequence[Message], fixed: int, count: Callable[[Sequence[Message]], int], room: int
) -> tuple[list[Message], int]:
    """Return ``prompt`` cut to ``room`` tokens, and how many messages after ``fixed`` fell out.

    The first ``fixed`` messages stay whole, the last one is shortened only when it does not fit by
    itself: its newest words stay. Raises RapportError if the fixed messages leave no room.
    """
    if count(prompt) <= room:
        return list(prompt), 0
    head, turns, last = list(prompt[:fixed]), list(prompt[fixed:-1]), prompt[-1]
    needed = count([*head, Message(last.role, "...")])
    if needed > room:
        raise RapportError(
            f"thinking.persona takes {needed} tokens with its frame, but only {room} are left for "
            "the prompt; shorten the persona, or raise thinking.context"
        )
    dropped = 0
    while turns and count([*head, *turns, last]) > room * KEEP_SHARE:
        # A user's and its answer fall out together, so that the roles keep alternating.
        pair = 2 if len(turns) > 1 else 1
        turns, dropped = turns[pair:], dropped + pair
    words = last.content.split()
    while count([*head, *turns, last]) > room:
        words = words[max(1, len(words) // 8) :]
        last = Message(last.role, "... " + " ".join(words))
    return [*head, *turns, last], dropped
