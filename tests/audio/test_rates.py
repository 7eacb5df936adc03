"""Sound files of every kind become the same speech; streams keep their length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.rates import Resampler, read_speech, resample, write_wav
from device.types import Pcm, RapportError

RATES = [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> np.ndarray:
    """A tone at half of full scale, as floats."""
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def error_db(got: Pcm, wanted: np.ndarray) -> float:
    """How far ``got`` is from ``wanted`` relative to it, away from the ends."""
    inner = slice(800, min(len(got), len(wanted)) - 800)
    wanted = wanted[inner] * 32_768
    return float(20 * np.log10(np.std(got[inner] - wanted) / np.std(wanted)))


@pytest.mark.parametrize(
    ("subtype", "rate", "channels", "suffix", "allowed_db"),
    [
        ("PCM_U8", 16_000, 1, "wav", -35),
        ("PCM_16", 16_000, 1, "wav", -80),
        ("PCM_24", 44_100, 1, "wav", -75),
        ("PCM_32", 22_050, 1, "wav", -75),
        ("FLOAT", 8_000, 1, "wav", -75),
        ("PCM_16", 48_000, 2, "wav", -75),
        ("PCM_16", 16_000, 6, "wav", -75),
        ("PCM_24", 96_000, 2, "flac", -75),
        ("VORBIS", 48_000, 1, "ogg", -25),
    ],
)
def test_a_file_of_any_kind_is_read(
    tmp_path: Path, subtype: str, rate: int, channels: int, suffix: str, allowed_db: float
) -> None:
    path = tmp_path / f"tone.{suffix}"
    sound = np.repeat(tone(rate)[:, np.newaxis], channels, axis=1)
    soundfile.write(path, sound, rate, subtype=subtype)
    speech = read_speech(path)
    assert speech.dtype == np.int16
    assert abs(len(speech) - 16_000) <= 1
    assert error_db(speech, tone(16_000)) < allowed_db


def test_channels_are_averaged(tmp_path: Path) -> None:
    sound = np.stack([np.full(16_000, 0.5), np.full(16_000, 0.25)], axis=1)
    soundfile.write(tmp_path / "two.wav", sound, 16_000, subtype="PCM_16")
    assert (read_speech(tmp_path / "two.wav") == 12_288).all()


def test_what_was_written_is_read_back_to_the_sample(tmp_path: Path) -> None:
    pcm = np.arange(-32_768, 32_768, dtype=np.int16)
    write_wav(tmp_path / "all.wav", pcm, 16_000)
    assert read_speech(tmp_path / "all.wav").tolist() == pcm.tolist()


def test_a_float_file_out_of_range_is_clipped_and_what_is_no_number_is_silent(
    tmp_path: Path,
) -> None:
    sound = np.array([2.0, -3.0, np.nan, np.inf, -np.inf, 0.0], np.float32)
    soundfile.write(tmp_path / "wild.wav", sound, 16_000, subtype="FLOAT")
    expected = [32_767, -32_768, 0, 32_767, -32_768, 0]
    assert read_speech(tmp_path / "wild.wav").tolist() == expected


def test_real_speech_is_read(speech_data: Path) -> None:
    path = speech_data / "speech" / "LJ001-0001.flac"
    speech = read_speech(path)
    assert len(speech) == pytest.approx(soundfile.info(path).duration * 16_000, abs=1)
    assert np.std(speech.astype(float)) > 100


def refusal(path: Path) -> str:
    with pytest.raises(RapportError) as refused:
        read_speech(path)
    message = str(refused.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_files_that_are_no_speech_are_explained(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.wav")
    assert "is a directory" in refusal(tmp_path)
    (tmp_path / "empty.wav").touch()
    assert "is not a sound file" in refusal(tmp_path / "empty.wav")
    for name in ("garbage.wav", "garbage.raw", "garbage"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 50)
        assert "is not a sound file" in refusal(tmp_path / name)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), 16_000)
    assert "has no sound in it" in refusal(tmp_path / "nothing.wav")
    soundfile.write(tmp_path / "slow.wav", np.zeros(100), 10)
    assert "has 10 samples/s" in refusal(tmp_path / "slow.wav")


def test_a_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    whole = tmp_path / "whole.wav"
    write_wav(whole, np.ones(16_000, np.int16), 16_000)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: 44 + 2 * 5000])
    assert read_speech(cut).tolist() == [1] * 5000


def test_an_unwritable_path_is_explained(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent" / "reply.wav", Path("/proc/reply.wav")):
        with pytest.raises(RapportError) as refused:
            write_wav(path, np.zeros(10, np.int16), 16_000)
        assert f"{path}: cannot be written" in str(refused.value)
    with pytest.raises(RapportError, match="No space left"):
        write_wav("/dev/full", np.zeros(10, np.int16), 16_000)


@settings(deadline=None)
@given(
    pieces=st.lists(st.integers(0, 3000), max_size=12),
    from_rate=st.sampled_from(RATES),
    to_rate=st.sampled_from(RATES),
)
def test_a_stream_keeps_its_length_however_it_is_cut(
    pieces: list[int], from_rate: int, to_rate: int
) -> None:
    resampler = Resampler(from_rate, to_rate)
    out = [resampler.process(np.ones(size, np.int16)) for size in pieces]
    length = sum(map(len, out)) + len(resampler.flush())
    assert abs(length - sum(pieces) * to_rate / from_rate) <= 1


def test_a_stream_cut_in_pieces_is_the_sound_in_one_piece_and_can_be_used_again() -> None:
    pcm = (tone(22_050) * 32_767).astype(np.int16)
    whole = resample(pcm, 22_050, 48_000)
    resampler = Resampler(22_050, 48_000)
    for _ in range(2):
        out = [resampler.process(piece) for piece in np.array_split(pcm, 37)]
        streamed = np.concatenate([*out, resampler.flush()])
        assert len(streamed) == len(whole) == 48_000
        assert np.abs(streamed.astype(int) - whole).max() <= 1
