"""An owner's corpus is a folder with clips and a table; what is wrong with it is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.types import RapportError
from models.prosody.corpora import read_labels, read_sounds
from models.prosody.listeners import votes

ROW = "a/one.wav,7,angry"


def corpus(folder: Path, table: str) -> Path:
    (folder / "labels.csv").write_text(table)
    return folder


def test_a_table_of_three_columns_suffices(tmp_path: Path) -> None:
    (clip,) = read_labels(corpus(tmp_path, f"file,speaker,emotion\n{ROW}\n"))
    assert clip.speaker == f"{tmp_path.name}/7"
    assert (clip.file, clip.emotion, clip.sex, clip.sentence) == ("a/one.wav", "angry", "", "")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("file,speaker\na.wav,1\n", "lacks the column emotion"),
        ("file,speaker,emotion\na.wav,1,furious\n", "a.wav is labelled 'furious'; use neutral"),
    ],
)
def test_a_faulty_table_is_refused_with_what_is_wrong(
    tmp_path: Path, table: str, reason: str
) -> None:
    with pytest.raises(RapportError, match=reason):
        read_labels(corpus(tmp_path, table))


def test_a_folder_without_a_table_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=r"labels\.csv is not there"):
        read_labels(tmp_path)


def test_clips_of_any_rate_and_width_in_any_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    sound = np.sin(np.arange(44_100) * 0.05)
    soundfile.write(tmp_path / "deep" / "one.wav", np.stack([sound, sound], axis=1), 44_100)
    soundfile.write(tmp_path / "two.flac", sound[:8_000], 8_000)
    found = dict(read_sounds(tmp_path))
    assert set(found) == {"deep/one.wav", "two.flac"}
    assert {len(pcm) for pcm in found.values()} == {16_000}
    assert all(pcm.dtype == np.int16 for pcm in found.values())


def test_listeners_named_the_acted_emotion_in_four_of_ten_clips(speech_data: Path) -> None:
    heard = votes(speech_data / "cremad-votes")
    assert all(sum(shares.values()) == pytest.approx(1) for shares in heard.values())
    right = [shares[acted] for acted, shares in heard.items()]
    assert np.mean(right) == pytest.approx(0.407, abs=0.001)
    assert heard["sad"]["neutral"] == pytest.approx(0.53, abs=0.005)
