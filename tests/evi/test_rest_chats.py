"""The routes of chats and their groups: reading what happened, and erasing it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from device.evi.archive import NewEvent
from device.evi.records import Records
from device.worker import Owned
from tests.evi.application import application, ask

Ask = Callable[..., httpx.Response]


def fill(records: Records) -> None:
    """A group of two chats, one of them going on, and a chat of its own."""
    archive = records.archive
    archive.start_chat("first", "group", 1000, "config", 2, '{"who": "me"}')
    archive.add_event("first", NewEvent("USER", "USER_MESSAGE", 1100, "Hello", '{"Joy": 0.5}'))
    archive.add_event("first", NewEvent("AGENT", "AGENT_MESSAGE", 1200, "Hi there"))
    archive.end_chat("first", "USER_ENDED", 1300)
    archive.start_chat("second", "group", 2000)
    archive.add_event("second", NewEvent("USER", "USER_MESSAGE", 2100, "Me again"))
    archive.start_chat("alone", "other", 3000, "config", 2)
    archive.end_chat("alone", "ERROR", 3100)


@pytest.fixture
def to(records: Owned[Records]) -> Ask:
    """Sends a request to the device and returns its answer."""
    asyncio.run(records.call(fill))
    app = application(records)
    return lambda method, path, body=None: ask(app, method, f"/v0/evi{path}", body)


def test_chats_are_listed_with_how_they_ended(to: Ask) -> None:
    page = to("GET", "/chats").json()
    assert (page["total_pages"], page["pagination_direction"]) == (1, "ASC")
    assert page["chats_page"][0] == {
        "id": "first",
        "chat_group_id": "group",
        "status": "USER_ENDED",
        "start_timestamp": 1000,
        "end_timestamp": 1300,
        "event_count": 2,
        "metadata": '{"who": "me"}',
        "config": {"id": "config", "version": 2},
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["first", "second", "alone"]),
        ("ascending_order=false", ["alone", "second", "first"]),
        ("config_id=config", ["first", "alone"]),
        ("status=ACTIVE", ["second"]),
        ("page_size=2&page_number=1", ["alone"]),
        ("page_size=2&page_number=2", []),
    ],
)
def test_chats_can_be_sorted_and_chosen(to: Ask, query: str, ids: list[str]) -> None:
    page = to("GET", f"/chats?{query}").json()
    assert [chat["id"] for chat in page["chats_page"]] == ids


def test_a_chat_is_returned_with_its_events(to: Ask) -> None:
    chat = to("GET", "/chats/first").json()
    assert (chat["status"], chat["chat_group_id"], chat["total_pages"]) == (
        "USER_ENDED",
        "group",
        1,
    )
    assert "event_count" not in chat
    hello, reply = chat["events_page"]
    assert hello.pop("id") != reply["id"]
    assert hello == {
        "chat_id": "first",
        "timestamp": 1100,
        "role": "USER",
        "type": "USER_MESSAGE",
        "message_text": "Hello",
        "emotion_features": '{"Joy": 0.5}',
        "metadata": None,
        "related_event_id": None,
    }
    newest = to("GET", "/chats/first?ascending_order=false&page_size=1").json()
    assert [event["message_text"] for event in newest["events_page"]] == ["Hi there"]
    assert (newest["pagination_direction"], newest["total_pages"]) == ("DESC", 2)


def test_groups_are_listed_and_returned_with_their_chats(to: Ask) -> None:
    listed = to("GET", "/chat_groups").json()
    assert [group["id"] for group in listed["chat_groups_page"]] == ["group", "other"]
    assert listed["chat_groups_page"][0] == {
        "id": "group",
        "first_start_timestamp": 1000,
        "most_recent_start_timestamp": 2000,
        "most_recent_chat_id": "second",
        "most_recent_config": None,
        "num_chats": 2,
        "active": True,
    }
    by_config = to("GET", "/chat_groups?config_id=config").json()
    assert [group["id"] for group in by_config["chat_groups_page"]] == ["other"]
    group = to("GET", "/chat_groups/group?status=USER_ENDED").json()
    assert (group["num_chats"], group["active"]) == (2, True)
    assert [chat["id"] for chat in group["chats_page"]] == ["first"]


def test_the_events_of_a_group_are_those_of_all_its_chats(to: Ask) -> None:
    page = to("GET", "/chat_groups/group/events").json()
    assert page["id"] == "group"
    assert [event["message_text"] for event in page["events_page"]] == [
        "Hello",
        "Hi there",
        "Me again",
    ]


def test_there_is_no_sound_of_a_chat_and_that_is_said(to: Ask) -> None:
    audio = to("GET", "/chats/first/audio").json()
    assert (audio["id"], audio["user_id"], audio["status"]) == ("first", "local", "CANCELLED")
    assert audio["signed_audio_url"] is None
    group = to("GET", "/chat_groups/group/audio?page_size=1").json()
    assert (group["num_chats"], group["total_pages"]) == (2, 2)
    assert [audio["id"] for audio in group["audio_reconstructions_page"]] == ["first"]


def test_one_chat_can_be_erased(to: Ask) -> None:
    answer = to("DELETE", "/chats/first")
    assert (answer.status_code, answer.content) == (204, b"")
    assert to("GET", "/chats/first").status_code == 404
    assert to("GET", "/chat_groups/group").json()["num_chats"] == 1


def test_all_chats_can_be_erased(to: Ask) -> None:
    assert to("DELETE", "/chats").json() == {"erased": 3}
    assert to("GET", "/chats").json()["chats_page"] == []
    assert to("DELETE", "/chats").json() == {"erased": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/chats/nowhere"),
        ("GET", "/chats/nowhere/audio"),
        ("DELETE", "/chats/nowhere"),
        ("GET", "/chat_groups/nowhere"),
        ("GET", "/chat_groups/nowhere/events"),
        ("GET", "/chat_groups/nowhere/audio"),
    ],
)
def test_what_is_not_there_is_answered_with_404(to: Ask, method: str, path: str) -> None:
    answer = to(method, path)
    assert answer.status_code == 404
    what = "chat group" if "group" in path else "chat"
    assert answer.json()["message"] == f"There is no {what} nowhere."


@pytest.mark.parametrize(
    "path",
    [
        "/chats?status=ASLEEP",
        "/chats?page_size=500",
        "/chats?ascending_order=up",
        f"/chats?config_id={'x' * 201}",
        f"/chat_groups?page_number={2**31}",
        f"/chat_groups/{'x' * 201}/events",
    ],
)
def test_a_wrong_request_is_answered_with_400(to: Ask, path: str) -> None:
    answer = to("GET", path)
    assert answer.status_code == 400
    assert answer.json()["code"] == "E0101"
