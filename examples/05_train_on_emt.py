"""Train a stratified Cu-Au potential on EMT labels: from nothing to a model in ASE in under three minutes.

The structures are rattled fcc cells and cuts of icosahedra of Cu, Au and both. For a serious potential use a better
reference and more of everything: training/hea6/ is how the shipped model was made.
"""

import subprocess
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from ase.io import write

from hea_potential import HEACalculator

CONFIGURATION = """
name = "Cu-Au on EMT"
data = "labels.h5"
output = "model"
elements = ["Cu", "Au"]
seed = 1
workers = 2

[architecture]
n_interactions = 2
n_features = 32
n_angular = 8
n_hidden = 16

[training]
epochs = 40
"""


def structure(symbols: str, rng: np.random.Generator) -> Atoms:
    """Return a rattled fcc cell or a rattled cluster of up to 40 atoms; 'CuAu' is a random mixture."""
    lattice_constant = {"Cu": 3.61, "Au": 4.08, "CuAu": 3.85}[symbols] * rng.uniform(0.96, 1.05)
    if rng.random() < 0.4:
        atoms = bulk("Cu", a=lattice_constant, cubic=True).repeat((2, 1, 1))
    else:
        atoms = Icosahedron("Cu", 3, latticeconstant=lattice_constant)
        order = np.argsort(np.linalg.norm(atoms.positions, axis=1), kind="stable")
        atoms = atoms[order[: int(rng.integers(4, 41))]]
    share = {"Cu": 0.0, "Au": 1.0, "CuAu": rng.uniform(0.1, 0.9)}[symbols]
    atoms.symbols = np.where(rng.random(len(atoms)) < share, "Au", "Cu")
    atoms.positions += rng.normal(scale=rng.uniform(0.02, 0.2), size=atoms.positions.shape)
    return atoms


rng = np.random.default_rng(1)
structures = [Atoms("Cu"), Atoms("Au")]
pairs = (("Cu", "Cu"), ("Cu", "Au"), ("Au", "Au"))
structures += [Atoms(pair, [[0, 0, 0], [r, 0, 0]]) for pair in pairs for r in np.arange(1.9, 4.9, 0.15)]
structures += [structure(symbols, rng) for symbols in ("Cu", "Au", "CuAu") for _ in range(200)]
for k, atoms in enumerate(structures):
    kind = {1: "atom", 2: "dimer"}.get(len(atoms), "structure")
    atoms.info |= {"name": f"s{k:04d}", "kind": kind}
write("structures.extxyz", structures)
Path("train.toml").write_text(CONFIGURATION)

subprocess.run(["hea", "label", "structures.extxyz", "-o", "labels.h5", "--reference", "emt"], check=True)
subprocess.run(["hea", "train", "train.toml"], check=True)
subprocess.run(["hea", "test", "model/model.safetensors", "labels.h5"], check=True)

atoms = structure("CuAu", rng)
atoms.calc = HEACalculator("model/model.safetensors")
learned, reference = atoms.get_potential_energy(), EMT().get_potential_energy(atoms)
print(f"a new cluster or crystal {atoms.symbols}: model {learned:.3f} eV, EMT {reference:.3f} eV")
