"""How much better hea6 becomes on what its searches find, by two loops of search, labels of `sevennet` and training.

    python tests/benchmarks/sevennet_loop.py start RUNS                  # RUNS/start.h5, a sample of the data of hea6
    python tests/benchmarks/sevennet_loop.py found RUNS 0 hea6           # RUNS/0: searches, labels, errors of hea6
    python tests/benchmarks/sevennet_loop.py teach RUNS 1 hea6           # RUNS/1.safetensors
    python tests/benchmarks/sevennet_loop.py found RUNS 1 RUNS/1.safetensors
    python tests/benchmarks/sevennet_loop.py teach RUNS 2 RUNS/1.safetensors
    python tests/benchmarks/sevennet_loop.py found RUNS 2 RUNS/2.safetensors

The parts are those of `hea loop`; it differs in that the model is refreshed once a loop, not after each number of
elements, and in what is labelled: an even sample of the distinct minima within 0.15 eV/atom of the lowest, so that the
errors of the model that found them, before it is taught them, are those of what a search with it finds. Minima that the
model cannot tell from a structure that it was taught are left out. Each loop's searches have seeds of their own.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from ase import Atoms
from hea_training.architecture import Architecture
from hea_training.meta_loop.candidates import minima_of
from hea_training.meta_loop.refresh import refresh
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.meta_loop.selection import SelectionSettings, select

from hea_potential.dataset import DataSet, fixed_split, read_dataset, write_dataset
from hea_potential.described import describe
from hea_potential.labels import label_structures
from hea_potential.model_file import find_model
from hea_potential.search import search
from hea_potential.search.minimise import Limits
from hea_potential.split import Split

COMPOSITIONS = (
    *("Cu19Au19", "Ni25Pt13"),
    *("Ni13Pd13Ag12", "Cu20Ag9Pt9"),
    *("Ni10Cu10Pd9Au9", "Cu8Pd8Ag14Au8"),
    *("Ni8Cu8Pd8Ag7Pt7", "Cu8Pd8Ag8Pt7Au7"),
    *("Ni7Cu7Pd6Ag6Pt6Au6", "Ni12Cu6Pd5Ag5Pt5Au5"),
)
DATA = Path(__file__).parents[2] / "training" / "hea6" / "hea6.h5"
HEA6_SPLIT = 1  # the seed of its split, training/hea6/3_found.toml
# What is replayed of its data. Errors of hea6 on its own training set are as large as on what searches find: it has no
# room to become better there without losing on what is far from it (bulk, liquids, hot clusters), which is left out.
REPLAYED = {
    "cluster.found": 800,
    "cluster.motif": 500,
    "cluster.ordering": 400,
    "cluster.relaxation": 500,
    "dimer": 1000,
}
SMALLEST = 13  # atoms of a cluster that is replayed, or that judges
MINIMISATIONS, SAMPLE = 150, 20  # of each composition
SEED = 5  # of the split and the training
SEARCHED = 777  # the first seed of the searches
TRAINING = RefreshSettings(epochs=20, batch_size=16, learning_rate=7e-4, replay=800)


def start(folder: Path) -> None:
    """A sample of the data of hea6 in whose lasting split nothing that hea6 was trained on judges, nor the reverse."""
    dataset = read_dataset(DATA)
    rng = np.random.default_rng(SEED)
    own, ours = dataset.split(HEA6_SPLIT), fixed_split(dataset, SEED)
    taught = np.intersect1d(own.train, ours.train)
    judges = np.intersect1d(without_training(own), without_training(ours))
    chosen = [np.flatnonzero(dataset.kind == "atom")]
    for kind, count in REPLAYED.items():
        fits = np.flatnonzero((dataset.kind == kind) & ((dataset.sizes >= SMALLEST) | (kind == "dimer")))
        chosen += [rng.permutation(np.intersect1d(taught, fits))[:count], np.intersect1d(judges, fits)]
    sample = dataset.select(np.unique(np.concatenate(chosen)))
    folder.mkdir(parents=True, exist_ok=True)
    write_dataset(folder / "start.h5", replace(sample, failures={}))
    parts = fixed_split(sample, SEED)
    print(f"{len(sample)} structures: {len(parts.train)} teach, {len(parts.valid)} and {len(parts.test)} judge")


def without_training(split: Split) -> np.ndarray:
    """Structures that are not trained on."""
    return np.concatenate([split.valid, split.test])


def found(folder: Path, loop: int, model: str) -> None:
    """Search with a model, label a sample of what is found, write FOLDER/LOOP/found.h5 and print the model's errors."""
    taught = labelled_until(folder, loop)
    even = SelectionSettings(quota=SAMPLE, low_energy=0.0, high_sigma=0.0, far_apart=0.0, random=1.0, max_force=1e6)
    limits, rng = Limits(fmax=0.02, calls=1000, unknown=0.5), np.random.default_rng(SEARCHED + 1000 * loop)
    structures: list[Atoms] = []
    for number, composition in enumerate(COMPOSITIONS):
        out, seed = folder / str(loop) / composition, SEARCHED + 1000 * loop + number
        search(composition, model=model, budget=MINIMISATIONS, seed=seed, out=out, limits=limits)
        minima = minima_of(out, 10**6)
        alike = [atoms for atoms in taught if atoms.get_chemical_formula() == minima[0].get_chemical_formula()]
        for k, atoms in enumerate(select(minima, find_model(model), describe(alike, model).features, even, rng)):
            name = f"{loop}-{composition}-{k:03d}"
            atoms.info, atoms.calc = {"name": name, "group": name, "kind": f"loop{loop}.found"}, None
            structures.append(atoms)
    dataset = label_structures(structures, folder / str(loop) / "found.h5", "sevennet", processes=2)
    print(f"{len(dataset)} labels, failures {dataset.failures}")
    report(dataset, model)


def labelled_until(folder: Path, loop: int) -> list[Atoms]:
    """What was found and labelled before a loop."""
    earlier = [read_dataset(folder / str(k) / "found.h5") for k in range(loop)]
    return [dataset.atoms(k) for dataset in earlier for k in range(len(dataset))]


def teach(folder: Path, loop: int, model: str) -> None:
    """Refresh a model with all that was found before a loop; the labels of the last are new."""
    dataset = read_dataset(folder / "start.h5")
    for earlier in range(loop):
        labels = read_dataset(folder / str(earlier) / "found.h5")
        dataset = dataset.append([labels.frame(k) for k in range(len(labels))])
    new = [name for name in dataset.name.tolist() if name.startswith(f"{loop - 1}-")]
    result = refresh(
        dataset,
        fixed_split(dataset, SEED),
        new,
        find_model(model),
        TRAINING,
        folder / f"{loop}.training",
        folder / f"{loop}.safetensors",
        architecture=Architecture(()),  # that of the model
        seed=SEED,
    )
    print(json.dumps(asdict(result), indent=1))


def report(dataset: DataSet, model: str) -> None:
    """Mean absolute errors of a model on labelled clusters of one size, for each number of elements."""
    said = describe([dataset.atoms(k) for k in range(len(dataset))], model)
    error = np.abs(said.energies - dataset.energy)
    forces = np.array([np.abs(f - dataset.frame(k).forces).mean() for k, f in enumerate(said.forces)])
    z = (said.energies - dataset.energy) / said.sigmas
    print(f"{'elements':>8}{'clusters':>10}{'eV/cluster':>12}{'meV/atom':>10}{'meV/A':>8}{'z':>6}")
    for n in (*np.unique(dataset.n_elements).tolist(), "all"):
        chosen = dataset.n_elements == n if n != "all" else np.ones(len(dataset), dtype=bool)
        numbers = f"{error[chosen].mean():12.3f}{1e3 * (error / dataset.sizes)[chosen].mean():10.2f}"
        print(f"{n!s:>8}{chosen.sum():10}{numbers}{1e3 * forces[chosen].mean():8.1f}{z[chosen].std():6.2f}")


def main() -> None:
    """The subcommands of the text above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("start", "found", "teach"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("loop", type=int, nargs="?", default=0)
    parser.add_argument("model", nargs="?", default="hea6")
    options = parser.parse_args()
    if options.command == "start":
        start(options.folder)
    else:
        {"found": found, "teach": teach}[options.command](options.folder, options.loop, options.model)


if __name__ == "__main__":
    main()
