"""Stories of what a program at the other end asks for: pauses, texts, tools, another prompt."""

from __future__ import annotations

import json

import pytest

from device.types import (
    Asked,
    Briefed,
    Briefing,
    Command,
    Interrupted,
    Message,
    Paused,
    Replying,
    Say,
    SpeechFailed,
    SpokenAll,
    State,
    Tool,
    ToolCalled,
    ToolReturned,
)
from tests.story import Story

WEATHER = Tool(
    "get_weather",
    "Tells the weather of a city",
    json.dumps({"type": "object", "properties": {"city": {"type": "string"}}}),
)
BYE = Tool("hang_up", "Ends the chat", '{"type": "object"}', builtin=True)
TALE = "Once upon a time there was a fox. It lived in a wood. It was never bored. The end."


def test_typed_words_interrupt_the_reply_and_are_answered() -> None:
    story = Story()
    story.commands(1.0, Asked("Tell me a tale."))
    story.commands(3.0, Asked("Stop, what is a fox?"))
    story.answers("tale", TALE)
    story.answers("fox", "An animal.")
    story.tell(8)

    first, second = story.replies
    assert first.interrupted and first.heard and first.heard != first.text
    assert second.heard == "An animal."
    assert any(m.content == first.heard for m in story.model.prompts[-1])


def test_texts_to_be_spoken_wait_for_each_other() -> None:
    story = Story()
    for at, text in ((1.0, "One is first."), (1.1, "Two is next."), (1.2, "Three is last.")):
        story.commands(at, Say(text))
    story.tell(8)

    assert [reply.heard for reply in story.replies] == [
        "One is first.", "Two is next.", "Three is last.",
    ]  # fmt: skip
    assert all(event.verbatim for event in story.all(Replying))


def test_an_interruption_drops_the_texts_that_waited() -> None:
    story = Story()
    story.commands(1.0, Say(TALE))
    story.commands(1.1, Say("Never heard."))
    story.says(3.0, "Quiet now.", seconds=0.5)
    story.answers("Quiet", "Yes.")
    story.tell(9)

    assert [reply.heard for reply in story.replies][1:] == ["Yes."]


def test_the_end_of_the_sound_is_told_before_it_has_been_played() -> None:
    story = Story()
    story.commands(1.0, Say("A sentence that takes a while to be spoken."))
    story.tell(8)

    assert story.when(SpokenAll) < story.times[0].reply_end - 0.5


# Pause


def test_while_paused_words_are_heard_and_not_answered() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.says(1.0, "What is a fox?")
    story.tell(6)

    assert story.transcripts == ["What is a fox?"]
    assert story.replies == [] and story.model.prompts == []


def test_after_the_pause_the_last_words_are_answered_and_the_earlier_ones_known() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.says(1.0, "My dog is ill.")
    story.commands(4.0, Asked("What shall I do?"))
    story.commands(5.0, Paused(False))
    story.answers("What shall I do?", "Call the vet.")
    story.tell(9)

    [prompt] = story.model.prompts
    assert prompt[-1].content == "What shall I do?"
    assert any("My dog is ill." in message.content for message in prompt[:-1])
    assert [reply.heard for reply in story.replies] == ["Call the vet."]


def test_a_pause_silences_the_reply_and_nothing_is_said_again_when_it_ends() -> None:
    story = Story()
    story.commands(1.0, Asked("Tell me a tale."))
    story.commands(3.0, Paused(True))
    story.commands(4.0, Paused(False))
    story.answers("tale", TALE)
    story.tell(8)

    [reply] = story.replies
    assert reply.interrupted and not story.sounding(3.1, 8)


def test_a_reply_that_was_paused_before_its_first_sound_is_made_again_afterwards() -> None:
    story = Story()
    story.commands(1.0, Asked("Tell me a tale."))
    story.commands(1.0, Paused(True))
    story.commands(3.0, Paused(False))
    story.answers("tale", "The end.")
    story.tell(7)

    assert [reply.heard for reply in story.replies][-1] == "The end."
    assert not story.sounding(0, 3)


def test_texts_to_be_spoken_are_spoken_while_paused() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.commands(1.0, Say("This is said."))
    story.tell(5)

    assert [reply.heard for reply in story.replies] == ["This is said."]


def test_a_text_spoken_during_the_pause_is_no_answer_to_what_was_asked() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.commands(1.0, Asked("What is a fox?"))
    story.commands(1.5, Say("One moment."))
    story.commands(5.0, Paused(False))
    story.answers("fox", "An animal.")
    story.tell(9)

    assert [reply.heard for reply in story.replies] == ["One moment.", "An animal."]


def test_a_pause_that_ends_while_something_is_said_lets_that_be_said_first() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.commands(1.0, Asked("What is a fox?"))
    story.commands(1.5, Say("A text that takes a while to be spoken."))
    story.commands(2.0, Paused(False))
    story.answers("fox", "An animal.")
    story.tell(9)

    assert [reply.heard for reply in story.replies] == [
        "A text that takes a while to be spoken.", "An animal.",
    ]  # fmt: skip


def test_what_was_asked_during_the_pause_is_void_once_something_else_is_asked() -> None:
    story = Story()
    story.commands(0.5, Paused(True))
    story.commands(1.0, Asked("What is a fox?"))
    story.commands(1.5, Say("A text that takes a while to be spoken."))
    story.commands(2.0, Paused(False))
    story.commands(2.5, Asked("What is a hen?"))
    story.answers("hen", "A bird.")
    story.tell(9)

    assert [reply.heard for reply in story.replies][-1] == "A bird."
    assert len(story.model.prompts) == 1


# Briefing


def test_a_briefing_changes_the_prompt_and_keeps_what_was_said() -> None:
    story = Story()
    story.commands(0.5, Asked("I am Kim."))
    story.commands(4.0, Briefed(Briefing("You are a pirate.")))
    story.commands(5.0, Asked("Who am I?"))
    story.answers("I am Kim.", "Hello Kim.")
    story.answers("Who am I?", "Kim.")
    story.tell(9)

    last = story.model.prompts[-1]
    assert last[0] == Message("system", "You are a pirate.")
    assert any(message.content == "I am Kim." for message in last)


def test_a_lasting_note_goes_with_every_question_and_a_passing_one_with_the_next() -> None:
    story = Story()
    story.commands(0.5, Briefed(Briefing("You help.", note="It rains.", passing_note="Be brief.")))
    story.commands(1.0, Asked("One?"))
    story.commands(4.0, Asked("Two?"))
    story.answers("One?", "1.")
    story.answers("Two?", "2.")
    story.tell(8)

    first, second = (prompt[-1].content for prompt in story.model.prompts)
    assert first == "One? {Context: It rains.} {Context: Be brief.}"
    assert second == "Two? {Context: It rains.}"


# Tools


def called(story: Story, *commands: tuple[float, Command]) -> ToolCalled:
    story.model.arguments = '{"city": "Oslo"}'
    story.commands(0.5, Briefed(Briefing("You help.", tools=(WEATHER, BYE))))
    for at, command in commands:
        story.commands(at, command)
    story.tell(40)
    return story.all(ToolCalled)[0]


def test_a_tool_that_fits_is_called_and_its_result_is_told_as_it_is() -> None:
    story = Story()
    story.says(1.0, "What is the weather in Oslo?")
    story.when_called = lambda call: ToolReturned(call.call, "It snows")
    call = called(story)

    assert json.loads(call.arguments) == {"city": "Oslo"}
    assert [reply.heard for reply in story.replies] == ["It snows."]


def test_no_tool_is_called_for_words_that_might_go_on() -> None:
    story = Story()
    story.says(1.0, "What is the weather", finished=False)
    story.says(2.6, "in Oslo?")
    story.when_called = lambda call: ToolReturned(call.call, "Sun")
    called(story)

    assert len(story.all(ToolCalled)) == 1
    assert story.when(ToolCalled) > 3.6


def test_a_tool_that_does_not_answer_is_told_to_have_failed() -> None:
    story = Story(conversation={"tool_timeout": 2.0})
    called(story, (1.0, Asked("What is the weather in Oslo?")))

    [reply] = story.replies
    assert "get weather failed" in reply.heard


def test_a_failing_tool_has_its_fallback_told() -> None:
    story = Story()
    story.when_called = lambda call: ToolReturned(call.call, "The station is closed.", failed=True)
    called(story, (1.0, Asked("What is the weather in Oslo?")))

    assert [reply.heard for reply in story.replies] == ["The station is closed."]


def test_a_result_can_be_told_in_the_models_own_words() -> None:
    story = Story(thinking={"tool_results": "composed"})
    story.answers("It snows", "Take a coat, it snows.")
    story.when_called = lambda call: ToolReturned(call.call, "It snows")
    called(story, (1.0, Asked("What is the weather in Oslo?")))

    assert [reply.heard for reply in story.replies] == ["Take a coat, it snows."]


def test_a_tool_of_the_devices_own_does_not_keep_the_reply_waiting() -> None:
    story = Story()
    story.answers("Goodbye", "Take care.")
    call = called(story, (1.0, Asked("Goodbye then.")))

    assert call.tool is BYE
    assert [reply.heard for reply in story.replies] == ["Take care."]


def test_a_reply_that_waits_for_its_tool_can_be_interrupted() -> None:
    story = Story()
    story.says(4.0, "Never mind.", seconds=0.6)
    story.answers("Never mind", "All right.")
    called(story, (1.0, Asked("What is the weather in Oslo?")))

    assert story.replies[-1].heard == "All right."


def test_a_cough_before_the_answer_does_not_take_it_away() -> None:
    story = Story()
    story.says(1.1, "", seconds=0.2)
    story.when_called = lambda call: ToolReturned(call.call, "It snows")
    called(story, (1.0, Asked("What is the weather in Oslo?")))

    assert len(story.all(ToolCalled)) == 2, "the cough was not heard while it was thinking"
    assert len(story.all(SpeechFailed)) == 1
    assert [reply.heard for reply in story.replies if reply.heard] == ["It snows."]


# Interruptions that have to last


@pytest.mark.parametrize(("seconds", "interrupted"), [(0.5, False), (1.4, True)])
def test_speech_interrupts_once_it_has_lasted(seconds: float, interrupted: bool) -> None:
    story = Story(conversation={"min_interruption": 0.8})
    story.commands(1.0, Say(TALE))
    story.says(2.5, "Stop that now.", seconds=seconds)
    story.answers("Stop", "Yes.")
    story.tell(12)

    assert bool(story.all(Interrupted)) is interrupted
    assert story.replies[0].interrupted is interrupted
    if interrupted:
        assert story.when(Interrupted) >= 2.5 + 0.8
        assert story.replies[-1].heard == "Yes."


def test_short_speech_at_the_very_end_of_the_reply_is_answered() -> None:
    story = Story(conversation={"min_interruption": 0.8})
    story.commands(1.0, Say("This is a short text."))
    story.says(1.9, "And now?", seconds=0.6)
    story.answers("And now?", "Now it is over.")
    story.tell(8)

    assert [reply.heard for reply in story.replies][-1] == "Now it is over."
    assert story.states[-1] is State.LISTENING
