"""What becomes of a recording on its way to a timeline, told with scripted models."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from device.app import HearingModels
from device.mind.expression import combine
from device.settings import Hearing
from device.terminal.prosody_timeline import CLIPPED, SHORT, SILENT, Stretch, Timeline, hear
from device.terminal.prosody_view import bar, show, summary
from device.types import HEARING_RATE, Embedding, Expression, Pcm, RapportError
from device.virtual_time import VirtualLoop
from device.worker import Owned, Worker
from tests.story import (
    Script,
    ScriptedProsody,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoiceActivity,
)

FRAME = 512 / HEARING_RATE


class Deaf(ScriptedProsody):
    """Can tell nothing of any voice."""

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        return None

    def preview(self, audio: Pcm) -> Expression | None:
        return None


class BrokenRecognizer(ScriptedRecognizer):
    def transcribe(self, audio: Pcm) -> str:
        raise RapportError("the recognizer fell over")


def track(*sounds: tuple[int, float]) -> Pcm:
    """Sample values and their seconds; a scripted user's words are carried by a value."""
    parts = [np.full(round(seconds * HEARING_RATE), value) for value, seconds in sounds]
    return np.concatenate(parts).astype(np.int16)


def heard(
    sound: Pcm,
    script: Script,
    prosody: ScriptedProsody | None = None,
    recognizer: ScriptedRecognizer | None = None,
    step: float = 0.5,
) -> tuple[Timeline, list[float]]:
    """The timeline of ``sound``, and what was told of how far it is."""
    workers = [Worker(name) for name in ("vad", "turn", "asr", "prosody")]
    models = HearingModels(
        Owned(ScriptedVoiceActivity(), workers[0]),
        Owned(ScriptedTurnDetector(script), workers[1]),
        Owned(recognizer or ScriptedRecognizer(script), workers[2]),
        Owned(prosody or ScriptedProsody(), workers[3]),
    )
    reached: list[float] = []
    settings = Hearing(interim=0, expression_interval=step)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        stretches = runner.run(hear(models, sound, settings, reached.append))
    for worker in workers:
        worker.close()
    return Timeline(Path("told.wav"), sound, stretches), reached


def test_each_utterance_has_its_own_words_span_and_course() -> None:
    script = Script({1: "how are you", 2: "go away"})
    timeline, _ = heard(track((0, 1), (1, 2), (0, 2), (2, 1), (0, 0.3)), script)
    first, second = timeline.stretches
    assert (first.text, second.text) == ("how are you", "go away")
    assert first.started == pytest.approx(1, abs=2 * FRAME)
    assert first.ended == pytest.approx(3, abs=2 * FRAME)
    assert second.started == pytest.approx(5, abs=2 * FRAME)
    assert second.ended == pytest.approx(6, abs=2 * FRAME)
    moments = [sounding.at for sounding in first.interim]
    assert moments == pytest.approx([1.6, 2.1, 2.6], abs=0.1)
    assert all(5 < sounding.at <= 6 for sounding in second.interim)
    assert timeline.problem == first.unmeasured == second.unmeasured == ""


def test_an_utterance_that_the_recording_cuts_off_is_told_like_any_other() -> None:
    timeline, _ = heard(track((0, 0.5), (1, 1)), Script({1: "and then", 2: ""}, unfinished={1}))
    (stretch,) = timeline.stretches
    assert stretch.text == "and then"
    assert stretch.expression is not None
    assert stretch.ended == pytest.approx(1.5, abs=2 * FRAME)


def test_the_whole_utterance_joins_voice_and_words_and_its_course_is_of_the_voice_alone() -> None:
    words = "This is the most wonderful day, I love it."
    timeline, _ = heard(track((0, 0.5), (1, 1.5), (0, 1)), Script({1: words}))
    (stretch,) = timeline.stretches
    voice = ScriptedProsody().measure(track((1, 1)), None)
    assert stretch.expression == combine(voice, words)
    assert stretch.expression.valence is not None and stretch.expression.valence > 0.1
    assert [sounding.expression for sounding in stretch.interim] == [voice, voice]


def test_a_smaller_step_measures_more_often() -> None:
    script, sound = Script({1: "well well well"}), track((0, 0.5), (1, 4), (0, 1))
    counts = [len(heard(sound, script, step=step)[0].stretches[0].interim) for step in (0.25, 1)]
    assert counts[0] == pytest.approx(15, abs=2)
    assert counts[1] == 3


def test_of_a_long_utterance_it_is_told_since_when_the_voice_counts() -> None:
    timeline, _ = heard(track((0, 0.5), (1, 14), (0, 1)), Script({1: "on and on"}))
    (stretch,) = timeline.stretches
    assert stretch.started == pytest.approx(0.5, abs=2 * FRAME)
    assert stretch.measured_from == pytest.approx(stretch.ended - 8, abs=0.01)


def test_sound_without_words_keeps_its_course_and_says_what_is_missing() -> None:
    timeline, _ = heard(track((0, 0.5), (1, 2), (0, 1)), Script({1: ""}))
    (stretch,) = timeline.stretches
    assert stretch.text == "" and stretch.expression is None
    assert len(stretch.interim) == 3
    assert "no words were recognised" in stretch.unmeasured
    assert timeline.problem == "", "its course was told"


def test_a_recognizer_that_fails_is_told_as_such() -> None:
    script = Script({1: "hello"})
    timeline, _ = heard(track((1, 1), (0, 1)), script, Deaf(), BrokenRecognizer(script))
    assert timeline.problem == "speech was heard in it, but the recognizer fell over"


def test_nobody_speaks_in_silence() -> None:
    timeline, _ = heard(track((0, 3)), Script())
    assert timeline.stretches == ()
    assert timeline.problem == SILENT


def test_it_says_of_what_cannot_be_measured_whether_it_is_clipped_or_too_short_or_no_voice() -> (
    None
):
    script = Script({32_767: "AAAH", 1: "uh", 2: "psst psst"})
    for sounds, reason in {
        ((32_767, 2), (0, 1)): CLIPPED,
        ((1, 0.3), (0, 1)): SHORT,
        ((2, 2), (0, 1)): "it is whispered",
    }.items():
        timeline, _ = heard(track(*sounds), script, Deaf())
        (stretch,) = timeline.stretches
        assert stretch.expression is None
        assert stretch.unmeasured.startswith(reason)
        assert timeline.problem.startswith(reason)


def test_it_tells_how_far_it_is_from_the_beginning_to_the_end() -> None:
    _, reached = heard(track((0, 1), (1, 2), (0, 2)), Script({1: "hello"}))
    assert reached == sorted(reached)
    assert len(set(reached)) >= 8
    assert reached[-1] == 5


def test_in_data_the_emotions_are_complete_and_have_their_tiers() -> None:
    timeline, _ = heard(track((1, 1), (0, 1)), Script({1: "a bit of a chair"}))
    (told,) = timeline.plain()["utterances"]
    emotions, tiers = told["expression"]["emotions"], told["expression"]["tiers"]
    assert len(emotions) == 48 and emotions.keys() == tiers.keys()
    assert set(tiers.values()) <= {"measured", "inferred", "not_identifiable"}
    assert "measured" not in tiers.values(), "the scripted model has no categories"
    assert sum(score > 0 for score in emotions.values()) < 48


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (-1.0, "▮▮▮▮│····"),
        (-0.5, "··▮▮│····"),
        (0.0, "····│····"),
        (0.74, "····│▮▮▮·"),
        (7.0, "····│▮▮▮▮"),
        (None, "····│····"),
    ],
)
def test_a_bar_grows_from_its_middle(value: float | None, drawn: str) -> None:
    assert bar(value, 4).plain == drawn


def stretch(started: float, ended: float, arousal: float, **emotions: float) -> Stretch:
    expression = Expression(0.2, arousal, None, emotions, 0.5)
    return Stretch("so", started, ended, (), expression, started, "")


def test_the_summary_weighs_utterances_by_their_length() -> None:
    told = summary([stretch(0, 1, -0.5, Joy=0.6), stretch(2, 5, 0.5, Anger=0.4)])
    assert told.startswith("2 utterances, 4.0 s of speech: arousal +0.25 (-0.50 to +0.50)")
    assert told.endswith("most like anger 0.30, joy 0.15")


def test_the_summary_says_if_no_utterance_could_be_measured_as_a_whole() -> None:
    unmeasured = replace(stretch(0, 2, 0.0), expression=None, unmeasured=SHORT)
    assert summary([unmeasured]) == (
        "1 utterance, 2.0 s of speech; none could be measured as a whole"
    )


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_on_a_terminal_no_row_is_broken(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    emotions = {"Aesthetic Appreciation": 0.61, "Surprise (positive)": 0.5, "Disappointment": 0.4}
    said = stretch(100, 102, 0.5, **emotions)
    timeline = Timeline(Path("told.wav"), track((0, 1)), (said,))
    show(timeline, Console(width=width, force_terminal=True, color_system=None))
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if "100.0-102.0" in line]
    assert len(row) <= width
    assert "aesthetic appreciation 0.61" in row
    assert ("disappointment" in row) == (width == 200)
