"""``rapport run``: the device itself, until it is told to end.

Layer 6. What fails is logged in one sentence and tried again, so that mending it, for instance with
``rapport models fetch`` in another shell, is enough.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from device import config as configuration
from device.app import App, open_app
from device.config import Config
from device.store import state_folder
from device.supervisor import supervise
from device.terminal.audio_report import reporting
from device.terminal.options import config_option

log = logging.getLogger(__name__)

LEVELS = ["debug", "info", "warning", "error"]
EPILOG = """\b
Examples:
  rapport run
  rapport run --config /etc/rapport.toml --log-level debug
  rapport run --listen 0.0.0.0:8765                open the API to the network (needs a key)
  systemctl start rapport                          as a service; see systemd/

\b
It stays up without microphone or models, says what is missing, and looks again every half minute
at the latest. SIGTERM and Ctrl-C end it.
Exit codes: 0 it was told to end · 1 the configuration cannot be used · 2 wrong usage
"""


@click.command(epilog=EPILOG)
@config_option
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="What is logged on stderr.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where the API listens, instead of api.listen. [default: 127.0.0.1:8765]",
)
def run(config_file: Path | None, log_level: str, listen: str | None) -> None:
    """Be the device: load the models and talk on the local sound card until told to end."""
    started = time.perf_counter()
    _load(config_file, listen)  # what cannot be used at the start is told at once
    logging.basicConfig(
        level=log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    asyncio.run(_until_told(_device(config_file, listen, started)))
    log.info("ended")


def _load(config_file: Path | None, listen: str | None) -> Config:
    config = configuration.load(config_file)
    if listen is None:
        return config
    return configuration.parse({"api": {"listen": listen}}, "--listen", config)


async def _device(config_file: Path | None, listen: str | None, started: float) -> None:
    async def serve(ready: Callable[[], None]) -> None:
        nonlocal started
        # Read afresh at each try: what kept it from starting may have been mended there.
        async with open_app(_load(config_file, listen)) as app:
            _tell_models(app)
            log.info("ready in %.1f s", time.perf_counter() - started)
            ready()
            try:
                async with reporting(app.hub, state_folder(app.config.storage.folder)):
                    await app.serve()
            finally:
                started = time.perf_counter()

    await supervise("device", serve, lambda event: None)


def _tell_models(app: App) -> None:
    for task, name in app.faculties.names.items():
        log.info("%s: %s, loaded in %.1f s", task, name, app.faculties.load_s[task])
    if not app.config.hearing.expression:
        log.info("expression is not measured (hearing.expression = false)")


async def _until_told(service: Coroutine[Any, Any, None]) -> None:
    """Run ``service`` until SIGTERM or SIGINT, then let it put things away."""
    running, loop = asyncio.ensure_future(service), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
