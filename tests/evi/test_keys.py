"""Keys open the door until revoked, tokens until they expire, and no secret is written down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.evi.keys import Keys
from device.store import Store
from device.types import RapportError
from tests.conftest import ROOT

NOW = 1_800_000_000_000


@pytest.fixture
def keys() -> Keys:
    return Keys(Store(None))


def test_a_key_is_known_by_its_name(keys: Keys) -> None:
    phone, laptop = keys.add("phone"), keys.add("laptop")
    assert keys.holder(phone.api_key) == "phone"
    assert keys.holder(laptop.api_key) == "laptop"
    assert len({phone.api_key, phone.secret_key, laptop.api_key, laptop.secret_key}) == 4


@given(st.text())
def test_nothing_else_is_a_key_or_a_token(guess: str) -> None:
    keys = Keys(Store(None))
    new = keys.add("phone")
    assert keys.holder(guess) is None
    assert keys.token_holder(guess, NOW) is None
    assert keys.issue_token(new.api_key, guess, NOW) is None
    assert keys.issue_token(guess, new.secret_key, NOW) is None


def test_a_secret_key_alone_opens_nothing(keys: Keys) -> None:
    new = keys.add("phone")
    assert keys.holder(new.secret_key) is None
    assert keys.issue_token(new.secret_key, new.api_key, NOW) is None


def test_the_secrets_of_one_key_do_not_go_with_another(keys: Keys) -> None:
    phone, laptop = keys.add("phone"), keys.add("laptop")
    assert keys.issue_token(phone.api_key, laptop.secret_key, NOW) is None


def test_keys_are_listed_in_the_order_they_were_made(keys: Keys) -> None:
    assert keys.names() == []
    for name in ("zebra", "ant"):
        keys.add(name)
    listed = keys.names()
    assert {key.name for key in listed} == {"zebra", "ant"}
    assert listed == sorted(listed, key=lambda key: (key.created_ms, key.name))


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "a\n", "../up", "a\x00"])
def test_a_name_that_is_hard_to_type_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(RapportError, match="is no name for a key; use 1 to 64"):
        keys.add(name)


@pytest.mark.parametrize("name", ["x" * 64, "a.b_c-D9"])
def test_a_plain_name_is_taken(keys: Keys, name: str) -> None:
    assert keys.holder(keys.add(name).api_key) == name


def test_a_name_is_given_once(keys: Keys) -> None:
    first = keys.add("phone")
    with pytest.raises(RapportError, match="phone: there is a key of that name already"):
        keys.add("phone")
    assert keys.holder(first.api_key) == "phone"


def test_a_revoked_key_and_its_tokens_open_nothing_any_more(keys: Keys) -> None:
    phone, laptop = keys.add("phone"), keys.add("laptop")
    token = keys.issue_token(phone.api_key, phone.secret_key, NOW)
    other = keys.issue_token(laptop.api_key, laptop.secret_key, NOW)
    assert token and other
    keys.revoke("phone")
    assert keys.holder(phone.api_key) is None
    assert keys.token_holder(token, NOW) is None
    assert keys.issue_token(phone.api_key, phone.secret_key, NOW) is None
    assert keys.token_holder(other, NOW) == "laptop"


def test_a_new_key_of_an_old_name_has_nothing_of_the_old(keys: Keys) -> None:
    old = keys.add("phone")
    token = keys.issue_token(old.api_key, old.secret_key, NOW)
    keys.revoke("phone")
    new = keys.add("phone")
    assert keys.holder(old.api_key) is None
    assert token and keys.token_holder(token, NOW) is None
    assert keys.holder(new.api_key) == "phone"


def test_a_key_that_is_not_there_cannot_be_revoked(keys: Keys) -> None:
    with pytest.raises(RapportError, match="ghost: there is no key of that name; see: rapport"):
        keys.revoke("ghost")


def test_a_token_lives_half_an_hour_to_the_millisecond(keys: Keys) -> None:
    new = keys.add("phone")
    token = keys.issue_token(new.api_key, new.secret_key, NOW)
    assert token
    assert keys.token_holder(token, NOW) == "phone"
    assert keys.token_holder(token, NOW + 1_800_000 - 1) == "phone"
    assert keys.token_holder(token, NOW + 1_800_000) is None


def test_expired_tokens_do_not_pile_up() -> None:
    store = Store(None)
    keys = Keys(store)
    new = keys.add("phone")
    for hour in range(50):
        keys.issue_token(new.api_key, new.secret_key, NOW + hour * 3_600_000)
    assert len(store.rows("SELECT * FROM tokens")) == 1


def test_the_database_holds_no_secret(tmp_path: Path) -> None:
    store = Store(tmp_path)
    keys = Keys(store)
    new = keys.add("phone")
    token = keys.issue_token(new.api_key, new.secret_key, NOW)
    assert token
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"phone" in on_disk
    for secret in (new.api_key, new.secret_key, token):
        assert secret.encode() not in on_disk
        assert secret not in repr(new)


def test_what_another_process_does_to_keys_holds_at_once(tmp_path: Path) -> None:
    keys = Keys(Store(tmp_path))
    new = keys.add("phone")
    token = keys.issue_token(new.api_key, new.secret_key, NOW)
    assert token and keys.holder(new.api_key) == "phone"
    script = (
        "import sys; from pathlib import Path; from device.evi.keys import Keys\n"
        "from device.store import Store\n"
        "keys = Keys(Store(Path(sys.argv[1]))); keys.revoke('phone')\n"
        "print(keys.add('late').api_key)"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert keys.holder(new.api_key) is None
    assert keys.token_holder(token, NOW) is None
    assert keys.holder(elsewhere.stdout.strip()) == "late"
