"""The callback's side of a sound card, called as PortAudio calls it."""

from __future__ import annotations

import numpy as np

from device.audio.chunker import Chunker
from device.audio.exchange import GO_ON, HEAR_BEHIND_S, Exchange, Format, read_frames

MONO = Format(rate=16_000, block=320, channels=1)
STEREO = Format(rate=16_000, block=320, channels=2)


def ignore() -> None:
    pass


def silence(form: Format) -> bytes:
    return bytes(2 * form.block * form.channels)


def test_a_card_that_knows_only_stereo_is_mixed_and_spoken_to_on_both_sides() -> None:
    exchange = Exchange(STEREO, STEREO, True, ignore)
    exchange.speaker.write(np.arange(320, dtype=np.int16))
    data = np.tile(np.array([30_000, 20_000], np.int16), 320).tobytes()
    played, verdict = exchange.duplex(data, 320, {}, 0)
    assert verdict == GO_ON
    both = np.frombuffer(played, np.int16).reshape(-1, 2)
    assert both[:, 0].tolist() == both[:, 1].tolist() == list(range(320))
    frames = read_frames(exchange.microphone, 2)
    assert (frames[:, 0] == 25_000).all()
    assert frames[:, 1].tolist() == list(range(320))


def test_of_an_array_of_microphones_the_first_is_heard() -> None:
    form = Format(rate=16_000, block=320, channels=6)
    exchange = Exchange(form, MONO, False, ignore)
    data = np.tile(np.arange(1, 7, dtype=np.int16) * 100, 320).tobytes()
    exchange.capture(data, 320, {}, 0)
    frames = read_frames(exchange.microphone, 1)
    assert (frames[:, 0] == 100).all()


def test_with_nothing_to_play_silence_is_played() -> None:
    exchange = Exchange(MONO, MONO, True, ignore)
    exchange.speaker.write(np.ones(100, np.int16))
    played, _ = exchange.duplex(silence(MONO), 320, {}, 0)
    assert np.frombuffer(played, np.int16).tolist() == [1] * 100 + [0] * 220
    assert exchange.speaker.taken == 100


def test_one_wake_up_is_under_way_at_a_time() -> None:
    woken: list[int] = []
    exchange = Exchange(MONO, MONO, True, lambda: woken.append(1))
    for _ in range(3):
        exchange.duplex(silence(MONO), 320, {}, 0)
    assert len(woken) == 1
    exchange.waking = False
    exchange.duplex(silence(MONO), 320, {}, 0)
    assert len(woken) == 2


def test_xruns_are_counted() -> None:
    exchange = Exchange(MONO, MONO, True, ignore)
    for status in (0, 0x1, 0x2, 0x4, 0x8 | 0x4, 0x10):
        exchange.duplex(silence(MONO), 320, {}, status)
    assert (exchange.overflows, exchange.underflows) == (2, 3)


def test_a_loop_that_is_too_late_loses_whole_blocks_and_the_sample_clock_knows() -> None:
    exchange = Exchange(MONO, MONO, True, ignore)
    fits = HEAR_BEHIND_S * 50
    for number in range(fits + 7):
        exchange.duplex(np.full(320, number, np.int16).tobytes(), 320, {}, 0)
    assert exchange.lost == 7 * 320
    chunker = Chunker(exchange)
    chunker.take()
    exchange.duplex(np.full(320, 999, np.int16).tobytes(), 320, {}, 0)
    chunker.take()
    chunks = list(chunker.ready)
    assert [int(chunk.pcm[0]) for chunk in chunks] == [*range(fits), 999]
    assert chunks[-2].start == (fits - 1) * 320
    assert chunks[-1].start == (fits + 7) * 320
