"""What is usual for a speaker is learnt from most utterances and not from outbursts."""

from __future__ import annotations

from device.hearing.baseline import Baseline, Population

PITCH = Population(mean=88.0, between=5.5, within=2.5)


def test_an_unknown_speaker_is_expected_to_be_like_others_and_judged_mildly() -> None:
    baseline = Baseline(PITCH)
    assert baseline.usual == 88.0
    assert 0 < baseline.score(93.0) < 1.0
    assert baseline.certainty < 0.5


def test_after_some_utterances_the_speakers_own_usual_counts() -> None:
    baseline = Baseline(PITCH)
    for _ in range(10):
        baseline.add(96.0)
    assert abs(baseline.usual - 96.0) < 1.0
    assert baseline.certainty > 0.9
    assert baseline.score(101.0) > 1.5


def test_one_outburst_hardly_moves_the_usual() -> None:
    baseline = Baseline(PITCH)
    for _ in range(5):
        baseline.add(90.0)
    before = baseline.usual
    baseline.add(105.0)
    assert baseline.usual - before < 0.5


def test_a_lasting_change_is_followed() -> None:
    baseline = Baseline(PITCH)
    for _ in range(20):
        baseline.add(85.0)
    for _ in range(40):
        baseline.add(91.0)
    assert abs(baseline.usual - 91.0) < 1.5
