"""Downloading one file over HTTPS: resumed, bounded in size and time, checked by its hash.

Layer 1. Serves ``models``; blocking, meant for the command line or a thread of its own. The foreign
libraries are httpx and, for the back-off, tenacity: 15 MB that a device with all its models never
loads, because ``models`` imports this only when there is something to download.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import IO

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from device.fetch import Limits, Progress, SourceFailed, Wanted, sha256_of


class _Broken(SourceFailed):
    """The source failed in a way that may pass: worth another attempt."""


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
