"""Piper's voices (VITS), run by sherpa-onnx.

Layer 2, on sherpa-onnx. Serves the turns of every conversation from the one thread that owns it.
sherpa-onnx 1.13 carries its own phonemizer, espeak-ng, which reads its data from a folder; 2.0 has
none any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from threading import Event as StopSignal

import numpy as np
import sherpa_onnx  # type: ignore[import-untyped]

from device.settings import Speaking
from device.speaking import effects
from device.types import Pcm, RapportError, Sentence

PIECE_S = 0.1
"""Length of the pieces that sound is handed out in, seconds: a consumer can stop between two."""
LONGEST_PHRASE = 80
"""Characters synthesized at once: the network cannot be stopped inside a phrase, and its memory
grows with it (60 MB from 90 to 150 characters)."""
INNER_PAUSE = 0.6
"""Share of the style's pause between two phrases of one sentence."""
SLOWEST, FASTEST = 0.4, 2.5
"""Bounds on the speed asked of the network; beyond, it mumbles."""
BREAK = re.compile(r"(?<=[.!?])[\"')]*\s+")
COMMA = re.compile(r"(?<=[,;:])\s+")
BREATH = re.compile(r"\s(?=(?:and|or|but|so|because|that|which|when|while|if|with|for|to)\s)")
SPACE = re.compile(r"\s")


class Sherpa:
    """A voice; a ``ports.Voice``."""

    def __init__(self, files: Mapping[str, Path], settings: Speaking) -> None:
        """Load the voice in roles ``model`` and ``tokens``, with the phonemizer's data ``espeak``.

        Raises RapportError if a file is missing or is no such voice.
        """
        self._voice = _load(files, settings)
        self.rate = int(self._voice.sample_rate)

    def speak(self, sentence: Sentence, stop: StopSignal) -> Iterator[Pcm]:
        """Yield the sentence as int16 pieces of at most 100 ms, at once from its first sound.

        It ends with the silence of its style. ``stop`` ends it between two pieces or phrases.
        Nothing to pronounce yields nothing.
        """
        style = sentence.style
        parts = phrases(sentence.text)
        for number, phrase in enumerate(parts, 1):
            if stop.is_set():
                return
            sound = self._sound(phrase, sentence, stop)
            if not len(sound):
                continue
            pause = style.pause * (1.0 if number == len(parts) else INNER_PAUSE)
            silence = np.zeros(int(pause * self.rate), np.int16)
            whole = np.concatenate([effects.to_pcm(sound), silence])
            step = int(PIECE_S * self.rate)
            for start in range(0, len(whole), step):
                if stop.is_set():
                    return
                yield whole[start : start + step]

    def _sound(self, phrase: str, sentence: Sentence, stop: StopSignal) -> effects.Sound:
        style = sentence.style
        # Raising the pitch shortens the sound by the same factor: speak so much slower first.
        speed = style.rate / effects.pitch_factor(style.pitch)

        def go_on(_: object, __: float) -> int:
            return 0 if stop.is_set() else 1  # 0 stops, whatever the docstring of 1.13.8 says

        made = self._voice.generate(
            phrase, sid=0, speed=min(max(speed, SLOWEST), FASTEST), callback=go_on
        )
        sound = effects.trimmed(np.asarray(made.samples, np.float32), self.rate)
        sound = effects.shifted(sound, self.rate, style.pitch)
        return effects.faded(effects.leveled(sound, self.rate, style.level), self.rate)


def phrases(text: str) -> list[str]:
    """Return ``text`` cut at its sentences, and long ones at their commas or between words."""
    parts: list[str] = []
    for sentence in BREAK.split(text):
        held = ""
        for part in chain.from_iterable(map(_breaths, COMMA.split(sentence))):
            if held and len(held) + 1 + len(part) > LONGEST_PHRASE:
                parts.append(held)
                held = part
            else:
                held = f"{held} {part}".strip()
        parts.append(held)
    return [part for part in parts if any(letter.isalnum() for letter in part)]


def _breaths(part: str) -> list[str]:
    """Return a stretch without commas in speakable lengths, cut before conjunctions if any."""
    if len(part) <= LONGEST_PHRASE:
        return [part]
    cuts = [found.start() for pattern in (BREATH, SPACE) for found in pattern.finditer(part)]
    near = [cut for cut in cuts if len(part) / 4 < cut < len(part) * 3 / 4] or cuts
    if not near:
        return [part]
    # Conjunctions come first in the list, so the first of the cuts near the middle is the best.
    return [*_breaths(part[: near[0]]), *_breaths(part[near[0] :].strip())]


def _load(files: Mapping[str, Path], settings: Speaking) -> sherpa_onnx.OfflineTts:
    model, tokens, espeak = files["model"], files["tokens"], files["espeak"]
    # sherpa-onnx ends the whole process where its phonemizer's data is missing: look first.
    for path in (model, tokens, espeak / "phontab"):
        if not path.is_file():
            raise RapportError(f"{path}: is missing; run: rapport models fetch")
    piper = sherpa_onnx.OfflineTtsVitsModelConfig(
        model=str(model), tokens=str(tokens), data_dir=str(espeak)
    )
    networks = sherpa_onnx.OfflineTtsModelConfig(
        vits=piper, num_threads=settings.threads, provider="cpu"
    )
    try:
        return sherpa_onnx.OfflineTts(
            sherpa_onnx.OfflineTtsConfig(model=networks, max_num_sentences=1)
        )
    except RuntimeError as error:
        raise RapportError(
            f"{model}: is not a voice that sherpa-onnx can load ({str(error).splitlines()[0]}); "
            "run: rapport models fetch"
        ) from None
