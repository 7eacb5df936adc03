"""The figures of merit, against values that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.prosody import metrics

A, B = "angry", "sad"


def test_average_recall_does_not_mind_how_often_a_category_occurs() -> None:
    truth, found = np.array([A] * 9 + [B]), np.array([A] * 9 + [A])
    assert metrics.average_recall(truth, found) == 0.5
    assert metrics.recalls(truth, found) == {A: 1.0, B: 0.0}


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=30, unique=True))
def test_concordance_is_1_for_the_same_and_less_for_the_shifted(values: list[float]) -> None:
    numbers = np.array(values)
    if numbers.std() < 1e-3:
        return
    assert metrics.concordance(numbers, numbers) == pytest.approx(1)
    assert metrics.concordance(numbers + 0.5, numbers) < 1
    assert metrics.concordance(-(numbers - numbers.mean()), numbers - numbers.mean()) < 0


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    shares = np.array([[0.9, 0.1]] * 10)
    assert metrics.calibration_error(shares, np.array([A] * 9 + [B]), (A, B)) < 1e-9
    assert metrics.calibration_error(shares, np.array([A] * 5 + [B] * 5), (A, B)) == pytest.approx(
        0.4
    )


def test_the_area_under_the_curve_counts_equals_half() -> None:
    ones, zeros = np.ones(3), np.zeros(4)
    assert metrics.area_under_curve(ones, zeros) == 1
    assert metrics.area_under_curve(zeros, zeros) == 0.5


def test_confusions_are_shares_of_what_was_true() -> None:
    table = metrics.confusion(np.array([A, A, B, B]), np.array([A, B, B, B]), (A, B))
    np.testing.assert_array_equal(table, [[0.5, 0.5], [0, 1]])


def test_an_interval_is_of_speakers_and_not_of_clips() -> None:
    """One speaker is always right, one never: however many clips, two witnesses say nothing."""
    right = np.repeat([1.0, 0.0], 500)
    value, low, high = metrics.interval(np.repeat(["1", "2"], 500), lambda rows: right[rows].mean())
    assert (value, low, high) == (0.5, 0.0, 1.0)
