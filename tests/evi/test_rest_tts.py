"""Text is spoken over REST: as it was asked for, as it is made, and only while it is wanted."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI

from device.audio.demux import decoded
from device.config import Config, parse
from device.evi.records import Records
from device.evi.synthesis import RATE
from device.types import HEARING_RATE, Pcm
from device.worker import Owned
from tests.evi.application import ask
from tests.evi.conftest import Serve
from tests.evi.speakers import LETTER_S, Hum, Speakers, application

PATIENCE = 20.0
TALE = "Once upon a time there was a fox. It lived in a wood! Did it sleep there? It did."
WAV = {"type": "wav"}


@pytest.fixture
def hum() -> Hum:
    return Hum()


@pytest.fixture
def host(hum: Hum) -> Iterator[Speakers]:
    made = Speakers({"hum-low": hum, "hum-high": Hum(400.0), "hum-mute": Hum()}, broken="hum-mute")
    yield made
    made.worker.close()


@pytest.fixture
def app(records: Owned[Records], host: Speakers) -> FastAPI:
    return application(records, host)


def post(app: FastAPI, path: str = "", **body: Any) -> httpx.Response:
    return ask(app, "POST", f"/v0/tts{path}", body)


def spoken(app: FastAPI, *utterances: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The generation that becomes of utterances, as WAV."""
    answer = post(app, utterances=utterances, **{"format": WAV, **more})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["generations"][0]
    return made


def sound(data: str | bytes) -> Pcm:
    """The samples of a WAV."""
    whole = base64.b64decode(data) if isinstance(data, str) else data
    pcm, rate = soundfile.read(io.BytesIO(whole), dtype="int16")
    assert rate == RATE
    return pcm


def pitch(pcm: Pcm) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.astype(float)))
    return float(spectrum.argmax() * RATE / len(pcm))


def refused(answer: httpx.Response) -> tuple[list[Any], str]:
    """Where the first fault of a 422 is, and what it says."""
    assert answer.status_code == 422, answer.text
    fault = answer.json()["detail"][0]
    assert set(fault) == {"loc", "msg", "type"}
    return fault["loc"], fault["msg"]


def wait_until(reached: Callable[[], bool]) -> None:
    """Return when something has happened; what never does fails the test."""
    ends = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < ends
        time.sleep(0.01)


# What is spoken


def test_an_utterance_is_spoken_whole_and_told_about(app: FastAPI) -> None:
    answer = post(app, utterances=[{"text": "Hello there."}], format=WAV).json()
    (made,) = answer["generations"]
    pcm = sound(made["audio"])
    assert made["duration"] == len(pcm) / RATE
    assert len(pcm) / RATE == pytest.approx(12 * LETTER_S + 0.15, abs=0.01)
    assert made["file_size"] == len(base64.b64decode(made["audio"]))
    assert made["encoding"] == {"format": "wav", "sample_rate": RATE}
    assert answer["request_id"] and made["generation_id"]


def test_each_sentence_is_a_snippet_of_its_utterance(app: FastAPI) -> None:
    made = spoken(app, {"text": TALE}, {"text": "The end."})
    tale, end = made["snippets"]
    assert [snippet["text"] for snippet in tale] == [
        "Once upon a time there was a fox.",
        "It lived in a wood!",
        "Did it sleep there?",
        "It did.",
    ]
    assert [snippet["text"] for snippet in end] == ["The end."]
    snippets = [*tale, *end]
    assert [snippet["utterance_index"] for snippet in snippets] == [0, 0, 0, 0, 1]
    assert len({snippet["id"] for snippet in snippets}) == 5
    assert {snippet["generation_id"] for snippet in snippets} == {made["generation_id"]}
    assert all(snippet["timestamps"] == [] for snippet in snippets)
    whole = np.concatenate([sound(snippet["audio"]) for snippet in snippets])
    assert np.array_equal(whole, sound(made["audio"]))


def test_without_splitting_each_utterance_is_one_snippet(app: FastAPI) -> None:
    made = spoken(app, {"text": TALE}, {"text": "The end."}, split_utterances=False)
    assert [[s["text"] for s in group] for group in made["snippets"]] == [[TALE], ["The end."]]


def test_the_voice_gets_a_sentence_at_a_time_as_it_is_read_aloud(app: FastAPI, hum: Hum) -> None:
    spoken(app, {"text": "It costs *$5*. Is that much? Yes, for a very small cup of tea."})
    assert [sentence.text for sentence in hum.sentences] == [
        "It costs 5 dollars.",
        "Is that much?",
        "Yes, for a very small cup of tea.",
    ]


def test_silence_may_follow_an_utterance(app: FastAPI) -> None:
    made = spoken(app, {"text": "Wait.", "trailing_silence": 1.5}, {"text": "Now."})
    first, second = (sound(group[0]["audio"]) for group in made["snippets"])
    assert len(first) / RATE == pytest.approx(5 * LETTER_S + 0.15 + 1.5, abs=0.01)
    assert not first[-RATE:].any()
    assert len(second) / RATE == pytest.approx(4 * LETTER_S + 0.15, abs=0.01)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_speed_is_a_factor(app: FastAPI, speed: float) -> None:
    seconds = spoken(app, {"text": TALE[:34], "speed": speed})["duration"]
    assert seconds == pytest.approx(33 * LETTER_S / speed + 0.15, abs=0.01)


def test_a_description_directs_the_style(app: FastAPI, hum: Hum) -> None:
    spoken(app, {"text": "Oh."}, {"text": "Oh.", "description": "happy, loud"})
    plain, acted = (sentence.style for sentence in hum.sentences)
    assert (plain.name, acted.name) == ("neutral", "bright")
    assert acted.rate > plain.rate and acted.pitch > plain.pitch and acted.level >= plain.level + 5


def test_the_owners_settings_are_under_everything(
    records: Owned[Records], host: Speakers, hum: Hum
) -> None:
    host.config = parse({"speaking": {"rate": 0.8, "pitch": -1.0, "level": -4.0}}, "test", Config())
    spoken(application(records, host), {"text": "Oh.", "speed": 1.5})
    style = hum.sentences[0].style
    assert (round(style.rate, 3), style.pitch, style.level) == (1.2, -1.0, -4.0)


@pytest.mark.parametrize("voice", [{"name": "High"}, {"name": "high", "provider": "HUME_AI"},
                                   {"id": "hum-high", "provider": "HUME_AI"}])  # fmt: skip
def test_a_voice_is_chosen_and_kept_until_another_is(app: FastAPI, voice: dict[str, str]) -> None:
    text = "A long and steady note"
    made = spoken(
        app,
        {"text": text},
        {"text": text, "voice": voice},
        {"text": text},
        {"text": text, "voice": {"name": "Low"}},
    )
    heights = [pitch(sound(group[0]["audio"])) for group in made["snippets"]]
    assert heights == pytest.approx([200, 400, 400, 200], abs=3)


def test_a_text_may_be_spoken_several_times(app: FastAPI) -> None:
    answer = post(app, utterances=[{"text": "Again."}], num_generations=3, format=WAV).json()
    made = answer["generations"]
    assert len({generation["generation_id"] for generation in made}) == 3
    assert len({generation["duration"] for generation in made}) == 1


def test_strange_characters_do_no_harm(app: FastAPI) -> None:
    strange = "a\0b \u202e 你好 ☃ \U0001f600 \ufffe" + "*_`#<[(" * 50
    assert spoken(app, {"text": strange})["duration"] > 0


# Voices that are saved


def test_a_described_voice_is_saved_and_asked_for_by_name(app: FastAPI, hum: Hum) -> None:
    made = spoken(app, {"text": "Oh.", "description": "a deep and slow old man"})
    body = {"generation_id": made["generation_id"], "name": "Grandfather"}
    assert ask(app, "POST", "/v0/tts/voices", body).status_code == 200
    spoken(app, {"text": "Oh.", "voice": {"name": "Grandfather"}})
    described, saved = (sentence.style for sentence in hum.sentences)
    assert saved.pitch == described.pitch < 0 and saved.rate == described.rate < 1


def test_a_description_for_a_given_voice_is_not_saved_with_it(app: FastAPI, hum: Hum) -> None:
    acted = {"text": "Oh.", "voice": {"name": "Low"}, "description": "slow"}
    body = {"generation_id": spoken(app, acted)["generation_id"], "name": "Actor"}
    assert ask(app, "POST", "/v0/tts/voices", body).status_code == 200
    spoken(app, {"text": "Oh.", "voice": {"name": "Actor", "provider": "CUSTOM_VOICE"}})
    assert [sentence.style.rate for sentence in hum.sentences] == [0.85, 1.0]


def test_a_generation_as_context_is_gone_on_with_in_its_voice(app: FastAPI) -> None:
    first = spoken(app, {"text": "A long and steady note", "voice": {"name": "High"}})
    context = {"generation_id": first["generation_id"]}
    second = spoken(app, {"text": "A long and steady note"}, context=context)
    assert pitch(sound(second["audio"])) == pytest.approx(400, abs=3)


# Formats


def test_mp3_is_what_is_sent_if_nothing_is_said(app: FastAPI) -> None:
    answer = post(app, utterances=[{"text": TALE}]).json()["generations"][0]
    assert answer["encoding"]["format"] == "mp3"
    data = base64.b64decode(answer["audio"])
    found = np.concatenate(list(decoded(io.BytesIO(data))))
    assert len(found) / HEARING_RATE == pytest.approx(answer["duration"], abs=0.1)


@pytest.mark.parametrize("path", ["/file", "/stream/file"])
@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("pcm", "audio/pcm")],
)
def test_a_file_is_what_it_says_it_is(
    app: FastAPI, path: str, encoding: str, content_type: str
) -> None:
    answer = post(app, path, utterances=[{"text": TALE}], format={"type": encoding})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    if encoding == "pcm":
        assert len(answer.content) % 2 == 0
        pcm = np.frombuffer(answer.content, "<i2")[:: RATE // HEARING_RATE]
    else:
        pcm = np.concatenate(list(decoded(io.BytesIO(answer.content))))
    seconds = spoken(app, {"text": TALE})["duration"]
    assert len(pcm) / HEARING_RATE == pytest.approx(seconds, abs=0.1)


def chunks(app: FastAPI, **body: Any) -> list[dict[str, Any]]:
    answer = post(app, "/stream/json", **{"utterances": [{"text": TALE}], **body})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_stream_has_a_line_for_each_piece_in_order(app: FastAPI) -> None:
    found = chunks(app, format=WAV, utterances=[{"text": TALE}, {"text": "The end."}])
    assert all(chunk["type"] == "audio" and chunk["audio_format"] == "wav" for chunk in found)
    assert [chunk["utterance_index"] for chunk in found if chunk["is_last_chunk"]] == [0] * 4 + [1]
    before = None
    for chunk in found:
        same = before is not None and chunk["snippet_id"] == before["snippet_id"]
        assert chunk["chunk_index"] == (before["chunk_index"] + 1 if same and before else 0)
        assert before is None or before["is_last_chunk"] is not same
        before = chunk


def test_each_piece_of_a_stream_is_a_file_of_its_own(app: FastAPI) -> None:
    pieces = [sound(chunk["audio"]) for chunk in chunks(app, format=WAV)]
    assert np.array_equal(np.concatenate(pieces), sound(spoken(app, {"text": TALE})["audio"]))
    assert max(map(len, pieces)) <= RATE


@pytest.mark.parametrize("encoding", ["wav", "mp3", "pcm"])
def test_with_stripped_headers_the_pieces_join_to_one_file(app: FastAPI, encoding: str) -> None:
    found = chunks(app, format={"type": encoding}, strip_headers=True)
    whole = b"".join(base64.b64decode(chunk["audio"]) for chunk in found)
    one = post(app, "/stream/file", utterances=[{"text": TALE}], format={"type": encoding})
    assert whole == one.content


# Streams, as they are made


def test_a_stream_begins_while_the_rest_is_still_unspoken(
    app: FastAPI, hum: Hum, serve: Serve
) -> None:
    hum.breathless = True
    body = {"utterances": [{"text": TALE}], "format": WAV}
    with httpx.stream("POST", f"{serve(app)}/v0/tts/stream/json", json=body, timeout=20) as answer:
        lines = answer.iter_lines()
        texts = []
        for _ in range(4):
            hum.breath.release()  # one sentence more may be spoken
            chunk = json.loads(next(lines))
            while not chunk["is_last_chunk"]:
                chunk = json.loads(next(lines))
            texts.append(chunk["text"])
        assert texts[0].startswith("Once") and texts[3] == "It did."
        assert next(lines, None) is None


LONG = " ".join(f"This is sentence number {number}." for number in range(40))


@pytest.mark.parametrize("path", ["/stream/json", "/stream/file"])
def test_a_client_that_leaves_a_stream_ends_the_sentence_that_is_being_spoken(
    app: FastAPI, hum: Hum, serve: Serve, path: str
) -> None:
    hum.breathless = True
    hum.breath.release()
    body = {"utterances": [{"text": LONG}], "format": WAV}
    url = f"{serve(app)}/v0/tts{path}"
    with httpx.stream("POST", url, json=body, timeout=PATIENCE):
        wait_until(lambda: len(hum.sentences) == 2)
    assert hum.stopped.wait(PATIENCE)
    assert len(hum.sentences) == 2


@pytest.mark.parametrize("path", ["", "/file"])
def test_a_client_that_leaves_before_the_answer_ends_the_speaking_with_the_sentence(
    app: FastAPI, hum: Hum, serve: Serve, path: str
) -> None:
    hum.breathless = True
    body = {"utterances": [{"text": LONG}], "format": WAV}
    url = f"{serve(app)}/v0/tts{path}"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json=body, timeout=0.5)
    hum.breath.release(100)
    other = {"utterances": [{"text": "Next, please."}], "format": WAV}
    assert httpx.post(url, json=other, timeout=PATIENCE).status_code == 200
    assert len(hum.sentences) <= 3


def test_a_client_that_does_not_read_does_not_keep_the_voice(
    app: FastAPI, host: Speakers, serve: Serve
) -> None:
    long = "This is a sentence that takes its time to be spoken aloud. " * 80
    body = {"utterances": [{"text": long}], "format": {"type": "pcm"}}
    other = {"utterances": [{"text": "Quick."}], "format": WAV}
    url = serve(app)
    with httpx.stream("POST", f"{url}/v0/tts/stream/file", json=body, timeout=PATIENCE) as slow:
        next(slow.iter_raw())  # and no more
        answer = httpx.post(f"{url}/v0/tts/stream/file", json=other, timeout=PATIENCE)
        assert answer.status_code == 200


# Refusals


@pytest.mark.parametrize("path", ["", "/file", "/stream/json", "/stream/file"])
def test_an_unknown_voice_is_named_with_those_there_are(app: FastAPI, path: str) -> None:
    answer = post(app, path, utterances=[{"text": "Hi.", "voice": {"name": "Ada"}}])
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "R0404",
        "error": "not_found",
        "message": "There is no voice Ada; there are: Low, High, Mute.",
    }


def test_a_voice_that_cannot_be_loaded_is_named(app: FastAPI) -> None:
    answer = post(app, "/stream/json", utterances=[{"text": "Hi.", "voice": {"name": "Mute"}}])
    assert answer.status_code == 503
    assert "Mute cannot be used: hum-mute: is damaged" in answer.json()["message"]


def test_an_unknown_context_is_named(app: FastAPI) -> None:
    answer = post(app, utterances=[{"text": "Hi."}], context={"generation_id": "gone"})
    assert answer.status_code == 404 and "generation gone" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["utterances"]),
        ({"utterances": []}, ["utterances"]),
        ({"utterances": [{"text": "a"}] * 33}, ["utterances"]),
        ({"utterances": [{}]}, ["utterances", 0, "text"]),
        ({"utterances": [{"text": ""}]}, ["utterances", 0, "text"]),
        ({"utterances": [{"text": " ...! "}]}, ["utterances", 0, "text"]),
        ({"utterances": [{"text": "a" * 5_001}]}, ["utterances", 0, "text"]),
        ({"utterances": [{"text": "half a \ud800"}]}, ["utterances", 0, "text"]),
        ({"utterances": [{"text": "a", "speed": 3}]}, ["utterances", 0, "speed"]),
        (
            {"utterances": [{"text": "a", "trailing_silence": -1}]},
            ["utterances", 0, "trailing_silence"],
        ),
        ({"utterances": [{"text": "a", "voice": {}}]}, ["utterances", 0, "voice"]),
        ({"utterances": [{"text": "a"}], "format": {"type": "ogg"}}, ["format", "type"]),
        ({"utterances": [{"text": "a"}], "num_generations": 6}, ["num_generations"]),
    ],
)
@pytest.mark.parametrize("path", ["", "/file", "/stream/json", "/stream/file"])
def test_a_wrong_request_is_refused_in_the_shape_of_faults(
    app: FastAPI, path: str, body: dict[str, Any], place: list[Any]
) -> None:
    assert refused(post(app, path, **body))[0] == ["body", *place]


@pytest.mark.parametrize("path", ["/file", "/stream/file"])
def test_a_file_has_one_generation(app: FastAPI, path: str) -> None:
    loc, _ = refused(post(app, path, utterances=[{"text": "a"}], num_generations=2))
    assert loc == ["body", "num_generations"]


def test_a_whole_answer_is_bounded_and_a_stream_goes_further(app: FastAPI, hum: Hum) -> None:
    lines = [{"text": "word " * 700}] * 2
    _, message = refused(post(app, utterances=lines))
    assert "7000 characters" in message and "/v0/tts/stream" in message
    hum.rate = 1_000
    assert post(app, "/stream/file", utterances=lines, format={"type": "pcm"}).status_code == 200


@pytest.mark.parametrize("path", ["/voice_conversion/json", "/voice_conversion/file"])
def test_voice_conversion_is_not_offered(app: FastAPI, path: str) -> None:
    assert post(app, path).status_code == 404


def test_requests_at_one_time_all_get_their_answer(app: FastAPI, serve: Serve) -> None:
    url, answers = serve(app), []

    def speak(number: int) -> None:
        body = {"utterances": [{"text": f"I am number {number}."}], "format": WAV}
        path = ("", "/stream/json")[number % 2]
        answers.append(httpx.post(f"{url}/v0/tts{path}", json=body, timeout=PATIENCE).status_code)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6
