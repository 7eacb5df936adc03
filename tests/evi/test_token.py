"""A key's two secrets give a token that opens the door for half an hour; nothing else does."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

import httpx
import pytest
from fastapi import Depends, FastAPI

from device.evi import token as module
from device.evi.access import Access, Refused, refused_handler
from device.evi.keys import NewKey
from device.evi.records import Records
from device.settings import Api
from device.worker import Owned

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def key(records: Owned[Records]) -> NewKey:
    return asyncio.run(records.call(lambda r: r.keys.add("phone")))


@pytest.fixture
def app(records: Owned[Records]) -> FastAPI:
    """The route, and one that a token opens."""
    app = FastAPI()
    app.include_router(module.router(records))
    app.add_exception_handler(Refused, refused_handler)
    access = Access(records, Api())

    @app.get("/inside", dependencies=[Depends(access.required)])
    async def inside() -> str:
        return "inside"

    return app


def ask(app: FastAPI, *requests: httpx.Request) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("192.168.1.20", 1))
        async with httpx.AsyncClient(transport=transport) as client:
            return [await client.send(request) for request in requests]

    return asyncio.run(send())


def asked(app: FastAPI, secrets: tuple[str, str], form: Mapping[str, str]) -> httpx.Response:
    return ask(app, request({"Authorization": basic(":".join(secrets))}, form))[0]


def basic(pair: str | bytes) -> str:
    return "Basic " + base64.b64encode(pair.encode() if isinstance(pair, str) else pair).decode()


def request(headers: Mapping[str, str], form: Mapping[str, str]) -> httpx.Request:
    url = "http://device/oauth2-cc/token"
    return httpx.Request("POST", url, headers=dict(headers), data=dict(form))


def test_both_secrets_give_a_token_that_opens_the_door(app: FastAPI, key: NewKey) -> None:
    answer = asked(app, (key.api_key, key.secret_key), GRANT)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 1800
    assert int(body["issued_at"]) > 1_700_000_000_000
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    (inside,) = ask(app, httpx.Request("GET", "http://device/inside", headers=bearer))
    assert inside.json() == "inside"


def test_each_request_gives_another_token(app: FastAPI, key: NewKey) -> None:
    secrets = (key.api_key, key.secret_key)
    tokens = {asked(app, secrets, GRANT).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3


def test_wrong_secrets_are_an_invalid_client(app: FastAPI, key: NewKey) -> None:
    wrong = [("phone", key.secret_key), (key.api_key, ""), (key.secret_key, key.api_key), ("", "")]
    for secrets in wrong:
        answer = asked(app, secrets, GRANT)
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        assert "rapport keys add" in answer.json()["error_description"]
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!", "Bearer x", basic("no colon"), basic(b"\xff:\xfe")]
)
def test_a_malformed_authorization_is_an_invalid_client(app: FastAPI, header: str) -> None:
    (answer,) = ask(app, request({"Authorization": header}, GRANT))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "x" * 5000}, "invalid_request"),
    ],
)
def test_another_grant_gives_no_token(
    app: FastAPI, key: NewKey, form: Mapping[str, str], error: str
) -> None:
    answer = asked(app, (key.api_key, key.secret_key), form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_what_is_not_a_form_gives_no_token(app: FastAPI, key: NewKey) -> None:
    headers = {"Authorization": basic(f"{key.api_key}:{key.secret_key}")}
    url = "http://device/oauth2-cc/token"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    requests = [
        httpx.Request("POST", url, headers=headers, json=GRANT),
        httpx.Request("POST", url, headers=headers, files={"grant_type": b"client_credentials"}),
        httpx.Request("POST", url, headers=headers | form, content=b"grant_type=\xff"),
        httpx.Request("POST", url, headers=headers | form, content=b"&".join([b"a=b"] * 100)),
        httpx.Request("POST", url, headers=headers | form, content=b"grant_type=a&grant_type=b"),
    ]
    for answer in ask(app, *requests):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_api_document_tells_of_the_form_and_of_every_answer(app: FastAPI) -> None:
    document = app.openapi()
    route = document["paths"]["/oauth2-cc/token"]["post"]
    assert set(route["responses"]) == {"200", "400", "401"}
    assert list(route["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]
    (scheme,) = route["security"]
    (name,) = scheme
    assert document["components"]["securitySchemes"][name]["scheme"] == "basic"
