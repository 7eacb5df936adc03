"""``rapport talk`` with files: real speech, real models, real answers, and what is no speech."""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.audio.rates import read_speech, resample
from device.terminal.hold import Held
from device.terminal.record import TIMES
from device.types import Interrupted, Pcm, Replied, Spoken, State, StateChanged, VoiceHeld
from tests.terminal.conftest import Device, Rapport

Write = Callable[[str, Sequence[Pcm]], Path]
TURN = {
    *("transcript", "reply", "heard", "style", "interrupted", "expression", "interim", "times"),
}
EXPRESSION = {
    *("emotions", "valence", "arousal", "dominance", "confidence", "measures"),
    *("categories", "model"),
}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * 16_000), np.int16)


@pytest.fixture(scope="module")
def question(device: Device, acted: dict[str, Path]) -> Held:
    """A conversation of one sentence, which several tests look at."""
    held, _ = device.hears(acted["dogs"])
    return held


@pytest.mark.models
def test_speech_is_understood_and_answered(question: Held) -> None:
    (turn,) = question.record.turns
    assert {"dogs", "sitting", "door"} <= set(words(turn.transcript))
    assert turn.reply is not None
    assert len(words(turn.reply.text)) >= 2
    assert turn.reply.heard == turn.reply.text
    assert not turn.reply.interrupted
    assert turn.expression is not None
    assert turn.expression.measures["pitch_hz"] > 150, "the actress has a voice above that"


@pytest.mark.models
def test_the_times_of_a_turn_are_in_their_order(question: Held) -> None:
    (turn,) = question.record.plain()["turns"]
    times = turn["times"]
    assert all(isinstance(times[name], float) for name in TIMES)
    assert times["speech_start"] < times["speech_end"] < times["transcript"]
    assert times["speech_end"] < times["turn_end"] <= times["first_audio"] < times["reply_end"]
    assert times["transcript"] <= times["first_token"] <= times["first_audio"]


@pytest.mark.models
def test_the_reply_is_understood_by_our_own_recognizer(device: Device, question: Held) -> None:
    (turn,) = question.record.turns
    assert turn.reply is not None
    said = words(turn.reply.text)
    understood = words(device.understands(resample(question.played, question.rate, 16_000)))
    assert sum(word in understood for word in said) >= 0.8 * len(said), (said, understood)


@pytest.mark.models
def test_each_file_is_a_turn_of_one_conversation(device: Device, acted: dict[str, Path]) -> None:
    held, _ = device.hears(acted["dogs"], acted["kids"])
    first, second = held.record.turns
    assert "dogs" in words(first.transcript)
    assert "kids" in words(second.transcript)
    assert first.times and second.times and first.times.reply_end and second.times.speech_start
    assert first.times.reply_end <= second.times.speech_start
    assert [len(file.turns) for file in held.files] == [1, 1]


@pytest.mark.models
def test_speech_into_the_reply_cuts_it_off(
    device: Device, question: Held, voiced: dict[str, Pcm], sound: Write
) -> None:
    asked = words(question.record.turns[0].transcript)
    alone, _ = device.hears(sound("alone.wav", [voiced["dogs"]]))
    times = alone.record.turns[0].times
    assert times and times.first_audio and times.reply_end
    middle = (times.first_audio + times.reply_end) / 2
    gap = silence(middle - len(voiced["dogs"]) / 16_000)
    both = sound("both.wav", [voiced["dogs"], gap, voiced["kids"]])

    held, seen = device.hears(both)

    first, second = held.record.turns
    assert words(first.transcript) == asked
    assert "kids" in words(second.transcript)
    assert first.reply and second.reply
    assert first.reply.interrupted and not second.reply.interrupted
    assert first.reply.heard
    assert first.reply.text.startswith(first.reply.heard)
    assert len(first.reply.heard) < len(first.reply.text)
    (interruption,) = [o.event for o in seen if isinstance(o.event, Interrupted)]
    assert interruption.onset == pytest.approx(middle, abs=0.3)
    (quiet,) = [o.event for o in seen if isinstance(o.event, VoiceHeld)]
    assert quiet.at - interruption.onset <= 0.35, "silent a third of a second after the onset"
    cut = next(at for at, o in enumerate(seen) if isinstance(o.event, Interrupted))
    assert not [o for o in seen[cut:] if isinstance(o.event, Spoken) and o.event.turn == 1]


@pytest.mark.models
def test_eight_bits_at_48_khz_in_stereo_are_speech_too(
    device: Device, acted: dict[str, Path], tmp_path: Path
) -> None:
    speech = resample(read_speech(acted["kids"]), 16_000, 48_000).astype(np.float32)
    speech /= np.abs(speech).max() * 1.1
    poor = tmp_path / "poor.wav"
    soundfile.write(poor, np.stack([speech, speech], axis=1), 48_000, subtype="PCM_U8")
    with wave.open(str(poor)) as header:
        form = (header.getsampwidth(), header.getframerate(), header.getnchannels())
    assert form == (1, 48_000, 2)
    held, _ = device.hears(poor)
    assert {"kids", "talking", "door"} <= set(words(held.record.turns[0].transcript))


@pytest.mark.models
def test_noise_alone_is_no_turn_and_is_said_to_be_none(device: Device, noise: Path) -> None:
    held, seen = device.hears(noise)
    assert held.record.turns == []
    assert held.files[0].reason in ("no speech was found", "no words were recognised")
    assert len(held.played) == 0
    assert not [o for o in seen if isinstance(o.event, Replied)]


@pytest.mark.models
def test_a_file_without_speech_does_not_keep_the_next_from_being_answered(
    device: Device, sound: Write, acted: dict[str, Path]
) -> None:
    held, seen = device.hears(sound("silence.wav", [silence(1.0)]), acted["kids"])
    assert [file.reason for file in held.files] == ["no speech was found", ""]
    assert len(held.record.turns) == 1
    states = [o.event.new for o in seen if isinstance(o.event, StateChanged)]
    assert states == [State.THINKING, State.SPEAKING, State.LISTENING]


@pytest.mark.models
def test_the_program_talks_and_tells_in_json(
    rapport: Rapport, models_ready: None, acted: dict[str, Path], tmp_path: Path
) -> None:
    out, events = tmp_path / "reply.wav", tmp_path / "events.jsonl"
    done = rapport("talk", acted["dogs"], "--json", "--out", out, "--events", events)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"turns"}
    (turn,) = told["turns"]
    assert set(turn) == TURN
    assert set(turn["expression"]) == EXPRESSION
    assert set(turn["expression"]["model"]) == {"name", "version", "licence"}
    moments = [sounding["at"] for sounding in turn["interim"]]
    assert moments and turn["times"]["speech_start"] < moments[0]
    assert moments == sorted(moments) and moments[-1] < turn["times"]["turn_end"]
    assert tuple(turn["times"]) == TIMES
    assert "dogs" in words(turn["transcript"])
    assert turn["heard"] == turn["reply"]
    pcm, rate = soundfile.read(out, dtype="int16")
    spoken = turn["times"]["reply_end"] - turn["times"]["first_audio"]
    assert len(pcm) / rate == pytest.approx(spoken, abs=0.5)
    assert pcm[0] and pcm[-1], "from the first sound to the last"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    kinds = [line["type"] for line in lines]
    assert {"SpeechStarted", "Transcribed", "Expressed", "Spoken", "Replied", "TurnTimed"} <= set(
        kinds
    )
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    expressed = [line["event"] for line in lines if line["type"] == "Expressed"]
    assert [event["interim"] for event in expressed] == [True] * len(moments) + [False]
    assert all(set(event["expression"]) == EXPRESSION for event in expressed)


@pytest.mark.models
def test_the_program_prints_a_transcript_for_people(
    rapport: Rapport, models_ready: None, acted: dict[str, Path]
) -> None:
    done = rapport("talk", acted["kids"], "--pace", "realtime")
    assert done.returncode == 0, done.stderr
    you, reply = done.stdout.splitlines()[:2]
    assert you.startswith("you ") and "door" in you
    assert reply.startswith("rapport ")
    assert re.search(r"\[\w+, after \d+\.\d\d s\]$", done.stdout.strip())


@pytest.mark.models
def test_the_program_says_why_there_was_no_turn(
    rapport: Rapport, models_ready: None, noise: Path, tmp_path: Path
) -> None:
    out = tmp_path / "reply.wav"
    done = rapport("talk", noise, "--json", "--out", out)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"turns": []}
    why, unwritten = done.stderr.splitlines()
    assert why.startswith(f"rapport: {noise}: ")
    assert unwritten == f"rapport: {out}: not written, since nothing was spoken"
    assert not out.exists()


def test_a_file_that_is_not_sound_is_told_in_one_sentence_before_any_model_is_loaded(
    rapport: Rapport, tmp_path: Path
) -> None:
    empty, text = tmp_path / "empty.wav", tmp_path / "text.wav"
    soundfile.write(empty, np.empty(0, np.int16), 16_000)
    text.write_text("not a sound")
    for path, reason in {
        empty: "has no sound in it",
        text: "is not a sound file",
        tmp_path / "absent.wav": "cannot be read (No such file",
    }.items():
        done = rapport("talk", path, RAPPORT_MODELS=str(tmp_path / "no-models"))
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith(f"rapport: {path}: {reason}")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--out", "--events"])
def test_a_file_that_cannot_be_written_is_found_out_before_any_model_is_loaded(
    rapport: Rapport, option: str, noise: Path, tmp_path: Path
) -> None:
    target = tmp_path / "nowhere" / "file"
    done = rapport("talk", noise, option, target, RAPPORT_MODELS=str(tmp_path / "no-models"))
    assert done.returncode == 1
    assert done.stderr == (
        f"rapport: {target}: cannot be written (No such file or directory); "
        "name a file in a writable folder\n"
    )


def test_looking_whether_a_file_can_be_written_leaves_the_disk_as_it_was(
    rapport: Rapport, noise: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.wav"
    kept.write_bytes(b"precious")
    for out in (kept, tmp_path / "new.wav"):
        done = rapport("talk", noise, "--out", out, RAPPORT_MODELS=str(tmp_path / "no-models"))
        assert done.returncode == 1
        assert "rapport models fetch" in done.stderr
    assert kept.read_bytes() == b"precious"
    assert not (tmp_path / "new.wav").exists()


def test_missing_models_are_named_with_the_remedy(
    rapport: Rapport, noise: Path, tmp_path: Path
) -> None:
    done = rapport("talk", noise, RAPPORT_MODELS=str(tmp_path))
    assert done.returncode == 1
    assert "is missing; run: rapport models fetch" in done.stderr
    assert "Traceback" not in done.stderr
