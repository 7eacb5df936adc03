"""A configuration is checked as a whole, and every fault names where it is and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import Config, ConfigError, load, parse


def written(folder: Path, text: str) -> Path:
    path = folder / "rapport.toml"
    path.write_text(text)
    return path


def test_a_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[thinking]\nmax_tokens = 40\n[models]\npreset = "pi4"\n'))
    assert config.thinking.max_tokens == 40
    assert config.models.preset == "pi4"
    assert config.thinking.context == Config().thinking.context


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[hearing]\nearly = 1\n", ["hearing.early = 1", "no such key", "eager_silence"]),
        ("[thinker]\nx = 1\n", ["thinker", "no such key", "thinking"]),
        ("[thinking]\ncontext = 10\n", ["thinking.context = 10", "greater than or equal to 256"]),
        ("[thinking]\ncontext = 'big'\n", ["thinking.context = 'big'", "integer"]),
        ("[speaking]\nrate = 9\n", ["speaking.rate = 9", "less than or equal to 2"]),
        ("[hearing]\neager_silence = 3\n", ["hearing", "must not decrease"]),
        ("[hearing\n", ["not valid TOML", "line 1"]),
    ],
)
def test_a_fault_names_the_file_the_key_the_value_and_what_is_allowed(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path)
    for part in [str(path), *parts]:
        assert part in str(refused.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, "[thinking]\ncontext = 1\nseed = -1\n[nothing]\n"))
    assert len(str(refused.value).splitlines()) == 3


def test_an_absent_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml.*cannot be read"):
        load(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary.toml")


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_CONFIG", str(written(tmp_path, "[speaking]\nrate = 1.5\n")))
    assert load().speaking.rate == 1.5


def test_a_change_merges_over_the_last_good_state_and_leaves_it_alone() -> None:
    base = parse({"thinking": {"max_tokens": 40, "seed": 7}}, "first")
    changed = parse({"thinking": {"max_tokens": 50}}, "second", base)
    assert (changed.thinking.max_tokens, changed.thinking.seed) == (50, 7)
    assert base.thinking.max_tokens == 40
    with pytest.raises(ConfigError, match="third"):
        parse({"thinking": {"max_tokens": 0}}, "third", base)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
sections = st.sampled_from([*Config.model_fields, "other"])


@given(st.dictionaries(sections, values, max_size=3))
def test_whatever_comes_in_either_a_config_or_a_config_error_comes_out(given_values: dict) -> None:
    try:
        config = parse(given_values, "anywhere")
    except ConfigError as error:
        assert str(error).startswith("anywhere: ")
    else:
        assert parse(config.model_dump(), "again") == config
