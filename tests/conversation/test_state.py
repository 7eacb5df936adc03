"""The transition table is complete enough to live by and holds nothing impossible."""

from __future__ import annotations

from device.conversation.state import TABLE, Act
from device.types import State, Stopped


def test_every_state_can_be_reached_and_left() -> None:
    for state in State:
        assert any(to is state and start is not state for (start, _), (to, _) in TABLE.items())
        assert any(start is state and to is not state for (start, _), (to, _) in TABLE.items())


def test_stop_ends_every_activity() -> None:
    for state in State:
        if state is not State.IDLE:
            assert TABLE[state, Stopped].act is Act.STOP


def test_every_act_is_used() -> None:
    assert {act for _, act in TABLE.values()} == set(Act)
