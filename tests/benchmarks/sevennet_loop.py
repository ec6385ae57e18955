"""How much better a loop's model becomes on clusters that searches newly find: before it, and after each of its loops.

    hea loop examples/16_loop_sevennet.toml --out RUN           # about a quarter of an hour of one quiet core
    python tests/benchmarks/sevennet_loop.py RUN LABELS         # four minutes; goes on where it was

Newly found means: the model that is judged searches each composition of the loop with a seed that the loop has not
used; of the distinct minima up to 0.15 eV/atom above the lowest, those that this model cannot tell from a cluster in
the loop's final data set are left out, and an even sample of the others is labelled by the loop's reference. `--unseen`
searches other compositions instead.

The first table has the errors of each model on what its own search found: these have to fall by a third. In the second
all models are judged on what each of them found, so that it cannot be that later searches find what is easier.
Mean absolute errors, of energies a cluster and of force components; z is the standard deviation of error over sigma.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from finished_loop import accepted_models, config_of_run
from hea_training.meta_loop.candidates import minima_of
from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.plan import compositions_of, steps_of
from hea_training.meta_loop.selection import SelectionSettings, select
from rich.console import Console
from rich.table import Table

from hea_potential.dataset import DataSet, read_dataset
from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.search import search
from hea_potential.search.minimise import Limits

EVEN = SelectionSettings(low_energy=0.0, high_sigma=0.0, far_apart=0.0, random=1.0, max_force=1e6)


def newly_found(
    formula: str, model: Path, known: Sequence[Atoms], folder: Path, config: LoopConfig, count: int, seed: int
) -> list[Atoms]:
    """An even sample of the minima that a search with a model finds and that are none of the known clusters."""
    limits = Limits(fmax=config.search.fmax, calls=config.search.calls, unknown=config.search.unknown)
    search(formula, budget=config.search.minimisations, seed=seed, model=model, out=folder / formula, limits=limits)
    minima = minima_of(folder / formula, config.search.minimisations)
    alike = [atoms for atoms in known if atoms.get_chemical_formula() == minima[0].get_chemical_formula()]
    features = describe(alike, model).features if alike else None
    even = SelectionSettings(**{**vars(EVEN), "quota": count})
    chosen = select(minima, model, features, even, np.random.default_rng(seed))
    for k, atoms in enumerate(chosen):
        atoms.calc, atoms.info = None, {"name": f"{formula}-{k:03d}", "kind": "newly found"}
    return chosen


def errors_of(model: Path, labels: DataSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each structure: error of the energy (eV), mean error of its force components (eV/A), error over sigma."""
    said = describe([labels.atoms(k) for k in range(len(labels))], model)
    wrong = said.energies - labels.energy
    forces = [np.abs(said.forces[k] - labels.frame(k).forces).mean() for k in range(len(labels))]
    return wrong, np.array(forces), wrong / said.sigmas


def own_errors(models: dict[int, Path], found: dict[int, DataSet]) -> Table:
    """Errors of each model on what its own search found."""
    table = Table("loop", "elements", "clusters", "eV a cluster", "meV/A", "z", title="each model on what it found")
    for loop, labels in found.items():
        wrong, force, z = errors_of(models[loop], labels)
        for n in (*np.unique(labels.n_elements).tolist(), "all"):
            of_n = labels.n_elements == n if n != "all" else np.ones(len(labels), dtype=bool)
            numbers = (np.abs(wrong[of_n]).mean(), 1e3 * force[of_n].mean(), z[of_n].std())
            row = [f"{number:.{digits}f}" for number, digits in zip(numbers, (3, 1, 2), strict=True)]
            table.add_row(str(loop), str(n), str(np.count_nonzero(of_n)), *row, end_section=n == "all")
    return table


def all_errors(models: dict[int, Path], found: dict[int, DataSet]) -> Table:
    """Errors of all models on what each of them found."""
    table = Table("found by", *(f"model {loop}: eV, meV/A" for loop in models), title="all models on the same clusters")
    for loop, labels in found.items():
        errors = [errors_of(model, labels)[:2] for model in models.values()]
        row = [f"{np.abs(wrong).mean():.3f}, {1e3 * force.mean():.1f}" for wrong, force in errors]
        table.add_row(f"model {loop}", *row)
    return table


def main() -> None:
    """Search with the model of each loop, label, and print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished loop")
    parser.add_argument("labels", type=Path, help="folder for searches and labels")
    parser.add_argument("--clusters", type=int, default=8, help="labelled of each composition")
    parser.add_argument("--unseen", nargs="+", metavar="FORMULA", help="search these compositions")
    parser.add_argument("--seed", type=int, default=9000)
    options = parser.parse_args()
    config, models = config_of_run(options.run), accepted_models(options.run)
    formulas = options.unseen or [whole.formula for whole in compositions_of(steps_of(config))]
    data = read_dataset(options.run / "data.h5")
    known = [data.atoms(k) for k in range(len(data)) if str(data.kind[k]).startswith("loop")]
    found = {}
    for loop, model in models.items():
        folder = options.labels / str(loop)
        chosen = [
            atoms
            for number, formula in enumerate(formulas)
            for atoms in newly_found(
                formula, model, known, folder, config, options.clusters, options.seed + 100 * loop + number
            )
        ]
        found[loop] = label_structures(chosen, folder / "labels.h5", config.reference, processes=0)
    for table in (own_errors, all_errors):
        Console().print(table(models, found))


if __name__ == "__main__":
    main()
