"""Label a copper dimer with GPAW, for real: `python tests/gpaw/check_dimer.py` where gpaw is installed.

Not a part of pytest's run: GPAW is compiled against libxc when it is installed. On Debian:

    apt-get install libxc-dev libopenblas-dev && CC=g++ pip install gpaw

Coarse settings: half a minute on one core. What is checked does not depend on them: the forces are the gradient of the
energies, they vanish in sum, and PBE's bond length of Cu2 (2.22 A) lies between the two dimers; and ranks of mpirun, a
structure each, give the same labels.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from hea_potential.dataset import DataSet, read_dataset
from hea_potential.labels import label_structures
from hea_potential.reference import check_elements

SETTINGS = """
vacuum = 3.0
[parameters]
mode = {name = "pw", ecut = 300.0}
convergence = {energy = 1e-6}
"""
STEP = 0.02  # A, either side of each distance


def main() -> None:
    """Label dimers in one process and compare; then two of them under mpirun."""
    folder = Path(tempfile.mkdtemp())
    settings = folder / "gpaw.toml"
    settings.write_text(SETTINGS)
    reference = f"gpaw:{settings}"
    check_elements(reference, ["Cu", "Ni", "Au"])
    distances = [2.05, 2.45]
    dimers = []
    for r in distances:
        for k, bond in enumerate((r - STEP, r, r + STEP)):
            atoms = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, bond]])
            atoms.info = {"name": f"Cu2-{r * 100:.0f}-{k}", "kind": "dimer"}
            dimers.append(atoms)
    dataset = label_structures(dimers, folder / "labels.h5", reference, processes=0)
    assert dataset.failures == {}, dataset.failures
    assert dataset.provenance["reference"]["settings"]["parameters"]["xc"] == "PBE"
    order = np.argsort(dataset.name.astype(str))
    energies = dataset.energy[order].reshape(2, 3)
    pulls = dataset.forces.reshape(-1, 2, 3)[order][:, 1, 2].reshape(2, 3)  # on the second atom, along the bond
    sums = np.abs(dataset.forces.reshape(-1, 2, 3).sum(axis=1)).max()
    slopes = -(energies[:, 2] - energies[:, 0]) / (2 * STEP)
    print(f"Cu2, PBE: energies {np.round(energies[:, 1], 4)} eV, forces {np.round(pulls[:, 1], 3)} eV/A")
    print(f"from energies {np.round(slopes, 3)} eV/A; sum of forces {sums:.4f} eV/A")
    assert sums < 0.02
    assert np.abs(pulls[:, 1] - slopes).max() < 0.1  # energies depend a little on where the atoms are in the grid
    assert pulls[0, 1] > 0.5
    assert pulls[1, 1] < -0.5
    ranks = labels_of_ranks(dimers[:2], folder, reference)
    assert ranks.failures == {}, ranks.failures
    alone = dict(zip(dataset.name, dataset.energy, strict=True))
    assert max(abs(energy - alone[name]) for name, energy in zip(ranks.name, ranks.energy, strict=True)) < 1e-5
    print("2 passed, 0 failed")


def labels_of_ranks(structures: list[Atoms], folder: Path, reference: str) -> DataSet:
    """The labels of two ranks of mpirun."""
    ase.io.write(folder / "structures.extxyz", structures)
    mpirun = Path(sysconfig.get_path("scripts")) / "mpirun"
    hea = [sys.executable, "-c", "from hea_potential.cli import main; main()"]
    output = folder / "ranks.h5"
    words = ["label", folder / "structures.extxyz", "-o", output, "--reference", reference]
    subprocess.run([mpirun, "-n", "2", *hea, *words], check=True, timeout=600)
    return read_dataset(output)


if __name__ == "__main__":
    main()
