"""Sound in containers is heard as it arrives, however it is cut; what is no sound is refused."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio import container
from device.audio.container import ContainerDecoder, UndecodableAudio
from device.types import HEARING_RATE, Pcm
from tests.audio.encodings import FORMATS, encode, recorder, sentence, wav

PATIENCE = 20.0
"""Seconds after which a test gives up on a decoder that hangs."""
BLOB = HEARING_RATE // 10


@pytest.fixture(scope="module")
def speech(speech_data: Path) -> Pcm:
    return sentence(speech_data)


@pytest.fixture(scope="module")
def files(speech: Pcm) -> dict[str, bytes]:
    """The same speech in every container."""
    return {
        **{name: encode(speech, name) for name in FORMATS},
        "recorder": b"".join(recorder(speech, 60)),
        "wav": wav(speech, HEARING_RATE),
    }


KINDS = [*FORMATS, "recorder", "wav"]


async def heard(decoder: ContainerDecoder, least: int | None = None) -> Pcm:
    """What comes out: until it ends, or at least so many samples."""
    pieces: list[Pcm] = []
    async with asyncio.timeout(PATIENCE):
        async for pcm in decoder.pieces():
            pieces.append(pcm)
            if least is not None and sum(map(len, pieces)) >= least:
                break
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def decoded(parts: Iterable[bytes]) -> Pcm:
    """Everything that is heard of a stream that came in these parts."""

    async def run() -> Pcm:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        try:
            for part in parts:
                assert decoder.feed(part)
            decoder.finish()
            return await heard(decoder)
        finally:
            decoder.close()
            assert decoder.join(1.0)

    return asyncio.run(run())


def likeness(found: Pcm, original: Pcm) -> float:
    """Correlation with the original, wherever in ``found`` that begins (an encoder adds a lead)."""
    middle = original[4_000:-4_000].astype(float)
    spread = np.correlate(found.astype(float), middle, "valid")
    best = int(spread.argmax())
    part = found[best : best + len(middle)].astype(float)
    return float(np.corrcoef(part, middle)[0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_speech_is_heard_as_it_was_spoken(kind: str, files: dict[str, bytes], speech: Pcm) -> None:
    found = decoded([files[kind]])
    assert found.dtype == np.int16 and found.ndim == 1
    assert abs(len(found) - len(speech)) < 0.06 * HEARING_RATE
    assert likeness(found, speech) > 0.95


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), parts=st.integers(1, 400))
def test_any_cutting_gives_the_same_samples(
    kind: str, files: dict[str, bytes], seed: int, parts: int
) -> None:
    data = files[kind]
    places = sorted(random.Random(seed).choices(range(len(data)), k=parts))
    cut = [data[a:b] for a, b in pairwise([0, *places, len(data)])]
    assert np.array_equal(decoded(cut), decoded([data]))


@pytest.mark.parametrize("kind", ["webm", "mp4", "wav"])
def test_bytes_may_come_one_by_one(kind: str, files: dict[str, bytes]) -> None:
    data = files[kind][:12_000]
    whole = decoded([data])
    assert len(whole) > 2_000
    assert np.array_equal(decoded(data[at : at + 1] for at in range(len(data))), whole)


def test_two_channels_are_averaged(speech: Pcm) -> None:
    both = np.stack([speech, np.zeros_like(speech)], axis=1).reshape(-1)
    found = decoded([wav(both, HEARING_RATE, channels=2)])
    assert np.array_equal(found, speech // 2)
    assert likeness(decoded([encode(speech, "webm", "stereo")]), speech) > 0.98


@pytest.mark.parametrize("packet_ms", [20, 60])
def test_each_blob_of_a_recorder_is_heard_without_waiting_for_the_next(
    speech: Pcm, packet_ms: int
) -> None:
    blobs = recorder(speech, packet_ms)[:15]

    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        try:
            total = 0
            for number, blob in enumerate(blobs, 1):
                decoder.feed(blob)
                packets = number * 100 // packet_ms * packet_ms
                # Opus' own lead of 6.5 ms is no sound, and FFmpeg's resampler holds a millisecond.
                due = (packets - 10) * HEARING_RATE // 1000
                if due > total:
                    total += len(await heard(decoder, due - total))
        finally:
            decoder.close()

    asyncio.run(run())


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_a_streamed_wav_is_heard_without_waiting_for_more(speech: Pcm, rate: int) -> None:
    sound = np.resize(speech, rate)
    header, lag = 44, 0 if rate == HEARING_RATE else 0.003 * HEARING_RATE

    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        data, total = wav(sound, rate, size=0xFFFFFFFF), 0
        try:
            for number in range(10):
                at = header + number * rate // 10 * 2
                decoder.feed(data[at if number else 0 : at + rate // 10 * 2])
                due = int((number + 1) * BLOB - lag)
                total += len(await heard(decoder, due - total))
        finally:
            decoder.close()

    asyncio.run(run())


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 6_400, 2])
def test_a_wav_may_tell_a_wrong_size(speech: Pcm, size: int) -> None:
    assert np.array_equal(decoded([wav(speech, HEARING_RATE, size)]), speech)


@pytest.mark.parametrize("cut", [None, 3, 1_000])
def test_what_follows_the_sound_of_a_wav_is_not_heard(speech: Pcm, cut: int | None) -> None:
    tags = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + b"nobody wants this."
    data = wav(speech, HEARING_RATE, after=tags)
    parts = [data] if cut is None else [data[: -len(tags) + cut], data[-len(tags) + cut :]]
    assert np.array_equal(decoded(parts), speech)


@pytest.mark.parametrize(
    ("tag", "kind", "scale"), [(1, "u1", 128), (1, "<i4", 2**31), (3, "<f4", 1), (3, "<f8", 1)]
)
def test_a_wav_may_have_samples_of_any_width(
    speech: Pcm, tag: int, kind: str, scale: float
) -> None:
    wide = speech / 32_768 * scale + (128 if kind == "u1" else 0)
    samples = wide.astype(kind).tobytes()
    bits = np.dtype(kind).itemsize * 8
    form = struct.pack("<HHIIHH", tag, 1, HEARING_RATE, HEARING_RATE * bits // 8, bits // 8, bits)
    data = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", len(samples))
    found = decoded([data + samples])
    assert np.abs(found.astype(int) - speech).max() <= (256 if kind == "u1" else 1)


def test_an_mp4_whose_index_comes_first_is_heard_though_it_is_not_fragmented(
    speech: Pcm, tmp_path: Path
) -> None:
    import av  # noqa: PLC0415

    with av.open(tmp_path / "whole.m4a", "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream("aac", rate=HEARING_RATE)
        frame = av.AudioFrame.from_ndarray(speech[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = HEARING_RATE
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert likeness(decoded([(tmp_path / "whole.m4a").read_bytes()]), speech) > 0.95


@pytest.mark.parametrize("first", ["recorder", "mp4", "wav", "ogg", "flac"])
@pytest.mark.parametrize("second", ["recorder", "mp4", "wav", "ogg"])
def test_a_recorder_may_begin_anew(
    first: str, second: str, files: dict[str, bytes], speech: Pcm
) -> None:
    one, two = files[first], files[second]
    found = decoded([one[:3_000], one[3_000:], two[:2_000], two[2_000:]])
    alone = [decoded([data]) for data in (one, two)]
    assert np.array_equal(found, np.concatenate(alone))


def test_a_recorder_may_begin_anew_before_there_was_any_sound(
    files: dict[str, bytes],
) -> None:
    data = files["recorder"]
    assert np.array_equal(decoded([data[:150], data]), decoded([data]))


def test_every_piece_may_be_a_file_of_its_own(speech: Pcm) -> None:
    parts = [wav(speech[at : at + BLOB], HEARING_RATE) for at in range(0, len(speech), BLOB)]
    assert np.array_equal(decoded(parts), speech)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_breaks_off_is_heard_up_to_there(kind: str, files: dict[str, bytes]) -> None:
    data = files[kind]
    found, whole = decoded([data[: len(data) * 2 // 3]]), decoded([data])
    assert 0.4 * len(whole) < len(found) < 0.8 * len(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 11, 13, 30])
def test_a_stream_that_breaks_off_in_its_header_is_refused(
    kind: str, length: int, files: dict[str, bytes]
) -> None:
    with pytest.raises(UndecodableAudio, match="cannot be decoded"):
        decoded([files[kind][:length]])


@settings(max_examples=60)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32), hits=st.integers(1, 60))
def test_a_damaged_stream_is_heard_or_refused_and_ends(
    kind: str, seed: int, hits: int, files: dict[str, bytes]
) -> None:
    chance, data = random.Random(seed), bytearray(files[kind])
    for _ in range(hits):
        data[chance.randrange(min(len(data), chance.choice([100, 10**6])))] = chance.randrange(256)
    try:
        found = decoded([bytes(data)])
    except UndecodableAudio as error:
        assert error.reason
    else:
        assert len(found) < 60 * HEARING_RATE


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(100),
        b"\0" * 5_000,
        b'{"type": "audio_input"}',
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\0\0\0\0AVI LIST" + bytes(100),
    ],
    ids=["picture", "zeros", "JSON", "playlist", "concat", "film"],
)
def test_what_is_no_sound_is_refused_at_once(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        try:
            decoder.feed(data)
            with pytest.raises(UndecodableAudio, match="does not begin like any sound"):
                await heard(decoder)
        finally:
            decoder.close()

    asyncio.run(run())
    assert capfd.readouterr() == ("", "")


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    import av  # noqa: PLC0415

    with av.open(tmp_path / "mute.webm", "w") as output:
        stream = output.add_stream("libvpx", rate=10)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(UndecodableAudio, match="no sound in it"):
        decoded([(tmp_path / "mute.webm").read_bytes()])


def test_a_little_that_decodes_to_hours_waits_until_it_is_heard() -> None:
    silence = encode(np.zeros(HEARING_RATE * 120, np.int16), "flac")
    assert len(silence) < 60_000

    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        try:
            decoder.feed(silence)
            async with asyncio.timeout(PATIENCE):
                while decoder.ahead < container.MOST_AHEAD:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # in which all of it could be decoded
            assert decoder.ahead < container.MOST_AHEAD + 2 * HEARING_RATE
            decoder.finish()
            assert len(await heard(decoder)) == HEARING_RATE * 120
        finally:
            decoder.close()

    asyncio.run(run())


def test_more_than_can_wait_is_refused_until_there_is_room(speech: Pcm) -> None:
    part = wav(np.resize(speech, 1_000_000), HEARING_RATE, size=0xFFFFFFFF)

    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        try:
            taken = 0
            while decoder.feed(part):
                taken += 1
            assert 2 <= taken <= 5
            hearing = asyncio.create_task(heard(decoder))
            async with asyncio.timeout(PATIENCE):
                await decoder.room()
            assert decoder.feed(part)
            decoder.finish()
            await hearing
        finally:
            decoder.close()

    asyncio.run(run())


async def _stuck_at_once(_: ContainerDecoder, __: dict[str, bytes]) -> None:
    """Nothing came yet."""


async def _stuck_in_header(decoder: ContainerDecoder, files: dict[str, bytes]) -> None:
    decoder.feed(files["recorder"][:60])


async def _stuck_between_blobs(decoder: ContainerDecoder, files: dict[str, bytes]) -> None:
    decoder.feed(files["recorder"][:4_000])
    await heard(decoder, 1)


async def _stuck_with_sound_nobody_takes(decoder: ContainerDecoder, _: dict[str, bytes]) -> None:
    decoder.feed(wav(np.ones(HEARING_RATE * 60, np.int16), HEARING_RATE))
    await heard(decoder, 1)


@pytest.mark.parametrize(
    "stuck",
    [_stuck_at_once, _stuck_in_header, _stuck_between_blobs, _stuck_with_sound_nobody_takes],
)
def test_closing_ends_the_thread_and_whoever_listens_wherever_it_is(
    stuck: Callable[[ContainerDecoder, dict[str, bytes]], object], files: dict[str, bytes]
) -> None:
    async def run() -> None:
        decoder = ContainerDecoder()
        decoder.start(asyncio.get_running_loop())
        await stuck(decoder, files)  # type: ignore[misc]
        listening = asyncio.create_task(heard(decoder))
        await asyncio.sleep(0.05)
        decoder.close()
        async with asyncio.timeout(PATIENCE):
            await listening
        assert decoder.join(1.0)
        assert decoder.feed(b"more") and not len(await heard(decoder))

    asyncio.run(run())


def test_a_decoder_that_never_started_can_be_closed() -> None:
    decoder = ContainerDecoder()
    decoder.close()
    assert decoder.join(0.1)


def test_a_loop_that_ends_takes_the_thread_with_it(files: dict[str, bytes]) -> None:
    decoder = ContainerDecoder()

    async def run() -> None:
        decoder.start(asyncio.get_running_loop())
        decoder.feed(files["recorder"][:3_000])
        await heard(decoder, 1)

    asyncio.run(run())
    decoder.feed(files["recorder"][3_000:])
    assert decoder.join(1.0)
