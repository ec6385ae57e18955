"""Homotops of a bimetallic cluster: the best ordering of an icosahedron at every composition, and its mixing energy.

    python examples/10_homotops.py [--elements Ag Pd] [--shells 2] [--step 1] [--picture homotops.png]

The mixing energy of A(n)B(N-n) is E - n/N E(A_N) - (N-n)/N E(B_N), of relaxed clusters: what is gained by mixing.
Shells: 2 for 13 atoms, 3 for 55 (take --step 5: larger clusters take minutes).
"""

import argparse

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.cluster import Icosahedron
from ase.optimize import LBFGS
from ase.visualize.plot import plot_atoms

from hea_potential import HEACalculator
from hea_potential.search import best_ordering


def pure(element: str, shells: int) -> Atoms:
    atoms = Icosahedron(element, shells)
    atoms.calc = HEACalculator()
    LBFGS(atoms, logfile=None).run(fmax=0.01, steps=1000)
    return atoms


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--elements", nargs=2, default=["Ag", "Pd"], metavar=("A", "B"))
    parser.add_argument("--shells", type=int, default=2)
    parser.add_argument("--step", type=int, default=1, help="between two numbers of atoms of A")
    parser.add_argument("--picture", default="homotops.png")
    arguments = parser.parse_args()
    first, second = arguments.elements

    of_first, of_second = pure(first, arguments.shells), pure(second, arguments.shells)
    size = len(of_first)
    clusters = [of_second]
    for count in range(arguments.step, size, arguments.step):
        found = []
        for atoms in (of_first.copy(), of_second.copy()):  # the geometries of both: relaxed, they may differ
            atoms.symbols = [first] * count + [second] * (size - count)
            found.append(best_ordering(atoms, seed=1))
        clusters.append(min(found, key=Atoms.get_potential_energy))
    clusters.append(of_first)

    counts = np.array([sum(atoms.symbols == first) for atoms in clusters])
    energies = np.array([atoms.get_potential_energy() for atoms in clusters])
    mixing = energies - energies[0] - counts / size * (energies[-1] - energies[0])
    for atoms, energy in zip(clusters, 1000.0 * mixing / size, strict=True):
        outwards = np.argsort(np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1))
        print(
            f"{atoms.symbols.formula:metal}: mixing energy {energy:.2f} meV/atom, {atoms.symbols[outwards[0]]} inside"
        )

    figure, (curve, picture) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(3, 2))
    curve.plot(counts / size, 1000.0 * mixing / size, "o-")
    curve.set_xlabel(f"share of {first}")
    curve.set_ylabel("mixing energy, meV/atom")
    lowest = clusters[int(np.argmin(mixing))]
    plot_atoms(lowest, picture, radii=1.3, rotation="10x,15y,5z")
    picture.set_axis_off()
    picture.set_title(f"{lowest.symbols.formula:metal}")
    figure.tight_layout()
    figure.savefig(arguments.picture, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main()
