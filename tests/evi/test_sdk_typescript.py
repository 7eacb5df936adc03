"""Hume's own TypeScript SDK, unmodified, talks with a whole device: each story is a script in Node.

The scripts tell line by line what the SDK delivered; what is expected of it stands here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from device.audio.rates import resample
from device.evi.certificate import CERTIFICATE
from device.types import Pcm
from tests.audio.encodings import recorder
from tests.evi.device_api import NAMES, PATIENCE, Device, DeviceApi, alike, pieces

pytestmark = pytest.mark.models

SCRIPTS = Path(__file__).parent / "typescript"
READING = (
    "This is a long story that is read out as it stands. Once upon a time there was a miller who "
    "had three sons, a mill, a donkey and a cat. The sons had to grind, the donkey had to fetch "
    "the corn, and the cat had to catch the mice."
)
CUT = json.dumps({"said": READING})
"""What is told with the part of it that was heard."""
PARIS = "What is the capital of France?"

Told = list[dict[str, Any]]
Script = Callable[..., Told]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The SDK and what it needs, exactly as the lock file has them, installed once for each."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are needed for the TypeScript SDK")
    lock = hashlib.sha256((SCRIPTS / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "rapport" / "npm" / lock
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SCRIPTS / name, folder)
        install = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(
            install, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        (folder / "complete").touch()
    return folder / "node_modules"


@pytest.fixture
def script(packages: Path, tmp_path: Path) -> Script:
    """Runs a script with a device to its end, and returns what it told.

    Every message kept to the SDK's schema, every connection was closed for good, and no chat left.
    """
    folder = tmp_path / "typescript"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(packages)

    def run(name: str, device: Device, **given: Any) -> Told:
        trusted = {"NODE_EXTRA_CA_CERTS": str(device.folder / CERTIFICATE)}
        done = subprocess.run(
            ["node", str(folder / f"{name}.mjs")],
            input=json.dumps({"url": device.url} | given),
            env=os.environ | (trusted if device.app.config.api.tls else {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout[-3000:]
        assert done.stderr == ""
        told: Told = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line for line in told if "warned" in line] == []
        for message in (line["message"] for line in told if "message" in line):
            assert list(_snake_case(message)) == [], "it does not keep to the SDK's schema"
        closed = [line["closed"] for line in told if "closed" in line]
        assert all(end == {"code": 1000, "retries": 0} for end in closed), "it reconnects"
        opened = [line["chat"] for line in told if "opened" in line]
        assert len(opened) == len(set(opened)), "it was reconnected"
        device.wait_until_deserted()
        return told

    return run


def _snake_case(message: Any) -> Iterator[str]:
    """The keys of a message that the SDK did not recognize."""
    if isinstance(message, dict):
        for key, value in message.items():
            if "_" in key:
                yield key
            yield from _snake_case(value)
    elif isinstance(message, list):
        for value in message:
            yield from _snake_case(value)


def base64_of(parts: list[bytes]) -> list[str]:
    return [base64.b64encode(part).decode() for part in parts]


def messages(told: Told, chat: str, kind: str | None = None) -> Told:
    """The messages of a chat, of one kind or of all."""
    found = [line["message"] for line in told if line.get("chat") == chat and "message" in line]
    return [message for message in found if kind is None or message["type"] == kind]


def between(told: Told, first: str, last: str | None) -> Told:
    """The messages between two steps of a story."""
    steps = [line.get("step") for line in told]
    end = steps.index(last) if last else len(told)
    return [line["message"] for line in told[steps.index(first) : end] if "message" in line]


def kinds(found: Told) -> list[str]:
    return [message["type"] for message in found]


def words_of(found: Told) -> str:
    """What the assistant says, in one text."""
    said = [m for m in found if m["type"] == "assistant_message"]
    return " ".join(message["message"]["content"] for message in said)


def final_words(found: Told) -> Told:
    return [m for m in found if m["type"] == "user_message" and not m["interim"]]


def segments(found: Told) -> dict[str, bytes]:
    """The samples of each spoken segment; its chunks must be whole files, counted from 0."""
    samples = dict[str, bytes]()
    counted = dict[str, int]()
    for message in found:
        match message["type"]:
            case "assistant_message":
                assert message["id"] not in samples
                samples[message["id"]], counted[message["id"]] = b"", 0
            case "audio_output":
                segment = message["id"]
                assert segment == list(samples)[-1], "sound before its words, or of two at once"
                assert message["index"] == counted[segment]
                counted[segment] += 1
                with wave.open(io.BytesIO(base64.b64decode(message["data"]))) as file:
                    form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
                    assert form == (48_000, 1, 2)
                    samples[segment] += file.readframes(file.getnframes())
    return samples


def understood(device: Device, samples: bytes) -> str:
    pcm = np.frombuffer(samples, "<i2").astype(np.int16)
    return device.understands(resample(pcm, 48_000, 16_000))


def assert_answered(told: Told, *, words: str, seconds: float) -> None:
    """The user's sentence was understood, placed in time, and answered in the right order."""
    found = messages(told, "spoken")
    assert found[0]["type"] == "chat_metadata" and found[0]["chatId"] and found[0]["chatGroupId"]
    first = final_words(found)[0]
    assert alike(words, first["message"]["content"]) > 0.7
    assert first["fromText"] is False
    assert len(first["models"]["prosody"]["scores"]) == NAMES
    assert {"surpriseNegative", "empathicPain"} <= first["models"]["prosody"]["scores"].keys()
    begin, end = first["time"]["begin"], first["time"]["end"]
    assert isinstance(begin, int) and isinstance(end, int)
    assert 0 <= begin < 500 and abs(end - seconds * 1000) < 500
    answer = found[found.index(first) + 1 :]
    answer = answer[: kinds(answer).index("assistant_end")]
    assert all(segments(answer).values()) and words_of(answer)
    assert {"user_message", "user_interruption"}.isdisjoint(kinds(answer))


def test_only_the_right_key_or_token_opens_the_door_and_final_refusals_are_not_retried(
    script: Script, device_api: DeviceApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = str(uuid4())
    with device_api.device(tmp_path / "device", tls=True) as device:
        monkeypatch.setenv("SSL_CERT_FILE", str(device.folder / CERTIFICATE))
        key = device.key()
        secrets = {"key": key.api_key, "secret": key.secret_key}
        told = script("entering", device, unknown=unknown, **secrets)
    came = {line["who"]: (line["welcome"], line["status"]) for line in told if "who" in line}
    yes, no = (True, 200), (False, 401)
    assert came == {
        "no key": yes,  # from this very machine
        "right key": yes,
        "wrong key": no,
        "token": yes,
        "token in the address": yes,
        "wrong token": no,
    }
    assert [line["failed"] for line in told if "failed" in line] == [
        "Unexpected server response: 401"
    ] * 2
    [refusal] = [line["refusal"] for line in told if "refusal" in line]
    assert "401" in refusal and "invalid_client" in refusal
    for chat in ("unknown config", "unknown group"):
        [error] = messages(told, chat)
        assert error["type"] == "error" and unknown in error["message"] and error["slug"]


def test_a_spoken_turn_is_answered_and_the_answer_can_be_interrupted(
    script: Script, device: Device, clips: dict[str, Pcm]
) -> None:
    told = script(
        "speaking",
        device,
        audio={"encoding": "linear16", "sampleRate": 16_000, "channels": 1},
        pieces=base64_of(pieces(clips["kids"])),
        verbose=True,
        reading=READING,
        interruption=base64_of(pieces(clips["dogs"])),
    )
    found = messages(told, "spoken")
    assert_answered(told, words="kids are talking by the door", seconds=1.7)
    interim = [m for m in found if m["type"] == "user_message" and m["interim"]]
    assert interim and all(m["fromText"] is False for m in interim)
    sounding = [m["models"]["prosody"] for m in interim if m["models"]]
    assert sounding and all(len(prosody["scores"]) == NAMES for prosody in sounding)

    # The words that the assistant says are the words that can be heard.
    answered = found[: kinds(found).index("assistant_end")]
    samples = b"".join(segments(answered).values())
    assert alike(words_of(answered), understood(device, samples)) > 0.6

    # Nothing of what was read out comes after the interruption, and the user is answered.
    cut = kinds(found).index("user_interruption")
    before, after = found[:cut], found[cut:]
    assert before[-1]["type"] == "audio_output"
    assert abs(after[0]["time"] / 1000 - told_at(told)) < 86_400
    read = [m["id"] for m in before if m["type"] == "assistant_message" and m["fromText"]]
    later = after[kinds(after).index("assistant_message") :]
    assert read and not {m["id"] for m in after if m["type"] == "audio_output"} & set(read)
    assert alike("dogs are sitting by the door", final_words(after)[0]["message"]["content"]) > 0.7
    assert all(segments(later).values()) and later[-1]["type"] == "assistant_end"

    # What is remembered of the reading is what can have been heard of it.
    [events] = [line["events"] for line in told if "events" in line]
    replies = [e for e in events if e["type"] == "AGENT_MESSAGE"]
    [reading] = [e["messageText"] for e in replies if e.get("metadata") == CUT]
    assert reading and READING.startswith(reading) and len(reading) < len(READING) / 2
    order = [e["type"] for e in events if e["type"] in ("USER_INTERRUPTION", "CHAT_END_MESSAGE")]
    assert order == ["USER_INTERRUPTION", "CHAT_END_MESSAGE"]


def test_a_client_can_forbid_in_its_address_that_expression_is_measured(
    script: Script, device: Device, clips: dict[str, Pcm]
) -> None:
    told = script(
        "speaking",
        device,
        audio={"encoding": "linear16", "sampleRate": 16_000, "channels": 1},
        pieces=base64_of(pieces(clips["kids"])),
        verbose=True,
        query={"expression_measurement": "false"},
    )
    found = messages(told, "spoken", "user_message")
    assert {m["interim"] for m in found} == {True, False}
    assert all(m["models"] == {} for m in found)


def told_at(told: Told) -> float:
    """When the chat was, in seconds since 1970."""
    [events] = [line["events"] for line in told if "events" in line]
    return float(events[0]["timestamp"]) / 1000


@pytest.mark.parametrize("form", ["48 kHz stereo", "WebM frames", "WebM in messages"])
def test_speech_is_understood_in_every_form_that_clients_send(
    form: str, script: Script, device: Device, clips: dict[str, Pcm]
) -> None:
    pcm = clips["dogs"]
    if form == "48 kHz stereo":
        both = np.repeat(resample(pcm, 16_000, 48_000)[:, np.newaxis], 2, axis=1)
        encoding = {"encoding": "linear16", "sampleRate": 48_000, "channels": 2}
        told = script("speaking", device, audio=encoding, pieces=base64_of(pieces(both, 48_000)))
    else:
        told = script(
            "speaking", device, pieces=base64_of(recorder(pcm)), binary=form == "WebM frames"
        )
    assert_answered(told, words="dogs are sitting by the door", seconds=1.9)
    assert len(messages(told, "spoken", "user_message")) == 1, "interim words were not asked for"


def test_typed_words_pauses_and_tools_work_as_with_evi(script: Script, device: Device) -> None:
    weather, trouble = "22 degrees and sunny", "The weather is not available."
    told = script(
        "writing", device, reading="Read this out. And this.", weather=weather, trouble=trouble
    )

    asked = between(told, "asked", "read out")
    assert kinds(asked)[:2] == ["user_message", "assistant_message"]
    assert asked[0]["message"]["content"] == PARIS
    assert asked[0]["fromText"] and asked[0]["time"] == {"begin": 0, "end": 0}
    assert asked[0]["models"] == {}, "nothing can be measured of what was not spoken"
    assert asked[1]["fromText"] is False and asked[-1]["type"] == "assistant_end"
    assert all(segments(asked).values())

    read = between(told, "read out", "paused")
    assert words_of(read) == "Read this out. And this."
    assert all(m["fromText"] for m in read if m["type"] == "assistant_message")
    assert all(segments(read).values())

    paused = between(told, "paused", "resumed")
    assert kinds(paused) == ["user_message", "user_message"], "it only listens"
    resumed = between(told, "resumed", "tool wanted")
    assert "user_message" not in kinds(resumed) and resumed[-1]["type"] == "assistant_end"

    for wanted, answered, last, result in (
        ("tool wanted", "tool answered", "tool wanted again", weather),
        ("tool wanted again", "tool failed", None, trouble),
    ):
        call = between(told, wanted, answered)[-1]
        assert (call["type"], call["name"]) == ("tool_call", "get_current_weather")
        assert call["toolType"] == "function" and call["responseRequired"] is True
        assert isinstance(json.loads(call["parameters"])["location"], str)
        assert words_of(between(told, wanted, answered)) == "", "it waits for the tool"
        assert alike(result, words_of(between(told, answered, last))) > 0.6

    sessions = [m["customSessionId"] for m in messages(told, "written")]
    changed = sessions.index("garden")
    assert set(sessions[:changed]) == {"kitchen"} and set(sessions[changed:]) == {"garden"}

    [events] = [line["events"] for line in told if "events" in line]
    settings = [json.loads(e["messageText"]) for e in events if e["type"] == "SESSION_SETTINGS"]
    assert settings[0]["variables"] == {"name": "Ada", "age": "36", "member": "true"}
    assert settings[0]["context"] == {"text": "The user is in Paris.", "type": "persistent"}
    called = [e["role"] for e in events if e["type"].startswith("FUNCTION_CALL")]
    assert called == ["AGENT", "TOOL", "AGENT", "TOOL"]
    assert {"PAUSE_ONSET", "RESUME_ONSET"} <= {e["type"] for e in events}


def test_a_config_with_prompt_tool_and_voice_is_kept_used_and_erased(
    script: Script, device: Device
) -> None:
    greeting = "Welcome to the tour of our beautiful old city."
    told = script("library", device, greeting=greeting, laterGreeting="Hello again.")
    kept = {name: value for line in told for name, value in line.items()}

    assert (kept["prompt"]["version"], kept["prompt1"]["version"]) == (0, 1)
    assert kept["renamed"] == "City guide"
    assert [p["text"] for p in kept["prompts"]] == ["You are {{kind}} guide."]
    assert [p["version"] for p in kept["promptVersions"]] == [1, 0]
    assert [(t["name"], t["version"]) for t in kept["tools"]] == [("get_time_now", 1)]
    assert [t["version"] for t in kept["toolVersions"]] == [1, 0]
    assert kept["toolVersion0"]["versionDescription"] == "the first"
    assert kept["voice"]["provider"] == "CUSTOM_VOICE" and kept["own"] == [kept["voice"]]
    assert {voice["provider"] for voice in kept["ofDevice"]} == {"HUME_AI"}

    config, latest = kept["config"], kept["config1"]
    assert config["prompt"]["text"] == "You are {{kind}} guide."
    assert (
        config["prompt"]["versionType"] == "FIXED" and config["tools"][0]["versionType"] == "LATEST"
    )
    assert config["voice"] == kept["voice"]
    assert config["builtinTools"][0]["name"] == "hang_up"
    assert config["timeouts"]["inactivity"] == {"enabled": True, "durationSecs": 60}
    assert config["timeouts"]["maxDuration"] == {"enabled": True, "durationSecs": 300}
    assert config["turnDetection"]["endOfTurnSilenceMs"] == 900
    assert kept["config0"]["versionDescription"] == "the first"
    assert kept["configs"] == [latest] and latest["name"] == "City tour"
    assert [c["version"] for c in kept["configVersions"]] == [1, 0]

    # A chat with it begins by itself, each with the words of its version.
    for chat, words in (("first", greeting), ("latest", "Hello again."), ("again", greeting)):
        found = messages(told, chat)
        assert words_of(found) == words and found[-1]["type"] == "assistant_end"
        assert all(segments(found).values())
    first, again = (messages(told, chat, "chat_metadata")[0] for chat in ("first", "again"))
    assert first["chatGroupId"] == again["chatGroupId"] and first["chatId"] != again["chatId"]

    # Who leaves while it is speaking has heard a part, and that part is in the history.
    assert [e["type"] for e in kept["events"]][-1] == "CHAT_END_MESSAGE"
    [heard] = [e["messageText"] for e in kept["events"] if e["type"] == "AGENT_MESSAGE"]
    assert heard and greeting.startswith(heard)

    assert {chat["status"] for chat in kept["chats"]} == {"USER_ENDED"}
    assert [chat["config"]["version"] for chat in kept["chats"]] == [0, 1, 0]
    assert kept["audio"]["id"] == first["chatId"]
    assert sorted(group["numChats"] for group in kept["groups"]) == [1, 2]
    assert [c["id"] for c in kept["group"]["chatsPage"]] == [first["chatId"], again["chatId"]]
    assert {e["chatId"] for e in kept["groupEvents"]} == {first["chatId"], again["chatId"]}
    assert kept["groupAudio"]["numChats"] == 2

    assert kept["refusals"] == [404, 404, 404, 400]
    assert kept["left"] == [] and kept["voicesLeft"] == []


def test_a_chat_can_be_joined_and_commanded_from_beside_and_taken_up_later(
    script: Script, device: Device
) -> None:
    told = script("company", device, reading="This was sent by somebody else.")
    own, beside = messages(told, "own"), messages(told, "beside")
    assert words_of(own).startswith("This was sent by somebody else.")
    assert final_words(own)[0]["message"]["content"] == PARIS
    refusals = [m for m in beside if m["type"] == "error"]
    assert [m["code"] for m in refusals] == ["E0101"], "only whoever sent it is told"
    assert strip(own[1:]) == strip([m for m in beside if m["type"] != "error"])
    assert [line["refused"] for line in told if "refused" in line] == [422]
    assert [line["gone"] for line in told if "gone" in line] == [404]

    first, again = (messages(told, chat, "chat_metadata")[0] for chat in ("own", "again"))
    assert first["chatGroupId"] == again["chatGroupId"] and first["chatId"] != again["chatId"]
    assert kinds(messages(told, "refused")) == ["error"]


def strip(found: Told) -> Told:
    """Messages without the time at which the SDK got them."""
    return [{k: v for k, v in message.items() if k != "receivedAt"} for message in found]
