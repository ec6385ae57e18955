"""Structures that searches with an earlier model find: `python -m hea_training.hea6.found MODEL found.extxyz.gz`.

A search is the hardest critic of a potential: it goes where the energy is lowest, also where the energy is wrong. Short
genetic searches of every set of elements give the minima that the model believes in, those that it is least sure of,
those of which its own error estimate says that they mean nothing (the outcome `unknown`), and some of them shaken.
`recipe.py` adds the file to the structures to label; it is kept beside the recipe because the model that it came from
is replaced by what it teaches.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from ase import Atoms
from ase.io import write
from rich.progress import track

from hea_potential.complete_file import complete_file
from hea_potential.search.archive import Archive
from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.geometry import Cluster
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.moves import MOVES
from hea_potential.search.pair import Pair
from hea_potential.search.similarity import fingerprint
from hea_potential.search.starts import STARTS
from hea_potential.search.tasks import Result, Setup, made

from .clusters import composition
from .metals import METALS, closeness

SEED = 20261121
SEARCHES = {1: 7, 2: 7, 3: 4, 4: 3, 5: 5, 6: 30}  # for a set of this many elements
MINIMISATIONS = 200
UNKNOWN, LOWEST, UNSURE, SHAKEN = 3, 2, 2, 2  # structures kept of each search


def found_by_search(model: str, elements: tuple[str, ...], index: int, search: int) -> list[Atoms]:
    """One short search: unknown minima, lowest minima, and some of both with Gaussian displacements."""
    rng = np.random.default_rng([SEED, index, search])
    size = int(rng.integers(max(6, len(elements)), 51))
    symbols = composition(elements, size, rng)
    wanted = Composition(elements, tuple(symbols.count(element) for element in elements))
    pair = Pair.of_model(model, wanted)
    bonds = probe_bonds(wanted, pair)
    setup = Setup(
        wanted,
        pair,
        tuple(map(tuple, bonds.tolist())),
        Limits(fmax=0.05),
        tuple(STARTS.items()),
        tuple(MOVES.items()),
        seed=int(rng.integers(2**31)),
    )
    minimiser, method, archive = (
        Minimiser(wanted, pair, bonds, setup.limits),
        GeneticAlgorithm(setup),
        Archive(wanted, bonds),
    )
    unknown: list[Cluster] = []
    sigmas: list[float] = []  # of the archive's minima
    for number in range(MINIMISATIONS):
        task = method.propose(number)
        quench = minimiser(made(setup, task), task.quench)
        result = Result(number, task.operator, task.parent_ids, quench.outcome, quench=task.quench)
        minimum, is_new = None, False
        if quench.outcome == "unknown":
            unknown.append(quench.cluster)
        elif quench.outcome == "minimum":
            cluster = quench.cluster.ordered()
            described = fingerprint(cluster, bonds)
            result = replace(result, energy=quench.energy, cluster=cluster, fingerprint=described)
            minimum = archive.find(quench.energy, described)
            is_new = minimum is None
            if minimum is None:
                minimum = archive.enter(result, 0.0)
                sigmas.append(minimiser.lammps.extract_pair("sigma"))
        method.absorb(result, minimum, is_new)
    minimiser.close()
    kept = [unknown[k] for k in rng.permutation(len(unknown))[:UNKNOWN]]
    lowest = archive.lowest(LOWEST)
    others = [minimum for minimum in archive.minima if minimum not in lowest]
    unsure = sorted(others, key=lambda minimum: -sigmas[minimum.number])[:UNSURE]
    kept += [minimum.cluster for minimum in (*lowest, *unsure)]
    for k in rng.permutation(len(kept))[:SHAKEN]:
        width = rng.uniform(0.05, 0.3)
        kept.append(Cluster(kept[k].types, kept[k].positions + rng.normal(scale=width, size=kept[k].positions.shape)))
    group = f"{''.join(elements)}/cluster.found/{search}"
    structures = [Atoms(wanted.names(cluster.types), positions=np.round(cluster.positions, 6)) for cluster in kept]
    for atoms in structures:
        atoms.info.update(kind="cluster.found", group=group, relax=0, max_force=25.0)
    return [atoms for atoms in structures if closeness(atoms) >= 1.0]


def found_in(model: str, elements: tuple[str, ...], index: int) -> list[Atoms]:
    """All searches of one set of elements."""
    numbers = range(SEARCHES[len(elements)])
    return [atoms for search in numbers for atoms in found_by_search(model, elements, index, search)]


def main() -> None:
    """Search every set of elements and write what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="model file that searches")
    parser.add_argument("structures", help="file to write, extended XYZ, packed if its name ends in .gz")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    sets = [chosen for size in range(1, 7) for chosen in itertools.combinations(METALS, size)]
    with ProcessPoolExecutor(options.processes) as pool:
        results = pool.map(partial(found_in, options.model), sets, range(len(sets)))
        structures = [atoms for found in track(results, "searching", total=len(sets)) for atoms in found]
    with complete_file(options.structures) as temporary:
        write(temporary, structures, format="extxyz", columns=["symbols", "positions"])
    print(f"{len(structures)} structures of {sum(map(len, structures))} atoms")


if __name__ == "__main__":
    main()
