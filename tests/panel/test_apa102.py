"""The bytes on the wire are those of the data sheet, and say the colours that were meant."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.panel.apa102 import Apa102, encoded
from device.settings import Panel
from device.types import Colour, RapportError

share = st.floats(0, 1)
frames = st.lists(st.tuples(share, share, share), min_size=1, max_size=64).map(tuple)


def shown(data: bytes, leds: int) -> list[Colour]:
    """The colours that a chain makes of the bytes."""
    colours = []
    for start in range(4, 4 + 4 * leds, 4):
        mark, blue, green, red = data[start : start + 4]
        assert mark >> 5 == 0b111
        level = (mark & 31) / 31 / 255
        colours.append((red * level, green * level, blue * level))
    return colours


def test_one_red_light_at_full_brightness() -> None:
    assert encoded(((1.0, 0.0, 0.0),)) == bytes.fromhex("00000000 ff0000ff 00000000 00")


@given(frames)
def test_a_frame_has_its_start_its_lights_and_enough_clocks_at_its_end(
    frame: tuple[Colour, ...],
) -> None:
    data = encoded(frame)
    assert data[:4] == bytes(4)
    end = data[4 + 4 * len(frame) :]
    assert not any(end)
    assert len(end) * 8 >= 32 + math.ceil(len(frame) / 2)


@given(frames)
def test_the_chain_shows_what_was_meant(frame: tuple[Colour, ...]) -> None:
    for meant, seen in zip(frame, shown(encoded(frame), len(frame)), strict=True):
        step = max(1 / 31, *meant) / 255  # fine where it is dim
        for a, b in zip(meant, seen, strict=True):
            assert abs(a - b) <= step


def test_without_its_library_it_says_what_to_install() -> None:
    try:
        import spidev  # noqa: F401, PLC0415
    except ImportError:
        with pytest.raises(RapportError, match="pip install spidev"):
            Apa102(Panel(light="apa102"))
    else:
        with pytest.raises(RapportError, match=r"/dev/spidev9\.9 cannot be opened"):
            Apa102(Panel(light="apa102", spi="9.9"))
