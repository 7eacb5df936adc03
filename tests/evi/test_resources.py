"""Refusals have the shape that each route's clients expect, whatever was sent."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel

from device.evi.refusals import NotThere
from device.evi.resources import add_refusals
from tests.evi.application import ask

LISTING = ["/v0/tts", "/v0/tts/file", "/v0/tts/voices", "/v0/evi/chat/some-id/send"]
TELLING = ["/v0/evi/configs", "/v0/evi/chats", "/v0/evi/chat_groups"]


class Body(BaseModel):
    number: int


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Takes a number in a body at every path, and one in the query of the list of voices."""
    app = FastAPI()
    add_refusals(app)

    @app.get("/v0/tts/voices")
    async def voices(number: Annotated[int, Query()]) -> int:
        return number

    @app.get("/gone")
    async def gone() -> None:
        raise NotThere("There is no half a \ud83d.")

    @app.post("/v0/{path:path}")
    async def take(path: str, body: Body) -> int:
        return body.number

    return app


@pytest.mark.parametrize("path", LISTING)
@pytest.mark.parametrize("body", [{}, {"number": "x"}, b"{", b"\xff", b"[" * 20_000])
def test_speech_and_control_list_the_faults_with_422(app: FastAPI, path: str, body: object) -> None:
    answer = ask(app, "POST", path, body)
    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert fault["loc"][0] == "body"
    assert fault.keys() == {"loc", "msg", "type"}


@pytest.mark.parametrize("path", TELLING)
def test_the_others_tell_the_fault_with_400(app: FastAPI, path: str) -> None:
    answer = ask(app, "POST", path, {"number": "x"})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "E0101",
        "error": "invalid_request",
        "message": "The request is not usable: number: Input should be a valid integer, "
        "unable to parse string as an integer.",
    }


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 20_000])
def test_what_is_no_json_has_a_code_of_its_own(app: FastAPI, body: bytes) -> None:
    answer = ask(app, "POST", "/v0/evi/configs", body)
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["error"]) == ("E0100", "invalid_json")


def test_a_wrong_list_of_voices_is_told_with_400_as_the_sdks_expect(app: FastAPI) -> None:
    answer = ask(app, "GET", "/v0/tts/voices?number=x")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("The request is not usable: query.number: ")


def test_the_sender_s_own_values_are_not_sent_back(app: FastAPI) -> None:
    for path in (*LISTING, *TELLING):
        assert "secret" not in ask(app, "POST", path, {"number": "secret"}).text


def test_half_a_character_in_a_message_does_no_harm(app: FastAPI) -> None:
    answer = ask(app, "GET", "/gone")
    assert (answer.status_code, answer.json()["message"]) == (404, "There is no half a ?.")


def test_a_route_that_is_not_there_is_told_like_anything_else(app: FastAPI) -> None:
    answer = ask(app, "GET", "/nowhere")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "GET /nowhere" in answer.json()["message"]
