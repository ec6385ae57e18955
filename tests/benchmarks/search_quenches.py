"""What a minimisation of a random start costs: LAMMPS' `minimize` beside minimize/lbfgs and its kinds of quenches.

    python tests/benchmarks/search_quenches.py [--starts 100] [--only Ar38,Cu19Ni19]

All end at forces of 0.01 and begin from the same starts. CPU milliseconds on one core; energies are means in the unit
of the pair style. `plain` is minimize/lbfgs with springs, as searches use it; the column before is without.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.minimise import LONGEST_STEP, QUENCHES, Limits, Minimiser
from hea_potential.search.pair import Pair
from hea_potential.search.starts import random_packing

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
FORMULAS = ("Ar13", "Ar38", "Ar75", "Cu19Ni19", "Ni7Cu7Pd6Ag6Pt6Au6")

Minimise = Callable[[Cluster], tuple[float, int]]


def conjugate_gradients(minimiser: Minimiser, log: Path) -> Minimise:
    """LAMMPS' `minimize`; the number of force calls stands in its log alone."""
    longest = LONGEST_STEP * minimiser.bonds.max()

    def minimise(cluster: Cluster) -> tuple[float, int]:
        minimiser.places[:] = cluster.positions
        for line in (f"log {log}", f"min_modify norm max dmax {longest}", "minimize 0 0.01 9999 9999", "log none"):
            minimiser.lammps.command(line)
        calls = re.findall(r"force evaluations = \d+ (\d+)", log.read_text())
        return minimiser.lammps.get_thermo("pe"), int(calls[-1])

    return minimise


def without_springs(minimiser: Minimiser) -> Minimise:
    """minimize/lbfgs that knows no bond lengths."""

    def minimise(cluster: Cluster) -> tuple[float, int]:
        minimiser.places[:] = cluster.positions
        minimiser.lammps.command(f"minimize/lbfgs 0 0.01 9999 9999 dmax {LONGEST_STEP * minimiser.bonds.max()}")
        return minimiser.lammps.get_thermo("pe"), int(minimiser.lammps.extract_variable("lbfgs_calls"))

    return minimise


def quench_of(minimiser: Minimiser, kind: str) -> Minimise:
    """A quench as searches do it; one that ends in no minimum has no energy."""

    def minimise(cluster: Cluster) -> tuple[float, int]:
        quench = minimiser(cluster, kind)
        return quench.energy if quench.outcome == "minimum" else np.nan, quench.calls

    return minimise


def measure(formula: str, count: int, folder: Path) -> None:
    """Print the lines of one composition."""
    composition = Composition.parse(formula)
    pair = LENNARD_JONES if composition.symbols == ("Ar",) else Pair.of_model("hea6", composition)
    bonds = probe_bonds(composition, pair)
    rng = np.random.default_rng(1)
    starts = [random_packing(rng, composition, bonds).ordered() for _ in range(count)]
    minimiser = Minimiser(composition, pair, bonds, Limits(0.01))
    minimiser(starts[0])
    ways = {"cg": conjugate_gradients(minimiser, folder / "log"), "no springs": without_springs(minimiser)}
    ways.update({kind: quench_of(minimiser, kind) for kind in QUENCHES})
    for name, minimise in ways.items():
        began = time.process_time()
        energies, calls = np.array([minimise(start) for start in starts]).T
        spent = 1e3 * (time.process_time() - began) / count
        minima = energies[np.isfinite(energies)]
        found = f"energy {minima.mean():10.3f}, lowest {minima.min():10.3f}, " if len(minima) else ""
        print(
            f"{formula:20s} {name:11s} {calls.mean():7.1f} force calls {spent:8.2f} ms  {found}{len(minima)} minima of "
            f"{count}",
            flush=True,
        )
    minimiser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--only", default=",".join(FORMULAS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for formula in options.only.split(","):
            measure(formula, options.starts, Path(folder))


if __name__ == "__main__":
    main()
