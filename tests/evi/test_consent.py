"""Whoever may forbid that expression is measured, and that nothing of it is left then.

The device's models are scripted, and those of expression fail if they are used; sockets, database
and everything between are real.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from device.hearing.emotions import NAMES
from device.types import Pcm
from device.worker import Owned
from tests.evi.scripted import Finished, Served, served
from tests.story import (
    Script,
    ScriptedProsody,
    ScriptedRecognizer,
    SecretiveTurnDetector,
    UntouchableProsody,
)

PATIENCE = 60
HAPPY = "I am so happy, this is wonderful!"
"""Words that carry an expression by themselves."""
NOTE = "[sounds "
"""How the language model is told of an expression."""
AUDIO = {"encoding": "linear16", "sample_rate": 16_000, "channels": 1}
SPEECH = np.concatenate([np.full(24_000, 1, np.int16), np.zeros(16_000, np.int16)])
OFF = {"type": "session_settings", "expression_measurement": False}
ON = {"type": "session_settings", "expression_measurement": True}

Message = dict[str, Any]


class Hears(ScriptedRecognizer):
    def transcribe(self, audio: Pcm) -> str:
        return HAPPY


class Secretive(SecretiveTurnDetector, Finished):
    """Takes every pause for the end of the turn, and tells nothing else."""


@contextmanager
def device(folder: Path, prosody: ScriptedProsody, **settings: Any) -> Iterator[Served]:
    with served(folder, **settings) as made:
        have, script = made.app.faculties, Script()
        turn = Finished(script)
        if isinstance(prosody, UntouchableProsody):
            turn = Secretive(script)
        made.app.faculties = replace(
            have,
            recognizer=Owned(Hears(script), have.recognizer.worker),
            prosody=Owned(prosody, have.prosody.worker),
            turn=Owned(turn, have.turn.worker),
        )
        yield made


@dataclass
class Told:
    """What came of a chat: what its client was sent, and what the archive has."""

    messages: list[Message] = field(default_factory=list)
    events: list[Message] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    """What the user said, as the language model was told it."""

    def user(self, interim: bool = False) -> list[Message]:
        return [m for m in self.messages if m["type"] == "user_message" and m["interim"] is interim]

    @property
    def features(self) -> list[str]:
        """What the archive has of the expression of each of the user's messages."""
        return [e["emotion_features"] for e in self.events if e["type"] == "USER_MESSAGE"]

    @property
    def cheerful(self) -> list[bool]:
        """Whether each reply was spoken in a style that answers to joy."""
        prosody = [m for m in self.messages if m["type"] == "assistant_prosody"]
        return [m["models"]["prosody"]["scores"]["Joy"] > 0 for m in prosody]


async def until(client: ClientConnection, told: Told, kind: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            told.messages.append(json.loads(await client.recv()))
            if told.messages[-1]["type"] == kind:
                return


async def speak(client: ClientConnection, told: Told) -> None:
    """The user says something happy, and is answered."""
    for at in range(0, len(SPEECH), 1_600):
        await client.send(SPEECH[at : at + 1_600].tobytes())
        await asyncio.sleep(0.01)
    await until(client, told, "assistant_end")


async def write(client: ClientConnection, told: Told) -> None:
    """The user types something happy, and is answered."""
    await client.send(json.dumps({"type": "user_input", "text": HAPPY}))
    await until(client, told, "assistant_end")


def chat(device: Served, query: str = "", *steps: Message | str) -> Told:
    """Hold a chat: messages are sent, "speak" and "write" are done; then look at what is left."""
    told = Told()

    async def story() -> None:
        address = f"ws://{device.url}/v0/evi/chat?verbose_transcription=true&{query}"
        async with connect(address, max_size=None) as client:
            await until(client, told, "chat_metadata")
            await client.send(json.dumps({"type": "session_settings", "audio": AUDIO}))
            for step in steps:
                if step == "speak":
                    await speak(client, told)
                elif step == "write":
                    await write(client, told)
                else:
                    await client.send(json.dumps(step))
        async with asyncio.timeout(PATIENCE):
            while device.chats:
                await asyncio.sleep(0.02)

    asyncio.run(story())
    chat_id = told.messages[0]["chat_id"]
    pages = httpx.get(f"http://{device.url}/v0/evi/chats/{chat_id}?page_size=100").json()
    told.events = pages["events_page"]
    model: Any = device.app.faculties.language_model.model
    told.prompts = [prompt[-1].content for prompt in model.prompts]
    return told


def config(device: Served, **fields: Any) -> str:
    body = {"evi_version": "3", "name": "Kiosk", **fields}
    made = httpx.post(f"http://{device.url}/v0/evi/configs", json=body).raise_for_status().json()
    return f"config_id={made['id']}"


def assert_nothing_is_left(told: Told, turns: int) -> None:
    assert len(told.user()) == turns
    assert all(message["models"] == {} for message in told.user() + told.user(interim=True))
    assert told.features == [""] * turns
    assert told.prompts and not any(NOTE in text for text in told.prompts)
    assert told.cheerful == [False] * turns


def test_where_nobody_forbids_it_expression_is_everywhere(tmp_path: Path) -> None:
    with device(tmp_path, ScriptedProsody()) as made:
        told = chat(made, "expression_measurement=true", ON, "speak")
    [user] = told.user()
    assert len(user["models"]["prosody"]["scores"]) == len(NAMES)
    assert json.loads(told.features[0])
    assert NOTE in told.prompts[0]
    assert told.cheerful == [True]


@pytest.mark.parametrize("asked", ["", "expression_measurement=true"])
def test_what_the_owner_of_the_device_forbids_nobody_can_ask_for(
    asked: str, tmp_path: Path
) -> None:
    with device(tmp_path, UntouchableProsody(), hearing={"expression": False}) as made:
        allowing = config(made, expression_measurement=True)
        told = chat(made, f"{allowing}&{asked}", ON, "speak", "write")
    assert_nothing_is_left(told, turns=2)


def test_what_the_config_forbids_the_session_cannot_ask_for(tmp_path: Path) -> None:
    with device(tmp_path, UntouchableProsody()) as made:
        forbidding = config(made, expression_measurement=False)
        told = chat(made, f"{forbidding}&expression_measurement=true", ON, "speak", "write")
    assert_nothing_is_left(told, turns=2)


@pytest.mark.parametrize(
    "asked", ["expression_measurement=false", "session_settings[expression_measurement]=false"]
)
def test_a_session_can_forbid_it_in_its_address(asked: str, tmp_path: Path) -> None:
    with device(tmp_path, UntouchableProsody()) as made:
        told = chat(made, asked, "speak", "write")
    assert_nothing_is_left(told, turns=2)
    [settings] = [e for e in told.events if "expression" in (e["message_text"] or "")]
    assert settings["type"] == "SESSION_SETTINGS", "that it was forbidden is on record"


def test_a_session_can_forbid_it_with_a_message(tmp_path: Path) -> None:
    with device(tmp_path, UntouchableProsody()) as made:
        told = chat(made, "", OFF, "speak", {"type": "session_settings"}, "write")
    assert_nothing_is_left(told, turns=2)


def test_a_value_that_says_neither_is_refused_and_not_guessed(tmp_path: Path) -> None:
    async def story(made: Served) -> list[Message]:
        address = f"ws://{made.url}/v0/evi/chat?expression_measurement=perhaps"
        async with connect(address) as client:
            return [json.loads(text) async for text in client]

    with device(tmp_path, UntouchableProsody()) as made:
        [error] = asyncio.run(story(made))
    assert error["code"] == "E0101" and "expression_measurement" in error["message"]


def test_a_session_can_forbid_it_and_allow_it_again_at_any_time(tmp_path: Path) -> None:
    prosody = ScriptedProsody()
    with device(tmp_path, prosody) as made:
        told = chat(made, "", "speak", OFF, "speak", "write", ON, "speak")
    measured = [bool(message["models"]) for message in told.user()]
    assert measured == [bool(features) for features in told.features]
    assert measured == told.cheerful == [True, False, False, True]
    assert [use.what for use in prosody.uses].count("learn") == 2
    newest = [text.splitlines()[-1] for text in told.prompts]
    assert [NOTE in text for text in newest] == [True, False, False, True]


def test_it_is_forbidden_even_by_a_message_that_is_refused_for_something_else(
    tmp_path: Path,
) -> None:
    with device(tmp_path, UntouchableProsody()) as made:
        told = chat(made, "", {**OFF, "voice_id": "no such voice"}, "speak")
    assert "error" in [message["type"] for message in told.messages]
    assert_nothing_is_left(told, turns=1)
