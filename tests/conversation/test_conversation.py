"""Stories of whole conversations on virtual time."""

from __future__ import annotations

import pytest

from device.conversation.conversation import APOLOGY
from device.conversation.turn import SPEECHLESS
from device.mind import persona
from device.types import (
    Asked,
    Expressed,
    Interrupted,
    Muted,
    RapportError,
    Say,
    SpeechFailed,
    State,
    Stopped,
    Transcribed,
    TurnFailed,
    VoiceHeld,
    WakeHeard,
)
from tests.story import (
    CHARACTER,
    RATE,
    SecretiveTurnDetector,
    Story,
    UntouchableProsody,
)

TALE = "Once upon a time there was a fox. It lived in a wood. It was never bored. The end."


def test_a_question_is_answered_and_the_line_listens_again() -> None:
    story = Story()
    story.says(1.0, "What is a fox?")
    story.answers("What is a fox?", "A small animal.")
    story.tell(8)

    assert story.states == [State.THINKING, State.SPEAKING, State.LISTENING]
    assert story.transcripts == ["What is a fox?"]
    [reply] = story.replies
    assert (reply.text, reply.heard, reply.interrupted) == (
        "A small animal.", "A small animal.", False,
    )  # fmt: skip


def test_the_times_of_a_turn_follow_each_other() -> None:
    story = Story()
    story.says(1.0, "What is a fox?")
    story.answers("fox", "A small animal. It is red.")
    [times] = story.tell(8).times

    assert times.speech_start == pytest.approx(1.0, abs=0.1)
    assert times.speech_end == pytest.approx(2.0, abs=0.1)
    assert times.speech_end < times.transcript <= times.first_token <= times.first_clause
    assert times.first_clause <= times.first_audio < times.reply_end
    assert times.turn_end <= times.first_audio
    assert times.reply_end - times.first_audio == pytest.approx(
        CHARACTER * len("A small animal.It is red."), abs=0.1
    )


def test_work_begins_at_the_first_short_silence_but_nothing_is_said_before_the_turn_is_over() -> (
    None
):
    story = Story()
    story.says(1.0, "What is a fox?")
    story.answers("fox", "A small animal.")
    [times] = story.tell(8).times

    settings = story.config.hearing
    assert times.first_token < times.turn_end
    assert times.first_token - times.speech_end < settings.shortest_silence
    assert times.turn_end - times.speech_end == pytest.approx(settings.shortest_silence, abs=0.1)
    assert not story.sounding(0, times.turn_end)


def test_without_eager_turns_work_begins_when_the_turn_is_over() -> None:
    story = Story(conversation={"eager": False})
    story.says(1.0, "What is a fox?")
    story.answers("fox", "A small animal.")
    [times] = story.tell(8).times

    assert times.turn_end <= times.first_token


def test_a_pause_in_the_middle_of_a_sentence_does_not_end_the_turn() -> None:
    story = Story()
    story.says(1.0, "tell me a story about the", finished=False)
    story.says(3.0, "red fox.")
    story.answers("red fox", "Once upon a time.")
    story.tell(10)

    assert story.transcripts == ["tell me a story about the red fox."]
    assert len(story.replies) == 1


def test_what_was_prepared_for_a_pause_is_thrown_away_when_the_user_goes_on() -> None:
    story = Story()
    story.says(1.0, "Tell me a tale", finished=False)
    story.says(2.5, "about a fox.")
    story.answers("Tell me a tale", "Which one?")
    story.answers("Tell me a tale about a fox.", TALE)
    story.tell(12)

    assert len(story.model.prompts) >= 2, "the pause was not used to prepare a reply"
    assert [r.text for r in story.replies] == [TALE]


def test_speech_interrupts_the_reply_and_history_keeps_only_what_was_heard() -> None:
    story = Story()
    story.says(1.0, "Tell me a tale.")
    story.says(4.5, "Stop, what is a wood?")
    story.answers("Tell me a tale", TALE)
    story.answers("what is a wood", "Many trees.")
    story.tell(14)

    first, second = story.replies
    assert first.interrupted and not second.interrupted
    assert first.heard and TALE.startswith(first.heard) and first.heard != TALE
    remembered = [m.content for m in story.model.prompts[-1] if m.role == "assistant"]
    assert remembered[-1] == first.heard


def test_the_speaker_is_silent_within_a_quarter_of_a_second_of_the_users_onset() -> None:
    story = Story()
    story.says(1.0, "Tell me a tale.")
    story.says(4.5, "Stop.", seconds=2)
    story.answers("Tell me a tale", TALE)
    story.answers("Stop.", "All right.")
    story.tell(14)

    [held], [interrupted] = story.all(VoiceHeld), story.all(Interrupted)
    assert held.at - 4.5 <= 0.25
    assert held.turn == interrupted.turn
    assert story.sounding(4.2, 4.5)
    assert not story.sounding(4.75, 6.5)
    assert interrupted.onset == pytest.approx(4.5, abs=0.1)


def test_a_click_lowers_the_voice_for_a_moment_but_does_not_stop_it() -> None:
    story = Story()
    story.says(1.0, "Tell me a tale.")
    story.says(4.5, "", seconds=0.04)
    story.answers("Tell me a tale", TALE)
    story.tell(12)

    [reply] = story.replies
    assert reply.heard == TALE
    around = story.recording[int(4 * RATE) : int(5.5 * RATE)]
    assert around.min() == 125, "ducked, but never silent"
    assert around[0] == around[-1] == 1000


def test_words_spoken_before_any_answer_are_joined_to_those_that_follow() -> None:
    story = Story()
    story.model.answers["My dog is ill."] = "a" * 400
    story.says(1.0, "My dog is ill.")
    story.says(2.4, "What shall I do?")
    story.answers("What shall I do?", "Call a vet.")
    story.tell(12)

    asked = [m.content for m in story.model.prompts[-1] if m.role == "user"][-1]
    assert "My dog is ill." in asked and "What shall I do?" in asked


def test_without_barge_in_the_reply_is_spoken_to_its_end() -> None:
    story = Story(conversation={"barge_in": False})
    story.says(1.0, "Tell me a tale.")
    story.says(4.5, "I am the echo of the loudspeaker.", seconds=8)
    story.answers("Tell me a tale", TALE)
    story.tell(16)

    assert [r.heard for r in story.replies] == [TALE]
    assert story.transcripts == ["Tell me a tale."]


def test_sound_without_words_gets_no_answer_and_says_so() -> None:
    story = Story()
    story.says(1.0, "")
    story.tell(6)

    assert [e.reason for e in story.all(SpeechFailed)] == ["no words were recognised"]
    assert not story.replies and not story.all(TurnFailed)


def test_interim_words_are_told_while_the_user_speaks() -> None:
    story = Story()
    story.says(1.0, "a long story", seconds=4)
    story.answers("a long story", "I see.")
    story.tell(9)

    interim = [o.at for o in story.events if isinstance(o.event, Transcribed) and o.event.interim]
    assert len(interim) >= 3
    assert all(1.0 < at < 5.0 for at in interim)


def test_a_ten_minute_monologue_is_one_turn_recognised_in_bounded_pieces() -> None:
    story = Story()
    for minute in range(10):
        story.says(1.0 + 60 * minute, f"part {minute} and", seconds=59.5, finished=False)
    story.says(602, "the end.")
    story.answers("the end.", "What a tale.")
    longest = 0.0
    transcribe = story.recognizer.transcribe

    def watched(audio):  # type: ignore[no-untyped-def]
        nonlocal longest
        longest = max(longest, len(audio) / 16_000)
        return transcribe(audio)

    story.recognizer.transcribe = watched  # type: ignore[method-assign]
    story.tell(612)

    assert [r.text for r in story.replies] == ["What a tale."]
    assert longest < 25
    [transcript] = story.transcripts
    assert transcript.startswith("part 0 and") and transcript.endswith("the end.")


def test_the_oldest_turns_fall_out_of_a_full_context_and_the_persona_stays() -> None:
    story = Story(thinking={"max_tokens": 60})
    story.model.context = 400
    long_answer = "word " * 50
    for number in range(10):
        story.commands(1.0 + 30 * number, Asked(f"question {number} " + "filler " * 10))
        story.answers(f"question {number} ", long_answer.strip() + ".")
    story.tell(300)

    assert len(story.replies) == 10
    for prompt in story.model.prompts:
        assert story.model.count(prompt) <= 400 - 60
        assert prompt[0].role == "system"
    assert "question 0" not in " ".join(m.content for m in story.model.prompts[-1])


def test_a_reply_without_speakable_words_is_answered_for() -> None:
    story = Story()
    story.says(1.0, "Smile!")
    story.answers("Smile!", "*** :-) ***")
    story.tell(8)

    assert [r.heard for r in story.replies] == [SPEECHLESS]


def test_a_failing_model_is_told_apologised_for_and_does_not_end_the_conversation() -> None:
    story = Story()
    story.says(1.0, "Break.")
    story.says(8.0, "Are you there?")
    story.answers("Break.", RapportError("the model fell over"))
    story.answers("Are you there?", "Yes.")
    story.tell(14)

    assert [e.reason for e in story.all(TurnFailed)] == ["the model fell over"]
    assert [r.heard for r in story.replies if r.heard] == [APOLOGY, "Yes."]


def test_a_broken_voice_fails_the_turn_once_and_the_line_goes_on_listening() -> None:
    story = Story()
    story.voice.broken = True
    story.says(1.0, "Speak.")
    story.answers("Speak.", "I cannot.")
    story.tell(8)

    assert {e.reason for e in story.all(TurnFailed)} == {"the voice is broken"}
    assert len(story.all(TurnFailed)) == 2, "once for the reply, once for the apology, no more"
    assert story.states[-1] is State.LISTENING


def test_stop_silences_a_reply_at_once() -> None:
    story = Story()
    story.says(1.0, "Tell me a tale.")
    story.answers("Tell me a tale", TALE)
    story.commands(4.0, Stopped())
    story.tell(10)

    assert story.sounding(3.5, 4.0) and not story.sounding(4.03, 10)
    assert story.replies[0].interrupted


def test_words_can_be_typed_and_given_to_be_said() -> None:
    story = Story()
    story.answers("How are you?", "Fine, thank you.")
    story.commands(1.0, Asked("How are you?"))
    story.commands(5.0, Say("Dinner is ready."))
    story.tell(10)

    assert [r.heard for r in story.replies] == ["Fine, thank you.", "Dinner is ready."]


@pytest.mark.parametrize("eager", [True, False])
def test_the_model_reads_each_thing_said_once(eager: bool) -> None:
    story = Story(conversation={"eager": eager})
    story.says(1.0, "What is a fox?")
    story.commands(5.0, Asked("And a wolf?"))
    story.answers("What is a fox?", "A small animal.")
    story.answers("And a wolf?", "A bigger one.")
    story.tell(9)

    opening = len(persona.opening(story.config.thinking.persona))
    said = [(m.role, m.content) for m in story.model.prompts[-1][opening:]]
    assert [role for role, _ in said] == ["user", "assistant", "user"]
    assert [content.count("?") for _, content in said] == [1, 0, 1]


def test_a_muted_microphone_hears_nothing_until_it_is_opened() -> None:
    story = Story()
    story.commands(0.5, Muted(True))
    story.says(1.0, "Do not hear this.")
    story.commands(4.0, Muted(False))
    story.says(5.0, "Hear this.")
    story.answers("Hear this.", "I do.")
    story.tell(10)

    assert story.transcripts == ["Hear this."]


def test_a_woken_conversation_rests_again_after_the_follow_up_window() -> None:
    story = Story(conversation={"mode": "wake", "follow_up": 3.0})
    story.says(1.0, "Not meant for you.")
    story.commands(4.0, WakeHeard("hello", 4.0))
    story.says(4.5, "What is a fox?")
    story.says(8.5, "And a wolf?")
    story.answers("What is a fox?", "A small animal.")
    story.answers("And a wolf?", "A bigger one.")
    story.says(20, "Not for you either.")
    story.tell(25)

    assert story.transcripts == ["What is a fox?", "And a wolf?"]
    assert story.states[-1] is State.IDLE


def test_the_same_story_takes_the_same_course_each_time() -> None:
    def told() -> list[tuple[float, object]]:
        story = Story()
        story.says(1.0, "Tell me a tale.")
        story.says(4.5, "Stop, what is a wood?")
        story.answers("Tell me a tale", TALE)
        story.answers("what is a wood", "Many trees.")
        story.tell(14)
        return [(round(o.at, 6), type(o.event)) for o in story.events]

    assert told() == told()


HAPPY = "I am so happy, this is wonderful!"


def test_expression_that_is_switched_off_is_measured_no_more_until_it_is_switched_on() -> None:
    story = Story()
    story.answers(HAPPY, "How nice.")
    for at in (1.0, 6.0, 11.0):
        story.says(at, HAPPY, seconds=1.2)
    story.does(4.0, lambda conversation: conversation.measure_expression(False))
    story.commands(9.0, Asked(HAPPY))
    story.does(10.0, lambda conversation: conversation.measure_expression(True))
    story.tell(16)

    told = [o.at for o in story.events if isinstance(o.event, Expressed)]
    assert told and all(at < 4.0 or at > 11.0 for at in told)
    assert [use.what for use in story.prosody.uses] == ["interim", "interim", "final", "learn"] * 2
    asked = [prompt[-1].content for prompt in story.model.prompts]
    assert [text != HAPPY for text in asked] == [True, False, False, True], "who was told of it"
    assert [reply.style for reply in story.replies] == ["bright", "neutral", "neutral", "bright"]


def test_a_reply_that_was_prepared_with_an_expression_is_not_given_once_that_is_off() -> None:
    story = Story()
    story.answers(HAPPY, "How nice.")
    story.says(1.0, HAPPY, finished=False)
    story.does(2.6, lambda conversation: conversation.measure_expression(False))
    story.tell(8)

    prepared, given = [prompt[-1].content for prompt in story.model.prompts]
    assert prepared != given == HAPPY
    assert [reply.style for reply in story.replies] == ["neutral"]
    assert all(event.interim for event in story.all(Expressed))


def test_expression_that_the_settings_forbid_cannot_be_switched_on() -> None:
    story = Story(hearing={"expression": False})
    story.turn_detector = SecretiveTurnDetector(story.script)
    story.prosody = UntouchableProsody()
    story.answers(HAPPY, "How nice.")
    story.says(1.0, HAPPY)
    story.does(0.5, lambda conversation: conversation.measure_expression(True))
    story.tell(6)

    assert story.all(Expressed) == []
    assert [prompt[-1].content for prompt in story.model.prompts] == [HAPPY]
    assert [reply.style for reply in story.replies] == ["neutral"]
