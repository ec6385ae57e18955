"""How wrong the models of a meta loop are on clusters that no loop has seen, by number of elements.

    python tests/benchmarks/loop_errors.py RUN [--compositions 15] [--minimisations 200] [--structures 40]

Compositions are those that the configuration would draw next. Each loop's last model searches each of them; of the
minima that it finds, and of frames on the way to minima, the reference labels an even sample. Mean absolute errors;
z is the standard deviation of error over sigma. Left out is what the model knows that it does not know, as searches do:
a sigma above `search.unknown`. One core.
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

from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.search import Composition, search
from hea_potential.search.minimise import Limits

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
        atoms.info = {"name": f"{formula}-{k:03d}", "kind": "unseen", "max_force": MAX_FORCE}
    return chosen


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
    left_out = 0
    for loop, model in accepted_models(options.run).items():
        errors: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
        for formula in formulas:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder)
                how = (options.minimisations, config.search.unknown, options.structures, options.seed)
                chosen = sample(formula, model, out / "search", *how)
                labels = label_structures(chosen, out / "labels.h5", config.reference, processes=0)
            said = describe([labels.atoms(k) for k in range(len(labels))], model)
            trusted = np.flatnonzero(said.sigmas <= config.search.unknown * labels.sizes)
            left_out += len(labels) - len(trusted)
            for k in trusted:
                energy, sigma, forces = said.energies[k], said.sigmas[k], said.forces[k]
                wrong = float(energy - labels.energy[k])
                force = float(np.abs(forces - labels.frame(k).forces).mean())
                errors[len(Composition.parse(formula).symbols)].append((wrong, force, wrong / sigma))
        for n, each in sorted(errors.items()):
            wrong, force, z = np.array(each).T
            row = (f"{np.abs(wrong).mean():.3f}", f"{force.mean():.3f}", f"{z.std():.2f}")
            table.add_row(str(loop), str(n), str(len(each)), *row)
    Console().print(table)
    print(f"{left_out} structures left out for their sigma")


if __name__ == "__main__":
    main()
