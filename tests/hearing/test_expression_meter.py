"""The voice's expression is measured while it speaks and at each pause, in an order that holds."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.config import ConfigError, parse
from device.hearing.ears import Ears
from device.settings import Hearing
from device.types import (
    Embedding,
    Expressed,
    Expression,
    ExpressionHeard,
    HearingEvent,
    Pcm,
    RapportError,
    TurnLikely,
    UtteranceEnded,
)
from device.worker import Owned, Worker
from tests.hearing.test_ears import Talker, until
from tests.story import (
    Script,
    ScriptedProsody,
    ScriptedRecognizer,
    ScriptedTurnDetector,
    ScriptedVoiceActivity,
    SecretiveTurnDetector,
    Story,
    UntouchableProsody,
    Use,
)

LONG = "This goes on for three seconds."


def story(**hearing: Any) -> Story:
    told = Story(hearing=hearing)
    told.answers("", "Yes.")
    return told


def uses(told: Story) -> list[str]:
    return [use.what for use in told.prosody.uses]


def test_expression_is_told_every_half_second_while_somebody_speaks_and_then_for_good() -> None:
    told = story()
    told.says(1.0, LONG, seconds=3.0)
    told.tell(8.0)
    interim = [o for o in told.events if isinstance(o.event, Expressed) and o.event.interim]
    [final] = [o for o in told.events if isinstance(o.event, Expressed) and not o.event.interim]
    times = [o.at for o in interim]
    assert times == pytest.approx([1.6, 2.1, 2.6, 3.1, 3.6], abs=0.1)
    assert {o.event.turn for o in interim if isinstance(o.event, Expressed)} == {None}
    assert isinstance(final.event, Expressed) and final.event.turn == 1
    assert final.at > 4.0


def test_an_interim_expression_is_the_voice_s_alone() -> None:
    told = story()
    told.says(1.0, "I am so happy, this is wonderful!", seconds=3.0)
    told.tell(8.0)
    *interim, final = told.all(Expressed)
    assert all(e.expression.valence is None for e in interim)
    assert final.expression.valence is not None and final.expression.valence > 0


def test_what_is_measured_is_recent_and_of_this_utterance() -> None:
    told = story()
    told.says(1.0, "One.", seconds=0.8)
    told.says(2.35, LONG, seconds=4.0)  # as soon as the first is over
    told.tell(9.0)
    interim = [use for use in told.prosody.uses if use.what == "interim"]
    assert {use.heard for use in interim} == {(1,), (2,)}
    assert max(use.seconds for use in interim) == 2.0
    assert min(use.seconds for use in interim) == pytest.approx(0.6, abs=0.05)


def test_the_model_learns_right_after_it_measured_the_whole_utterance() -> None:
    told = story()
    told.says(1.0, "One.", seconds=1.2)
    told.says(5.0, "Two.", seconds=1.2)
    told.tell(9.0)
    assert uses(told) == ["interim", "interim", "final", "learn"] * 2
    assert [use.heard for use in told.prosody.uses if use.what == "final"] == [(1,), (2,)]


def test_after_a_pause_that_was_not_the_end_it_is_measured_on_and_again_for_good() -> None:
    told = story()
    told.says(1.0, "I was thinking", seconds=1.2, finished=False)
    told.says(2.6, "of something.", seconds=1.2)
    told.tell(8.0)
    found = uses(told)
    assert found == ["interim", "interim", "final", "interim", "interim", "final", "learn"]
    assert told.prosody.uses[-2].heard == (1, 2)


def test_nothing_is_learnt_of_speech_that_came_to_nothing() -> None:
    told = story()
    told.says(1.0, "", seconds=1.2)
    told.says(4.0, "Now.", seconds=1.2)
    told.tell(8.0)
    assert uses(told) == ["interim", "interim", "final", "interim", "interim", "final", "learn"]
    assert told.prosody.uses[-2].heard == (2,)


def test_with_an_interval_of_nought_only_pauses_are_measured() -> None:
    told = story(expression_interval=0)
    told.says(1.0, LONG, seconds=3.0)
    told.tell(8.0)
    assert uses(told) == ["final", "learn"]
    assert [e.interim for e in told.all(Expressed)] == [False]


@pytest.mark.parametrize("interval", [-0.1, 11])
def test_an_interval_out_of_reason_is_refused(interval: float) -> None:
    with pytest.raises(ConfigError, match=r"hearing\.expression_interval"):
        parse({"hearing": {"expression_interval": interval}}, "the test")


def test_where_expression_is_off_the_end_of_turn_is_all_that_is_worked_out() -> None:
    told = story(expression=False)
    told.turn_detector = SecretiveTurnDetector(told.script)
    told.prosody = UntouchableProsody()
    told.says(1.0, LONG, seconds=3.0)
    told.tell(8.0)
    assert told.all(Expressed) == []
    assert [reply.heard for reply in told.replies] == ["Yes."]


class Broken(ScriptedProsody):
    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        raise RapportError("the model fell over")

    def preview(self, audio: Pcm) -> Expression | None:
        raise RapportError("the model fell over")


def test_a_model_that_fails_is_logged_and_costs_nobody_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = story()
    told.prosody = Broken()
    told.says(1.0, LONG, seconds=3.0)
    with caplog.at_level(logging.WARNING):
        told.tell(8.0)
    assert "the model fell over" in caplog.text
    assert [reply.heard for reply in told.replies] == ["Yes."]
    assert not any(event.interim for event in told.all(Expressed))


class Unsure(ScriptedProsody):
    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        super().measure(audio, embedding)
        return None

    def preview(self, audio: Pcm) -> Expression | None:
        super().preview(audio)
        return None


def test_nothing_is_learnt_of_a_voice_that_could_not_be_measured() -> None:
    told = story()
    told.prosody = Unsure()
    told.says(1.0, LONG, seconds=1.2)
    told.tell(6.0)
    assert uses(told) == ["interim", "interim", "final"]
    assert not any(event.interim for event in told.all(Expressed))


class Slow(ScriptedProsody):
    """Takes as long as the test wants, and notices if it is entered twice."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.begun = 0

    def measure(self, audio: Pcm, embedding: Embedding | None) -> Expression | None:
        self._wait()
        return super().measure(audio, embedding)

    def preview(self, audio: Pcm) -> Expression | None:
        self._wait()
        return super().preview(audio)

    def _wait(self) -> None:
        self.begun += 1
        assert self.go_on.wait(60), "the test never let the model go on"


@contextmanager
def ears_of(prosody: ScriptedProsody) -> Iterator[Ears]:
    """Ears on the real clock."""
    script = Script({1: "Hello."})
    workers = [Worker(name) for name in ("turn", "asr", "prosody")]
    yield Ears(
        ScriptedVoiceActivity(),
        Owned(ScriptedTurnDetector(script), workers[0]),
        Owned(ScriptedRecognizer(script), workers[1]),
        Owned(prosody, workers[2]),
        Hearing(interim=0),
    )
    for worker in workers:
        worker.close()


def test_a_slow_model_is_never_asked_twice_at_a_time_and_a_pause_calls_it_off() -> None:
    prosody = Slow()

    async def main(ears: Ears) -> list[HearingEvent]:
        talker, events = Talker(), list[HearingEvent]()
        listening = asyncio.create_task(ears.listen(talker, events.append))
        talker.says(1, 3)
        await talker.heard()
        assert prosody.begun == 1, "the second was asked for while the first was under way"
        talker.says(0, 0.3)
        await talker.heard()
        prosody.go_on.set()
        await until(events, TurnLikely)
        talker.says(0, 1)
        await until(events, UtteranceEnded)
        talker.leaves()
        await asyncio.wait_for(listening, 60)
        return events

    with ears_of(prosody) as ears:
        events = asyncio.run(main(ears))
    assert not any(isinstance(event, ExpressionHeard) for event in events)
    assert [use.what for use in prosody.uses] == ["interim", "final", "learn"]


def test_a_slow_model_is_given_a_rest() -> None:
    prosody = Slow()

    async def main(ears: Ears) -> None:
        talker, events = Talker(), list[HearingEvent]()
        listening = asyncio.create_task(ears.listen(talker, events.append))
        talker.says(1, 0.7)
        await talker.heard()
        await asyncio.sleep(0.3)
        prosody.go_on.set()
        await until(events, ExpressionHeard)
        talker.says(1, 0.8)  # three times the third of a second it took are not over
        await talker.heard()
        assert prosody.begun == 1
        async with asyncio.timeout(60):
            while prosody.begun == 1:
                talker.says(1, 0.5)
                await asyncio.sleep(0.1)
        talker.leaves()
        await asyncio.wait_for(listening, 60)

    with ears_of(prosody) as ears:
        asyncio.run(main(ears))


def test_what_is_being_measured_when_it_is_switched_off_is_thrown_away() -> None:
    prosody = Slow()

    async def main(ears: Ears) -> list[HearingEvent]:
        talker, events = Talker(), list[HearingEvent]()
        listening = asyncio.create_task(ears.listen(talker, events.append))
        talker.says(1, 3)
        talker.says(0, 0.3)
        await talker.heard()
        ears.measure_expression(False)
        prosody.go_on.set()
        await until(events, TurnLikely)
        talker.says(0, 2)
        await until(events, UtteranceEnded)
        talker.leaves()
        await asyncio.wait_for(listening, 60)
        return events

    with ears_of(prosody) as ears:
        events = asyncio.run(main(ears))
    assert not any(isinstance(event, ExpressionHeard) for event in events)
    [utterance] = [e.utterance for e in events if isinstance(e, UtteranceEnded)]
    assert (utterance.text, utterance.expression) == ("Hello.", None)
    assert "learn" not in [use.what for use in prosody.uses]


PIECES = st.lists(
    st.tuples(
        st.floats(0.1, 3.0),  # seconds of speech
        st.floats(0.05, 2.0),  # of silence after it
        st.booleans(),  # whether it sounds finished
        st.booleans(),  # whether there are words in it
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(PIECES)
def test_however_somebody_speaks_the_model_learns_only_what_it_has_just_measured_whole(
    pieces: list[tuple[float, float, bool, bool]],
) -> None:
    told, at = story(), 0.5
    for seconds, silence, finished, worded in pieces:
        told.says(at, "Some words." if worded else "", seconds, finished)
        at += seconds + silence
    told.tell(at + 4.0)
    assert_in_order(told.prosody.uses, len(told.transcripts))


def assert_in_order(found: list[Use], utterances: int) -> None:
    learnt = [number for number, use in enumerate(found) if use.what == "learn"]
    assert len(learnt) == utterances
    whole = [found[number - 1] for number in learnt]
    assert all(use.what == "final" for use in whole)
    heard = [value for use in whole for value in use.heard]
    assert heard == sorted(heard), "an utterance was learnt late"
    interim = [use for use in found if use.what == "interim"]
    assert all(0 < use.seconds <= 2.0 and np.all(np.array(use.heard) > 0) for use in interim)
