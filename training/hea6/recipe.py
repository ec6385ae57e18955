"""Generate the structures of the shipped model's data set: `python -m hea_training.hea6.recipe structures.extxyz`.

One seed gives the same structures: every set of elements has a generator of its own, whatever the number of processes.
Each structure carries what the labelling needs: `name`, `kind`, `group` (its family: never split between training and
test), `relax` (steps of a relaxation with the reference, of which frames are labelled; 0 for one label) and
`max_force` (eV/A, above which the label is refused).
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from rich.progress import track

from hea_potential.complete_file import complete_file
from hea_potential.label_one import labelled_steps

from .clusters import CLUSTER_FAMILIES, dimers, trimer
from .metals import METALS, closeness
from .periodic import PERIODIC_FAMILIES, lattices_of, lattices_of_alloys

SEED = 20260607

# Structures for a set of this many elements, beside the dimers, trimers and lattices: one table for each batch. Each
# batch is a sample of the whole, so that the data set grows by another line without any change to what was labelled.
BATCHES = ({1: 470, 2: 325, 3: 125, 4: 90, 5: 108, 6: 560},)

# What searches with an earlier hea6 found: written by found.py.
FOUND = Path(__file__).with_name("found.extxyz.gz")

# Steps of a relaxation with the reference, and the number of its frames that the labelling keeps.
RELAXATION_STEPS = 12
RELAXATION_FRAMES = len(labelled_steps(RELAXATION_STEPS))

# Shares of the kinds in a set, percent, with the range of sizes for clusters.
SHARES: list[tuple[str, str, float]] = [
    ("cluster.random", "small", 4.0),
    ("cluster.snapshot", "small", 3.0),
    ("cluster.relaxation", "small", 3.5),
    ("cluster.random", "medium", 8.0),
    ("cluster.motif", "medium", 5.0),
    ("cluster.snapshot", "medium", 9.0),
    ("cluster.relaxation", "medium", 8.0),
    ("cluster.ordering", "medium", 6.0),
    ("cluster.random", "large", 1.0),
    ("cluster.motif", "large", 2.0),
    ("cluster.snapshot", "large", 2.5),
    ("cluster.ordering", "large", 2.5),
    ("bulk.solution", "", 13.0),
    ("bulk.ordered", "", 11.0),
    ("slab", "", 13.5),
    ("vacancy", "", 3.0),
    ("liquid", "", 5.0),
]


def cluster_size(size: str, n_elements: int, rng: np.random.Generator) -> int:
    """A number of atoms: small 4-12, medium 13-38, large 39-147 (mostly below 56)."""
    if size == "small":
        return int(rng.integers(max(4, n_elements), 13))
    if size == "medium":
        return int(rng.choice([13, 19, 38])) if rng.random() < 0.15 else int(rng.integers(13, 39))
    closed = rng.choice([0, 55, 75, 79, 147], p=[0.72, 0.15, 0.04, 0.03, 0.06])
    return int(closed) if closed else int(39 + 17 * rng.beta(1.0, 1.4))


def finished(atoms: Atoms, kind: str, group: str, relax: int = 0, max_force: float = 15.0) -> Atoms:
    """A structure rounded to 1e-6 A with what the labelling needs to know."""
    atoms = Atoms(atoms.symbols, positions=np.round(atoms.positions, 6), cell=np.round(atoms.cell, 6), pbc=atoms.pbc)
    atoms.info.update(kind=kind, group=group, relax=relax, max_force=max_force)
    return atoms


def families_of(batch: int, elements: tuple[str, ...], index: int) -> tuple[list[Atoms], Counter[str]]:
    """A batch's structures of one set of elements, and how many of each kind were dropped for close atoms."""
    rng = np.random.default_rng([SEED, index + 64 * batch])
    system = "".join(elements)
    kept: list[Atoms] = []
    dropped: Counter[str] = Counter()
    family = 1000 * batch  # batches do not share families
    for planned, size, share in SHARES:
        one_ordering = planned == "cluster.ordering" and len(elements) == 1
        kind = "cluster.motif" if one_ordering else planned
        wanted = share / 100.0 * BATCHES[batch][len(elements)]
        wanted = int(wanted) + int(rng.random() < wanted % 1.0)
        while wanted > 0:
            if kind in CLUSTER_FAMILIES:
                members = CLUSTER_FAMILIES[kind](elements, cluster_size(size, len(elements), rng), rng)
            else:
                members = PERIODIC_FAMILIES[kind](elements, rng)
            family += 1
            relax = kind == "cluster.relaxation"
            for member in members:
                if closeness(member) < 1.0:
                    dropped[kind] += 1
                elif wanted > 0:
                    group = f"{system}/{kind}/{family}"
                    kept.append(finished(member, kind, group, relax=RELAXATION_STEPS if relax else 0))
                    wanted -= RELAXATION_FRAMES if relax else 1
    return kept, dropped


def few_atoms_and_lattices() -> list[Atoms]:
    """Single atoms, the curves of all pairs, trimers, and the lattices that every model is trained on."""
    rng = np.random.default_rng([SEED, 1000])
    structures = [finished(Atoms([e]), "atom", f"{e}/atom") for e in METALS]
    for a, b in itertools.combinations_with_replacement(METALS, 2):
        structures += [finished(pair, "dimer", f"{a}{b}/dimer{k}", 0, 40.0) for k, pair in enumerate(dimers(a, b, 26))]
    for size, count in ((1, 14), (2, 10), (3, 5)):
        for chosen in itertools.combinations(METALS, size):
            for k in range(count):
                symbols = [chosen[m % size] for m in range(3)]
                triple = trimer([symbols[m] for m in rng.permutation(3)], rng)
                if closeness(triple) >= 1.0:
                    structures.append(finished(triple, "trimer", f"{''.join(chosen)}/trimer{k}", 0, 40.0))
    for element in METALS:
        structures += [finished(cell, "lattice", f"{element}/{family}") for family, cell in lattices_of(element, rng)]
    structures += [finished(cell, "lattice", family) for family, cell in lattices_of_alloys(rng)]
    return structures


def main() -> None:
    """Generate all batches, add what was found, and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("structures", help="file to write, extended XYZ")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    sets = [chosen for size in range(1, 7) for chosen in itertools.combinations(METALS, size)]
    structures: list[Atoms] = []
    dropped: Counter[str] = Counter()
    with ProcessPoolExecutor(options.processes) as pool:
        for batch in range(len(BATCHES)):
            members = few_atoms_and_lattices() if batch == 0 else []
            results = pool.map(partial(families_of, batch), sets, range(len(sets)))
            for kept, refused in track(results, f"generating batch {batch + 1}", total=len(sets)):
                members += kept
                dropped += refused
            # In random order, so that a part of the labels is a sample of the whole.
            order = np.random.default_rng([SEED, 1001 + batch]).permutation(len(members))
            structures += [members[k] for k in order]
    found = read(FOUND, ":")
    structures += [found[k] for k in np.random.default_rng([SEED, 2000]).permutation(len(found))]
    for k, atoms in enumerate(structures):
        atoms.info["name"] = f"s{k:05d}"
    with complete_file(options.structures) as temporary:
        write(temporary, structures, format="extxyz", columns=["symbols", "positions"])
    kinds = Counter(atoms.info["kind"] for atoms in structures)
    print(f"{len(structures)} structures of {sum(map(len, structures))} atoms:", dict(kinds))
    print("dropped for close atoms:", dict(dropped))


if __name__ == "__main__":
    main()
