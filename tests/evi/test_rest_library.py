"""The routes of configs, prompts and tools: status codes, shapes, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from device.evi.records import Records
from device.worker import Owned
from tests.evi.application import application, ask

Ask = Callable[..., httpx.Response]

SCHEMA = '{"type": "object", "properties": {}}'
NEW: dict[str, dict[str, Any]] = {
    "configs": {"name": "Guide", "evi_version": "3"},
    "prompts": {"name": "Guide", "text": "Be kind."},
    "tools": {"name": "Guide", "parameters": SCHEMA},
}
KINDS = sorted(NEW)
HUGE = 2**63


@pytest.fixture
def to(records: Owned[Records]) -> Ask:
    """Sends a request to the device and returns its answer."""
    app = application(records)
    return lambda method, path, body=None: ask(app, method, f"/v0/evi{path}", body)


def made(to: Ask, kind: str, **fields: object) -> str:
    answer = to("POST", f"/{kind}", {**NEW[kind], **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_nine_routes_of_a_kind_answer_as_the_protocol_says(to: Ask, kind: str) -> None:
    one, later = f"/{kind}/{made(to, kind)}", {**NEW[kind], "version_description": "later"}
    answers = [
        to("POST", one, later),
        to("GET", f"/{kind}"),
        to("GET", one),
        to("GET", f"{one}/version/1"),
        to("PATCH", f"{one}/version/0", {"version_description": "first"}),
        to("PATCH", one, {"name": "Other"}),
        to("DELETE", f"{one}/version/0"),
        to("DELETE", one),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200, 204, 204]
    assert [answer.content for answer in answers[-2:]] == [b"", b""]
    added, listed, versions, got, described, renamed = answers[:6]
    assert added.json()["version"] == 1
    assert [item["version"] for item in listed.json()[f"{kind}_page"]] == [1]
    assert [item["version"] for item in versions.json()[f"{kind}_page"]] == [1]
    assert got.json() == added.json()
    assert described.json()["version_description"] == "first"
    assert (renamed.text, renamed.headers["content-type"].split(";")[0]) == ("Other", "text/plain")
    assert to("GET", one).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_told_apart_into_pages(to: Ask, kind: str) -> None:
    for number in range(3):
        made(to, kind, name=f"n{number}")
    pages = [to("GET", f"/{kind}?page_size=2&page_number={number}").json() for number in range(3)]
    assert [[item["name"] for item in page[f"{kind}_page"]] for page in pages] == [
        ["n2", "n1"],
        ["n0"],
        [],
    ]
    assert [(p["page_number"], p["page_size"], p["total_pages"]) for p in pages] == [
        (0, 2, 2),
        (1, 2, 2),
        (2, 2, 2),
    ]
    named = to("GET", f"/{kind}?name=n1").json()
    assert [item["name"] for item in named[f"{kind}_page"]] == ["n1"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_versions_are_listed_when_asked_for(to: Ask, kind: str) -> None:
    thing = made(to, kind)
    to("POST", f"/{kind}/{thing}", NEW[kind])
    for path in (f"/{kind}", f"/{kind}/{thing}"):
        every = to("GET", f"{path}?restrict_to_most_recent=false").json()
        assert [item["version"] for item in every[f"{kind}_page"]] == [1, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "/nowhere", None),
        ("GET", "/nowhere/version/0", None),
        ("PATCH", "/nowhere", {"name": "x"}),
        ("PATCH", "/nowhere/version/0", {"version_description": "x"}),
        ("DELETE", "/nowhere", None),
        ("DELETE", "/nowhere/version/0", None),
        ("GET", "/with%00nul", None),
    ],
)
def test_what_is_not_there_is_answered_with_404_and_a_sentence(
    to: Ask, kind: str, method: str, rest: str, body: object
) -> None:
    answer = to(method, f"/{kind}{rest}", body)
    assert answer.status_code == 404
    refusal = answer.json()
    assert (refusal["code"], refusal["error"]) == ("R0404", "not_found")
    assert refusal["message"].startswith(f"There is no {kind[:-1]} ")


def test_a_new_version_of_nothing_is_answered_with_404(to: Ask) -> None:
    for kind in KINDS:
        assert to("POST", f"/{kind}/nowhere", NEW[kind]).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "/configs", {"name": "x"}, "evi_version: Field required"),
        ("POST", "/prompts", {"name": "x"}, "text: Field required"),
        ("POST", "/tools", {"name": "x", "parameters": "{"}, "JSON schema of an object"),
        ("POST", "/prompts", {"name": "", "text": "x"}, "name: "),
        ("POST", "/prompts", {"name": "x\ud800", "text": "x"}, "name: "),
        ("POST", "/prompts", {"name": HUGE, "text": "x"}, "name: "),
        ("POST", "/prompts", [], "must be a JSON object"),
        ("PATCH", "/prompts/x", {}, "name: Field required"),
        ("GET", "/configs?page_size=0", None, "query.page_size: "),
        ("GET", "/configs?page_size=101", None, "query.page_size: "),
        ("GET", "/configs?page_number=-1", None, "query.page_number: "),
        ("GET", f"/configs?page_number={HUGE}", None, "query.page_number: "),
        ("GET", "/configs?restrict_to_most_recent=perhaps", None, "query.restrict_to"),
        ("GET", f"/configs/x/version/{HUGE}", None, "path.version: "),
        ("GET", "/configs/x/version/one", None, "path.version: "),
        ("GET", f"/configs/{'x' * 201}", None, "path.id: "),
        (
            "POST",
            "/configs",
            {"name": "x", "evi_version": "3", "prompt": {"id": "x", "version": HUGE}},
            "prompt.version: ",
        ),
        (
            "POST",
            "/configs",
            {"name": "x", "evi_version": "3", "prompt": {"id": "nowhere"}},
            "prompt: There is no prompt nowhere",
        ),
    ],
)
def test_a_wrong_request_is_answered_with_400_and_says_what_is_wrong(
    to: Ask, method: str, path: str, body: object, told: str
) -> None:
    answer = to(method, path, body)
    assert answer.status_code == 400, answer.text
    refusal = answer.json()
    assert (refusal["code"], refusal["error"]) == ("E0101", "invalid_request")
    assert told in refusal["message"]


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"[" * 20_000, b"1" * 5_000])
def test_a_body_that_is_no_json_is_answered_with_400(to: Ask, body: bytes) -> None:
    answer = to("POST", "/prompts", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("E0100", "E0101")


def test_many_faults_are_told_in_one_sentence(to: Ask) -> None:
    turns = {"end_of_turn_silence_ms": 1, "prefix_padding_ms": -1}
    answer = to("POST", "/configs", {"turn_detection": turns, "speaking_rate": 9})
    message = answer.json()["message"]
    assert "evi_version: Field required; " in message
    assert message.endswith("(and 2 more).")


def test_a_reference_to_what_was_deleted_later_becomes_null(to: Ask) -> None:
    told = made(to, "prompts")
    thing = made(to, "configs", prompt={"id": told})
    assert to("GET", f"/configs/{thing}/version/0").json()["prompt"]["version_type"] == "LATEST"
    to("DELETE", f"/prompts/{told}")
    assert to("GET", f"/configs/{thing}/version/0").json()["prompt"] is None


def test_a_text_with_a_nul_comes_back_as_it_went_in(to: Ask) -> None:
    thing = made(to, "prompts", name="a\x00b", text="c\x00d")
    found = to("GET", f"/prompts/{thing}/version/0").json()
    assert (found["name"], found["text"]) == ("a\x00b", "c\x00d")
    named = to("GET", "/prompts?name=a%00b").json()
    assert [item["id"] for item in named["prompts_page"]] == [thing]


def test_there_is_no_other_method(to: Ask) -> None:
    answer = to("PUT", "/prompts", {})
    assert answer.status_code == 405
    assert answer.json()["error"] == "method_not_allowed"
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET"}
