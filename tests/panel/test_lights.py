"""Each signal looks like what the table says, and only what moves asks to be drawn again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.panel.lights import FRAME_S, STRONGEST_TINT, Look, picture, tint
from device.panel.patterns import BLACK, CYAN, PATTERNS, Shape
from device.panel.situation import Mood, Signal

RING = Look(12)
signals = st.sampled_from(list(Signal))
moods = st.builds(Mood, st.floats(-1, 1), st.floats(-1, 1))
looks = st.builds(
    Look, st.integers(1, 64), st.booleans(), st.floats(0, 1), st.booleans(), st.booleans()
)


def test_every_signal_has_its_pattern_and_no_two_look_the_same() -> None:
    assert set(PATTERNS) == set(Signal)
    for look in (RING, Look(1), Look(1, dimmable=False)):
        films = [
            tuple(picture(one, step / 50, look).frame for step in range(250)) for one in Signal
        ]
        assert len(set(films)) == len(films)


@pytest.mark.parametrize("one", [Signal.IDLE, Signal.LISTENING, Signal.MUTED, Signal.WOKEN])
def test_what_may_last_for_days_does_not_move(one: Signal) -> None:
    assert picture(one, 0.0, RING).until == math.inf


def test_a_light_that_knows_only_on_and_off_rests_too() -> None:
    led = Look(1, dimmable=False)
    assert picture(Signal.IDLE, 5.0, led).until == math.inf
    assert picture(Signal.LISTENING, 5.0, led) == picture(Signal.LISTENING, 0.0, led)
    assert picture(Signal.LISTENING, 0.0, led).frame != (BLACK,)


def test_a_comet_runs_once_around_in_its_period() -> None:
    pattern = PATTERNS[Signal.THINKING]
    assert pattern.shape is Shape.SPIN
    heads = []
    for led in range(12):
        frame = picture(Signal.THINKING, led / 12 * pattern.period, RING).frame
        heads.append(max(range(12), key=lambda number, now=frame: sum(now[number])))
    assert heads == list(range(12))


@given(signals, st.floats(0, 1e5), looks, moods)
def test_colours_are_colours_and_no_brighter_than_allowed(
    one: Signal, elapsed: float, look: Look, mood: Mood
) -> None:
    seen = picture(one, elapsed, look, mood)
    assert len(seen.frame) == look.leds
    ceiling = (look.brightness if look.dimmable else 1.0) if look.on else 0.0
    assert all(0 <= part <= ceiling + 0.001 for colour in seen.frame for part in colour)
    assert not math.isnan(seen.until)


@given(signals, st.floats(0, 1e4), looks)
def test_nothing_changes_before_the_moment_that_was_told(
    one: Signal, elapsed: float, look: Look
) -> None:
    seen = picture(one, elapsed, look)
    assert seen.until >= elapsed
    between = min(seen.until, elapsed + 100.0)
    if between - elapsed > FRAME_S + 1e-6:
        for share in (0.1, 0.5, 0.9):
            later = elapsed + (between - elapsed) * share
            assert picture(one, later, look).frame == seen.frame


@given(moods)
def test_a_mood_tints_and_never_takes_over(mood: Mood) -> None:
    for before, after in zip(CYAN, tint(CYAN, mood), strict=True):
        assert abs(after - before) <= STRONGEST_TINT


def test_pleasant_is_warm_and_unpleasant_violet_and_only_where_one_listens_or_speaks() -> None:
    plain = picture(Signal.LISTENING, 0.0, RING).frame[0]
    warm = picture(Signal.LISTENING, 0.0, RING, Mood(0.9, 0.5)).frame[0]
    cold = picture(Signal.LISTENING, 0.0, RING, Mood(-0.9, 0.5)).frame[0]
    assert warm[0] > plain[0] and warm[2] < plain[2]
    assert cold[1] < plain[1]
    assert picture(Signal.LISTENING, 0.0, RING, Mood(0.0, 0.9)).frame[0] == plain
    assert picture(Signal.MUTED, 0.0, RING, Mood(0.9, 0.5)) == picture(Signal.MUTED, 0.0, RING)
    unwanted = Look(12, mood=False)
    assert picture(Signal.LISTENING, 0.0, unwanted, Mood(0.9, 0.5)).frame[0] == plain


def test_lights_that_are_switched_off_are_dark_and_still() -> None:
    for one in Signal:
        seen = picture(one, 1.0, Look(3, on=False))
        assert seen.frame == (BLACK,) * 3 and seen.until == math.inf
