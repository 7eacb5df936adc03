"""When a sound card counts as lost."""

from __future__ import annotations

from device.audio.exchange import Exchange, Format
from device.audio.pulse import LOOK_S, MISSED, UNPROVEN, Pulse

MONO = Format(rate=16_000, block=320, channels=1)


def moving() -> tuple[Exchange, Pulse]:
    exchange = Exchange(MONO, MONO, False, lambda: None)
    pulse = Pulse(exchange, ("input", "output"))
    for _ in range(2):
        hear(exchange)
        play(exchange)
        pulse.look()
    return exchange, pulse


def hear(exchange: Exchange) -> None:
    exchange.capture(bytes(640), 320, {}, 0)


def play(exchange: Exchange) -> None:
    exchange.render(None, 0, {}, 0)


def test_a_direction_is_lost_after_three_looks_which_is_within_a_second() -> None:
    exchange, pulse = moving()
    for look in range(MISSED):
        assert not pulse.dead, look
        play(exchange)
        pulse.look()
    assert pulse.dead == {"input"}
    assert LOOK_S * (MISSED + 1) <= 1.0


def test_a_stall_of_the_whole_machine_is_one_look_however_long_it_lasts() -> None:
    exchange, pulse = moving()
    for _ in range(20):
        pulse.look()  # after a stall, before the card's thread had its turn
        hear(exchange)
        play(exchange)
        pulse.look()
    assert not pulse.dead


def test_a_card_just_opened_is_given_more_time() -> None:
    pulse = Pulse(Exchange(MONO, MONO, False, lambda: None), ("output",))
    for _ in range(UNPROVEN - 1):
        pulse.look()
    assert not pulse.dead
    pulse.look()
    assert pulse.dead == {"output"}
    assert not pulse.moved


def test_what_was_lost_and_moves_is_noticed() -> None:
    exchange, pulse = moving()
    for _ in range(MISSED):
        pulse.look()
    assert not pulse.stirred
    hear(exchange)
    pulse.look()
    assert pulse.stirred
