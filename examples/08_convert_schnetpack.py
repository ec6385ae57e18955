"""Convert a SchNetPack checkpoint to a model file, and compare the two in ASE: the same energies, faster.

A stock SchNet with random weights stands for your `best_model`.
"""

import subprocess

import schnetpack as spk
import torch
from ase.cluster import Icosahedron
from schnetpack.interfaces import SpkCalculator

from hea_potential import HEACalculator

CUTOFF = 5.0  # A

torch.manual_seed(1)
model = spk.model.NeuralNetworkPotential(
    representation=spk.representation.SchNet(
        n_atom_basis=32,
        n_interactions=3,
        radial_basis=spk.nn.GaussianRBF(n_rbf=25, cutoff=CUTOFF),
        cutoff_fn=spk.nn.CosineCutoff(CUTOFF),
    ),
    input_modules=[spk.atomistic.PairwiseDistances()],
    output_modules=[
        spk.atomistic.Atomwise(n_in=32, output_key="energy"),
        spk.atomistic.Forces(energy_key="energy", force_key="forces"),
    ],
)
torch.save(model, "best_model")

command = "hea convert best_model -o converted.safetensors --elements Cu,Au --energy-unit eV"
subprocess.run(command.split(), check=True)

atoms = Icosahedron("Cu", 3)
atoms.symbols[:13] = "Au"
atoms.rattle(0.1, seed=1)
neighbours = spk.transform.ASENeighborList(cutoff=CUTOFF)
original = SpkCalculator("best_model", neighbor_list=neighbours, energy_unit="eV", position_unit="Ang")
converted = HEACalculator("converted.safetensors", precision="double")
difference = abs(original.get_potential_energy(atoms) - converted.get_potential_energy(atoms)) / len(atoms)
force = abs(original.get_forces(atoms) - converted.get_forces(atoms)).max()
print(f"energy differs by {difference:.1e} eV an atom, forces by {force:.1e} eV/A at most")
if difference > 1e-4 or force > 1e-2:
    raise SystemExit("the converted model is not the original")
