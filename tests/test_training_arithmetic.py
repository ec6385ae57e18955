"""Training leaves the process that called it as it found it."""

from __future__ import annotations

import pytest
import torch
from hea_training.arithmetic import fast_arithmetic, subnormals_are_zero


def test_the_arithmetic_is_fast_in_the_block_and_as_before_after_it() -> None:
    threads = torch.get_num_threads()
    with fast_arithmetic(threads + 1):
        assert torch.get_num_threads() == threads + 1
        assert subnormals_are_zero()
        with fast_arithmetic(threads):
            pass
        assert torch.get_num_threads() == threads + 1
        assert subnormals_are_zero()
    assert torch.get_num_threads() == threads
    assert not subnormals_are_zero()


def test_it_is_as_before_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), fast_arithmetic(1):
        raise ZeroDivisionError
    assert not subnormals_are_zero()
