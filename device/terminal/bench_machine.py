"""What the machine is, how fast it is at this moment, and how much of it the program takes.

Layer 6, Linux. Serves ``rapport bench``: shared machines can be ten times slower from one minute
to the next, so each figure is shown with what a plain loop took just before and just after it.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

HEALTHY_S = 0.13
"""What the loop takes on the machine of the published figures when nobody else uses it."""
_STEPS = 2_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as a reader of the figures wants to know it."""

    name: str
    model: str
    """The processor, or the board where it has a name."""
    cores: int
    """How many this process may use."""
    memory_mb: float
    system: str
    python: str


def describe() -> Machine:
    """Return what the machine says of itself."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        name=platform.node(),
        model=_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=pages / 1e6,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def calibrate(repeats: int = 3) -> float:
    """Return the median seconds of a Python loop of two million steps; ``HEALTHY_S`` is normal."""
    return statistics.median(_loop() for _ in range(repeats))


def load_average() -> float:
    """Return how many threads wanted a core over the last minute: above the cores, they queue.

    A single loop hardly notices a crowd that halves the speed of two threads in step.
    """
    return os.getloadavg()[0]


def resident_mb() -> float:
    """Return the memory in use now, in MB of a million bytes."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb() -> float:
    """Return the most memory that was ever in use, in MB of a million bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def age_s() -> float:
    """Return seconds since this process was started."""
    # After the name in brackets, which may hold blanks: the 20th field is the start, in ticks.
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _loop() -> float:
    begun, total = time.perf_counter(), 0
    for step in range(_STEPS):
        total += step
    return time.perf_counter() - begun


def _model() -> str:
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(encoding="utf-8").strip("\0 \n")
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
