"""What a data set holds, as Markdown: `python -m hea_training.hea6.summary hea6.h5`."""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from hea_potential.dataset import DataSet, read_dataset

SIZES = ((1, 1), (2, 2), (3, 3), (4, 12), (13, 38), (39, 80), (81, 150))


def energies_of_atoms(dataset: DataSet) -> dict[int, float]:
    """The energy of each single atom in the data set by atomic number, eV."""
    single = np.flatnonzero(dataset.kind == "atom")
    return {int(dataset.numbers[dataset.offsets[k]]): float(dataset.energy[k]) for k in single}


def by_kind(dataset: DataSet) -> list[str]:
    """A table: structures by kind and number of elements, energies against single atoms, forces."""
    lone = energies_of_atoms(dataset)
    apart = np.add.reduceat([lone[z] for z in dataset.numbers.tolist()], dataset.offsets[:-1])
    binding = (dataset.energy - apart) / dataset.sizes
    force = np.linalg.norm(dataset.forces, axis=1)
    largest = np.maximum.reduceat(force, dataset.offsets[:-1])
    owner = np.repeat(np.arange(len(dataset)), dataset.sizes)
    n_elements = dataset.n_elements
    lines = [
        "| kind | labels | of 1, 2, 3, 4, 5, 6 elements | atoms, mean | energy against atoms, eV/atom "
        "| force component, rms, eV/A | largest force, eV/A |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in [*sorted(set(dataset.kind.tolist())), "all"]:
        chosen = np.ones(len(dataset), dtype=bool) if kind == "all" else dataset.kind == kind
        counts = ", ".join(str(int(np.sum(chosen & (n_elements == n)))) for n in range(1, 7))
        rms = np.sqrt(np.mean(force[chosen[owner]] ** 2) / 3.0)
        lines.append(
            f"| {kind} | {chosen.sum()} | {counts} | {dataset.sizes[chosen].mean():.1f} "
            f"| {binding[chosen].min():.2f} to {binding[chosen].max():.2f} | {rms:.2f} | {largest[chosen].max():.1f} |"
        )
    return lines


def by_size(dataset: DataSet) -> list[str]:
    """A table: structures by number of atoms, free clusters and others."""
    free = ~dataset.pbc.any(axis=1)
    lines = ["| atoms | free | periodic |", "|---|---|---|"]
    for low, high in SIZES:
        chosen = (dataset.sizes >= low) & (dataset.sizes <= high)
        lines.append(f"| {low}-{high} | {np.sum(chosen & free)} | {np.sum(chosen & ~free)} |")
    return lines


def main() -> None:
    """Print the tables, the hash and the reasons why structures have no label."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset")
    dataset = read_dataset(parser.parse_args().dataset)
    print("\n".join([*by_kind(dataset), "", *by_size(dataset)]))
    print(f"\n{int(dataset.offsets[-1])} atoms; sha256 `{dataset.sha256()}`")
    reasons = Counter("force" if "above the allowed" in reason else reason for reason in dataset.failures.values())
    print(f"{len(dataset.failures)} structures without label: {dict(reasons)}")


if __name__ == "__main__":
    main()
