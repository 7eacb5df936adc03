"""Events of a conversation become messages in the order and shape that clients need."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import numpy as np

from device.evi.expressions import NAMES
from device.evi.translation import Translation
from device.types import (
    Event,
    Expressed,
    Expression,
    Interrupted,
    Replied,
    Reply,
    Replying,
    Sentence,
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


def test_without_expression_nothing_is_measured_and_nothing_is_waited_for() -> None:
    [user] = told(Transcribed("Hello.", False, 1, 12.0, 13.0), expression=False)
    assert user["models"] == {} and user["message"]["content"] == "Hello."


def test_once_expression_is_switched_off_what_was_measured_before_is_not_sent() -> None:
    heard = Transcribed("Hello.", False, 1, 12.0, 13.0, expressed=True)
    [user] = told(heard, Expressed(SAD, 1), expression=False)
    assert user["models"] == {} and user["message"]["content"] == "Hello."


def test_typed_words_are_told_as_such() -> None:
    [user] = told(Transcribed("Hello.", False, 1), expression=False)
    assert user["from_text"] and user["time"] == {"begin": 0, "end": 0}


def test_words_still_being_spoken_are_sent_only_to_those_who_want_them() -> None:
    interim = Transcribed("I am", True)
    assert told(interim) == []
    [user] = told(interim, verbose=True)
    assert user["interim"] and user["models"] == {}


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
