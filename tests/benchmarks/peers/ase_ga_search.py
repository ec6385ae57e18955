"""A search by ase-ga for `search_peers.py`, with the operators and settings of its tutorial; runs where ase-ga is
installed.

    python ase_ga_search.py FORMULA SEED SECONDS

Each relaxed candidate is a line: `candidate`, CPU seconds since the beginning, energy in eV.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT
from ase.optimize import BFGS
from ase_ga.cutandsplicepairing import CutAndSplicePairing
from ase_ga.data import DataConnection, PrepareDB
from ase_ga.offspring_creator import OperationSelector
from ase_ga.population import Population
from ase_ga.standard_comparators import InteratomicDistanceComparator
from ase_ga.standardmutations import MirrorMutation, PermutationMutation, RattleMutation
from ase_ga.startgenerator import StartGenerator
from ase_ga.utilities import closest_distances_generator, get_all_atom_types

POPULATION = 20
MUTATION = 0.3  # probability
FMAX, STEPS = 0.05, 100
CELL = 25.0  # A
BOX = 10.0  # A, where starts are placed


def relax(atoms: Atoms) -> float:
    """Relax in place and note the score; returns the energy."""
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=FMAX, steps=STEPS)
    energy = float(atoms.get_potential_energy())
    atoms.info["key_value_pairs"]["raw_score"] = -energy
    return energy


def main(formula: str, seed: int, seconds: float, folder: Path) -> None:
    """Fill a population with random starts, then pair and mutate."""
    rng = np.random.RandomState(seed)
    began = time.process_time()

    def report(energy: float) -> None:
        print(f"candidate {time.process_time() - began:.3f} {energy:.6f}", flush=True)

    empty = Atoms(cell=[CELL] * 3, pbc=False)
    numbers = [int(number) for number in Atoms(formula).numbers]
    distances = closest_distances_generator(get_all_atom_types(empty, numbers), ratio_of_covalent_radii=0.7)
    corner = np.full(3, 0.5 * (CELL - BOX))
    starts = StartGenerator(empty, numbers, distances, box_to_place_in=[corner, np.eye(3) * BOX], rng=rng)
    path = str(folder / "ga.db")
    prepared = PrepareDB(path, simulation_cell=empty, stoichiometry=numbers)
    for _ in range(POPULATION):
        prepared.add_unrelaxed_candidate(starts.get_new_candidate())

    data = DataConnection(path)
    size = len(numbers)
    comparator = InteratomicDistanceComparator(
        n_top=size, pair_cor_cum_diff=0.015, pair_cor_max=0.7, dE=0.02, mic=False
    )
    pairing = CutAndSplicePairing(empty, size, distances, rng=rng)
    mutations = OperationSelector(
        [1.0, 1.0, 1.0],
        [
            MirrorMutation(distances, size, rng=rng),
            RattleMutation(distances, size, rng=rng),
            PermutationMutation(size, rng=rng),
        ],
        rng=rng,
    )
    while data.get_number_of_unrelaxed_candidates() > 0 and time.process_time() - began < seconds:
        start = data.get_an_unrelaxed_candidate()
        report(relax(start))
        data.add_relaxed_step(start)
    population = Population(data, POPULATION, comparator, rng=rng)
    while time.process_time() - began < seconds:
        child, description = pairing.get_new_individual(population.get_two_candidates())
        if child is None:
            continue
        data.add_unrelaxed_candidate(child, description)
        if rng.uniform() < MUTATION:
            mutant, description = mutations.get_new_individual([child])
            if mutant is not None:
                data.add_unrelaxed_step(mutant, description)
                child = mutant
        report(relax(child))
        data.add_relaxed_step(child)
        population.update()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(scratch))
