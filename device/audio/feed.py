"""What is to be played, on its way to whichever loudspeaker there is.

Layer 2. Serves ``soundcard``, on the loop's thread. A conversation writes at one rate as long as it
lives; a loudspeaker that takes the place of another may have another rate. What was written and not
yet played goes along to the next one.
"""

from __future__ import annotations

import numpy as np

from device.audio.exchange import Exchange
from device.audio.rates import Resampler, resample
from device.types import Pcm

SPARE = 256
"""Samples of room that a change of rate may need beyond what it should."""
LOW_S = 0.06
"""With so little left to play, what the resampler holds back has to follow."""


class Feed:
    """Counts and carries samples at one rate, ``rate``, from the line to the loudspeaker."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.gain = 1.0
        self._exchange: Exchange | None = None
        self._resampler: Resampler | None = None
        self._past = 0  # samples played by loudspeakers, or stretches, before this one
        self._fed = 0  # samples given to this loudspeaker since then
        self._taken = 0  # what its ring had handed out at that time
        self._flushed = True
        self._carried: Pcm = np.empty(0, np.int16)

    def attach(self, exchange: Exchange) -> None:
        """Play through this loudspeaker from now on, beginning with what the last one left."""
        rate = exchange.played.rate
        self._exchange = exchange
        self._resampler = None if rate == self.rate else Resampler(self.rate, rate)
        self._taken, self._flushed = exchange.speaker.taken, True
        exchange.gain = self.gain
        left, self._carried = self._carried, np.empty(0, np.int16)
        self.write(left)

    def detach(self) -> None:
        """Leave a loudspeaker that is gone, or about to go; its callback runs no more."""
        exchange, left = self._exchange, self.played
        if exchange is None:
            return
        due = self._past + self._fed - left
        rest = np.empty(exchange.speaker.available, np.int16)
        exchange.speaker.read_into(rest)
        if self._resampler is not None:
            rest = np.concatenate([rest, self._resampler.flush()])
            rest = resample(rest, exchange.played.rate, self.rate)
        self._carried = rest[:due]
        self._past, self._fed = self._past + self._fed - len(self._carried), 0
        self._exchange = self._resampler = None

    def set_gain(self, gain: float) -> None:
        """Play everything by this factor from now on."""
        self.gain = gain
        if self._exchange is not None:
            self._exchange.gain = gain

    def write(self, pcm: Pcm) -> int:
        """Queue int16 mono samples at ``rate``; return how many there was room for."""
        exchange = self._exchange
        if exchange is None:
            return 0
        if self._resampler is None:
            count = exchange.speaker.write(pcm)
            self._fed += count
            return count
        self._begin_stretch(exchange)
        room = max(0, exchange.speaker.room - SPARE) * self.rate // exchange.played.rate
        pcm = pcm[:room]
        if len(pcm):
            exchange.speaker.write(self._resampler.process(pcm))
            self._fed, self._flushed = self._fed + len(pcm), False
        return len(pcm)

    def clear(self) -> None:
        """Drop all that was not yet handed to a loudspeaker."""
        self._carried = np.empty(0, np.int16)
        exchange = self._exchange
        if exchange is None:
            return
        exchange.speaker.clear()
        if self._resampler is not None:
            self._past, self._fed = self.played, 0
            self._resampler.flush()
            self._taken, self._flushed = exchange.speaker.taken, True
            return
        # The block that is being copied at this moment still counts when it is through.
        self._fed = exchange.speaker.taken - self._taken

    def tend(self) -> None:
        """Let the end of what was written follow when little is left; after each block."""
        exchange = self._exchange
        if exchange is None or self._resampler is None or self._flushed:
            return
        if exchange.speaker.available < LOW_S * exchange.played.rate:
            exchange.speaker.write(self._resampler.flush())
            self._flushed = True

    @property
    def played(self) -> int:
        """How many of the samples written were handed to a loudspeaker; never those cleared."""
        exchange = self._exchange
        if exchange is None:
            return self._past
        taken = exchange.speaker.taken - self._taken
        if self._resampler is None:
            return self._past + taken
        if self._flushed and exchange.speaker.available == 0:
            return self._past + self._fed
        return self._past + min(self._fed, taken * self.rate // exchange.played.rate)

    def _begin_stretch(self, exchange: Exchange) -> None:
        """Start to count anew once all is played, so that rounding does not add up."""
        if self._flushed and exchange.speaker.available == 0:
            self._past, self._fed = self._past + self._fed, 0
            self._taken = exchange.speaker.taken
