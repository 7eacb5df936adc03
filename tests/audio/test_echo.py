"""The loudspeaker is taken out of the microphone, in computed rooms and with real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.audio.echo import FRAME, Speex, WebRtc
from device.audio.echo_delay import EchoDelay
from device.audio.echo_path import EchoPath, open_echo_path
from device.audio.rates import read_speech
from device.terminal.acoustic_loop import AcousticLoop, Room
from device.types import HEARING_RATE, AudioChunk, Pcm

CHUNK = HEARING_RATE // 50
SILENCE = np.zeros(HEARING_RATE, np.int16)


def answer(seconds: float = 0.25) -> np.ndarray:
    """A room's impulse response: the direct sound, and what decays after it."""
    count = round(seconds * HEARING_RATE)
    decay = 10 ** (-3 * np.arange(count) / count)
    sound = 0.05 * np.random.default_rng(3).standard_normal(count) * decay
    sound[0] = 1.0
    return sound.astype(np.float32)


def room(**what: float) -> Room:
    return Room("test", answer(), **what)


@pytest.fixture(scope="module")
def voice(speech_data: Path) -> Pcm:
    """Half a minute of somebody reading, as the loudspeaker's sound."""
    files = sorted((speech_data / "speech").glob("LJ001-000*.flac"))
    return np.concatenate([read_speech(file) for file in files])[: 30 * HEARING_RATE]


def heard(where: Room, played: Pcm, talk: Pcm | None = None) -> Pcm:
    noise = np.random.default_rng(1).integers(-100, 100, HEARING_RATE).astype(np.int16)
    loop = AcousticLoop(where, noise)
    talk = np.zeros(len(played), np.int16) if talk is None else talk
    blocks = range(0, len(played) // CHUNK * CHUNK, CHUNK)
    return np.concatenate(
        [loop.hear(played[at : at + CHUNK], talk[at : at + CHUNK]) for at in blocks]
    )


def cleaned(path: EchoPath, near: Pcm, far: Pcm) -> list[AudioChunk]:
    return [
        path.clean(AudioChunk(near[at : at + CHUNK], HEARING_RATE, at, far[at : at + CHUNK]))
        for at in range(0, len(near), CHUNK)
    ]


def sound(chunks: list[AudioChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def decibels(near: Pcm, left: Pcm) -> float:
    return 10 * float(np.log10(np.mean(near.astype(float) ** 2) / np.mean(left.astype(float) ** 2)))


@pytest.mark.parametrize(
    "where",
    [
        room(delay_ms=20, loss_db=6),
        room(delay_ms=120, loss_db=14),
        room(delay_ms=60, loss_db=10, drift_ppm=100),
        room(delay_ms=60, loss_db=10, drift_ppm=-50),
    ],
    ids=["near and loud", "late", "fast clock", "slow clock"],
)
def test_an_echo_is_taken_out_however_late_and_on_whatever_clock(where: Room, voice: Pcm) -> None:
    near = heard(where, voice)
    left = sound(cleaned(EchoPath(Speex), near, voice))
    late = slice(15 * HEARING_RATE, len(left))
    assert decibels(near[late], left[late]) > 12


@pytest.mark.parametrize("drift_ppm", [-80.0, 0.0, 50.0, 200.0])
def test_delay_and_drift_are_measured(drift_ppm: float, voice: Pcm) -> None:
    near = heard(room(delay_ms=80, drift_ppm=drift_ppm), voice)
    watch = EchoDelay()
    for at in range(0, len(near), CHUNK):
        watch.watch(near[at : at + CHUNK], voice[at : at + CHUNK])
    assert watch.delay is not None
    expected = 0.08 * HEARING_RATE - drift_ppm * 1e-6 * len(near)
    assert watch.delay == pytest.approx(expected, abs=32)
    drift = watch.drift()
    assert drift is not None
    assert drift / HEARING_RATE * 1e6 == pytest.approx(-drift_ppm, abs=10)


def test_whoever_talks_into_the_playing_is_left_over(voice: Pcm, speech_data: Path) -> None:
    talk = np.zeros(len(voice), np.int16)
    said = read_speech(speech_data / "speech" / "LJ001-0028.flac")[: 3 * HEARING_RATE]
    begin = 20 * HEARING_RATE
    talk[begin : begin + len(said)] = said
    left = sound(cleaned(EchoPath(Speex), heard(room(), voice, talk), voice))
    there = left[begin : begin + len(said) + HEARING_RATE // 20].astype(float)
    fit = np.correlate(there, said.astype(float)).max()  # the suppressor is a frame behind
    assert fit / (np.linalg.norm(there) * np.linalg.norm(said.astype(float))) > 0.85


def test_a_microphone_that_hears_no_loudspeaker_is_left_alone(voice: Pcm) -> None:
    talk = np.roll(voice, 5 * HEARING_RATE)
    headset = room(loss_db=90)
    near = heard(headset, voice, talk)
    path = EchoPath(Speex)
    assert np.array_equal(sound(cleaned(path, near, voice)), near)
    assert path.delay is None


def test_without_a_far_end_nothing_is_changed() -> None:
    chunk = AudioChunk(SILENCE[:CHUNK], HEARING_RATE, 0, None)
    assert EchoPath(Speex, WebRtc()).clean(chunk) is chunk


def test_a_witness_hears_less_echo_while_the_filter_still_learns(voice: Pcm) -> None:
    near = heard(room(delay_ms=60, loss_db=6), voice)
    early = cleaned(EchoPath(Speex, WebRtc()), near, voice)[25:75]
    strict = np.concatenate([c.strict for c in early if c.strict is not None])
    assert decibels(sound(early), strict) > 6


def test_while_nothing_is_played_there_is_nothing_to_doubt(voice: Pcm) -> None:
    path = EchoPath(Speex, WebRtc())
    silent = np.zeros(len(voice), np.int16)
    chunks = cleaned(path, voice[: len(voice) // CHUNK * CHUNK], silent)
    assert all(chunk.strict is None for chunk in chunks)


def test_another_card_with_another_delay_is_noticed(voice: Pcm) -> None:
    path = EchoPath(Speex)
    half = len(voice) // 2 // CHUNK * CHUNK
    cleaned(path, heard(room(delay_ms=40), voice[:half]), voice[:half])
    cleaned(path, heard(room(delay_ms=160), voice[half:]), voice[half:])
    assert path.delay == pytest.approx(0.16, abs=0.004)


@pytest.mark.parametrize("make", [Speex, WebRtc])
def test_a_filter_gives_back_as_much_as_it_takes(make: type) -> None:
    filter_ = make()
    out = filter_.cancel(SILENCE[:FRAME], SILENCE[:FRAME])
    assert out.shape == (FRAME,) and out.dtype == np.int16


def test_each_setting_names_a_canceller() -> None:
    assert open_echo_path("off") is None
    assert isinstance(open_echo_path("speex"), EchoPath)
    assert isinstance(open_echo_path("webrtc"), EchoPath)
