"""Takes the loudspeaker out of the microphone: two adaptive filters by their libraries.

Layer 2. Serves ``echo_path``, on the loop's thread: 20 ms of sound take 0.15 ms (x86).
Speex (Valin, IEEE TASLP 15(3), 2007: a filter in the frequency domain whose step follows the
leakage, so that it may go on learning while both speak) lets the talker through; WebRTC's AEC3 is
quicker to learn and survives loudspeakers that distort, and mutes more of the talker.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

import numpy as np

from device.types import HEARING_RATE, Pcm, RapportError

FRAME = HEARING_RATE // 100
"""Samples a filter takes at a time: 10 ms."""

TAIL = round(0.2 * HEARING_RATE)
"""Length of the room's answer that Speex models, in samples."""

SET_SAMPLING_RATE = 24
SET_ECHO_STATE = 24
SET_DENOISE = 0
"""Numbers of speexdsp's requests (speex_echo.h and speex_preprocess.h of 1.2.1)."""


class Speex:
    """The echo canceller of speexdsp with the residual suppressor of its preprocessor.

    Its state is kept as long as the line is open: it takes some seconds of playing to converge.
    """

    def __init__(self) -> None:
        """Raise RapportError if the library is not on this system."""
        name = ctypes.util.find_library("speexdsp")
        if name is None:
            raise RapportError(
                'line.echo = "speex" needs the system library libspeexdsp; run provisioning/setup, '
                'or: apt-get install libspeexdsp1, or set line.echo = "webrtc" or "off"'
            )
        self._library = _declared(ctypes.CDLL(name))
        self._state = self._library.speex_echo_state_init(FRAME, TAIL)
        self._after = self._library.speex_preprocess_state_init(FRAME, HEARING_RATE)
        self._control(self._library.speex_echo_ctl, self._state, SET_SAMPLING_RATE, HEARING_RATE)
        self._library.speex_preprocess_ctl(self._after, SET_ECHO_STATE, self._state)
        # The recognizer was trained on noise; what the denoiser takes away it misses.
        self._control(self._library.speex_preprocess_ctl, self._after, SET_DENOISE, 0)
        self._out = np.zeros(FRAME, np.int16)

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        """Return 10 ms of the microphone without what came of ``far``: int16, shape (160,)."""
        near, far = np.ascontiguousarray(near), np.ascontiguousarray(far)
        self._library.speex_echo_cancellation(
            self._state, _pointer(near), _pointer(far), _pointer(self._out)
        )
        self._library.speex_preprocess_run(self._after, _pointer(self._out))
        return self._out.copy()

    def close(self) -> None:
        """Free the library's memory; not to be used after."""
        if self._state:
            self._library.speex_preprocess_state_destroy(self._after)
            self._library.speex_echo_state_destroy(self._state)
            self._state = self._after = None

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self.close()

    @staticmethod
    def _control(function: Any, state: Any, request: int, value: int) -> None:
        number = ctypes.c_int(value)
        function(state, request, ctypes.byref(number))


class WebRtc:
    """AEC3 of WebRTC."""

    def __init__(self) -> None:
        """Raise RapportError if the library is not installed."""
        try:
            from pywebrtc_audio import AudioProcessor  # noqa: PLC0415
        except ImportError:
            raise RapportError(
                'line.echo = "webrtc" needs the Python package pywebrtc-audio; run '
                'provisioning/setup, or set line.echo = "speex"'
            ) from None
        self._processor = AudioProcessor(
            sample_rate=HEARING_RATE, echo_cancellation=True, noise_suppression=False
        )

    def cancel(self, near: Pcm, far: Pcm) -> Pcm:
        """Return 10 ms of the microphone without what came of ``far``: int16, shape (160,)."""
        out: Pcm = self._processor.process(near, far)
        return out

    def close(self) -> None:
        """Let the processor go."""


def _pointer(samples: Pcm) -> Any:
    return samples.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))


def _declared(library: Any) -> Any:
    """Tell ctypes what the library takes and returns: pointers are no ints on 64 bits."""
    handle, number = ctypes.c_void_p, ctypes.c_int
    samples = ctypes.POINTER(ctypes.c_int16)
    for name, returns, takes in (
        ("speex_echo_state_init", handle, [number, number]),
        ("speex_echo_state_destroy", None, [handle]),
        ("speex_echo_cancellation", None, [handle, samples, samples, samples]),
        ("speex_echo_ctl", number, [handle, number, handle]),
        ("speex_preprocess_state_init", handle, [number, number]),
        ("speex_preprocess_state_destroy", None, [handle]),
        ("speex_preprocess_run", number, [handle, samples]),
        ("speex_preprocess_ctl", number, [handle, number, handle]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
    return library
