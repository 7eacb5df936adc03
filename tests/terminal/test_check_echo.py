"""What the doctor says of the echo canceller."""

from __future__ import annotations

import pytest

from device.settings import LineSettings
from device.terminal.check_echo import check_echo
from device.terminal.findings import Health


@pytest.mark.parametrize("echo", ["speex", "webrtc"])
def test_a_canceller_that_is_there_is_named(echo: str) -> None:
    [found] = check_echo(LineSettings.model_validate({"echo": echo}))
    assert (found.health, found.found) == (Health.OK, echo)


def test_without_one_a_headset_is_advised() -> None:
    [found] = check_echo(LineSettings(echo="off"))
    assert found.health is Health.OK and "headset" in found.found


def test_without_a_sound_card_there_is_nothing_to_cancel() -> None:
    assert not list(check_echo(LineSettings(enabled=False)))
