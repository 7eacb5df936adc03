"""Downloading one file over HTTPS: resumed, bounded in size and time, checked by its hash.

Layer 1. Serves ``models``; blocking, meant for the command line or a thread of its own. The one
foreign library is httpx, with tenacity for the back-off.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from device.types import RapportError

BLOCK = 1 << 20
"""Bytes hashed or copied at a time: 1 MiB keeps memory flat and costs no speed."""


class SourceFailed(RapportError):
    """One source did not give the file; the next one may."""


class _Broken(SourceFailed):
    """The source failed in a way that may pass: worth another attempt."""


class Progress(Protocol):
    """Whoever watches a fetch: a progress bar, a log, a test."""

    def began(self, what: str, total: int) -> None:
        """Something of ``total`` bytes (0: not known) is being fetched."""
        ...

    def reached(self, done: int) -> None:
        """So many of its bytes are here; may fall back when a transfer starts afresh."""
        ...

    def told(self, sentence: str) -> None:
        """Something the user should know: an attempt or a source failed, and what is done next."""
        ...


class Silent:
    """Watches and says nothing."""

    def began(self, what: str, total: int) -> None:
        """Ignore it."""

    def reached(self, done: int) -> None:
        """Ignore it."""

    def told(self, sentence: str) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a fetch is."""

    connect_s: float = 15.0
    read_s: float = 30.0
    """A silence longer than this ends an attempt."""
    attempts: int = 4
    """Attempts without a single new byte before the source is given up."""
    first_wait_s: float = 1.0
    """Wait before the second attempt; it doubles each time, up to half a minute."""
    slowest_bytes_s: float = 20_000.0
    """A transfer slower than this on the whole is given up, a minute's grace aside."""
    package_s: float = 1800.0
    """Longest time pip may take for one package."""
    grace_s: float = 60.0

    def seconds(self, size: int) -> float:
        """Return how long a transfer of ``size`` bytes may take in all."""
        return self.grace_s + size / self.slowest_bytes_s


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a download must turn out to be."""

    bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(
    url: str, part: Path, wanted: Wanted, progress: Progress, limits: Limits | None = None
) -> None:
    """Bring the file at ``url`` to ``part``, going on from what is there already.

    What is left at ``part`` on success is ``wanted`` to the byte and on the disk; data with another
    hash is removed. Raises SourceFailed when the source cannot give it, OSError when the disk
    cannot take it.
    """
    _Download(url, part, wanted, progress, limits or Limits()).run()


class _Download:
    """The attempts at one file from one source."""

    def __init__(
        self, url: str, part: Path, wanted: Wanted, progress: Progress, limits: Limits
    ) -> None:
        self._url = url
        self._part = part
        self._wanted = wanted
        self._progress = progress
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds(wanted.bytes)
        self._furthest = self._have()
        self._fruitless = 0

    def run(self) -> None:
        self._progress.began(self._url, self._wanted.bytes)
        timeout = httpx.Timeout(self._limits.read_s, connect=self._limits.connect_s)
        retrying = Retrying(
            retry=retry_if_exception_type(_Broken),
            wait=wait_exponential(multiplier=self._limits.first_wait_s, max=30),
            stop=self._hopeless,
            before_sleep=self._say,
            reraise=True,
        )
        with httpx.Client(timeout=timeout, follow_redirects=True) as client:
            retrying(self._attempt, client)

    def _attempt(self, client: httpx.Client) -> None:
        resumed = self._have() > 0
        try:
            if self._have() < self._wanted.bytes:
                self._transfer(client)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise _Broken(f"{self._url}: the transfer broke off ({reason})") from None
        except httpx.HTTPError as error:  # too many redirects, for one
            raise SourceFailed(f"{self._url}: {error}") from None
        have = self._have()
        if have < self._wanted.bytes:
            raise _Broken(f"{self._url}: ended after {have} of {self._wanted.bytes} bytes")
        self._verify(resumed)

    def _transfer(self, client: httpx.Client) -> None:
        have = self._have()
        # identity: a compressed transfer could neither be resumed nor bounded by the file's size
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with client.stream("GET", self._url, headers=headers) as response:
            mode = self._mode(response, have)
            with self._part.open(mode) as file:
                self._copy(response, file)
                file.flush()
                os.fsync(file.fileno())

    def _mode(self, response: httpx.Response, have: int) -> str:
        """Return how to open the part: to append where the server goes on, else afresh."""
        status = response.status_code
        if status == httpx.codes.PARTIAL_CONTENT:
            start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
            if start and int(start[1]) == have:
                return "ab"
        elif status == httpx.codes.OK:
            return "wb"
        if status in (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
            self._part.unlink(missing_ok=True)
            raise _Broken(f"{self._url}: cannot go on at byte {have}; starting afresh")
        sentence = f"{self._url}: answered {status} {response.reason_phrase}"
        passing = status in (408, 425, 429) or response.is_server_error
        raise (_Broken if passing else SourceFailed)(sentence)

    def _copy(self, response: httpx.Response, file: IO[bytes]) -> None:
        done = file.tell()
        for block in response.iter_raw():
            done += len(block)
            if done > self._wanted.bytes:
                file.truncate(0)
                raise SourceFailed(f"{self._url}: is longer than {self._wanted.bytes} bytes")
            file.write(block)
            self._progress.reached(done)
            if time.monotonic() > self._deadline:
                raise SourceFailed(f"{self._url}: is too slow ({done} bytes so far); given up")

    def _verify(self, resumed: bool) -> None:
        found = sha256_of(self._part)
        if found == self._wanted.sha256:
            return
        self._part.unlink()
        sentence = f"{self._url}: its sha256 is {found}, not {self._wanted.sha256}; thrown away"
        # pieces of two different files may have been joined, so a resumed one is tried once more
        raise (_Broken if resumed else SourceFailed)(sentence)

    def _hopeless(self, state: RetryCallState) -> bool:
        if self._have() > self._furthest:
            self._furthest, self._fruitless = self._have(), 0
        else:
            self._fruitless += 1
        waited_out = time.monotonic() + state.upcoming_sleep > self._deadline
        return waited_out or self._fruitless >= self._limits.attempts

    def _say(self, state: RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        self._progress.told(f"{reason}; trying again in {state.upcoming_sleep:.0f} s")

    def _have(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0


def copy_bounded(
    source: IO[bytes], target: IO[bytes], limit: int, seen: Callable[[int], None]
) -> int:
    """Copy at most ``limit`` bytes in blocks, telling ``seen`` how many were copied; return it.

    Raises SourceFailed if there are more.
    """
    done = 0
    while block := source.read(BLOCK):
        done += len(block)
        if done > limit:
            raise SourceFailed(f"holds more than the {limit} bytes that were expected")
        target.write(block)
        seen(done)
    return done
