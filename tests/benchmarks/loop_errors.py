"""How wrong the models of a meta loop are on clusters that no loop has seen, by number of elements.

    python tests/benchmarks/loop_errors.py RUN [--compositions 15] [--minimisations 200] [--structures 40]

Compositions are those that the configuration would draw next. Each loop's last model searches each of them; of the
minima that it finds, and of frames on the way to minima, the reference labels an even sample. All models are judged on
all of these structures. Mean absolute errors with their standard errors, medians, and the mean change from the loop
before on the same structures; z is the standard deviation of error over sigma. Left out of a model's errors is what it
knows that it does not know, as searches do: a sigma above `search.unknown`. One core.

Means are carried by few structures: of 140 with two elements 38 have forces above 2 eV/A, beginnings of random
packings, and these have nine tenths of the error.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from finished_loop import accepted_models, config_of_run, unseen_compositions
from hea_training.meta_loop.candidates import minima_of, path_frames
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from hea_potential.dataset import DataSet
from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.search import Composition, search
from hea_potential.search.minimise import Limits

Floats = NDArray[np.float64]

MAX_FORCE = 20.0  # eV/A: as the loop's own limit on what is labelled


def sample(
    formula: str, model: Path, folder: Path, minimisations: int, unknown: float, count: int, seed: int
) -> list[Atoms]:
    """Half minima that a search finds, half frames on the way to one."""
    limits = Limits(fmax=0.02, calls=1000, unknown=unknown)
    search(formula, budget=minimisations, seed=seed, model=model, out=folder, limits=limits)
    rng = np.random.default_rng(seed)
    minima = minima_of(folder, minimisations)
    chosen = [minima[k] for k in rng.permutation(len(minima))[: count // 2]]
    chosen += path_frames(Composition.parse(formula), model, count - len(chosen), rng)
    for k, atoms in enumerate(chosen):
        atoms.calc = None
        atoms.info = {"name": f"{formula}-{model.stem}-{k:03d}", "kind": "unseen", "max_force": MAX_FORCE}
    return chosen


def errors_of(model: Path, labels: DataSet, unknown: float) -> Floats:
    """Errors of a model on n structures (n, 3): |eV|, eV/A, error over sigma; NaN where it says that it does not know
    the structure.
    """
    said = describe([labels.atoms(k) for k in range(len(labels))], model)
    wrong = said.energies - labels.energy
    force = [np.abs(forces - labels.frame(k).forces).mean() for k, forces in enumerate(said.forces)]
    errors = np.column_stack([np.abs(wrong), force, wrong / said.sigmas])
    errors[said.sigmas > unknown * labels.sizes] = np.nan
    return errors


def in_words(errors: Floats) -> str:
    """Mean with its standard error, and median, in units of 1e-3."""
    known = 1e3 * errors[np.isfinite(errors)]
    return f"{known.mean():.1f} \u00b1 {known.std() / len(known) ** 0.5:.1f} ({np.median(known):.1f})"


def change(before: Floats, after: Floats) -> str:
    """Mean change with its standard error, in units of 1e-3."""
    known = 1e3 * (after - before)[np.isfinite(after - before)]
    return f"{known.mean():+.1f} \u00b1 {known.std() / len(known) ** 0.5:.1f}"


def rows_of(errors: Mapping[tuple[int, int], Floats]) -> Iterator[tuple[str, ...]]:
    """Rows of the table, by loop and number of elements."""
    for (loop, n), each in sorted(errors.items()):
        before = errors.get((loop - 1, n))
        changes = ("", "") if before is None else (change(before[:, k], each[:, k]) for k in (0, 1))
        energy, force = (in_words(each[:, k]) for k in (0, 1))
        z = each[np.isfinite(each[:, 2]), 2]
        yield str(loop), str(n), str(len(z)), energy, force, *changes, f"{z.std():.2f}"


def main() -> None:
    """Search with each model, label, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished loop")
    parser.add_argument("--compositions", type=int, default=15)
    parser.add_argument("--minimisations", type=int, default=200)
    parser.add_argument("--structures", type=int, default=40, help="labelled of each composition")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    config = config_of_run(options.run)
    formulas = unseen_compositions(config, options.compositions)
    heads = ("meV a cluster (median)", "meV/A (median)", "change, meV", "change, meV/A", "z")
    table = Table("loop", "elements", "structures", *heads, title=str(options.run))
    models = accepted_models(options.run)
    how = (options.minimisations, config.search.unknown, options.structures, options.seed)
    found: dict[tuple[int, int], list[Floats]] = defaultdict(list)
    for formula in formulas:
        with tempfile.TemporaryDirectory() as folder:
            chosen = [
                atoms for model in models.values() for atoms in sample(formula, model, Path(folder) / model.stem, *how)
            ]
            labels = label_structures(chosen, Path(folder) / "labels.h5", config.reference, processes=0)
        for loop, model in models.items():
            judged = errors_of(model, labels, config.search.unknown)
            found[loop, len(Composition.parse(formula).symbols)].append(judged)
    for row in rows_of({place: np.concatenate(each) for place, each in found.items()}):
        table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
