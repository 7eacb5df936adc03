"""Stories of people who talk into a reply."""

from __future__ import annotations

import pytest

from device.types import (
    Interrupted,
    PassedOver,
    Pressed,
    Repeat,
    Resumed,
    State,
    TalkHeld,
    VoiceHeld,
)
from tests.story import CHARACTER, RATE, Story

TALE = "Once upon a time there was a fox. It lived in a wood. It was never bored. The end."


def tale(**conversation: object) -> Story:
    story = Story(conversation=conversation)
    story.says(1.0, "Tell me a tale.")
    story.answers("Tell me a tale", TALE)
    return story


@pytest.mark.parametrize("text", ["Mm-hm.", "Yeah.", "I see.", ""])
def test_a_backchannel_or_a_noise_lowers_the_voice_and_the_reply_goes_on(text: str) -> None:
    story = tale()
    story.says(4.5, text, seconds=0.5)
    story.tell(14)

    assert [r.heard for r in story.replies] == [TALE]
    assert not story.all(Interrupted) and not story.all(VoiceHeld)
    [passed] = story.all(PassedOver)
    assert passed.reason == ("backchannel" if text else "noise")
    assert story.transcripts == ["Tell me a tale."]
    lowered = story.recording[int(4.7 * RATE) : int(4.9 * RATE)]
    assert set(lowered) == {125}


def test_the_voice_is_as_loud_as_before_after_a_backchannel() -> None:
    story = tale()
    story.says(4.5, "Uh-huh.", seconds=0.4)
    story.tell(14)

    assert set(story.recording[int(5.4 * RATE) : int(6.0 * RATE)]) == {1000}


def test_a_word_that_was_not_understood_holds_the_voice_and_nothing_of_the_reply_is_lost() -> None:
    story = tale()
    story.says(4.5, "Arglwydd", seconds=0.4)
    story.tell(16)

    [held] = story.all(VoiceHeld)
    assert not story.sounding(held.at + 0.05, 4.95)
    assert [r.heard for r in story.replies] == [TALE]
    spoken = CHARACTER * len(TALE.replace(". ", "."))
    assert sum(story.recording != 0) / RATE == pytest.approx(spoken, abs=0.1)


def test_an_interruption_of_several_words_is_answered_with_what_was_heard_in_mind() -> None:
    story = tale()
    story.says(4.5, "But what is a wood?", seconds=1.2)
    story.answers("what is a wood", "Many trees.")
    story.tell(14)

    [interrupted] = story.all(Interrupted)
    first, second = story.replies
    assert first.interrupted and second.text == "Many trees."
    remembered = [m.content for m in story.model.prompts[-1] if m.role == "assistant"]
    assert remembered[-1] == first.heard and first.heard in TALE
    assert interrupted.onset == pytest.approx(4.5, abs=0.1)


def test_a_single_stop_stops_and_wants_no_answer() -> None:
    story = tale()
    story.says(4.5, "Stop.", seconds=0.4)
    story.tell(12)

    assert story.all(Interrupted)
    assert len(story.replies) == 1 and story.states[-1] is State.LISTENING
    assert not story.sounding(5.0, 12)


def test_the_echo_of_the_reply_is_passed_over() -> None:
    story = tale()
    story.says(3.2, "upon a time there was", seconds=0.9)
    story.tell(14)

    assert [r.heard for r in story.replies] == [TALE]
    assert [p.reason for p in story.all(PassedOver)] == ["echo"]


def test_an_echo_that_comes_after_the_last_word_is_not_answered() -> None:
    story = tale()
    end = 1.0 + 1.35 + CHARACTER * len(TALE.replace(". ", "."))
    story.says(end + 0.25, "It was never bored. The end.", seconds=0.6)
    story.tell(14)

    assert len(story.replies) == 1
    assert [p.reason for p in story.all(PassedOver)] == ["echo"]


def test_a_reply_that_was_given_up_for_nothing_goes_on_at_the_sentence_it_left() -> None:
    story = tale()
    story.says(5.0, "Stop!", seconds=0.8)
    story.does(5.6, lambda _: story.script.words.update({2: "Mm."}))  # it was misunderstood
    story.tell(18)

    [_], [_] = story.all(Interrupted), story.all(Resumed)
    first, rest = story.replies
    assert first.interrupted and not rest.interrupted
    left = first.heard.rsplit(". ", maxsplit=1)[-1]
    assert rest.heard.startswith(left) and TALE.endswith(rest.heard)
    assert [p.reason for p in story.all(PassedOver)] == ["backchannel"]


def test_pressing_the_button_silences_the_reply_and_listens() -> None:
    story = tale()
    story.commands(4.5, Pressed("talk"))
    story.tell(10)

    assert story.states[-1] is State.LISTENING
    assert story.sounding(4.0, 4.5) and not story.sounding(4.55, 10)


def test_the_last_reply_can_be_repeated() -> None:
    story = Story()
    story.says(1.0, "What is a fox?")
    story.answers("fox", "A small animal.")
    story.commands(5.0, Repeat())
    story.tell(9)

    assert [r.heard for r in story.replies] == ["A small animal.", "A small animal."]


def test_before_anything_was_said_repeating_says_so() -> None:
    story = Story()
    story.commands(1.0, Repeat())
    assert [r.heard for r in story.tell(5).replies] == ["I have not said anything yet."]


def test_push_to_talk_hears_only_while_the_button_is_held_and_answers_when_it_is_let_go() -> None:
    story = Story(conversation={"mode": "push-to-talk"})
    story.says(1.0, "Not meant for you.")
    story.commands(3.0, TalkHeld(True))
    story.says(3.3, "What is a")
    story.says(6.8, "fox?", seconds=0.5)  # a pause of two and a half seconds ends nothing
    story.commands(7.4, TalkHeld(False))
    story.answers("What is a fox?", "A small animal.")
    story.says(11.0, "Nor is this.")
    story.tell(14)

    assert story.transcripts == ["What is a fox?"]
    assert [r.heard for r in story.replies] == ["A small animal."]
    assert story.times[0].turn_end - 7.4 <= 0.1
    assert story.states[-1] is State.IDLE


def test_a_talk_button_that_was_pressed_for_nothing_lets_the_device_rest() -> None:
    story = Story(conversation={"mode": "push-to-talk"})
    story.commands(1.0, TalkHeld(True))
    story.commands(2.0, TalkHeld(False))
    assert story.tell(5).states == [State.LISTENING, State.IDLE]
