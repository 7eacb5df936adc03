"""Every voice says what it is given, in the style it is given, and stops when told."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from device.engines import engine
from device.mind.style import STYLES
from device.settings import Hearing, Speaking
from device.types import HEARING_RATE, Pcm, RapportError, Sentence, Style
from tests.conftest import ModelFiles

ENGINES = ["sherpa"]
PLAIN = Style("plain", pause=0.0)
WEATHER = "The weather was lovely, and we walked along the river for an hour."


@pytest.fixture(scope="module", params=ENGINES)
def kind(request: pytest.FixtureRequest) -> type[Any]:
    return engine(request.param)


@pytest.fixture(scope="module")
def files(model_files: ModelFiles) -> dict[str, Path]:
    return model_files("piper-joe")


@pytest.fixture(scope="module")
def voice(kind: type[Any], files: dict[str, Path]) -> Any:
    return kind(files, Speaking())


def spoken(voice: Any, text: str, style: Style = PLAIN) -> Pcm:
    pieces = list(voice.speak(Sentence(text, style), Event()))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def seconds(voice: Any, style: Style) -> float:
    """Median over three: the network chooses durations partly by chance."""
    return float(np.median([len(spoken(voice, WEATHER, style)) for _ in range(3)]) / voice.rate)


def level(pcm: Pcm) -> float:
    """Decibels below full scale."""
    return float(20 * np.log10(np.sqrt(np.mean((pcm / 32768) ** 2))))


def pitch(pcm: Pcm, rate: int) -> float:
    """Median of the voiced frames' fundamental in hertz, from their autocorrelation."""
    size, found = int(0.04 * rate), []
    sound: npt.NDArray[np.float64] = pcm.astype(np.float64)
    loud = 0.3 * np.sqrt(np.mean(sound**2))
    for start in range(0, len(sound) - size, size // 2):
        frame = sound[start : start + size]
        if np.sqrt(np.mean(frame**2)) < loud:
            continue
        frame = frame - frame.mean()
        correlation = np.correlate(frame, frame, "full")[size - 1 :]
        low, high = rate // 300, rate // 60
        lag = low + int(np.argmax(correlation[low:high]))
        if correlation[lag] > 0.5 * correlation[0]:
            found.append(rate / lag)
    assert len(found) > 20, "no voiced speech"
    return float(np.median(found))


def test_a_voice_says_the_words(voice: Any, model_files: ModelFiles) -> None:
    listener = engine("moonshine")(model_files("moonshine-tiny-en"), Hearing())
    sound = soxr.resample(spoken(voice, WEATHER), voice.rate, HEARING_RATE)
    heard = listener.transcribe(sound)
    words = ("weather", "lovely", "walked", "river", "hour")
    assert all(word in heard.lower() for word in words), heard


def test_a_style_is_heard_in_rate_pitch_and_level(voice: Any) -> None:
    calm, bright = STYLES["calm"], STYLES["bright"]
    quick, slow = (Style("", rate=s.rate, pitch=s.pitch, pause=0.0) for s in (bright, calm))
    assert seconds(voice, slow) > 1.1 * seconds(voice, quick)
    low, high = (spoken(voice, WEATHER, style) for style in (calm, bright))
    assert pitch(high, voice.rate) > 1.08 * pitch(low, voice.rate)
    assert level(spoken(voice, WEATHER, Style("", level=2.0, pause=0.0))) > 3 + level(
        spoken(voice, WEATHER, Style("", level=-3.0, pause=0.0))
    )


@pytest.mark.parametrize("semitones", [-2.0, 2.0])
def test_pitch_leaves_the_duration_alone(voice: Any, semitones: float) -> None:
    raised = Style("", pitch=semitones, pause=0.0)
    assert seconds(voice, raised) == pytest.approx(seconds(voice, PLAIN), rel=0.12)
    factor = pitch(spoken(voice, WEATHER, raised), voice.rate) / pitch(
        spoken(voice, WEATHER), voice.rate
    )
    assert 12 * np.log2(factor) == pytest.approx(semitones, abs=1.0)


def test_every_sentence_is_equally_loud_and_never_clips(voice: Any) -> None:
    sentences = ("No.", "Hello there, my friend.", WEATHER, "Stop that at once!")
    levels = [level(spoken(voice, sentence)) for sentence in sentences]
    assert max(levels) - min(levels) < 4
    assert all(-25 < each < -17 for each in levels), levels
    shouted = spoken(voice, WEATHER, Style("", level=18.0, pause=0.0))
    assert np.abs(shouted.astype(int)).max() < 32_700


def test_sound_begins_at_once_and_ends_with_the_pause_of_the_style(voice: Any) -> None:
    pcm = spoken(voice, WEATHER, Style("", pause=0.5))
    loud = np.flatnonzero(np.abs(pcm) > 300)
    assert loud[0] / voice.rate < 0.03
    assert not pcm[-int(0.5 * voice.rate) :].any()
    assert (len(pcm) - loud[-1]) / voice.rate < 0.65


def test_sound_comes_in_short_pieces_without_clicks_at_its_ends(voice: Any) -> None:
    pieces = list(voice.speak(Sentence(WEATHER, PLAIN), Event()))
    assert len(pieces) > 5
    assert all(piece.dtype == np.int16 and piece.ndim == 1 for piece in pieces)
    assert all(0 < len(piece) <= 0.2 * voice.rate for piece in pieces)
    assert abs(int(pieces[0][0])) < 200 and abs(int(pieces[-1][-1])) < 200


def test_stop_ends_it_within_a_piece(voice: Any) -> None:
    stop, pieces = Event(), []
    for piece in voice.speak(Sentence(f"{WEATHER} {WEATHER}", PLAIN), stop):
        pieces.append(piece)
        if len(pieces) == 2:
            stop.set()
    assert len(pieces) == 2
    assert list(voice.speak(Sentence(WEATHER, PLAIN), stop)) == []


@pytest.mark.parametrize("text", ["", " ", "...", "!?", "😀", "—"])
def test_nothing_to_pronounce_makes_no_sound(voice: Any, text: str) -> None:
    assert list(voice.speak(Sentence(text, STYLES["neutral"]), Event())) == []


def test_a_very_long_sentence_is_spoken_to_its_end(voice: Any) -> None:
    long = "I went to the market, " * 15 + "and then I came home."
    pcm = spoken(voice, long)
    assert len(pcm) / voice.rate > 12


def test_loading_and_speaking_print_nothing(
    kind: type[Any], files: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    spoken(kind(files, Speaking()), "Hello. 你好 ☃ héllo.")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("role", ["model", "tokens", "espeak"])
def test_a_missing_file_is_named(
    kind: type[Any], files: dict[str, Path], tmp_path: Path, role: str
) -> None:
    with pytest.raises(RapportError, match=r"absent.*is missing.*models fetch"):
        kind({**files, role: tmp_path / "absent"}, Speaking())


def test_a_damaged_model_is_refused_in_one_sentence(
    kind: type[Any], files: dict[str, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(files["model"].read_bytes()[:50_000])
    with pytest.raises(RapportError, match=r"broken\.onnx: is not a voice"):
        kind({**files, "model": broken}, Speaking())
