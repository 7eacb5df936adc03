"""Downloading one file from servers that misbehave in every way that servers do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from device.download import download
from device.fetch import Limits, SourceFailed, Wanted

BODY = bytes(range(256)) * 2000  # 512 kB: many times a socket buffer's worth
WANTED = Wanted(len(BODY), hashlib.sha256(BODY).hexdigest())
HASTY = Limits(connect_s=5, read_s=5, attempts=3, first_wait_s=0.01)


@dataclass
class Watcher:
    """Notes what a fetch tells."""

    reached_bytes: list[int] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def began(self, what: str, total: int) -> None:
        self.reached_bytes.append(0)

    def reached(self, done: int) -> None:
        self.reached_bytes.append(done)

    def told(self, sentence: str) -> None:
        self.sentences.append(sentence)


Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers one request; is given the offset that was asked for (0: none was)."""


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[int]]]:
    """Serve on the loopback: the answers in turn, then the last again and again.

    Yields the URL and, as they come, the offsets of the requests.
    """
    offsets: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-")
            offsets.append(int(asked))
            answers[min(len(offsets), len(answers)) - 1](self, int(asked))
            self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/model", offsets
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def head(handler: BaseHTTPRequestHandler, status: int, length: int, offset: int = 0) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    if status == 206:
        handler.send_header("Content-Range", f"bytes {offset}-{offset + length - 1}/{len(BODY)}")
    handler.end_headers()


def whole(handler: BaseHTTPRequestHandler, offset: int) -> None:
    """Answer as a good server does."""
    head(handler, 206 if offset else 200, len(BODY) - offset, offset)
    handler.wfile.write(BODY[offset:])


def without_ranges(handler: BaseHTTPRequestHandler, offset: int) -> None:
    head(handler, 200, len(BODY))
    handler.wfile.write(BODY)


def truncated(handler: BaseHTTPRequestHandler, offset: int) -> None:
    """Promise the rest and hang up after a third of the file."""
    head(handler, 206 if offset else 200, len(BODY) - offset, offset)
    handler.wfile.write(BODY[offset : offset + len(BODY) // 3])


def hanging_up(handler: BaseHTTPRequestHandler, offset: int) -> None:
    """Close without a word."""


def corrupt(handler: BaseHTTPRequestHandler, offset: int) -> None:
    head(handler, 206 if offset else 200, len(BODY) - offset, offset)
    handler.wfile.write(bytes(len(BODY) - offset))


def endless(handler: BaseHTTPRequestHandler, offset: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(BODY)
    except OSError:
        pass


def status(code: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, offset: int) -> None:
        head(handler, code, 0)

    return answer


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.part"


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


def test_a_file_arrives_whole_and_its_progress_is_told(part: Path, watcher: Watcher) -> None:
    with serving(whole) as (url, _):
        download(url, part, WANTED, watcher, HASTY)
    assert part.read_bytes() == BODY
    assert watcher.reached_bytes == sorted(watcher.reached_bytes)
    assert watcher.reached_bytes[-1] == len(BODY)
    assert watcher.sentences == []


def test_a_transfer_that_breaks_off_goes_on_where_it_broke(part: Path, watcher: Watcher) -> None:
    with serving(truncated, truncated, whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert part.read_bytes() == BODY
    assert offsets[0] == 0
    assert 0 < offsets[1] < offsets[2]
    assert len(watcher.sentences) == 2
    assert "trying again" in watcher.sentences[0]


def test_an_earlier_run_s_part_is_gone_on_with(part: Path, watcher: Watcher) -> None:
    part.write_bytes(BODY[:1000])
    with serving(whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [1000]
    assert part.read_bytes() == BODY


def test_a_complete_part_needs_no_server(part: Path, watcher: Watcher) -> None:
    part.write_bytes(BODY)
    download("http://127.0.0.1:9/nobody", part, WANTED, watcher, HASTY)
    assert part.read_bytes() == BODY


def test_a_server_without_ranges_begins_again(part: Path, watcher: Watcher) -> None:
    with serving(truncated, without_ranges) as (url, _):
        download(url, part, WANTED, watcher, HASTY)
    assert part.read_bytes() == BODY


def test_a_server_that_refuses_to_go_on_is_asked_for_all_of_it(
    part: Path, watcher: Watcher
) -> None:
    part.write_bytes(BODY[:1000])
    with serving(status(416), whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [1000, 0]
    assert part.read_bytes() == BODY


def test_a_file_with_another_hash_is_refused_and_thrown_away(part: Path, watcher: Watcher) -> None:
    with (
        serving(corrupt) as (url, offsets),
        pytest.raises(SourceFailed, match=r"its sha256 is [0-9a-f]{64}, not .*thrown away"),
    ):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [0], "a wrong file does not become right by asking again"
    assert not part.exists()


def test_a_part_of_something_else_is_thrown_away_and_fetched_anew(
    part: Path, watcher: Watcher
) -> None:
    part.write_bytes(b"?" * 1000)
    with serving(whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [1000, 0]
    assert part.read_bytes() == BODY


def test_a_part_that_is_too_long_is_thrown_away_and_fetched_anew(
    part: Path, watcher: Watcher
) -> None:
    part.write_bytes(BODY + b"?")
    with serving(whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [0]
    assert part.read_bytes() == BODY


def test_a_stream_that_does_not_end_is_cut_off_at_the_file_s_size(
    part: Path, watcher: Watcher
) -> None:
    with (
        serving(endless) as (url, _),
        pytest.raises(SourceFailed, match=rf"is longer than {len(BODY)} bytes"),
    ):
        download(url, part, WANTED, watcher, HASTY)
    assert part.stat().st_size == 0


def test_a_silent_server_is_given_up_after_its_attempts(part: Path, watcher: Watcher) -> None:
    released = threading.Event()

    def silent(handler: BaseHTTPRequestHandler, offset: int) -> None:
        head(handler, 200, len(BODY))
        released.wait(30)

    hasty = Limits(connect_s=5, read_s=0.1, attempts=2, first_wait_s=0.01)
    try:
        with (
            serving(silent) as (url, offsets),
            pytest.raises(SourceFailed, match="the transfer broke off"),
        ):
            download(url, part, WANTED, watcher, hasty)
    finally:
        released.set()
    assert offsets == [0, 0]


def test_a_server_that_drips_is_given_up_in_bounded_time(part: Path, watcher: Watcher) -> None:
    released = threading.Event()

    def dripping(handler: BaseHTTPRequestHandler, offset: int) -> None:
        head(handler, 200, len(BODY))
        at = 0
        while not released.wait(0.02) and at < len(BODY):
            try:
                handler.wfile.write(BODY[at : at + 10])
            except OSError:
                return
            at += 10

    impatient = Limits(read_s=5, grace_s=0.2, slowest_bytes_s=1e9)
    try:
        with serving(dripping) as (url, _), pytest.raises(SourceFailed, match="is too slow"):
            download(url, part, WANTED, watcher, impatient)
    finally:
        released.set()
    assert 0 < part.stat().st_size < len(BODY), "what came is kept, to be gone on with"


@pytest.mark.parametrize("code", [404, 403, 410])
def test_a_refusal_is_final(part: Path, watcher: Watcher, code: int) -> None:
    with serving(status(code)) as (url, offsets), pytest.raises(SourceFailed, match=str(code)):
        download(url, part, WANTED, watcher, HASTY)
    assert offsets == [0]
    assert not part.exists()


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_passing_trouble_is_waited_out(part: Path, watcher: Watcher, code: int) -> None:
    with serving(status(code), status(code), whole) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert len(offsets) == 3
    assert part.read_bytes() == BODY


def test_a_server_that_always_hangs_up_is_given_up(part: Path, watcher: Watcher) -> None:
    with serving(hanging_up) as (url, offsets), pytest.raises(SourceFailed, match="broke off"):
        download(url, part, WANTED, watcher, HASTY)
    assert len(offsets) == HASTY.attempts


def test_attempts_that_bring_something_are_not_counted(part: Path, watcher: Watcher) -> None:
    def crumb(handler: BaseHTTPRequestHandler, offset: int) -> None:
        head(handler, 206 if offset else 200, len(BODY) - offset, offset)
        handler.wfile.write(BODY[offset : offset + len(BODY) // 8])

    with serving(crumb) as (url, offsets):
        download(url, part, WANTED, watcher, HASTY)
    assert len(offsets) > HASTY.attempts
    assert part.read_bytes() == BODY


def test_nobody_listening_is_one_sentence(part: Path, watcher: Watcher) -> None:
    with serving(whole) as (url, _):
        pass
    with pytest.raises(SourceFailed, match=r"127\.0\.0\.1:\d+/model: the transfer broke off \(.+"):
        download(url, part, WANTED, watcher, HASTY)


def test_a_compressed_transfer_is_not_asked_for(part: Path, watcher: Watcher) -> None:
    asked: list[str] = []

    def noting(handler: BaseHTTPRequestHandler, offset: int) -> None:
        asked.append(handler.headers["Accept-Encoding"])
        whole(handler, offset)

    with serving(noting) as (url, _):
        download(url, part, WANTED, watcher, HASTY)
    assert asked == ["identity"]
