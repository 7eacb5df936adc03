"""``rapport run``: it stays up, says what is missing, heals, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from device.models import default_root
from tests.conftest import ROOT
from tests.terminal.conftest import Rapport

PATIENCE = 180
"""Seconds until something must have been logged, however slow the machine."""


class Daemon:
    """A running ``rapport run`` and its log."""

    def __init__(self, log: Path, environment: dict[str, str], arguments: list[str]) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "device", "run", *arguments],
                cwd=ROOT,
                env=os.environ | environment,
                stderr=stderr,
            )

    def wait_for(self, *texts: str) -> None:
        """Return once one of these was logged."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in self.log.read_text() for text in texts):
            assert self.process.poll() is None, f"it ended:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"not logged {texts}:\n{self.log.read_text()}"
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a daemon, which ends with the test."""
    started: list[Daemon] = []

    def run(*arguments: str, **environment: str) -> Daemon:
        started.append(Daemon(tmp_path / "log", environment, list(arguments)))
        return started[-1]

    yield run
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


@pytest.mark.models
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_its_models_gets_ready_and_ends_cleanly(
    start: Start, models_ready: None, number: signal.Signals
) -> None:
    daemon = start()
    daemon.wait_for("ready in ")
    # There may or may not be a sound card where the tests run; either way it says so and stays.
    daemon.wait_for("listening on ", "local line: ")
    assert daemon.end(number) == 0
    log = daemon.log.read_text()
    assert "language_model: smollm2-135m, loaded in " in log
    assert "Traceback" not in log
    if "listening on " not in log:
        assert "plug one in" in log


@pytest.mark.models
def test_it_waits_for_missing_models_and_starts_once_they_are_there(
    start: Start, models_ready: None, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    daemon = start(RAPPORT_MODELS=str(store))
    daemon.wait_for("is missing; run: rapport models fetch")
    assert daemon.process.poll() is None
    for model in default_root().iterdir():
        (store / model.name).symlink_to(model)
    daemon.wait_for("ready in ")
    assert daemon.end(signal.SIGTERM) == 0
    assert daemon.log.read_text().count("model 'silero': ") == 1, "told once, not at each try"


def test_it_ends_cleanly_while_it_waits_too(start: Start, tmp_path: Path) -> None:
    daemon = start(RAPPORT_MODELS=str(tmp_path / "none"))
    daemon.wait_for("is missing; run: rapport models fetch")
    assert daemon.end(signal.SIGTERM) == 0
    assert "Traceback" not in daemon.log.read_text()


def test_a_configuration_that_cannot_be_used_ends_it_at_once(
    rapport: Rapport, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[thinking]\ncontext = 8\n")
    done = rapport("run", "--config", wrong)
    assert done.returncode == 1
    assert done.stderr.startswith(f"rapport: {wrong}: thinking.context = 8: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.models
def test_the_api_is_served_and_a_second_daemon_says_that_its_address_is_taken(
    start: Start, models_ready: None, tmp_path: Path, state: Path
) -> None:
    first = start("--listen", "127.0.0.1:0")
    first.wait_for("the API listens on")
    url = first.log.read_text().partition("the API listens on ")[2].split()[0]
    assert httpx.get(f"{url}/v0/evi/configs").status_code == 200
    refused = httpx.get(f"{url}/v0/evi/configs", headers={"X-Hume-Api-Key": "wrong"})
    assert refused.status_code == 401 and "rapport keys add" in refused.json()["message"]

    second = Daemon(tmp_path / "second", {}, ["--listen", url.removeprefix("http://")])
    try:
        second.wait_for("cannot be listened on")
        assert "choose another with --listen" in second.log.read_text()
        assert second.process.poll() is None
    finally:
        assert second.end(signal.SIGTERM) == 0
    assert first.end(signal.SIGTERM) == 0
    assert "Traceback" not in first.log.read_text()


def test_an_address_that_is_none_is_refused_at_the_start(rapport: Rapport) -> None:
    done = rapport("run", "--listen", "nowhere")
    assert done.returncode == 1
    assert "api: listen = 'nowhere' must be HOST:PORT" in done.stderr.replace("--listen: ", "")
