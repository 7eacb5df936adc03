"""Where the sound card's thread and the event loop meet: its callbacks, and the rings between.

Layer 2. Serves ``soundcard``. ``duplex``, ``capture`` and ``render`` run on PortAudio's thread: no
lock, log or model in them, and no memory taken but what PyAudio's interface forces: it hands over
``bytes``, and takes nothing else back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

import numpy as np
import numpy.typing as npt

from device.audio.gain import Fader
from device.audio.ring import Ring
from device.types import Pcm

GO_ON = 0
"""PortAudio's paContinue; the next two lines are its status flags, input and output together."""
UNDERFLOW = 0x1 | 0x4
OVERFLOW = 0x2 | 0x8

HEAR_BEHIND_S = 4
"""Sound the loop may lag behind the microphone: stalls of 3 s were seen on a machine shared with
others, and none of a user's words may be lost in one."""
WRITE_AHEAD_S = 2
"""Room for what is written and not yet played: the loudspeaker goes on through a stall of the loop
of about a second, and a clause of a reply fits in at once."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one direction of a sound card was opened."""

    rate: int
    block: int
    """Frames per callback."""
    channels: int
    """Of a microphone with two, the mean is heard, and of an array of more, the first: it is the
    one that arrays with a processor of their own put their result on. Loudspeakers play alike."""


class Marks:
    """When a count was reached: what two clocks are compared by.

    Written by the sound card's thread into memory it has already; the loop reads what lies behind.
    """

    KEPT = 512
    """About ten seconds of blocks."""

    def __init__(self) -> None:
        self.written = 0
        self._counts = np.zeros(self.KEPT, np.int64)
        self._times = np.zeros(self.KEPT, np.float64)

    def put(self, count: int, time: float) -> None:
        """Note that ``count`` frames had gone by at ``time`` (s, monotonic)."""
        place = self.written % self.KEPT
        self._counts[place] = count
        self._times[place] = time
        self.written += 1

    def since(self, seen: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return counts and times from mark number ``seen`` on, oldest first, as far as kept."""
        written = self.written
        # Half of them: the writer may come round while these are copied.
        places = np.arange(max(seen, written - self.KEPT // 2), written) % self.KEPT
        return self._counts[places], self._times[places]


class Exchange:
    """Copies blocks in and out of the card. Each counter is written by one thread only."""

    def __init__(
        self, heard: Format, played: Format, aligned: bool, wake: Callable[[], object]
    ) -> None:
        self.heard = heard
        self.played = played
        self.aligned = aligned
        """Both directions run in one callback, so each near sample has its far sample; otherwise
        ``reference`` and the marks tell what was played when."""
        self.gain = 1.0
        self.speaker = Ring(played.rate * WRITE_AHEAD_S)
        self.width = 2 if aligned else 1
        """Samples per frame in ``microphone``: near, and far if aligned."""
        self.microphone = Ring(heard.rate * HEAR_BEHIND_S * self.width)
        self.reference = Ring(1 if aligned else played.rate * HEAR_BEHIND_S)
        """What was handed to the loudspeaker, where the microphone has a clock of its own."""
        self.unreferenced = 0
        """Frames that were played, but came too fast for ``reference``."""
        self.heard_marks, self.played_marks = Marks(), Marks()
        self.captured = 0
        """Frames that came from the microphone."""
        self.captured_at = monotonic()
        self.rendered = 0
        """Frames that went to the loudspeaker."""
        self.lost = 0
        """Frames from the microphone that the loop was too late for."""
        self.overflows = 0
        """Times the card lost sound because the callback was late, as PortAudio tells."""
        self.underflows = 0
        """Times the card had nothing to play for the same reason."""
        self.waking = False
        """A wake-up is on its way; the loop takes the flag down before it looks."""
        self._wake = wake
        self._fader = Fader(played.block)
        self._out = np.zeros(played.block, np.int16)
        self._both = np.zeros((played.block, played.channels), np.int16)
        self._mixed = np.zeros(heard.block, np.int32)
        self._frames = np.zeros((heard.block, self.width), np.int16)
        self._flat = self._frames.reshape(-1)

    def duplex(
        self, data: bytes, _count: int, _times: Mapping[str, float], status: int
    ) -> tuple[bytes, int]:
        """Take a block of the microphone and give one to the loudspeaker; PortAudio's thread."""
        played = self._play()
        self._frames[:, 1] = self._out
        self._hear(data)
        self._finish(status)
        return played, GO_ON

    def capture(
        self, data: bytes, _count: int, _times: Mapping[str, float], status: int
    ) -> tuple[None, int]:
        """Take a block of the microphone; PortAudio's thread."""
        self._hear(data)
        self.heard_marks.put(self.captured, self.captured_at)
        self._finish(status)
        return None, GO_ON

    def render(
        self, _data: None, _count: int, _times: Mapping[str, float], status: int
    ) -> tuple[bytes, int]:
        """Give a block to the loudspeaker; PortAudio's thread."""
        played = self._play()
        if self.reference.room < len(self._out):
            self.unreferenced += len(self._out)
        else:
            self.reference.write(self._out)
        self.played_marks.put(self.rendered, monotonic())
        self._finish(status)
        return played, GO_ON

    def _play(self) -> bytes:
        out = self._out
        out[self.speaker.read_into(out) :] = 0
        self._fader.apply(out, self.gain)
        self.rendered += len(out)
        if self.played.channels == 1:
            return out.tobytes()
        self._both[:] = out[:, np.newaxis]
        return self._both.tobytes()

    def _hear(self, data: bytes) -> None:
        near: npt.NDArray[np.int16] = np.frombuffer(data, np.int16)
        if self.heard.channels > 2:
            self._frames[:, 0] = near[:: self.heard.channels]
        elif self.heard.channels == 2:
            np.add(near[0::2], near[1::2], out=self._mixed, dtype=np.int32)
            np.right_shift(self._mixed, 1, out=self._mixed)
            np.copyto(self._frames[:, 0], self._mixed, casting="unsafe")
        else:
            self._frames[:, 0] = near
        if self.microphone.room < len(self._flat):
            self.lost += self.heard.block  # never half a block: near and far would part
        else:
            self.microphone.write(self._flat)
        self.captured += self.heard.block
        self.captured_at = monotonic()

    def _finish(self, status: int) -> None:
        if status & OVERFLOW:
            self.overflows += 1
        if status & UNDERFLOW:
            self.underflows += 1
        if not self.waking:  # one wake-up at a time: a stalled loop is not buried in them
            self.waking = True
            try:
                self._wake()
            except RuntimeError:  # the loop has ended and this stream is about to
                return


def read_frames(ring: Ring, width: int) -> Pcm:
    """Return all that waits in ``ring`` as frames: int16, shape (n, width)."""
    frames = np.empty(ring.available, np.int16)
    ring.read_into(frames)
    return frames.reshape(-1, width)
