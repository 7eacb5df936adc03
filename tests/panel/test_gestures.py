"""What a hand does to a bouncing contact is told once, and as what it was."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from device.panel.gestures import POLL_S, SETTLE_S, SHORT_S, Button, Gesture, Timing
from device.settings import Panel

SETTINGS = Panel()
D, A, H, W, O, J, U, C, X, R = Gesture  # noqa: E741  in the order of a press
Course = list[tuple[float, bool]]


def press(at: float, seconds: float) -> Course:
    return [(at, True), (at + seconds, False)]


def told(course: Course, until: float = 100.0, resets: bool = True) -> list[tuple[float, Gesture]]:
    """All gestures of a course of edges, looked at exactly when the button asks for it."""
    button, closed, now = Button(Timing.of(SETTINGS, resets)), False, 0.0
    edges, seen = list(course), list[tuple[float, Gesture]]()
    while now <= until:
        due = button.due
        if edges and edges[0][0] <= due:
            now, closed = edges.pop(0)
            button.move(now)
        elif due < math.inf:
            now = due
        else:
            break
        seen += [(now, gesture) for gesture in button.look(closed, now)]
    return seen


def kinds(course: Course, resets: bool = True) -> list[Gesture]:
    return [gesture for _, gesture in told(course, resets=resets)]


def test_a_short_press_is_known_to_have_begun_after_50_ms_and_to_be_one_50_ms_after_its_end() -> (
    None
):
    (begun, down), (ended, up), (clicked, click) = told(press(1.0, 0.2))
    assert (down, up, click) == (D, U, C)
    assert math.isclose(begun, 1.05)
    assert math.isclose(ended, 1.25)
    assert clicked == ended, "nobody waits for a second press"


def test_two_short_presses_close_together_are_a_double_press() -> None:
    assert kinds(press(1.0, 0.1) + press(1.3, 0.1)) == [D, U, C, A, U, X]
    assert kinds(press(1.0, 0.1) + press(1.4, 0.1)) == [D, U, C, D, U, C]


def test_a_third_press_begins_anew() -> None:
    three = press(1.0, 0.1) + press(1.2, 0.1) + press(1.4, 0.1)
    assert kinds(three) == [D, U, C, A, U, X, D, U, C]


def test_a_second_press_that_is_held_is_a_hold() -> None:
    assert kinds(press(1.0, 0.1) + press(1.2, 2.0)) == [D, U, C, A, H, U]


def test_what_is_held_is_told_while_it_is_held() -> None:
    seen = told(press(1.0, 3.0))
    assert [gesture for _, gesture in seen] == [D, H, U]
    assert math.isclose(seen[1][0], 2.0)


def test_a_very_long_press_warns_at_10_s_and_resets_only_when_let_go_after_20() -> None:
    assert kinds(press(0.0, 9.9)) == [D, H, U]
    assert kinds(press(0.0, 10.1)) == [D, H, W, U]
    assert kinds(press(0.0, 19.9)) == [D, H, W, U]
    assert kinds(press(0.0, 20.1)) == [D, H, W, O, U, R]
    seen = dict((gesture, at) for at, gesture in told(press(0.0, 25.0)))
    assert math.isclose(seen[W], 10.0) and math.isclose(seen[O], 20.0)
    assert math.isclose(seen[R], 25.0 + SETTLE_S)


def test_a_jammed_button_resets_nothing_when_it_comes_free() -> None:
    assert kinds(press(0.0, 51.0)) == [D, H, W, O, J, U]


def test_a_button_without_a_reset_has_none() -> None:
    assert kinds(press(0.0, 25.0), resets=False) == [D, H, U]
    assert Timing.of(Panel(reset=0), True).stages == ((1.0, H),)


def test_a_button_that_is_down_from_the_start_waits_to_be_let_go() -> None:
    button = Button(Timing.of(SETTINGS, True), closed=True)
    assert button.due == math.inf
    button.move(30.0)
    assert button.look(False, 30.05) == []
    button.move(31.0)
    assert button.look(True, 31.05) == [D]


def test_a_lost_edge_is_found_by_looking() -> None:
    button = Button(Timing.of(SETTINGS, True))
    button.move(1.0)
    assert button.look(True, 1.05) == [D]
    # It comes up, and no edge tells.
    assert button.due <= 1.05 + POLL_S
    assert button.look(False, 1.15) == []
    assert button.look(False, button.due) == [U, C]


def test_a_busy_machine_that_looks_late_still_knows_a_hold_but_resets_nothing() -> None:
    late = Button(Timing.of(SETTINGS, True))
    late.move(1.0)
    assert late.look(True, 1.05) == [D]
    late.move(26.0)
    assert late.look(False, 26.5) == [H, U]


@st.composite
def bouncing(draw: st.DrawFn) -> tuple[Course, Course]:
    """Some real presses, and the same with bouncing at each of their edges."""
    clean, bounced, at = Course(), Course(), 1.0
    for number in range(draw(st.integers(0, 8))):
        closed = number % 2 == 0
        clean.append((at, closed))
        moment, level = at, closed
        for gap in draw(st.lists(st.floats(0.0005, SETTLE_S * 0.9), max_size=6)):
            bounced.append((moment, level))
            moment, level = moment + gap, not level
        bounced.append((moment, closed))
        at = moment + draw(st.floats(SETTLE_S * 1.1, 2.0))
    if len(clean) % 2:
        clean.append((at, False))
        bounced.append((at, False))
    return clean, bounced


@given(bouncing())
def test_bouncing_adds_no_press_and_swallows_none(courses: tuple[Course, Course]) -> None:
    clean, bounced = courses
    for course in (clean, bounced):
        assert sum(gesture in (D, A) for gesture in kinds(course)) == len(clean) // 2


@given(bouncing())
def test_each_press_is_one_thing(courses: tuple[Course, Course]) -> None:
    seen = kinds(courses[1])
    begins = [number for number, gesture in enumerate(seen) if gesture in (D, A)]
    for start, end in itertools.pairwise([*begins, len(seen)]):
        one = seen[start:end]
        assert one.count(U) == 1
        assert sum(gesture in (C, X, H) for gesture in one) == 1
        assert (one[0] is A) or X not in one


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=40))
def test_any_noise_makes_whole_presses_in_order(noise: Course) -> None:
    seen = told([*sorted(noise), (70.0, False)])
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)
    order = [gesture for _, gesture in seen if gesture in (D, A, U)]
    assert all((gesture is U) == bool(number % 2) for number, gesture in enumerate(order))
    assert len(order) % 2 == 0
    closings = sum(closed for _, closed in noise)
    assert len(order) // 2 <= closings


def test_flickering_faster_than_it_can_settle_is_no_press() -> None:
    flicker = [(1 + number * SETTLE_S * 0.8, number % 2 == 0) for number in range(40)]
    assert kinds(flicker) == []


def test_presses_up_to_the_limit_are_short() -> None:
    assert kinds(press(1.0, SHORT_S - 0.01) + press(1.5, 0.1))[-1] is X
    assert kinds(press(1.0, SHORT_S + 0.01) + press(1.5, 0.1))[-1] is C
