"""The shipped model itself in torch, the engine, ASE and LAMMPS, on the structures of the reference file.

tests/reference has numbers for a random model, which exercises everything; hea6 changes whenever it learns, so its
numbers come from the torch model of the same file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hea_training.model import TorchModel
from hea_training.parity import LIMITS, ParityError, check_parity
from lammps_runs import LammpsAtoms, measure, outcome, run_lammps, succeed
from reference import ENERGY_FP64, FORCE_FP64, load_cases

from hea_potential import HEACalculator
from hea_potential.model_file import ModelFile, find_model, read_model_file, write_model_file

CASES = load_cases()
ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def test_the_engine_gives_the_numbers_of_torch() -> None:
    agreement = check_parity("hea6", [case.atoms for case in CASES])
    assert agreement.structures == len(CASES)
    assert 0.0 < agreement.single_force <= LIMITS["single"][1]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_lammps_gives_the_numbers_of_ase(ranks: int, tmp_path: Path) -> None:
    styles = f"pair_style hea precision double\npair_coeff * * hea6 {' '.join(ELEMENTS)}"
    atoms = {f"case{index:02d}": LammpsAtoms(case.atoms, ELEMENTS) for index, case in enumerate(CASES)}
    deck = "".join(measure(one, tag, tmp_path, styles) for tag, one in atoms.items())
    stdout = succeed(run_lammps(deck, tmp_path, ranks=ranks))
    calculator = HEACalculator("hea6")
    for case, (tag, one) in zip(CASES, atoms.items(), strict=True):
        got = outcome(one, tag, tmp_path, stdout)
        assert abs(got.energy - calculator.get_potential_energy(case.atoms)) <= ENERGY_FP64 * len(case.atoms), case
        np.testing.assert_allclose(got.forces, calculator.get_forces(case.atoms), atol=FORCE_FP64, rtol=0)


def test_a_file_that_the_engine_reads_differently_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch is shown a model whose first head differs by a part in a million from the file that the engine reads."""
    path = tmp_path / "other.safetensors"
    model = read_model_file(find_model("hea6"))
    write_model_file(path, model)
    changed = model.tensors | {"head.out": model.tensors["head.out"] * np.float32(1.0 + 1e-6)}
    other = TorchModel(ModelFile(changed, model.metadata))
    monkeypatch.setattr("hea_training.parity.from_file", lambda _: other)
    with pytest.raises(ParityError, match="double precision differs from torch"):
        check_parity(path, [case.atoms for case in CASES if len(case.atoms) == 38])
