"""How wrong the models of a meta loop are on clusters that no loop has seen, by number of elements.

    python tests/benchmarks/loop_errors.py RUN [--compositions 15] [--minimisations 200] [--structures 40]

Compositions are those that the configuration would draw next. Each loop's last model searches each of them; of the
minima that it finds, and of frames on the way to minima, the reference labels an even sample. All models are judged on
all of these structures. Mean absolute errors; z is the standard deviation of error over sigma. Left out of a model's
errors is what it knows that it does not know, as searches do: a sigma above `search.unknown`. One core.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from finished_loop import accepted_models, config_of_run, unseen_compositions
from hea_training.meta_loop.candidates import minima_of, path_frames
from rich.console import Console
from rich.table import Table

from hea_potential.dataset import DataSet
from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.search import Composition, search
from hea_potential.search.minimise import Limits

Errors = tuple[float, float, float]  # of a structure: eV, eV/A, error over sigma

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


def errors_of(model: Path, labels: DataSet, unknown: float) -> list[Errors]:
    """Errors of a model on the structures of which it does not say that it does not know them."""
    said = describe([labels.atoms(k) for k in range(len(labels))], model)
    found = []
    for k in np.flatnonzero(said.sigmas <= unknown * labels.sizes):
        wrong = float(said.energies[k] - labels.energy[k])
        force = float(np.abs(said.forces[k] - labels.frame(k).forces).mean())
        found.append((wrong, force, wrong / float(said.sigmas[k])))
    return found


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
    table = Table("loop", "elements", "structures", "eV a cluster", "eV/A", "z", title=str(options.run))
    models = accepted_models(options.run)
    how = (options.minimisations, config.search.unknown, options.structures, options.seed)
    errors: dict[tuple[int, int], list[Errors]] = defaultdict(list)
    for formula in formulas:
        with tempfile.TemporaryDirectory() as folder:
            chosen = [
                atoms for model in models.values() for atoms in sample(formula, model, Path(folder) / model.stem, *how)
            ]
            labels = label_structures(chosen, Path(folder) / "labels.h5", config.reference, processes=0)
        for loop, model in models.items():
            errors[loop, len(Composition.parse(formula).symbols)] += errors_of(model, labels, config.search.unknown)
    for (loop, n), each in sorted(errors.items()):
        wrong, force, z = np.array(each).T
        row = (f"{np.abs(wrong).mean():.3f}", f"{force.mean():.3f}", f"{z.std():.2f}")
        table.add_row(str(loop), str(n), str(len(each)), *row)
    Console().print(table)


if __name__ == "__main__":
    main()
