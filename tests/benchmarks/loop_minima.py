"""Whether a loop's model finds the lowest minima of its reference: against a search with the reference itself.

    python tests/benchmarks/loop_minima.py RUN [--compositions 10] [--minimisations 400] [--seed 1]

For compositions that the configuration would draw next, so that the loop has seen none of them: the last accepted model
searches, its `--relaxed` lowest minima are relaxed with EMT, and EMT (the same parameters as ASE's, as a LAMMPS table)
searches with the same number of minimisations. Energies in eV; equal within 1 meV counts as found. Only for loops whose
reference is emt. One core.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from finished_loop import accepted_models, config_of_run, unseen_compositions
from rich.console import Console
from rich.table import Table

from hea_potential.search import Archive, Composition, emt, search
from hea_potential.search.bonds import probe_bonds
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.pair import Pair

SAME = 1e-3  # eV
LIMITS = Limits(fmax=0.005, calls=4000)


def found_by(formula: str, minimisations: int, seed: int, **engine: object) -> Archive:
    """One search."""
    archive = search(formula, budget=minimisations, seed=seed, limits=LIMITS, **engine)  # type: ignore[call-overload]
    assert archive is not None
    return archive


def relaxed(archive: Archive, pair: Pair, count: int) -> float:
    """The lowest energy that the lowest minima of an archive relax to with another pair style."""
    composition = archive.composition
    minimiser = Minimiser(composition, pair, probe_bonds(composition, pair), LIMITS)
    ends = [minimiser(minimum.cluster) for minimum in archive.lowest(count)]
    minimiser.close()
    return min(end.energy for end in ends if end.outcome == "minimum")


def main() -> None:
    """Search each composition twice and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished loop")
    parser.add_argument("--compositions", type=int, default=10)
    parser.add_argument("--minimisations", type=int, default=400)
    parser.add_argument("--relaxed", type=int, default=10, help="lowest minima of the model that EMT relaxes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    config = config_of_run(options.run)
    models = accepted_models(options.run)
    model = models[max(models)]
    table = Table("composition", "model, then EMT", "EMT", "difference", "seconds", "seconds", title=str(model))
    as_low = 0
    with tempfile.TemporaryDirectory() as folder:
        for formula in unseen_compositions(config, options.compositions):
            pair = emt.pair(Composition.parse(formula).symbols, Path(folder))
            began = time.process_time()
            by_model = relaxed(
                found_by(formula, options.minimisations, options.seed, model=model), pair, options.relaxed
            )
            middle = time.process_time()
            best = found_by(formula, options.minimisations, options.seed, pair=pair).best
            ended = time.process_time()
            assert best is not None
            difference = by_model - best.energy
            as_low += difference <= SAME
            seconds = (f"{middle - began:.1f}", f"{ended - middle:.1f}")
            table.add_row(formula, f"{by_model:.4f}", f"{best.energy:.4f}", f"{difference:+.4f}", *seconds)
    Console().print(table)
    print(f"{as_low} of {table.row_count} at least as low as EMT's")


if __name__ == "__main__":
    main()
