"""The ends of the speech are found in the recording itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.rates import write_wav
from device.terminal.bench_clips import LEAD, cut, gather, spread
from device.types import HEARING_RATE, Pcm, RapportError

LOUD = 8000


def noise(seconds: float, level_db: float = 0.0) -> Pcm:
    """Noise so many decibels from the level of the "speech" of these tests."""
    samples = np.random.default_rng(1).normal(size=round(seconds * HEARING_RATE))
    return np.clip(samples * LOUD * 10 ** (level_db / 20), -32_768, 32_767).astype(np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * HEARING_RATE), np.int16)


def test_a_clip_ends_with_the_last_of_its_speech() -> None:
    clip = cut("a", np.concatenate([silence(1.0), noise(2.0), silence(0.7)]))
    assert clip.seconds == pytest.approx(LEAD + 2.0, abs=0.011)
    assert clip.onset == pytest.approx(LEAD, abs=0.011)
    assert np.all(clip.pcm[: round(clip.onset * HEARING_RATE)] == 0)
    assert np.any(clip.pcm[-160:])


def test_a_breath_and_a_noisy_room_are_not_speech() -> None:
    room = -38.0
    sound = [noise(0.8, room), noise(1.5), noise(0.4, room), noise(0.3, -34.0), noise(0.5, room)]
    assert cut("a", np.concatenate(sound)).seconds == pytest.approx(LEAD + 1.5, abs=0.011)


def test_a_soft_last_word_is_speech() -> None:
    sound = [noise(1.0), silence(0.3), noise(0.4, -24.0), silence(0.5)]
    assert cut("a", np.concatenate(sound)).seconds == pytest.approx(1.7, abs=0.011)


@given(before=st.floats(0, 2), after=st.floats(0, 2))
def test_silence_around_the_speech_changes_nothing(before: float, after: float) -> None:
    clip = cut("a", np.concatenate([silence(before), noise(1.0), silence(after)]))
    assert clip.seconds - clip.onset == pytest.approx(1.0, abs=0.021)
    assert clip.onset == pytest.approx(min(before, LEAD), abs=0.011)


def test_an_onset_that_swells_is_not_clear() -> None:
    assert cut("sudden", np.concatenate([silence(0.5), noise(1.0)])).clear_onset
    swelling = np.concatenate([silence(0.5), noise(0.3, -32.0), noise(1.0)])
    assert not cut("swelling", swelling).clear_onset


def test_digital_silence_has_no_speech_in_it() -> None:
    with pytest.raises(RapportError, match="quiet: there is no speech in it"):
        cut("quiet", silence(1.0))
    with pytest.raises(RapportError, match="short: there is no speech in it"):
        cut("short", noise(0.005))


def test_clips_come_from_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b", "a", "c"):
        write_wav(folder / f"{name}.wav", noise(0.5), HEARING_RATE)
    (folder / "notes.txt").write_text("not a sound")
    single = tmp_path / "single.wav"
    write_wav(single, noise(0.5), HEARING_RATE)
    assert [c.name for c in gather([folder, single], 10)] == ["a", "b", "c", "single"]
    assert [c.name for c in gather([folder, single], 2)] == ["a", "c"]


def test_a_folder_without_sounds_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=f"{tmp_path}: holds no .wav .*--utterances"):
        gather([tmp_path], 5)


def test_a_machine_without_recordings_is_told_how_to_give_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    with pytest.raises(RapportError, match=r"no recorded speech .*--utterances .*RAPPORT_DATA"):
        gather([], 5)


def test_the_projects_data_gives_read_and_acted_speech(
    speech_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_DATA", str(speech_data))
    clips = gather([], 20)
    names = [clip.name for clip in clips]
    assert len(set(names)) == 20
    read = [name for name in names if name.startswith("LJ")]
    assert 5 <= len(read) <= 10
    actors = {name.split("-")[6] for name in names if name not in read}
    assert len(actors) >= 4, "voices of several people"
    emotions = {name.split("-")[2] for name in names if name not in read}
    assert len(emotions) >= 5
    assert all(0.5 < clip.seconds <= 8.0 for clip in clips)


@given(st.lists(st.integers(), unique=True), st.integers(1, 30))
def test_spreading_takes_as_many_as_asked_and_keeps_the_order(all_: list[int], count: int) -> None:
    paths = [Path(str(number)) for number in all_]
    chosen = spread(paths, count)
    assert len(chosen) == min(count, len(paths))
    assert chosen == [path for path in paths if path in set(chosen)]
