"""Whether what sounds like speech is somebody who is near, or the device's own echo.

Layer 3. Serves ``ears``, on the event loop: voice activity of what the echo canceller left over
and, while something is played, of what a harder one left of that.
"""

from __future__ import annotations

from device.ports import VoiceActivity
from device.types import HEARING_RATE, Pcm

SURE_OF = 0.12
"""Seconds of speech that both echo cancellers leave over: then somebody is speaking. In eight rooms
no echo ever had so much (2026-11-25)."""
LEAK_BELOW = 0.3
LEAK_FRAMES = 200
LEAK_AT_FIRST, LEAKY = 0.3, 0.12
"""An echo canceller leaks where it leaves over what a harder one knows for echo. While it does in
more than this share of the frames in which something is played (the last 6 s), speech begins only
where both hear it: at first, while the room is learnt, and for ever where it cannot be."""


class NearSpeech:
    """Tells frame by frame how likely somebody who is near speaks."""

    def __init__(self, voice_activity: VoiceActivity, threshold: float) -> None:
        """``threshold`` is the probability from which on a frame is speech."""
        self._lenient, self._hard = voice_activity, voice_activity.fresh()
        self._threshold = threshold
        self._agreed = 0
        self._leak = LEAK_AT_FIRST

    @property
    def beyond_doubt(self) -> bool:
        """Whether what was heard since ``begin`` is somebody's, and no echo."""
        return self._agreed * self._lenient.frame >= SURE_OF * HEARING_RATE

    def begin(self) -> None:
        """An utterance may have begun."""
        self._agreed = 0

    def hear(self, frame: Pcm, strict: Pcm | None, begun: bool) -> float:
        """Return how likely a frame is speech of somebody who is near, 0 to 1.

        ``strict`` is what a harder echo canceller left of it, None where there is nothing to doubt.
        ``begun``: speech has begun and may go on, although that canceller swallows parts of it.
        """
        probability = sure = self._lenient.probability(frame)
        if strict is not None:
            sure = min(probability, self._hard.probability(strict))
            leaks = probability >= self._threshold and sure < LEAK_BELOW
            self._leak += (leaks - self._leak) / LEAK_FRAMES
        if sure >= self._threshold:
            self._agreed += 1
        doubted = strict is not None and self._leak > LEAKY and not begun
        return sure if doubted else probability
