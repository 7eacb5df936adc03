"""Checks of the API: its address, who may use it, its certificate, its database.

Layer 6. Serves ``rapport doctor``. Looking changes nothing: no database and no certificate is made.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from device.config import Config
from device.evi.access import is_loopback
from device.evi.certificate import certificate_files
from device.evi.keys import Keys
from device.evi.server import listen
from device.settings import Api
from device.store import FILE, Store, state_folder
from device.terminal.findings import Finding, broken, ok, warning
from device.types import RapportError

PART = "API"
ADD_KEY = "run: rapport keys add NAME"


def check_api(config: Config) -> Iterator[Finding]:
    """Yield how the API is reached, whether that is safe, and whether its database is whole."""
    api, folder = config.api, state_folder(config.storage.folder)
    keys = 0
    try:
        keys, found = _database(folder)
        yield ok("database", found)
    except RapportError as error:
        yield broken("database", str(error))
    if not api.enabled:
        yield ok(PART, "switched off (api.enabled = false)")
        return
    yield _address(api, keys)
    if api.tls and api.certificate:
        try:
            certificate_files(folder, api, [socket.gethostname()])
            yield ok("certificate", api.certificate)
        except RapportError as error:
            yield broken("certificate", str(error))


def _database(folder: Path) -> tuple[int, str]:
    if not (folder / FILE).exists():
        return 0, f"none yet in {folder}; it is made by the first rapport run or rapport keys add"
    store = Store(folder)
    try:
        keys = len(Keys(store).names())
        row = store.row("SELECT count(*) FROM chats")
    finally:
        store.close()
    size = (folder / FILE).stat().st_size / 1e6
    chats = row[0] if row else 0
    return keys, f"{folder / FILE}, {size:.1f} MB, keys: {keys}, chats: {chats}"


def _address(api: Api, keys: int) -> Finding:
    found = f"{'https' if api.tls else 'http'}://{api.listen}, keys: {keys}"
    if not is_loopback(api.listen.rpartition(":")[0].strip("[]")):
        if not keys:
            return warning(PART, f"{found}; nobody can use it from the network", ADD_KEY)
        if not api.tls:
            return warning(PART, f"{found}; keys are sent in clear text", "set api.tls = true")
    try:
        listen(api.listen).close()
    except RapportError:
        return ok(PART, f"{found}; the address is in use, by rapport run if that is running")
    return ok(PART, f"{found}; nothing listens there now")
