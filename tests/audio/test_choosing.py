"""Which sound device is used, of those that a machine lists."""

from __future__ import annotations

import pytest

from device.audio.choosing import Wish, none_found, ranked
from device.audio.listing import Device

HDMI = Device("vc4-hdmi-0: MAI PCM i2s-hifi-0 (hw:0,0)", 0, 8, 44_100)
USB = Device("USB PnP Sound Device: Audio (hw:2,0)", 1, 2, 44_100)
ARRAY = Device("ReSpeaker 4 Mic Array: USB Audio (hw:3,0)", 6, 2, 16_000)
DEFAULT = Device("default", 128, 128, 48_000, default="input output")
NULL = Device("null", 128, 128, 48_000)
MONITOR = Device("Monitor of speaker", 2, 0, 48_000)
ALL = [NULL, HDMI, USB, MONITOR, ARRAY, DEFAULT]


def names(wanted: Wish, found: list[Device] = ALL) -> list[str]:
    return [device.name for device in ranked(found, wanted)]


def test_the_named_device_goes_first_then_the_one_before_then_the_default_then_any() -> None:
    order = names(Wish("input", "respeaker", before=USB.name))
    assert order == [ARRAY.name, USB.name, "default"]


def test_without_a_name_the_default_is_used_and_wanted_again() -> None:
    assert names(Wish("output", ""))[0] == "default"
    assert names(Wish("output", "", home="default", before=USB.name))[:2] == ["default", USB.name]


def test_a_device_is_the_same_wherever_it_was_plugged_in() -> None:
    elsewhere = Device("USB PnP Sound Device: Audio (hw:7,0)", 1, 2, 44_100)
    order = names(Wish("input", "", home=USB.name), [DEFAULT, elsewhere])
    assert order == [elsewhere.name, "default"]
    assert Wish("input", "", home=USB.name).met_by(elsewhere.name)


def test_what_is_no_hardware_is_used_only_where_there_is_nothing_else() -> None:
    assert names(Wish("input", "")) == ["default", USB.name, ARRAY.name]
    assert names(Wish("input", ""), [NULL, MONITOR]) == ["null", MONITOR.name]
    assert names(Wish("input", "monitor"))[0] == MONITOR.name  # unless it is asked for


def test_a_screen_is_the_last_of_the_loudspeakers() -> None:
    assert names(Wish("output", ""), [HDMI, USB])[0] == USB.name


def test_a_device_that_gives_no_sound_goes_last_and_one_that_is_stuck_not_at_all() -> None:
    wanted = Wish("input", "usb", avoided=frozenset({USB.name}), barred=frozenset({ARRAY.name}))
    assert names(wanted) == ["default", USB.name]


def test_without_fallback_only_the_named_device_will_do() -> None:
    wanted = Wish("input", "banjo", fallback=False)
    assert names(wanted) == []
    reason = str(none_found(ALL, wanted))
    assert reason.startswith("line.input = 'banjo': no microphone has this in its name")


@pytest.mark.parametrize("direction", ["input", "output"])
def test_a_machine_without_devices_is_told_what_to_do(direction: str) -> None:
    wanted = Wish(direction, "")  # type: ignore[arg-type]
    assert "sound devices here: none" in str(none_found([], wanted))
