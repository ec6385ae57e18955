"""How much better a loop's model becomes on clusters that searches newly find: before it, and after each of its loops.

    hea loop examples/16_loop_sevennet.toml --out RUN           # 23 minutes of one quiet core
    python tests/benchmarks/sevennet_loop.py RUN LABELS         # a quarter of an hour; goes on where it was

Newly found means: the model that is judged searches each composition of the loop with seeds that the loop has not
used; of the distinct minima up to 0.15 eV/atom above the lowest, those that this model cannot tell from a cluster in
the loop's final data set are left out, and an even sample of the others is labelled by the loop's reference. `--unseen`
searches other compositions instead.

The first table has the errors of each model on what its own searches found: these have to fall by a third. In the
second all models are judged on what each of them found, so that it cannot be that later searches find what is easier.
Mean absolute errors, of energies a cluster and of force components; z is the standard deviation of error over sigma.

Clusters that one search finds are alike, so standard errors are those between searches: by the jackknife, which leaves
out one search of each model at a time (Efron and Stein, The Annals of Statistics 9, 586 (1981)). A fall compares the
searches of two models composition by composition. How much another run of the same loop would differ is not in them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from finished_loop import accepted_models, config_of_run
from hea_training.meta_loop.candidates import minima_of
from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.plan import compositions_of, steps_of
from hea_training.meta_loop.selection import SelectionSettings, select
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from hea_potential.dataset import DataSet, read_dataset
from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.search import search
from hea_potential.search.minimise import Limits

Floats = NDArray[np.float64]

EVEN = SelectionSettings(low_energy=0.0, high_sigma=0.0, far_apart=0.0, random=1.0, max_force=1e6)


def newly_found(
    formula: str, model: Path, known: Sequence[Atoms], folder: Path, config: LoopConfig, count: int, seed: int
) -> list[Atoms]:
    """An even sample of the minima that a search with a model finds and that are none of the known clusters."""
    limits = Limits(fmax=config.search.fmax, calls=config.search.calls, unknown=config.search.unknown)
    search(formula, budget=config.search.minimisations, seed=seed, model=model, out=folder, limits=limits)
    minima = minima_of(folder, config.search.minimisations)
    alike = [atoms for atoms in known if atoms.get_chemical_formula() == minima[0].get_chemical_formula()]
    features = describe(alike, model).features if alike else None
    even = SelectionSettings(**{**vars(EVEN), "quota": count})
    chosen = select(minima, model, features, even, np.random.default_rng(seed))
    for k, atoms in enumerate(chosen):
        atoms.calc, atoms.info = None, {"name": f"{folder.name}-{k:03d}", "kind": "newly found"}
    return chosen


@dataclass(frozen=True)
class Judged:
    """What is wrong with a model on n clusters: |eV| of the energy, eV/A in the mean of its force components, error
    over sigma (n,); and of each the search that found it (its composition, and which one of it) and its elements.
    """

    energy: Floats
    force: Floats
    z: Floats
    search: NDArray[np.str_]
    n_elements: NDArray[np.int64]

    @classmethod
    def of(cls, model: Path, labels: DataSet) -> Judged:
        """A model on labelled clusters, which are named after their search."""
        said = describe([labels.atoms(k) for k in range(len(labels))], model)
        wrong = said.energies - labels.energy
        forces = [np.abs(said.forces[k] - labels.frame(k).forces).mean() for k in range(len(labels))]
        searches = np.array([name.rsplit("-", 1)[0] for name in labels.name.astype(str)])
        return cls(np.abs(wrong), np.array(forces), wrong / said.sigmas, searches, labels.n_elements)

    @classmethod
    def together(cls, parts: Iterable[Judged]) -> Judged:
        """One model on several sets of clusters."""
        return cls(*(np.concatenate(column) for column in zip(*(vars(part).values() for part in parts), strict=True)))

    def only(self, n_elements: int) -> Judged:
        """What there is of clusters of a number of elements."""
        return Judged(*(column[self.n_elements == n_elements] for column in vars(self).values()))

    def mean(self, error: str, but: str = "") -> float:
        """The mean of an error, but for what one search found."""
        values: Floats = getattr(self, error)
        return float(values[self.search != but].mean())


def jackknife(number: Callable[[str], float], searches: NDArray[np.str_]) -> tuple[float, float]:
    """A number (of "", nothing left out) and its standard error, from what it is without each of the searches."""
    without = np.array([number(each) for each in np.unique(searches)])
    return number(""), float(np.sqrt((len(without) - 1) * without.var()))


def mean_in_words(judged: Judged, error: str, unit: float, digits: int) -> str:
    """The mean of an error and its standard error, in a unit."""
    mean, uncertain = jackknife(lambda but: judged.mean(error, but), judged.search)
    return f"{mean / unit:.{digits}f} \u00b1 {uncertain / unit:.{digits}f}"


def change_in_words(before: Judged, after: Judged, error: str) -> str:
    """By how much of itself the mean of an error changes, and its standard error, in per cent."""
    share, uncertain = jackknife(
        lambda but: after.mean(error, but) / before.mean(error, but) - 1.0,
        np.union1d(before.search, after.search),
    )
    return f"{100 * share:+.0f} \u00b1 {100 * uncertain:.0f}"


def in_words(judged: Judged) -> list[str]:
    """Number of clusters, errors of energies (eV) and forces (meV/A), z."""
    energy, force = mean_in_words(judged, "energy", 1.0, 3), mean_in_words(judged, "force", 1e-3, 1)
    return [str(len(judged.z)), energy, force, f"{judged.z.std():.2f}"]


def changes_in_words(before: Judged, after: Judged) -> list[str]:
    """By how much the errors of energies and forces changed; nothing for a model and itself."""
    return ["", ""] if after is before else [change_in_words(before, after, error) for error in ("energy", "force")]


def own_errors(own: dict[int, Judged]) -> Table:
    """Errors of each model on what its own searches found."""
    heads = ("clusters", "eV a cluster", "meV/A", "z", "energy, %", "forces, %")
    table = Table("loop", "elements", *heads, title="each model on what it found")
    for loop, judged in own.items():
        for n in np.unique(judged.n_elements).tolist():
            changes = changes_in_words(own[0].only(n), judged.only(n)) if loop else ["", ""]
            table.add_row(str(loop), str(n), *in_words(judged.only(n)), *changes)
        table.add_row(str(loop), "all", *in_words(judged), *changes_in_words(own[0], judged), end_section=True)
    return table


def all_errors(judged: dict[tuple[int, int], Judged], loops: Iterable[int]) -> Table:
    """Errors of all models (of the first loop) on what each of them (of the second) found."""
    heads = ("clusters", "eV a cluster", "meV/A", "z", "energy, %", "forces, %")
    table = Table("found by", "model", *heads, title="all models on the same clusters")
    by_finder = {f"model {finder}": {loop: judged[loop, finder] for loop in loops} for finder in loops}
    by_finder["all"] = {loop: Judged.together(judged[loop, finder] for finder in loops) for loop in loops}
    for finder, of_models in by_finder.items():
        for loop, each in of_models.items():
            changes = changes_in_words(of_models[0], each)
            table.add_row(finder, str(loop), *in_words(each), *changes, end_section=loop == max(loops))
    return table


def main() -> None:
    """Search with the model of each loop, label, and print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished loop")
    parser.add_argument("labels", type=Path, help="folder for searches and labels")
    parser.add_argument("--clusters", type=int, default=12, help="labelled of each search")
    parser.add_argument("--searches", type=int, default=2, help="of each composition with each model")
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
        chosen: list[Atoms] = []
        for which in range(options.searches):
            for number, formula in enumerate(formulas):
                seed, place = options.seed + 500 * which + 100 * loop + number, folder / f"{formula}-{which}"
                chosen += newly_found(formula, model, known, place, config, options.clusters, seed)
        found[loop] = label_structures(chosen, folder / "labels.h5", config.reference, processes=0)
    judged = {(loop, finder): Judged.of(models[loop], found[finder]) for loop in models for finder in models}
    Console(width=120).print(own_errors({loop: judged[loop, loop] for loop in models}))
    Console(width=120).print(all_errors(judged, models))


if __name__ == "__main__":
    main()
