"""Moonshine: words from speech, and none from what is not speech.

Layer 2, on sherpa-onnx. Serves the ears, on the thread of the recognition worker.

The network was trained on subtitles and finds words in any sound. Of 125 recordings without speech
(rain, engines, animals, machines, rooms; at most 9 s each) 116 gave words: "You", "Thank you for
watching.", musical notes, other scripts, or one phrase over and over until the tokens ran out. The
checks below leave 37 of them, mostly a few words that a person may well say, and changed nothing
in 246 clips of real speech; they were made looking at these very noises. Voice activity in front of
recognition stops all but 2 of the 37, two sneezes (speech in more than 5 % of the frames; all
measured 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import sherpa_onnx  # type: ignore[import-untyped]

from device.settings import Hearing
from device.types import HEARING_RATE, Pcm, RapportError

SHORTEST = 0.2
"""Seconds. No English word with its consonants fits into less, and the network invents one."""
LONGEST = 9 * HEARING_RATE
"""Samples. sherpa-onnx 1.13.8 gives the decoder a mask of the wrong length and returns nothing at
all above 384 encoder frames, 9.27 s (k2-fsa/sherpa-onnx#3975; measured: 9.25 s works, 9.31 not)."""
SILENT = 33
"""Peak, of 32,768: -60 dB of full scale."""
FASTEST = 6.0
"""Words per second. Very fast speech reaches 5; loops on noise come at 7 to 15."""
SLOWEST = 0.4
"""Words per second of sound, of more than LINGERING seconds: "You" for five seconds of rain."""
LINGERING = 2.5
LOOP = 4
"""So many times the same phrase in a row is the decoder's loop and not the speaker's insistence."""
SUBTITLES = re.compile(
    r"(thank(s| you)( so much)? for (watching|listening|viewing)( this video| the video)?"
    r"|(please )?(like and )?subscribe.*|.*(transcript|subtitles?|captions?) by .*|you)",
    re.IGNORECASE,
)
"""What subtitles say where nobody speaks; as a whole utterance nobody says it to a device."""
_FOREIGN = re.compile("[♪♫©]")
"""Signs of music and of authorship, which speech has not."""
_PHRASE_LOOP = re.compile(rf"\b(.{{1,60}}?)(?:[\s,.!?;-]+\1\b){{{LOOP - 1},}}", re.IGNORECASE)


class Moonshine:
    """Moonshine tiny, English (Jeffries et al. 2024, MIT), a port of ``Recognizer``."""

    def __init__(self, files: Mapping[str, Path], settings: Hearing) -> None:
        """Load the networks in ``files``: encoder, decoder, tokens.

        Raises RapportError if one is missing or cannot be loaded.
        """
        for role in ("encoder", "decoder", "tokens"):
            # sherpa-onnx ends the process over a file that it cannot open
            if not files[role].is_file():
                raise RapportError(
                    f"recognizer: {files[role]} is not there; run: rapport models fetch"
                )
        try:
            self._recognizer = sherpa_onnx.OfflineRecognizer.from_moonshine_v2(
                encoder=str(files["encoder"]),
                decoder=str(files["decoder"]),
                tokens=str(files["tokens"]),
                num_threads=settings.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise RapportError(
                f"recognizer: {files['encoder'].parent} holds no Moonshine model that can be "
                f"loaded ({error}); run: rapport models fetch"
            ) from None

    def transcribe(self, audio: Pcm) -> str:
        """Return the words in ``audio`` (int16, 16 kHz), or "" if there seem to be none.

        Any length; what is longer than 9 s is recognised in pieces, cut where it is quietest.
        """
        texts = [self._words(piece) for piece in pieces(audio)]
        return " ".join(text for text in texts if text)

    def _words(self, audio: Pcm) -> str:
        if len(audio) < SHORTEST * HEARING_RATE or peak(audio) < SILENT:
            return ""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(HEARING_RATE, audio.astype(np.float32) / np.float32(32768))
        self._recognizer.decode_stream(stream)
        return plausible(stream.result.text, sounding_seconds(audio))


def pieces(audio: Pcm) -> Iterator[Pcm]:
    """Yield ``audio`` in pieces of at most 9 s, cut at the quietest 40 ms of their last third."""
    frame = HEARING_RATE // 25
    while len(audio) > LONGEST:
        tail = audio[LONGEST * 2 // 3 : LONGEST].astype(np.float32)
        power = np.square(tail).reshape(-1, frame).sum(axis=1)
        cut = LONGEST * 2 // 3 + int(power.argmin()) * frame + frame // 2
        yield audio[:cut]
        audio = audio[cut:]
    yield audio


def peak(audio: Pcm) -> int:
    """Return the largest magnitude in ``audio``, 0 to 32,768."""
    return max(int(audio.max(initial=0)), -int(audio.min(initial=0)))


def plausible(text: str, seconds: float) -> str:
    """Return ``text`` stripped, its loops cut, or "" if ``seconds`` of speech cannot hold it."""
    text = text.strip()
    words = len(text.split())
    if words > FASTEST * seconds + 2 or _FOREIGN.search(text) or not _is_english(text):
        return ""
    text = _PHRASE_LOOP.sub(r"\1", text)
    words = len(text.split())
    if seconds > LINGERING and words < SLOWEST * seconds:
        return ""
    if SUBTITLES.fullmatch(text.rstrip(" .!")):
        return ""
    return text


def sounding_seconds(audio: Pcm) -> float:
    """Return how long ``audio`` is within 30 dB of its loudest part, in frames of 20 ms."""
    frame = HEARING_RATE // 50
    whole = audio[: len(audio) // frame * frame].astype(np.float32)
    power = np.square(whole).reshape(-1, frame).mean(axis=1)
    return float(np.count_nonzero(power > 1e-3 * power.max(initial=0.0))) / 50


def _is_english(text: str) -> bool:
    """Tell whether anything is written, and most of its letters are of the English alphabet."""
    letters = [sign for sign in text if sign.isalpha()]
    english = sum(sign.isascii() for sign in letters)
    return any(sign.isalnum() for sign in text) and english >= 0.6 * len(letters)
