"""Rapport: an empathic voice interface that runs entirely on the device."""

import os

__version__ = "0.1.0"

# Our matrices are small. With threads of its own, BLAS spins for about 50 ms of CPU after each
# product (measured 2026-11-22); it reads this before numpy is imported for the first time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
