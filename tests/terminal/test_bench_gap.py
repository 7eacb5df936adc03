"""Gaps and interruptions are timed from outside a conversation; its engines here are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import numpy as np
import pytest

from device.app import App, Faculties
from device.catalogue import Catalogue
from device.config import Config, parse
from device.extra_models import ExtraModels
from device.hub import Hub
from device.models import ModelStore
from device.terminal.bench_clips import Clip
from device.terminal.bench_division import divide
from device.terminal.bench_gap import Answer, answer
from device.terminal.bench_interruption import idle, interrupt, interrupting
from device.terminal.bench_sequential import SILENCE_S, STAGES, chain
from device.terminal.bench_stopwatch import timed
from device.types import HEARING_RATE, RapportError
from device.worker import Owned, Worker
from tests.story import (
    Script,
    ScriptedLanguageModel,
    ScriptedProsody,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoice,
    ScriptedVoiceActivity,
)

T = TypeVar("T")
LEAD = 0.3


def clip(*sounds: tuple[int, float]) -> Clip:
    """A clip of sample values and their seconds; a scripted user's words are carried by a value."""
    parts = [np.full(round(s * HEARING_RATE), value, np.int16) for value, s in ((0, LEAD), *sounds)]
    return Clip("scripted", np.concatenate(parts), LEAD, clear_onset=True)


def with_app(use: Callable[[App], Coroutine[Any, Any, T]], script: Script, **settings: Any) -> T:
    workers = [Worker(f"scripted {at}") for at in range(6)]
    model = ScriptedLanguageModel()
    model.answers[""] = "Well. That is all."
    faculties = Faculties(
        voice_activity=Owned(ScriptedVoiceActivity(), workers[0]),
        turn=Owned(ScriptedTurnDetector(script), workers[1]),
        recognizer=Owned(ScriptedRecognizer(script), workers[2]),
        prosody=Owned(ScriptedProsody(), workers[3]),
        language_model=Owned(model, workers[4]),
        voice=Owned(ScriptedVoice(), workers[5]),
        names={},
        load_s={},
    )
    no_others = ExtraModels(ModelStore(None, Catalogue.load()), Config(), [])
    app = App(parse(settings, "the test"), Hub(), faculties, no_others)
    try:
        return asyncio.run(use(app))
    finally:
        for worker in workers:
            worker.close()


async def answered(app: App, said: Clip) -> Answer:
    watched, spans = timed(app)
    return await answer(watched, spans, said)


def test_a_gap_runs_from_the_end_of_the_clip_to_the_first_sound_of_the_reply() -> None:
    script = Script({1: "how are you"})
    result = with_app(lambda app: answered(app, clip((1, 1.0))), script)
    moments = result.moments
    assert moments is not None, result.failure
    assert result.transcript == "how are you"
    assert result.cut_off == 0
    assert moments.speech_end < moments.analysis_begun <= moments.analysed <= moments.first_clause
    assert moments.first_clause <= moments.synthesized <= moments.first_audio
    assert moments.speech_end < moments.decided <= moments.first_audio
    assert sum(divide(moments).values()) == pytest.approx(moments.gap)


def test_an_answer_before_the_end_is_counted_and_the_gap_is_that_of_the_last() -> None:
    script = Script({1: "good morning.", 2: "and your wife."})
    said = clip((1, 0.8), (0, 1.0), (2, 0.8))
    result = with_app(lambda app: answered(app, said), script)
    assert result.cut_off == 1
    assert result.moments is not None, result.failure
    assert result.moments.decided > result.moments.speech_end
    assert result.transcript == "and your wife."


def test_an_utterance_that_comes_to_nothing_is_told_with_its_reason() -> None:
    result = with_app(lambda app: answered(app, clip((1, 0.8))), Script({1: ""}))
    assert result.moments is None
    assert result.failure == "no words were recognised"


def test_an_interruption_is_timed_to_the_last_sample_played() -> None:
    said = clip((1, 1.5))
    result = with_app(lambda app: interrupt(app, said, 0.5), Script({1: "stop"}))
    assert result.failure == ""
    assert result.seconds is not None and result.seconds > 0


def test_an_interruption_that_nobody_notices_is_missed() -> None:
    deaf = {"barge_in": False}
    said = clip((1, 1.0))
    result = with_app(lambda app: interrupt(app, said, 0.2), Script({1: "stop"}), conversation=deaf)
    assert result.seconds is None
    assert "was not noticed" in result.failure


def test_clips_with_a_clear_onset_interrupt_and_are_used_again() -> None:
    clear, unclear = clip((1, 1.0)), Clip("unclear", clip((1, 1.0)).pcm, LEAD, clear_onset=False)
    assert interrupting([unclear, clear], 3) == [clear] * 3
    assert interrupting([unclear], 1) == [unclear]
    with pytest.raises(RapportError, match="--utterances"):
        interrupting([], 1)


def test_the_plain_chain_adds_its_stages_to_a_fixed_silence() -> None:
    script = Script({1: "how are you"})
    result = with_app(lambda app: chain(app, clip((1, 1.0))), script)
    assert result.transcript == "how are you"
    assert result.reply == "Well. That is all."
    assert tuple(result.stages) == STAGES
    assert result.gap == pytest.approx(sum(result.stages.values()))
    assert result.gap > SILENCE_S


def test_idle_listening_takes_some_of_a_core_and_not_several() -> None:
    assert 0 < with_app(lambda app: idle(app, 0.5), Script()) < 10
