"""Events become the record of turns, and everything becomes plain JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from device.terminal.record import TIMES, Record, Sounding, plain, plain_event
from device.types import (
    Event,
    Expressed,
    Expression,
    Interrupted,
    ModelIdentity,
    Observed,
    Replied,
    Reply,
    SpeechFailed,
    SpeechStarted,
    Spoken,
    State,
    StateChanged,
    Transcribed,
    TurnFailed,
    TurnTimed,
    TurnTimes,
)

MODEL = ModelIdentity("head", "3", "Apache-2.0")
SAD = Expression(
    *(-0.5, 0.25, None, {"Sadness": 0.61234567}, 0.4, {"pitch_hz": 181.25}),
    categories={"sad": 0.71234567, "calm": 0.2876},
    model=MODEL,
)
ONE_TURN: list[Event] = [
    SpeechStarted(1.0),
    Transcribed("I am", interim=True),
    Transcribed("I am sad.", interim=False, turn=1),
    Expressed(SAD, turn=1),
    Replied(Reply("I am sorry. Truly.", "I am sorry.", True, "calm"), 1),
    TurnTimed(TurnTimes(1.0, 2.0, 2.25, 2.5, 2.6, 2.7, 2.75, None), 1),
]


def recorded(events: list[Event]) -> Record:
    record = Record()
    for event in events:
        record.take(Observed("talk", 3.0, event))
    return record


def test_a_turn_is_gathered_from_its_events() -> None:
    (turn,) = recorded(ONE_TURN).plain()["turns"]
    assert turn == {
        "transcript": "I am sad.",
        "reply": "I am sorry. Truly.",
        "heard": "I am sorry.",
        "style": "calm",
        "interrupted": True,
        "expression": {
            "valence": -0.5,
            "arousal": 0.25,
            "dominance": None,
            "emotions": {"Sadness": 0.6123},
            "confidence": 0.4,
            "measures": {"pitch_hz": 181.25},
            "categories": {"sad": 0.7123, "calm": 0.2876},
            "model": {"name": "head", "version": "3", "licence": "Apache-2.0"},
        },
        "interim": [],
        "times": {
            "speech_start": 1.0,
            "speech_end": 2.0,
            "turn_end": 2.5,
            "transcript": 2.25,
            "first_token": 2.6,
            "first_audio": 2.75,
            "reply_end": None,
        },
    }


def test_how_somebody_sounds_while_speaking_is_not_how_the_turn_sounded() -> None:
    calm = Expressed(Expression(None, -0.3, None), interim=True)
    before = [SpeechStarted(0.2), calm, SpeechFailed("no words were recognised", 0.9)]
    record = recorded([*before, *ONE_TURN[:2], calm, calm, *ONE_TURN[2:]])
    (turn,) = record.turns
    assert turn.expression == SAD
    assert turn.interim == [Sounding(3.0, calm.expression)] * 2, "those of this utterance"
    (told,) = record.plain()["turns"]
    assert told["interim"][0]["at"] == 3.0
    assert told["interim"][0]["expression"]["arousal"] == -0.3


def test_what_did_not_happen_is_null_not_absent() -> None:
    (turn,) = recorded([Transcribed("Hello?", interim=False, turn=7)]).plain()["turns"]
    assert turn["reply"] == turn["heard"] == ""
    assert turn["interrupted"] is False
    assert turn["times"] == dict.fromkeys(TIMES)
    assert turn["expression"]["valence"] is None
    assert turn["expression"]["emotions"] == turn["expression"]["categories"] == {}
    assert turn["expression"]["model"] is None


def test_turns_are_in_order_and_end_once() -> None:
    record = Record()
    ends = [
        record.take(Observed("talk", 0.0, event))
        for event in (
            Transcribed("two", interim=False, turn=2),
            Transcribed("one", interim=False, turn=1),
            TurnTimed(TurnTimes(), 1),
            TurnTimed(TurnTimes(), 2),
        )
    ]
    assert [turn and turn.transcript for turn in ends] == [None, None, "one", "two"]
    assert [turn.transcript for turn in record.turns] == ["one", "two"]
    assert record.ended == 2


def test_the_response_gap_runs_from_the_users_last_sound_to_the_replys_first() -> None:
    assert recorded(ONE_TURN).turns[0].gap == pytest.approx(0.75)
    silent = [TurnTimed(TurnTimes(speech_end=1.0), 1)]
    assert recorded([*silent]).turns[0].gap is None


def test_the_user_is_speaking_until_words_or_nothing_come_of_it() -> None:
    record = recorded(ONE_TURN[:2])
    assert record.speaking
    record.take(Observed("talk", 3.0, SpeechFailed("no words were recognised", 3.0)))
    assert not record.speaking
    assert record.unheard == "no words were recognised"
    assert not recorded(ONE_TURN[:3]).speaking
    assert record.turns == []


def test_a_failure_is_kept_with_its_turn() -> None:
    record = recorded([*ONE_TURN, TurnFailed("the model is gone", 1)])
    assert [turn.failure for turn in record.turns] == ["the model is gone"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Spoken(np.zeros(441, np.int16), 22_050, 3), {"pcm": {"samples": 441}, "rate": 22_050}),
        (StateChanged(State.IDLE, State.SPEAKING), {"old": "idle", "new": "speaking"}),
        (Interrupted(3, 5.0, 4.75), {"turn": 3, "at": 5.0, "onset": 4.75}),
        (Expressed(SAD, 3), {"turn": 3, "interim": False}),
        (Expressed(SAD, interim=True), {"turn": None, "interim": True}),
    ],
)
def test_every_event_has_a_plain_form(event: Event, told: dict[str, object]) -> None:
    line = json.loads(json.dumps(plain_event(Observed("talk", 1.23456, event))))
    assert (line["session"], line["at"], line["type"]) == ("talk", 1.2346, type(event).__name__)
    assert told.items() <= line["event"].items()


def test_what_is_not_ours_has_no_plain_form() -> None:
    with pytest.raises(TypeError, match="object has no plain form"):
        plain(object())
