"""What searches with default settings cost until they find published minima, from random starts: Lennard-Jones clusters
and Sutton-Chen metals.

    python tests/benchmarks/search_targets.py [--only LJ38,LJ75,12-6] [--method ga] [--repeats 5] [--out runs/targets]

Finished repeats are kept in the folder; the same command goes on where it was, with more --repeats it adds some. Under
mpirun all ranks work on one repeat after the other. Energies: Cambridge Cluster Database (Wales et al.), for
Sutton-Chen Doye and Wales, New J. Chem. 22, 733 (1998).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from hea_potential.search.bench import Bench, bench_search, draw, table_of
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run
from hea_potential.search.sutton_chen import METALS

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
# Atoms, lowest energy in units of epsilon, repeats, most quenches of each
CLUSTERS = (
    (13, -44.326801, 50, 20_000),
    (19, -72.659782, 50, 20_000),
    (38, -173.928427, 50, 20_000),
    (55, -279.248470, 50, 20_000),
    (75, -397.492331, 10, 20_000),
    (98, -543.665361, 5, 20_000),
)
# Exponents, lowest energies of 13, 38, 55 and 75 atoms in units of the metal's epsilon
METAL_ENERGIES = {
    "9-6": (-2808.5765, -8917.7056, -13217.8963, -18315.1577),
    "12-6": (-10968.5082, -35419.9804, -52884.6806, -73421.0521),
    "10-8": (-3280.3843, -10117.2454, -14814.5225, -20431.3452),
    "12-7": (-9436.5928, -29969.0738, -44418.4400, -61569.4546),
}
METAL_SIZES = {13: 2000, 38: 2000, 55: 2000, 75: 10_000}  # most quenches of each
METAL_REPEATS = 5


@dataclass(frozen=True)
class Campaign:
    """One line of the table."""

    name: str
    formula: str
    pair: Pair
    target: float
    repeats: int
    budget: int


def campaigns(folder: Path) -> Iterator[Campaign]:
    """All of them, small clusters first; tables of the metals are written to `folder`."""
    for size, energy, repeats, budget in CLUSTERS:
        yield Campaign(f"LJ{size}", f"Ar{size}", LENNARD_JONES, energy, repeats, budget)
    for place, (size, budget) in enumerate(METAL_SIZES.items()):
        for name, energies in METAL_ENERGIES.items():
            metal = METALS[name]
            formula = f"{metal.element}{size}"
            yield Campaign(f"{name}_{size}", formula, metal.pair(folder), energies[place], METAL_REPEATS, budget)


def report(bench: Bench, run: Run | None) -> None:
    """Print each finished repeat."""
    if run is None:
        last = bench.trials[-1]
        print(
            f"{time.strftime('%H:%M:%S')} {bench.name} seed {last.seed}: {last.energy:.6f}, "
            f"{'reached' if last.reached else 'not reached'}, {last.quenches} quenches, {last.calls} force calls, "
            f"{last.seconds:.1f} s",
            flush=True,
        )


def main() -> int:
    """Carry out the chosen campaigns, and print and draw them together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma-separated names or their beginnings, such as LJ38,12-6")
    parser.add_argument("--method", default="ga", help="ga or bh")
    parser.add_argument("--repeats", type=int, help="searches of each, instead of 50, 10 or 5")
    parser.add_argument("--out", type=Path, default=Path("runs/targets"), help="folder of the results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    wanted = tuple(filter(None, arguments.only.split(",")))
    done = []
    for campaign in campaigns(arguments.out):
        if wanted and not campaign.name.startswith(wanted):
            continue
        finished = bench_search(
            campaign.formula,
            target=campaign.target,
            repeats=arguments.repeats or campaign.repeats,
            budget=campaign.budget,
            method=arguments.method,
            pair=campaign.pair,
            label=f"{campaign.name} {arguments.method}",
            out=arguments.out / f"{campaign.name}-{arguments.method}",
            progress=report,
        )
        if finished is not None:
            done.append(finished)
    if done:  # nothing on the ranks of mpirun whose work is over
        Console(width=160).print(table_of(done, "from random starts with default settings, energies in epsilon"))
        draw(arguments.out / f"targets-{arguments.method}.png", done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
