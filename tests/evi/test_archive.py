"""The archive keeps what was said, hands it out page by page, and forgets it for good."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from device.evi.archive import Archive, NewEvent
from device.evi.archive_index import Filter
from device.evi.library import NotThere
from device.evi.resources import Page
from device.store import FILE, Store

DAY = 86_400_000


@pytest.fixture
def archive() -> Archive:
    return Archive(Store(None))


def said(text: str, role: str = "USER", at_ms: int = 0) -> NewEvent:
    return NewEvent(role, f"{role}_MESSAGE", at_ms, text)


def held(archive: Archive, chat: str, group: str = "g", at_ms: int = 0, text: str = "Hi") -> None:
    """A chat that took place: one message, one second long."""
    archive.start_chat(chat, group, at_ms)
    archive.add_event(chat, said(text, at_ms=at_ms))
    archive.end_chat(chat, "USER_ENDED", at_ms + 1000)


def ids(archive: Archive, **wanted: object) -> list[str]:
    return [chat.id for chat in archive.index.chats(Filter(**wanted))[0]]  # type: ignore[arg-type]


def texts(archive: Archive, **wanted: object) -> list[str | None]:
    found, _ = archive.index.events(Filter(**wanted))  # type: ignore[arg-type]
    return [event.message_text for event in found]


# What is kept


def test_a_chat_is_active_until_it_ends() -> None:
    archive = Archive(Store(None))
    archive.start_chat("a", "g", 1000, "c", 3, '{"x": 1}')
    begun = archive.index.chat("a")
    assert (begun.status, begun.start_timestamp, begun.end_timestamp) == ("ACTIVE", 1000, None)
    assert begun.metadata == '{"x": 1}'
    assert begun.config is not None
    assert (begun.config.id, begun.config.version) == ("c", 3)
    archive.end_chat("a", "INACTIVITY_TIMEOUT", 2000)
    ended = archive.index.chat("a")
    assert (ended.status, ended.end_timestamp) == ("INACTIVITY_TIMEOUT", 2000)


def test_chats_that_a_crash_left_open_end_in_error(archive: Archive) -> None:
    archive.start_chat("a", "g", 0)
    held(archive, "b")
    archive.close_stale(5000)
    assert archive.index.chat("a").status == "ERROR"
    assert archive.index.chat("a").end_timestamp == 5000
    assert archive.index.chat("b").status == "USER_ENDED"


def test_an_event_is_kept_as_it_was(archive: Archive) -> None:
    archive.start_chat("a", "g", 0)
    new = archive.add_event(
        "a", NewEvent("USER", "USER_MESSAGE", 7, "Hi", '{"Joy": 1}', '{"m": 2}')
    )
    archive.add_event("a", NewEvent("SYSTEM", "PAUSE_ONSET", 9))
    [event, pause], total = archive.index.events(Filter(chat_id="a"))
    assert total == 2
    assert (event.id, event.chat_id, event.timestamp) == (new, "a", 7)
    assert (event.role, event.type, event.message_text) == ("USER", "USER_MESSAGE", "Hi")
    assert (event.emotion_features, event.metadata) == ('{"Joy": 1}', '{"m": 2}')
    assert (pause.message_text, pause.emotion_features, pause.metadata) == (None, "", None)


@pytest.mark.parametrize(
    ("text", "kept"), [("a\x00b", "a\x00b"), ("\ud83d half", "? half"), ("é😀", "é😀")]
)
def test_no_text_is_too_odd_to_be_kept(archive: Archive, text: str, kept: str) -> None:
    archive.start_chat("a", "g", 0, metadata=text)
    archive.add_event("a", said(text))
    assert texts(archive, chat_id="a") == [kept]
    assert archive.index.chat("a").metadata == kept


def test_without_words_only_that_a_chat_took_place_is_kept(archive: Archive) -> None:
    archive.keep_words = False
    archive.start_chat("a", "g", 0, "c", 1, '{"who": "me"}')
    assert archive.add_event("a", said("secret")) is None
    archive.end_chat("a", "USER_ENDED", 1000)
    assert texts(archive) == []
    assert archive.history("g") == []
    chat = archive.index.chat("a")
    assert (chat.status, chat.end_timestamp, chat.metadata) == ("USER_ENDED", 1000, None)


# What is remembered when a chat is resumed


def test_the_history_of_a_group_is_what_was_said_in_all_its_chats(archive: Archive) -> None:
    archive.start_chat("a", "g", 0)
    archive.add_event("a", NewEvent("SYSTEM", "CHAT_START_MESSAGE", 0))
    archive.add_event("a", said("Hello"))
    archive.add_event("a", said("Hi there", "AGENT"))
    held(archive, "other", group="h", text="not this")
    archive.start_chat("b", "g", 10)
    archive.add_event("b", said("Me again"))
    assert archive.history("g") == [
        ("USER", "Hello"),
        ("AGENT", "Hi there"),
        ("USER", "Me again"),
    ]


def test_the_history_goes_back_only_so_many_events(archive: Archive) -> None:
    archive.start_chat("a", "g", 0)
    for number in range(10):
        archive.add_event("a", said(str(number)))
        archive.add_event("a", NewEvent("AGENT", "ASSISTANT_PROSODY", 0))
    assert archive.history("g", 4) == [("USER", "8"), ("USER", "9")]
    assert archive.history("g", 0) == []


def test_a_group_exists_once_there_was_a_chat_in_it(archive: Archive) -> None:
    assert not archive.group_exists("g")
    held(archive, "a")
    assert archive.group_exists("g")


# What is listed


def test_chats_are_listed_by_when_they_began_in_either_order(archive: Archive) -> None:
    for chat, at in (("late", 300), ("early", 100), ("middle", 200)):
        held(archive, chat, at_ms=at)
    assert ids(archive) == ["early", "middle", "late"]
    assert ids(archive, ascending=False) == ["late", "middle", "early"]
    assert ids(archive, page=Page(1, 2)) == ["late"]
    assert ids(archive, page=Page(2, 2)) == []
    assert archive.index.chats(Filter(Page(2, 2)))[1] == 3


def test_chats_are_listed_by_config_status_and_group(archive: Archive) -> None:
    archive.start_chat("a", "g", 0, "c", 1)
    archive.start_chat("b", "h", 1, "d", 1)
    archive.end_chat("b", "ERROR", 2)
    assert ids(archive, config_id="c") == ["a"]
    assert ids(archive, status="ERROR") == ["b"]
    assert ids(archive, group_id="h") == ["b"]
    assert ids(archive, config_id="c", status="ERROR") == []


def test_the_number_of_events_is_told_with_each_chat(archive: Archive) -> None:
    held(archive, "a")
    archive.add_event("a", said("more"))
    held(archive, "b", at_ms=1)
    assert [chat.event_count for chat in archive.index.chats(Filter())[0]] == [2, 1]


def test_events_are_listed_of_a_chat_or_of_its_group(archive: Archive) -> None:
    held(archive, "a", text="one")
    held(archive, "b", text="two", at_ms=5)
    held(archive, "c", group="other", text="three")
    assert texts(archive, chat_id="b") == ["two"]
    assert texts(archive, group_id="g") == ["one", "two"]
    assert texts(archive, group_id="g", ascending=False) == ["two", "one"]
    assert texts(archive, group_id="g", page=Page(1, 1)) == ["two"]


def test_a_group_is_told_with_its_first_and_latest_chat(archive: Archive) -> None:
    held(archive, "a", at_ms=100)
    archive.start_chat("b", "g", 500, "c", 2)
    held(archive, "z", group="older", at_ms=50)
    older, group = archive.index.groups(Filter())[0]
    assert (older.id, older.active, older.num_chats) == ("older", False, 1)
    assert (group.id, group.active, group.num_chats) == ("g", True, 2)
    assert (group.first_start_timestamp, group.most_recent_start_timestamp) == (100, 500)
    assert group.most_recent_chat_id == "b"
    assert group.most_recent_config is not None
    assert group.most_recent_config.id == "c"
    newest_first, _ = archive.index.groups(Filter(ascending=False))
    assert [found.id for found in newest_first] == ["g", "older"]


def test_groups_are_listed_by_the_config_of_their_latest_chat(archive: Archive) -> None:
    archive.start_chat("a", "g", 0, "c", 0)
    archive.start_chat("b", "g", 1, "d", 0)
    assert archive.index.groups(Filter(config_id="c")) == ([], 0)
    assert [found.id for found in archive.index.groups(Filter(config_id="d"))[0]] == ["g"]


def test_what_is_not_there_is_told_so(archive: Archive) -> None:
    with pytest.raises(NotThere, match="There is no chat nowhere"):
        archive.index.chat("nowhere")
    with pytest.raises(NotThere, match="There is no chat group nowhere"):
        archive.index.group("nowhere")
    with pytest.raises(NotThere, match="There is no chat nowhere"):
        archive.erase_chat("nowhere")


# What is forgotten


def test_one_chat_is_erased_and_the_others_stay(archive: Archive) -> None:
    held(archive, "a", text="one")
    held(archive, "b", text="two", at_ms=1)
    archive.erase_chat("a")
    assert ids(archive) == ["b"]
    assert texts(archive) == ["two"]


def test_all_chats_are_erased_at_once(archive: Archive) -> None:
    held(archive, "a")
    archive.start_chat("going on", "g", 1)
    assert archive.erase_all() == 2
    assert (ids(archive), texts(archive), archive.size_bytes()) == ([], [], 0)
    assert archive.erase_all() == 0


def test_a_chat_that_is_erased_while_it_goes_on_leaves_nothing_more(archive: Archive) -> None:
    archive.start_chat("a", "g", 0)
    archive.erase_chat("a")
    assert archive.add_event("a", said("still here")) is None
    archive.end_chat("a", "USER_ENDED", 1)
    assert (ids(archive), texts(archive)) == ([], [])


def test_chats_that_are_too_old_are_erased_but_not_those_going_on(archive: Archive) -> None:
    held(archive, "old", at_ms=0)
    held(archive, "recent", at_ms=9 * DAY)
    archive.start_chat("going on", "g", 0)
    assert archive.expire(10 * DAY, keep_days=5, keep_mb=100) == 1
    assert ids(archive) == ["going on", "recent"]
    assert archive.expire(10 * DAY, keep_days=5, keep_mb=100) == 0


def test_the_oldest_chats_are_erased_when_there_is_too_much(archive: Archive) -> None:
    archive.start_chat("going on", "g", 0)
    for number in range(6):
        held(archive, f"chat {number}", at_ms=number + 1, text="é" * 100_000)  # 0.2 MB each
    assert archive.expire(DAY, keep_days=5, keep_mb=0.7) == 3
    assert ids(archive) == ["going on", "chat 3", "chat 4", "chat 5"]
    assert archive.size_bytes() <= 700_000


def test_what_is_too_old_counts_before_what_is_too_much(archive: Archive) -> None:
    held(archive, "old and big", at_ms=0, text="x" * 600_000)
    held(archive, "new", at_ms=9 * DAY, text="x" * 300_000)
    assert archive.expire(10 * DAY, keep_days=5, keep_mb=0.5) == 1
    assert ids(archive) == ["new"]


def test_erased_words_are_in_none_of_the_files_any_more(tmp_path: Path) -> None:
    archive = Archive(Store(tmp_path))
    chance = random.Random(1)
    chats = [f"chat {number}" for number in range(6)]
    for chat in chats:
        archive.start_chat(chat, chat, 0)
    for _ in range(600):  # all mixed up, from a few bytes to several pages
        chat = chance.choice(chats)
        words = f"<secret of {chat}>" * chance.choice([1, 3, 20, 600])
        archive.add_event(chat, NewEvent("USER", "USER_MESSAGE", 0, words, words, words))

    def traces(chat: str) -> int:
        files = tmp_path.glob(f"{FILE}*")
        return sum(file.read_bytes().count(f"<secret of {chat}>".encode()) for file in files)

    assert all(traces(chat) for chat in chats)
    chance.shuffle(chats)
    for chat in chats[:3]:
        archive.erase_chat(chat)
        assert traces(chat) == 0
    assert all(traces(chat) for chat in chats[3:])
    archive.erase_all()
    assert sum(traces(chat) for chat in chats) == 0
