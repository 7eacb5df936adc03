"""What is written to a line, on its way through one loudspeaker after the other."""

from __future__ import annotations

import numpy as np
import pytest

from device.audio.exchange import Exchange, Format
from device.audio.feed import Feed
from device.types import Pcm


class Loudspeaker:
    """An exchange whose loudspeaker asks for blocks when told."""

    def __init__(self, rate: int) -> None:
        form = Format(rate, rate // 50, 1)
        self.exchange = Exchange(form, form, False, lambda: None)
        self.said = np.empty(0, np.int16)

    def plays(self, blocks: int, feed: Feed) -> None:
        for _ in range(blocks):
            played, _ = self.exchange.render(None, 0, {}, 0)
            self.said = np.concatenate([self.said, np.frombuffer(played, np.int16)])
            feed.tend()


def tone(rate: int, seconds: float) -> Pcm:
    at = np.arange(round(rate * seconds)) / rate
    return (8000 * np.sin(2 * np.pi * 200 * at)).astype(np.int16)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_all_that_is_written_is_played_and_counted_whatever_the_rate(rate: int) -> None:
    feed, speaker = Feed(22_050), Loudspeaker(rate)
    feed.attach(speaker.exchange)
    whole = tone(22_050, 1.0)
    for at in range(0, len(whole), 700):
        assert feed.write(whole[at : at + 700]) == len(whole[at : at + 700])
        before = feed.played
        speaker.plays(1, feed)
        assert before <= feed.played <= len(whole)
    speaker.plays(60, feed)
    assert feed.played == len(whole)
    sounding = np.flatnonzero(speaker.said)
    assert (sounding[-1] - sounding[0]) / rate == pytest.approx(1.0, abs=0.03)


def test_what_one_loudspeaker_leaves_is_played_by_the_next() -> None:
    feed, first, second = Feed(16_000), Loudspeaker(16_000), Loudspeaker(48_000)
    feed.attach(first.exchange)
    feed.gain = 1.0
    assert feed.write(tone(16_000, 1.0)) == 16_000
    first.plays(20, feed)
    feed.detach()
    assert feed.played == 20 * 320
    assert feed.write(tone(16_000, 0.1)) == 0  # there is none
    feed.attach(second.exchange)
    second.plays(60, feed)
    assert feed.played == 16_000
    assert np.count_nonzero(second.said) / 48_000 == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_what_is_cleared_is_never_counted_as_played(rate: int) -> None:
    feed, speaker = Feed(16_000), Loudspeaker(rate)
    feed.attach(speaker.exchange)
    feed.write(tone(16_000, 1.0))
    speaker.plays(10, feed)
    feed.clear()
    speaker.plays(10, feed)
    played = feed.played
    assert played == pytest.approx(3_200, abs=2)
    feed.write(tone(16_000, 0.5))
    speaker.plays(60, feed)
    assert feed.played - played == pytest.approx(8_000, abs=1)


def test_more_than_fits_is_refused() -> None:
    feed, speaker = Feed(16_000), Loudspeaker(48_000)
    feed.attach(speaker.exchange)
    taken = feed.write(np.zeros(100_000, np.int16))
    assert 31_000 < taken <= 32_000
    assert feed.write(np.zeros(1_000, np.int16)) < 1_000
