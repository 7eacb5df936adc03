"""A hand on the buttons moves the conversation, and the lights tell what the device does."""

from __future__ import annotations

import pytest

from device.panel.situation import FAILED_S, MOOD_S, WOKEN_S, Signal
from device.types import (
    Expressed,
    Expression,
    Muted,
    Pressed,
    Repeat,
    ServiceFailed,
    ServiceReady,
    State,
    TalkHeld,
    TurnFailed,
    Updating,
    WakeHeard,
)
from tests.panel.scene import MUTE, SWITCH, TALK, Scene

# Buttons


def test_a_press_at_rest_begins_a_conversation_when_it_is_let_go() -> None:
    scene = Scene("wake")
    scene.presses(1.0, 0.2)
    ((at, command),) = scene.play(3.0).commands
    assert command == Pressed("talk")
    assert at == pytest.approx(1.2 + 0.013 + 0.05)


@pytest.mark.parametrize("state", [State.SPEAKING, State.THINKING])
def test_a_press_into_a_reply_interrupts_before_it_is_let_go_and_only_once(state: State) -> None:
    scene = Scene()
    scene.becomes(0.5, state)
    scene.presses(1.0, 0.4)
    ((at, command),) = scene.play(3.0).commands
    assert command == Pressed("talk")
    assert at == pytest.approx(1.0 + 0.013 + 0.05)


def test_a_double_press_repeats_the_last_reply() -> None:
    scene = Scene("wake")
    scene.presses(1.0, 0.1)
    scene.presses(1.25, 0.1)
    assert scene.play(3.0).told == [Pressed("talk"), Repeat()]


def test_a_long_press_mutes_and_another_unmutes() -> None:
    scene = Scene()
    scene.presses(1.0, 1.3)
    scene.presses(4.0, 1.3)
    assert scene.play(7.0).told == [Muted(True), Muted(False)]
    assert scene.shown == [Signal.LISTENING, Signal.MUTED, Signal.LISTENING]
    assert scene.commands[0][0] == pytest.approx(2.0, abs=0.02), "while it is still down"


def test_push_to_talk_talks_from_down_to_up() -> None:
    scene = Scene("push-to-talk")
    scene.presses(1.0, 3.0)
    (down, first), (up, second) = scene.play(6.0).commands
    assert (first, second) == (TalkHeld(True), TalkHeld(False))
    assert down == pytest.approx(1.06, abs=0.01) and up == pytest.approx(4.06, abs=0.01)


def test_push_to_talk_repeats_at_a_double_press_and_resets_never() -> None:
    scene = Scene("push-to-talk")
    scene.presses(1.0, 0.1)
    scene.presses(1.25, 0.1)
    scene.presses(5.0, 25.0)
    held = [TalkHeld(True), TalkHeld(False)]
    assert scene.play(40.0).told == [*held, *held, Repeat(), *held]
    assert not scene.resets and Signal.RESET_WARNING not in scene.shown


def test_a_button_of_its_own_mutes_at_once_even_in_push_to_talk() -> None:
    scene = Scene("push-to-talk", mute_pin=MUTE)
    scene.presses(1.0, 0.2, MUTE)
    scene.presses(3.0, 0.2, MUTE)
    assert scene.play(5.0).told == [Muted(True), Muted(False)]
    assert scene.commands[0][0] == pytest.approx(1.063)


def test_while_the_mute_switch_is_on_nothing_unmutes() -> None:
    scene = Scene(switch_pin=SWITCH)
    scene.does(1.0, scene.chip.drive, SWITCH, 0)
    scene.presses(2.0, 1.5)
    scene.does(5.0, lambda: scene.mute.wish(False))
    scene.does(6.0, lambda: scene.mute.wish(True))
    scene.does(7.0, scene.chip.drive, SWITCH, None)
    assert scene.play(9.0).told == [Muted(True), Muted(False)]
    assert scene.commands[0][0] == pytest.approx(1.05)
    assert scene.commands[1][0] == pytest.approx(7.05)


def test_a_switch_that_is_on_from_the_start_mutes_from_the_start() -> None:
    scene = Scene(switch_pin=SWITCH)
    scene.chip.drive(SWITCH, 0)
    assert scene.play(1.0).told == [Muted(True)]
    assert scene.signals[-1][1] is Signal.MUTED


def test_a_mute_by_hand_outlasts_the_switch() -> None:
    scene = Scene(switch_pin=SWITCH)
    scene.presses(0.5, 1.2)
    scene.does(2.0, scene.chip.drive, SWITCH, 0)
    scene.does(3.0, scene.chip.drive, SWITCH, None)
    scene.play(5.0)
    assert scene.mute.on and scene.signals[-1][1] is Signal.MUTED


def test_a_very_long_press_warns_offers_and_resets_when_let_go() -> None:
    scene = Scene()
    scene.presses(1.0, 22.0)
    scene.play(25.0)
    assert scene.shown == [
        *(Signal.LISTENING, Signal.MUTED, Signal.RESET_WARNING),
        Signal.RESET_OFFERED,
    ]
    assert [round(at) for at, _ in scene.signals] == [0, 2, 11, 21]
    assert scene.resets == [pytest.approx(23.063)]
    assert scene.told == [Muted(True), Muted(False)], "the mute on the way was taken back"


def test_let_go_between_warning_and_offer_nothing_has_changed() -> None:
    scene = Scene()
    scene.presses(1.0, 15.0)
    scene.play(20.0)
    assert not scene.resets and not scene.mute.on
    assert scene.shown[-2:] == [Signal.RESET_WARNING, Signal.LISTENING]


def test_without_anything_to_reset_a_very_long_press_is_a_long_one() -> None:
    scene = Scene(resets=False)
    scene.presses(1.0, 22.0)
    assert scene.play(25.0).told == [Muted(True)]


def test_a_button_pressed_from_elsewhere_goes_the_same_way_as_a_finger() -> None:
    scene = Scene("wake", talk_pin=-1)
    scene.does(1.0, lambda: scene.panel.press("talk"))
    scene.does(3.0, lambda: scene.panel.press("talk", 1.2))
    assert scene.play(6.0).told == [Pressed("talk"), Muted(True)]


def test_presses_from_elsewhere_that_overlap_are_one() -> None:
    scene = Scene("wake")
    scene.does(1.0, lambda: scene.panel.press("talk", 1.5))
    scene.does(1.2, lambda: scene.panel.press("talk", 0.1))
    assert scene.play(4.0).told == [Muted(True)]


def test_a_button_wired_to_plus_works_as_one_wired_to_ground() -> None:
    scene = Scene("wake", buttons_active_low=False)
    scene.does(1.0, scene.chip.drive, TALK, 1)
    scene.does(1.2, scene.chip.drive, TALK, None)
    assert scene.play(2.0).told == [Pressed("talk")]


# Lights


def test_the_lights_follow_the_conversation() -> None:
    scene = Scene("wake")
    scene.happens(1.0, WakeHeard("hey rapport", 1.0))
    scene.becomes(1.0, State.LISTENING)
    scene.becomes(3.0, State.THINKING)
    scene.becomes(4.0, State.SPEAKING)
    scene.becomes(6.0, State.IDLE)
    scene.play(7.0)
    assert scene.shown == [
        *(Signal.IDLE, Signal.WOKEN, Signal.LISTENING, Signal.THINKING, Signal.SPEAKING),
        Signal.IDLE,
    ]
    assert scene.signals[2][0] == pytest.approx(1.0 + WOKEN_S, abs=0.05)


def test_what_is_graver_hides_what_is_less() -> None:
    scene = Scene()
    scene.happens(1.0, Updating(True), "device")
    scene.happens(2.0, ServiceFailed("API", "the address is in use", 1.0), "device")
    scene.does(3.0, lambda: scene.mute.wish(True))
    scene.happens(4.0, ServiceFailed("local line", "no microphone", 1.0), "device")
    scene.becomes(4.5, State.SPEAKING)
    scene.happens(5.0, ServiceReady("local line"), "device")
    scene.does(6.0, lambda: scene.mute.wish(False))
    scene.happens(7.0, ServiceReady("API"), "device")
    scene.happens(8.0, Updating(False), "device")
    assert scene.play(9.0).shown == [
        *(Signal.LISTENING, Signal.UPDATING, Signal.OFFLINE, Signal.MUTED, Signal.ERROR),
        *(Signal.MUTED, Signal.OFFLINE, Signal.UPDATING, Signal.LISTENING),
    ]


def test_a_failed_turn_is_shown_for_a_moment() -> None:
    scene = Scene()
    scene.happens(1.0, TurnFailed("the model is gone"))
    scene.play(5.0)
    assert scene.shown == [Signal.LISTENING, Signal.ERROR, Signal.LISTENING]
    assert scene.signals[2][0] == pytest.approx(1.0 + FAILED_S, abs=0.05)


def test_what_happens_in_other_chats_is_not_shown() -> None:
    scene = Scene()
    scene.happens(1.0, TurnFailed("the model is gone"), "chat-1")
    assert scene.play(2.0).shown == [Signal.LISTENING]


def test_an_expression_tints_the_light_of_listening() -> None:
    scene = Scene()
    scene.happens(1.0, Expressed(Expression(0.9, 0.4, None)))
    scene.happens(2.0, Expressed(Expression(0.9, 0.4, None)))
    scene.play(60.0)
    (_, warm), (later, plain) = [(at, frame) for at, frame in scene.film.frames if at > 0.5]
    assert warm[0][0] > 0.1 and plain[0][0] == 0.0
    assert later == pytest.approx(2.0 + MOOD_S, abs=0.05), "the same mood again lasts longer"


def test_a_steady_light_is_written_once_and_a_moving_one_30_times_a_second_at_most() -> None:
    scene = Scene()
    scene.becomes(100.0, State.SPEAKING)
    scene.becomes(200.0, State.LISTENING)
    scene.play(300.0)
    assert scene.frames_between(1.0, 100.0) == 0
    assert 90 * 25 <= scene.frames_between(100.1, 200.0) <= 100 * 30
    assert scene.frames_between(201.0, 300.0) == 0


def test_a_storm_of_events_is_drawn_no_faster() -> None:
    scene = Scene()
    for number in range(1000):
        state = State.THINKING if number % 2 else State.LISTENING
        scene.becomes(1 + number / 1000, state)
    scene.play(3.0)
    assert scene.frames_between(1.0, 2.0) <= 31


def test_when_it_ends_the_lights_go_out_and_the_pins_are_let_go() -> None:
    scene = Scene(switch_pin=SWITCH)
    scene.play(1.0)
    assert scene.film.closed
    assert scene.chip.directions == {}


def test_forced_signals_hide_everything_else() -> None:
    scene = Scene()
    scene.does(1.0, lambda: scene.panel.force(Signal.ERROR))
    scene.does(2.0, lambda: scene.panel.force(None))
    assert scene.play(3.0).shown == [Signal.LISTENING, Signal.ERROR, Signal.LISTENING]
