"""The far end of two cards with two clocks, their callbacks called as PortAudio calls them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from device.audio import exchange as meeting
from device.audio.chunker import Chunker
from device.audio.exchange import Exchange, Format
from device.types import Pcm


class TwoCards:
    """A microphone that hears the loudspeaker, each by its own crystal, in made-up time."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, ppm: float, rate: int = 16_000, late: float = 0.0
    ) -> None:
        self.time = 0.0
        monkeypatch.setattr(meeting, "monotonic", lambda: self.time)
        ear, mouth = Format(16_000, 320, 1), Format(rate, rate // 50, 1)
        self.exchange = Exchange(ear, mouth, False, lambda: None)
        self.chunker = Chunker(self.exchange, follow=True)
        self.ppm, self.late, self.random = ppm, late, np.random.default_rng(7)

    def run(self, seconds: float, plays: Callable[[int], Pcm]) -> tuple[Pcm, Pcm]:
        """Let both cards run; return when each far sample was handed over, and what was paired.

        ``plays`` gives block number n of the loudspeaker.
        """
        blocks = round(seconds * 50)
        due = [(n * 0.02 * (1 - self.ppm * 1e-6), 0, n) for n in range(blocks)]
        due += [(0.0071 + n * 0.02, 1, n) for n in range(blocks)]
        jitter = self.random.exponential(self.late, len(due)) if self.late else np.zeros(len(due))
        last = [0.0, 0.0]
        events = []
        for (time, which, number), delay in zip(due, jitter, strict=True):
            last[which] = max(last[which], time + float(delay))
            events.append((last[which], which, number))
        chunks = []
        for time, which, number in sorted(events):
            self.time = time
            if which == 0:
                self.exchange.speaker.write(plays(number))
                self.exchange.render(None, 0, {}, 0)
            else:
                self.exchange.capture(bytes(640), 320, {}, 0)
            self.chunker.take()
            while self.chunker.ready:
                chunks.append(self.chunker.ready.popleft())
        fars = [chunk.far for chunk in chunks if chunk.far is not None]
        assert len(fars) == len(chunks)
        return np.array([chunk.start for chunk in chunks]), np.concatenate(fars)


def tone(rate: int, hertz: float) -> Callable[[int], Pcm]:
    def block(number: int) -> Pcm:
        at = np.arange(number * (rate // 50), (number + 1) * (rate // 50))
        return (8000 * np.sin(2 * np.pi * hertz * at / rate)).astype(np.int16)

    return block


def phase_ms(far: Pcm, hertz: float) -> np.ndarray:
    """How late the tone is in each 0.1 s, in milliseconds from where it began."""
    size = 1600
    at = np.arange(len(far)) / 16_000
    turned = far * np.exp(-2j * np.pi * hertz * at)
    whole = turned[: len(far) // size * size].reshape(-1, size).sum(axis=1)
    return -np.unwrap(np.angle(whole)) / (2 * np.pi * hertz) * 1000


@pytest.mark.parametrize(
    ("ppm", "rate"), [(0, 16_000), (100, 16_000), (-100, 48_000), (60, 44_100)]
)
@pytest.mark.parametrize("late", [0.0, 0.004])
def test_the_far_end_stays_with_the_clock_of_the_microphone(
    monkeypatch: pytest.MonkeyPatch, ppm: float, rate: int, late: float
) -> None:
    cards = TwoCards(monkeypatch, ppm, rate, late)
    starts, far = cards.run(240, tone(rate, 50.0))
    assert (np.diff(starts) == 320).all()
    # The loudspeaker plays faster by so much: in the microphone's time the tone is higher, so
    # that a phase against that higher tone stands still where the clocks are followed.
    wander = phase_ms(far, 50.0 * (1 + ppm * 1e-6))[50:]
    print(ppm, rate, late, "wander", wander.min(), wander.max(), "end", np.ptp(wander[-600:]))
    assert np.ptp(wander) < 6
    assert np.ptp(wander[-600:]) < 2


def test_a_tone_goes_through_without_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = TwoCards(monkeypatch, 80)
    _, far = cards.run(60, tone(16_000, 300.0))
    steady = far[16_000:].astype(float)
    limit = 8000 * 2 * np.pi * 300 / 16_000
    assert np.abs(np.diff(steady)).max() < 1.01 * limit
    assert np.abs(np.diff(steady, 2)).max() < 1.2 * limit * 2 * np.pi * 300 / 16_000
