"""The ring does what a plain list would do, in bounded memory."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.audio.ring import Ring

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 25)),
        st.tuples(st.just("read"), st.integers(0, 25)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=60,
)


@given(capacity=st.integers(1, 20), steps=STEPS)
def test_it_behaves_like_a_list(capacity: int, steps: list[tuple[str, int]]) -> None:
    ring = Ring(capacity)
    waiting: list[int] = []
    void = 0  # cleared, but the reader has not come by
    number = taken = refused = 0
    for step, size in steps:
        if step == "write":
            samples = list(range(number, number + size))
            number += size
            fits = min(size, capacity - void - len(waiting))
            assert ring.write(np.array(samples, np.int16)) == fits
            waiting += samples[:fits]
            refused += size - fits
        elif step == "read":
            out = np.full(size, -1, np.int16)
            count = ring.read_into(out)
            assert out.tolist() == waiting[:count] + [-1] * (size - count)
            assert count == min(size, len(waiting))
            del waiting[:count]
            void = 0
            taken += count
        else:
            ring.clear()
            void += len(waiting)
            waiting = []
        assert ring.available == len(waiting)
        assert ring.room == capacity - void - len(waiting)
        assert (ring.taken, ring.refused) == (taken, refused)


def test_nothing_is_lost_between_two_threads() -> None:
    ring = Ring(1000)
    total = 30_000
    numbers = np.arange(total, dtype=np.int16)
    received: list[int] = []

    def read() -> None:
        out = np.empty(77, np.int16)
        while len(received) < total:
            received.extend(out[: ring.read_into(out)].tolist())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    sent = 0
    while sent < total:
        sent += ring.write(numbers[sent : sent + 113])
    reader.join(timeout=60)
    assert received == numbers.tolist()
    assert ring.taken == total
