"""Events of a conversation become messages in the order and shape that clients need."""

from __future__ import annotations

import base64
import io
import json
import wave
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.evi.translation import Translation
from device.hearing.emotions import NAMES, tiers
from device.types import (
    Event,
    Expressed,
    Expression,
    Interrupted,
    ModelIdentity,
    Replied,
    Reply,
    Replying,
    Sentence,
    SpeechStarted,
    Spoken,
    SpokenAll,
    Style,
    Tool,
    ToolCalled,
    Transcribed,
    TurnFailed,
)

SAD = Expression(-0.5, -0.2, None, {"Sadness": 0.6, "Annoyance": 0.9}, 0.8)
NEUTRAL, SOFT = Style("neutral"), Style("sympathetic")
SOUND = np.arange(4800, dtype=np.int16)


def told(*events: Event, expression: bool = True, verbose: bool = False) -> list[dict[str, Any]]:
    translation = Translation(lambda: expression, verbose, lambda: 10.0)
    return [message for event in events for message in translation.messages(event)]


def reply(*texts: str, style: Style = NEUTRAL, verbatim: bool = False) -> list[Event]:
    events: list[Event] = []
    for text in texts:
        events.append(Replying(Sentence(text, style), 1, verbatim))
        events += [Spoken(SOUND, 48_000, 1), Spoken(SOUND, 48_000, 1)]
    return events


def test_a_whole_turn_in_order() -> None:
    messages = told(
        Transcribed("I am sad.", False, 1, 12.0, 13.5, True),
        Expressed(SAD, 1),
        *reply("Oh dear.", "Tell me.", style=SOFT),
        SpokenAll(1),
        Replied(Reply("Oh dear. Tell me.", "Oh dear. Tell me.", False), 1),
    )
    assert [m["type"] for m in messages] == [
        "user_message",
        *["assistant_message", "audio_output", "audio_output", "assistant_prosody"] * 2,
        "assistant_end",
    ]
    user, first, second = messages[0], messages[1:5], messages[5:9]
    assert user["time"] == {"begin": 2000, "end": 3500}
    assert (user["from_text"], user["interim"]) == (False, False)
    assert {m["id"] for m in first}.isdisjoint({m["id"] for m in second})
    assert [m["index"] for m in first[1:3]] == [m["index"] for m in second[1:3]] == [0, 1]
    assert first[3]["models"]["prosody"]["scores"]["Sympathy"] > 0


def test_a_user_message_has_all_48_scores_and_no_other() -> None:
    [user] = told(Transcribed("I am sad.", False, 1, 12.0, 13.5, True), Expressed(SAD, 1))
    scores = user["models"]["prosody"]["scores"]
    assert tuple(scores) == NAMES and len(NAMES) == 48
    assert scores["Sadness"] == 0.6 and scores["Joy"] == 0.0


def test_beside_the_scores_stands_what_they_were_made_of() -> None:
    model = ModelIdentity("head", "2", "Apache-2.0")
    heard = Expression(-0.51234, 0.4, None, {}, 0.8, {}, {"sad": 0.7, "calm": 0.3}, model)
    [user] = told(Transcribed("I am sad.", False, 1, 12.0, 13.5, True), Expressed(heard, 1))
    assert user["models"]["prosody"]["measured"] == {
        "valence": -0.5123,
        "arousal": 0.4,
        "dominance": None,
        "confidence": 0.8,
        "categories": {"sad": 0.7, "calm": 0.3},
        "model": {"name": "head", "version": "2", "licence": "Apache-2.0"},
        "tiers": tiers(("sad", "calm")),
    }
    assert user["models"]["prosody"]["measured"]["tiers"]["Sadness"] == "measured"
    assert user["models"]["prosody"]["measured"]["tiers"]["Love"] == "not_identifiable"


@given(
    st.builds(
        Expression,
        *[st.none() | st.floats(-1, 1)] * 3,
        st.dictionaries(st.sampled_from((*NAMES, "Annoyance")), st.floats(0, 1)),
        st.floats(0, 1),
        st.just({}),
        st.dictionaries(st.text(max_size=9), st.floats(0, 1), max_size=9),
        st.none() | st.builds(ModelIdentity, st.text(), st.text(), st.text()),
    )
)
def test_whatever_was_measured_the_message_is_json_with_all_48_scores(found: Expression) -> None:
    [user] = told(Transcribed("Words.", False, 1, 12.0, 13.5, True), Expressed(found, 1))
    prosody = json.loads(json.dumps(user, allow_nan=False))["models"]["prosody"]
    assert tuple(prosody["scores"]) == NAMES
    assert all(0 <= score <= 1 for score in prosody["scores"].values())
    assert prosody["measured"]["categories"].keys() == found.categories.keys()


def test_without_expression_nothing_is_measured_and_nothing_is_waited_for() -> None:
    [user] = told(Transcribed("Hello.", False, 1, 12.0, 13.0), expression=False)
    assert user["models"] == {} and user["message"]["content"] == "Hello."


def test_once_expression_is_switched_off_what_was_measured_before_is_not_sent() -> None:
    heard = Transcribed("Hello.", False, 1, 12.0, 13.0, expressed=True)
    [user] = told(heard, Expressed(SAD, 1), expression=False)
    assert user["models"] == {} and user["message"]["content"] == "Hello."


def test_of_typed_words_no_expression_is_sent() -> None:
    [user] = told(Transcribed("I am sad.", False, 1, expressed=True), Expressed(SAD, 1))
    assert user["from_text"] and user["models"] == {}


def test_typed_words_are_told_as_such() -> None:
    [user] = told(Transcribed("Hello.", False, 1), expression=False)
    assert user["from_text"] and user["time"] == {"begin": 0, "end": 0}


def test_words_still_being_spoken_are_sent_only_to_those_who_want_them() -> None:
    interim = Transcribed("I am", True)
    assert told(interim) == []
    [user] = told(interim, verbose=True)
    assert user["interim"] and user["models"] == {}


def test_words_still_being_spoken_carry_how_they_sounded_last_and_nothing_of_before() -> None:
    calm = Expression(None, -0.4, None, {"Calmness": 0.3}, 0.8)
    sounding = [Expressed(SAD, interim=True), Expressed(calm, interim=True)]
    interim, ended = Transcribed("I am", True), Transcribed("I am.", False, 1, 12.0, 13.5, True)
    events = [SpeechStarted(12.0), *sounding, interim, ended, Expressed(SAD, 1)]
    assert [user["interim"] for user in told(*events)] == [False]
    during, after, later = told(*events, SpeechStarted(15.0), interim, verbose=True)
    assert during["models"]["prosody"].keys() == {"scores"}
    assert during["models"]["prosody"]["scores"]["Calmness"] == 0.3
    assert during["models"]["prosody"]["scores"]["Sadness"] == 0.0
    assert "measured" in after["models"]["prosody"]
    assert later["models"] == {}
    assert told(*sounding, interim, verbose=True, expression=False)[0]["models"] == {}


def test_an_expression_while_speaking_is_not_taken_for_the_one_that_is_waited_for() -> None:
    ended = Transcribed("I am sad.", False, 1, 12.0, 13.5, True)
    happy = Expression(0.5, 0.4, None, {"Joy": 0.3}, 0.8)
    [user] = told(ended, Expressed(happy, interim=True), Expressed(SAD, 1))
    assert user["models"]["prosody"]["scores"]["Sadness"] == 0.6


def test_each_piece_of_sound_is_a_whole_wav_file_with_a_plain_header() -> None:
    piece = told(*reply("Hello."))[1]
    data = base64.b64decode(piece["data"])
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert file.readframes(10_000) == SOUND.tobytes() == data[44:]


def test_an_interruption_is_told_before_the_end_and_leaves_the_segment() -> None:
    messages = told(
        *reply("A long tale."),
        Interrupted(1, 5.0, 4.9),
        Replied(Reply("A long tale.", "A long", True), 1),
    )
    assert [m["type"] for m in messages][-2:] == ["user_interruption", "assistant_end"]
    assert isinstance(messages[-2]["time"], int)


def test_sound_that_comes_after_an_interruption_is_not_sent() -> None:
    late = Spoken(SOUND, 48_000, 1)
    assert told(*reply("A long tale."), Interrupted(1, 5.0, 4.9), late)[-1]["type"] == (
        "assistant_end"
    )


def test_the_end_of_a_reply_is_told_once() -> None:
    whole = Replied(Reply("Hi.", "Hi.", False), 1)
    messages = told(*reply("Hi."), SpokenAll(1), whole, *reply("Ho."), whole)
    assert [m["type"] for m in messages].count("assistant_end") == 2


def test_given_words_are_told_as_such() -> None:
    assert told(*reply("Hi."))[0]["from_text"] is False
    assert told(*reply("Hi.", verbatim=True))[0]["from_text"] is True


def test_a_clients_tool_is_called_and_the_devices_own_is_told() -> None:
    theirs = Tool("look_up", "", "{}")
    [call] = told(ToolCalled("c1", theirs, '{"a": 1}', 1))
    assert (call["type"], call["tool_type"], call["response_required"]) == (
        "tool_call", "function", True,
    )  # fmt: skip
    assert call["parameters"] == '{"a": 1}' and call["tool_call_id"] == "c1"
    [done] = told(ToolCalled("c2", Tool("hang_up", "", "{}", builtin=True), "{}", 1))
    assert (done["type"], done["tool_type"]) == ("tool_response", "builtin")


def test_a_failed_turn_is_an_error_that_names_no_internals() -> None:
    [error] = told(TurnFailed("/home/pi/secret: no such file", 1))
    assert error["code"] == "R0500" and "secret" not in error["message"]
