"""Write model.safetensors and structures.json: `python tests/reference/generate.py` from the repository's root.

The numbers come from plain_model.py in float64. Rerun it only when the equations of ARCHITECTURE.md change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, fcc111
from ase.cluster import Icosahedron, Octahedron

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script, only this folder would be found

from random_model import random_model, write_model

from reference import MODEL, STRUCTURES
from reference.plain_model import Evaluation, PlainModel

ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def structures(rng: np.random.Generator) -> Iterator[tuple[str, Atoms]]:
    """Names and structures on which all backends are compared."""

    def ordered(atoms: Atoms, symbols: tuple[str, ...], rattle: float = 0.1) -> Atoms:
        """Random ordering of the elements, each at least once, and random displacements."""
        names = np.resize(symbols, len(atoms))
        atoms.symbols[:] = rng.permutation(names)
        atoms.positions += rng.normal(scale=rattle, size=(len(atoms), 3))
        return atoms

    yield "single atom", Atoms("Ni", positions=[[0.3, -0.2, 0.1]])
    yield "dimer", Atoms("CuPd", positions=[[0, 0, 0], [1.3, 1.2, 1.6]])
    yield "dimer inside the repulsion", Atoms("NiCu", positions=[[0, 0, 0], [0.6, 0.7, 0.7]])
    yield "dimer beyond the cutoff", Atoms("AgAg", positions=[[0, 0, 0], [3, 4, 5]])
    yield "Ni13", ordered(Icosahedron("Ni", 2), ("Ni",))
    yield "13 atoms of six elements", ordered(Icosahedron("Cu", 2, latticeconstant=3.8), ELEMENTS)
    yield "38 atoms of two elements", ordered(Octahedron("Cu", 4, cutoff=1), ("Cu", "Pd"))
    yield "38 atoms of four elements", ordered(Octahedron("Pd", 4, cutoff=1), ("Ni", "Pd", "Ag", "Au"))
    yield "55 atoms of three elements", ordered(Icosahedron("Cu", 3, latticeconstant=3.8), ("Cu", "Pt", "Au"))
    yield "55 atoms of five elements", ordered(Icosahedron("Ag", 3), ("Ni", "Cu", "Pd", "Ag", "Pt"))
    yield "147 atoms of six elements", ordered(Icosahedron("Pd", 4), ELEMENTS)
    yield "one atom in a small cell", bulk("Cu")
    yield (
        "two atoms in a small cell",
        Atoms("CuPd", scaled_positions=[[0, 0, 0], [0.5, 0.52, 0.49]], cell=[2.9] * 3, pbc=True),
    )
    yield "three atoms in a small cell", ordered(bulk("Au", cubic=True)[:3], ("Ni", "Au"), rattle=0.05)
    yield "four atoms in a small cell", ordered(bulk("Au", cubic=True), ("Cu", "Cu", "Cu", "Au"), rattle=0.05)
    yield "108 atoms of bulk", ordered(bulk("Pd", cubic=True).repeat(3), ELEMENTS)
    triclinic = bulk("Ag", cubic=True).repeat(2)
    triclinic.set_cell(triclinic.cell @ [[1.02, 0, 0], [0.13, 0.97, 0], [-0.08, 0.11, 1.03]], scale_atoms=True)
    yield "triclinic bulk", ordered(triclinic, ("Pd", "Ag", "Pt"))
    slab = ordered(fcc111("Pt", (3, 4, 4), vacuum=None, orthogonal=True), ("Ni", "Pt"))
    yield "slab", slab
    yield (
        "wire",
        Atoms(
            "AuCuAu", positions=[[0.1, 0, 0], [2.6, 0.3, 0], [5.3, 0, 0.2]], cell=[7.8, 0, 0], pbc=[True, False, False]
        ),
    )
    cluster = ordered(Icosahedron("Ni", 2), ("Ni", "Cu"))
    yield "last atom isolated", cluster + Atoms("Au", positions=[cluster.positions.max(axis=0) + 9.0])


def entry(name: str, atoms: Atoms, got: Evaluation) -> dict[str, object]:
    return {
        "name": name,
        "symbols": list(atoms.symbols),
        "positions": atoms.positions.tolist(),
        "cell": np.asarray(atoms.cell).tolist(),
        "pbc": [bool(periodic) for periodic in atoms.pbc],
        "energy": got.energy,
        "energies": got.energies.tolist(),
        "forces": got.forces.tolist(),
        "virial": got.virial.tolist(),
        "sigma": got.sigma,
        "sigma_gradient": got.sigma_gradient.tolist(),
        "beyond": got.beyond.tolist(),
    }


def main() -> None:
    rng = np.random.default_rng(20261121)
    # Weights stored as float32, so that every precision reads the same ones.
    write_model(MODEL, *random_model(rng, elements=ELEMENTS), fp32=True)
    model = PlainModel(MODEL)
    entries = [json.dumps(entry(name, atoms, model.evaluate(atoms))) for name, atoms in structures(rng)]
    STRUCTURES.write_text("[\n" + ",\n".join(entries) + "\n]\n")
    print(f"{len(entries)} structures in {STRUCTURES.name}, {STRUCTURES.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
