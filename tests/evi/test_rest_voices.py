"""Voices are listed, saved and deleted over REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from device.evi.records import Records
from device.worker import Owned
from tests.evi.application import ask
from tests.evi.speakers import Hum, Speakers, application

PATH = "/v0/tts/voices"
MODELS = [f"piper-{name}" for name in ("joe", "ada", "bob", "cleo", "dan")]


@pytest.fixture
def app(records: Owned[Records]) -> Iterator[FastAPI]:
    host = Speakers(dict.fromkeys(MODELS, Hum()))
    yield application(records, host)
    host.worker.close()


def generation(app: FastAPI) -> str:
    body = {"utterances": [{"text": "Hello."}], "format": {"type": "wav"}}
    answer = ask(app, "POST", "/v0/tts", body)
    name: str = answer.json()["generations"][0]["generation_id"]
    return name


def listed(app: FastAPI, query: str) -> dict[str, Any]:
    answer = ask(app, "GET", f"{PATH}?{query}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def names(page: dict[str, Any]) -> list[str]:
    return [voice["name"] for voice in page["voices_page"]]


def test_the_devices_own_voices_are_the_librarys(app: FastAPI) -> None:
    page = listed(app, "provider=HUME_AI")
    assert names(page) == ["Joe", "Ada", "Bob", "Cleo", "Dan"]
    assert page["voices_page"][0] == {
        "id": "piper-joe",
        "name": "Joe",
        "provider": "HUME_AI",
        "compatible_octave_models": None,
    }
    assert (page["page_number"], page["page_size"], page["total_pages"]) == (0, 10, 1)


def test_pages_follow_one_another_and_end_in_an_empty_one(app: FastAPI) -> None:
    pages = [names(listed(app, f"provider=HUME_AI&page_size=2&page_number={n}")) for n in range(4)]
    assert pages == [["Joe", "Ada"], ["Bob", "Cleo"], ["Dan"], []]
    assert listed(app, "provider=HUME_AI&page_size=2")["total_pages"] == 3


def test_the_order_can_be_turned_round(app: FastAPI) -> None:
    page = listed(app, "provider=HUME_AI&ascending_order=true&page_size=2")
    assert names(page) == ["Dan", "Cleo"]


def test_a_voice_is_saved_listed_and_deleted(app: FastAPI) -> None:
    body = {"generation_id": generation(app), "name": "Grandfather"}
    made = ask(app, "POST", PATH, body)
    assert made.status_code == 200
    assert made.json()["provider"] == "CUSTOM_VOICE"
    assert listed(app, "provider=CUSTOM_VOICE")["voices_page"] == [made.json()]
    assert ask(app, "DELETE", f"{PATH}?name=Grandfather").status_code == 204
    assert names(listed(app, "provider=CUSTOM_VOICE")) == []
    gone = ask(app, "DELETE", f"{PATH}?name=Grandfather")
    assert gone.status_code == 404 and "no custom voice Grandfather" in gone.json()["message"]


def test_a_name_that_is_taken_is_refused_in_the_shape_of_a_fault(app: FastAPI) -> None:
    body = {"generation_id": generation(app), "name": "Grandfather"}
    assert ask(app, "POST", PATH, body).status_code == 200
    answer = ask(app, "POST", PATH, body)
    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == ["body", "name"] and "already" in fault["msg"]


def test_an_unknown_generation_is_named(app: FastAPI) -> None:
    answer = ask(app, "POST", PATH, {"generation_id": "nowhere", "name": "Nobody"})
    assert answer.status_code == 404
    assert "There is no generation nowhere" in answer.json()["message"]


@pytest.mark.parametrize("query", ["", "provider=ACME", "provider=HUME_AI&page_size=0"])
def test_a_wrong_listing_is_refused_with_a_sentence(app: FastAPI, query: str) -> None:
    answer: httpx.Response = ask(app, "GET", f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "E0101" and answer.json()["message"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, 7, None])
def test_a_voice_needs_a_name(app: FastAPI, name: object) -> None:
    answer = ask(app, "POST", PATH, {"generation_id": "any", "name": name})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "name"]
