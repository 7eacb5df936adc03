"""The API describes itself truly: what is declared is what is answered, whatever is sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from device import __version__
from device.evi import faults, messages
from device.evi.archive import NewEvent
from device.evi.documentation import described
from device.evi.documentation_chat import failures, received, sent
from device.evi.records import Records
from device.evi.resources_posted import (
    PostedConfig,
    PostedPrompt,
    PostedTool,
    PromptReference,
)
from device.store import Store
from device.worker import Owned, Worker
from tests.evi.application import application, ask

TRUE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 20
"""Requests made up for each route, half of them meant to be right and half to be wrong."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Owned[Records]:
    store = Store(tmp_path_factory.mktemp("state"))
    return Owned(Records.of(store), Worker("records"))


@pytest.fixture(scope="module")
def app(kept: Owned[Records]) -> FastAPI:
    return application(kept)


ROUTES = sorted(
    (method.upper(), path)
    for path, operations in described(
        application(Owned(Records.of(Store(None)), Worker("unused")))
    )["paths"].items()
    for method in operations
)


def something(records: Records, path: str) -> str:
    """Make what a path leads to, and return its id."""
    match path.split("/")[3]:
        case "configs":
            posted = PostedConfig(name="x", evi_version="3", prompt=PromptReference(text="x"))
            return records.library.create("config", posted).id
        case "prompts":
            return records.library.create("prompt", PostedPrompt(name="x", text="x")).id
        case "tools":
            return records.library.create("tool", PostedTool(name="x", parameters="{}")).id
    new = str(uuid4())
    records.archive.start_chat(new, new, 0)
    records.archive.add_event(new, NewEvent("USER", "USER_MESSAGE", 0, "Hello"))
    return new


@pytest.fixture(scope="module")
def schema(app: FastAPI) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.filterwarnings("ignore")  # of the libraries that make up the requests
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_answers_as_it_declares(
    schema: Any, kept: Owned[Records], method: str, path: str
) -> None:
    operation = schema[path][method]
    requests = st.one_of(
        operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
    )

    @given(request=requests, there=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def answers(request: Any, there: bool) -> None:
        if there and "{id}" in path:
            parts = {"id": asyncio.run(kept.call(lambda r: something(r, path))), "version": 0}
            request.path_parameters = {name: parts[name] for name in request.path_parameters}
        request.call_and_validate(checks=TRUE)

    answers()


def test_only_the_refusals_that_there_are_are_declared(app: FastAPI) -> None:
    document = described(app)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = set(operation["responses"])
            assert {"400", "401", "429"} <= declared, (method, path)
            assert "422" not in declared, (method, path)
            assert ("404" in declared) == ("{id}" in path), (method, path)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_document_names_the_device_and_the_ways_in(app: FastAPI) -> None:
    document = ask(app, "GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert (document["info"]["title"], document["info"]["version"]) == ("Rapport", __version__)
    ways = document["components"]["securitySchemes"]
    assert {(way["type"], way.get("name", way.get("scheme"))) for way in ways.values()} == {
        ("apiKey", "X-Hume-Api-Key"),
        ("apiKey", "api_key"),
        ("http", "bearer"),
    }
    assert {} in document["security"], "programs on the device itself need no key"


class Page(HTMLParser):
    """What is on a page, as far as it matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.style = ""
        self.text = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.style += data
        else:
            self.text += data


def test_the_page_tells_of_every_route(app: FastAPI) -> None:
    page = Page(ask(app, "GET", "/docs").text)
    for path, operations in described(app)["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"] in page.text
            shown = re.sub(r"\{(\w+)\}", lambda m: "0" if m[1] == "version" else "$ID", path)
            option = "" if method == "get" else f" -X {method.upper()}"
            assert f'curl "$DEVICE{shown}"{option}' in page.text
    assert "end_of_turn_silence_ms" in page.text
    assert '-d \'{"evi_version": "3", "name": "Weather assistant"}\'' in page.text


def test_the_examples_on_the_page_work(app: FastAPI) -> None:
    page = Page(ask(app, "GET", "/docs").text)
    bodies = re.findall(
        r'curl "\$DEVICE(/v0/evi/(?:configs|prompts|tools))" -X POST.*?-d \'(.*?)\'\n',
        page.text,
        re.DOTALL,
    )
    assert len(bodies) == 3
    for path, body in bodies:
        assert ask(app, "POST", path, body.encode()).status_code == 201, body


def test_the_page_tells_of_every_message_and_every_error(app: FastAPI) -> None:
    page = Page(ask(app, "GET", "/docs").text)
    assert {"audio_input", "session_settings", "tool_error"} <= {one.type for one in received()}
    assert {"chat_metadata", "audio_output", "assistant_end"} <= {one.type for one in sent()}
    known = {one.code: one for one in failures()}
    assert known["E0714"].final
    assert not known["E0101"].final
    for shown in (*received(), *sent()):
        assert shown.type in page.text
        assert shown.about.replace("`", "") in page.text
    for code in known:
        assert code in page.text


def test_the_messages_on_the_page_are_those_that_are_sent() -> None:
    shown = {one.type: json.loads(one.example) for one in sent()}
    assert shown["error"] == messages.error(faults.internal())
    assert shown["user_message"]["time"] == {"begin": 0, "end": 900}
    assert {type: example["type"] for type, example in shown.items()} == {
        type: type for type in shown
    }


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(app: FastAPI) -> None:
    answer = ask(app, "GET", "/docs")
    page = Page(answer.text)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert "://" not in (attributes.get("href") or "")
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy, "the browser would refuse the page's style"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_suits_the_dark_and_the_phone(app: FastAPI) -> None:
    page = Page(ask(app, "GET", "/docs").text)
    assert "prefers-color-scheme: dark" in page.style
    viewport = [a for tag, a in page.tags if tag == "meta" and a.get("name") == "viewport"]
    assert viewport[0]["content"] == "width=device-width, initial-scale=1"


def test_the_page_has_no_holes(app: FastAPI) -> None:
    page = Page(ask(app, "GET", "/docs").text)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [a["href"] or "" for tag, a in page.tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert "None" not in page.text
