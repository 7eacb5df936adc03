"""Sound is sent as files that players and Hume's SDKs can take apart and join."""

from __future__ import annotations

import io
import struct
import wave
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from device.audio.demux import decoded
from device.evi.sounds import CONTENT_TYPES, Encoder, Encoding, encoded, wav
from device.types import HEARING_RATE, Pcm

RATE = 48_000
TONE = (np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE) * 8_000).astype(np.int16)


def read(data: bytes) -> tuple[Pcm, int]:
    pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    return pcm, rate


def pitch(pcm: Pcm, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.astype(float) * np.hanning(len(pcm))))
    return float(spectrum.argmax() * rate / len(pcm))


@given(length=st.integers(0, 3_000), rate=st.sampled_from([16_000, 24_000, 48_000]))
def test_a_wav_has_a_plain_header_of_44_bytes(length: int, rate: int) -> None:
    pcm = np.arange(length, dtype=np.int16)
    data = wav(pcm, rate)
    assert data[44:] == pcm.tobytes()
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.readframes(length + 1) == pcm.tobytes()


def test_pcm_is_bare_samples() -> None:
    assert encoded(TONE, RATE, "pcm") == TONE.astype("<i2").tobytes()


def test_an_mp3_is_small_and_sounds_the_same() -> None:
    data = encoded(TONE, RATE, "mp3")
    found, rate = read(data)
    assert rate == RATE
    assert abs(len(found) - len(TONE)) < 0.1 * RATE
    assert pitch(found[RATE // 4 : RATE // 2]) == pytest.approx(440, abs=8)
    assert len(data) < len(TONE) / 3


@pytest.mark.parametrize("encoding", CONTENT_TYPES)
@pytest.mark.parametrize("length", [0, 1, 100])
def test_hardly_any_sound_is_a_file_too(encoding: Encoding, length: int) -> None:
    data = encoded(np.zeros(length, np.int16), RATE, encoding)
    if encoding != "pcm":
        found, rate = read(data)
        assert rate == RATE and len(found) >= length and not found.any()


def joined(encoding: Encoding, cuts: list[int]) -> bytes:
    encoder = Encoder(RATE, encoding)
    places = [0, *sorted(cuts), len(TONE)]
    parts = [encoder.feed(TONE[a:b]) for a, b in pairwise(places)]
    return b"".join([*parts, encoder.finish()])


@given(cuts=st.lists(st.integers(0, len(TONE)), max_size=20))
def test_a_stream_is_the_same_file_however_it_was_made(cuts: list[int]) -> None:
    assert joined("pcm", cuts) == TONE.tobytes()
    streamed = joined("wav", cuts)
    assert streamed[44:] == TONE.tobytes()
    assert read(streamed)[0].tolist() == TONE.tolist()


@pytest.mark.parametrize("cuts", [[], [1], [4_800 * n for n in range(10)]])
def test_a_streamed_mp3_plays_from_its_beginning_to_its_end(cuts: list[int]) -> None:
    # libsndfile guesses the length of an MP3 that does not tell it; FFmpeg and players do not.
    found = np.concatenate(list(decoded(io.BytesIO(joined("mp3", cuts)))))
    assert abs(len(found) - HEARING_RATE) < 0.1 * HEARING_RATE
    assert pitch(found[-HEARING_RATE // 2 : -HEARING_RATE // 4], HEARING_RATE) == pytest.approx(
        440, abs=8
    )


def test_a_streamed_mp3_comes_while_it_is_made() -> None:
    encoder = Encoder(RATE, "mp3")
    sizes = [len(encoder.feed(TONE[at : at + RATE // 4])) for at in range(0, RATE, RATE // 4)]
    assert all(sizes)
