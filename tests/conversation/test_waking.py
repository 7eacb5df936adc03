"""Stories of a device that rests until its wake phrase is spoken."""

from __future__ import annotations

import numpy as np

from device.conversation.earcons import TONES, earcon
from device.types import Expressed, SpeechStarted, State, Transcribed, WakeHeard
from tests.story import RATE, Story


def resting(**conversation: object) -> Story:
    settings = {"mode": "wake", "wake_phrase": "hey rapport", "follow_up": 3.0, **conversation}
    return Story(conversation=settings)


def test_nothing_that_is_said_before_the_phrase_is_told_or_kept() -> None:
    story = resting()
    story.says(1.0, "My secret is a long one.", seconds=4)
    story.tell(8)

    told = [*story.all(Transcribed), *story.all(Expressed), *story.all(SpeechStarted)]
    assert not told and not story.states and not story.model.prompts


def test_the_phrase_wakes_it_with_a_chime_and_follow_ups_need_no_phrase() -> None:
    story = resting()
    story.says(1.0, "Hey, rapport.", seconds=0.8)
    story.says(3.5, "What is a fox?")
    story.says(8.0, "And a wolf?")
    story.answers("What is a fox?", "A small animal.")
    story.answers("And a wolf?", "A bigger one.")
    story.tell(18)

    assert [e.word for e in story.all(WakeHeard)] == ["hey rapport"]
    assert story.transcripts == ["What is a fox?", "And a wolf?"]
    assert story.sounding(1.8, 3.0), "the chime"
    assert story.states[-1] is State.IDLE


def test_phrase_and_question_can_be_said_in_one_breath() -> None:
    story = resting()
    story.says(1.0, "Hey rapport, what is a fox?", seconds=1.8)
    story.answers("what is a fox?", "A small animal.")
    story.tell(8)

    assert story.transcripts == ["what is a fox?"]
    assert [r.heard for r in story.replies] == ["A small animal."]


def test_a_farewell_lets_it_rest_at_once() -> None:
    story = resting(follow_up=60.0)
    story.says(1.0, "Hey rapport.", seconds=0.8)
    story.says(3.0, "That's all.", seconds=0.8)
    story.says(8.0, "What is a fox?")
    story.tell(12)

    assert story.states == [State.LISTENING, State.IDLE]
    assert not story.replies


def test_it_wakes_without_a_chime_if_that_is_wished() -> None:
    story = resting(chime=False)
    story.says(1.0, "Hey rapport.", seconds=0.8)
    story.tell(6)

    assert story.all(WakeHeard) and not story.sounding(0, 6)


def test_somebody_who_speaks_longer_than_the_follow_up_is_heard_to_the_end() -> None:
    story = resting()
    story.says(1.0, "Hey rapport, this is a very long question", seconds=7)
    story.answers("long question", "Indeed.")
    story.tell(14)

    assert [r.heard for r in story.replies] == ["Indeed."]


def test_chimes_are_short_and_begin_and_end_softly() -> None:
    for name in TONES:
        sound = earcon(name, RATE)
        assert len(sound) < 0.3 * RATE
        assert abs(int(sound[0])) < 50 and abs(int(sound[-1])) < 50
        assert np.max(np.abs(sound)) > 1000
