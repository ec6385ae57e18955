"""How torch calculates while it trains: on how many threads, in which numbers, and without subnormal ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["calculate_fast", "fast_arithmetic"]


def subnormals_are_zero() -> bool:
    """Whether this thread calculates with zero in place of numbers too small for full precision."""
    return sys.float_info.min / 2.0 == 0.0


def calculate_fast(threads: int) -> None:
    """From now on torch calculates on `threads` threads, and with subnormal numbers as zero: for a process that does
    nothing else. See `fast_arithmetic`.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


@contextmanager
def fast_arithmetic(threads: int) -> Iterator[None]:
    """Torch calculates on `threads` threads, in single precision unless asked for double, with gradients, and with
    subnormal numbers as zero, while the block runs.

    Weights and moments that decay towards zero become subnormal, and each operation on one costs a hundred ordinary
    ones. What is outside the block calculates as it did: the setting is one of the whole thread, not of torch alone.
    A reference that labels in the same process may have set others for itself, as those in double precision do.
    """
    before = torch.get_num_threads(), subnormals_are_zero(), torch.get_default_dtype()
    calculate_fast(threads)
    torch.set_default_dtype(torch.float32)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_flush_denormal(before[1])
        torch.set_default_dtype(before[2])
