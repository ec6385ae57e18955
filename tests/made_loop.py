"""The folder of a small meta loop, made of real pieces in a few seconds: searches with LAMMPS, EMT labels, and models
whose last layer is fitted to them on top of random features.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT
from ase.io import write
from random_model import random_model, write_model

from hea_potential.dataset import DataSet, empty_dataset, fixed_split, write_dataset
from hea_potential.described import describe
from hea_potential.frame import Frame
from hea_potential.search import search
from hea_potential.search.composition import Composition
from hea_potential.search.database import atoms_of
from hea_potential.search.emt import pair as emt_pair

ELEMENTS = ("Ni", "Cu", "Pd")
COMPOSITIONS = {
    (1, 2): ("Cu6Ni7", "Cu8Pd5"),
    (1, 3): ("Cu4Ni5Pd4",),
    (2, 2): ("Cu3Ni10", "Ni6Pd7"),
    (2, 3): ("Cu5Ni3Pd5",),
}
SEED = 7
BUDGET = 16


@dataclass
class MadeLoop:
    """A run folder in the making: what is known of it so far."""

    folder: Path
    dataset: DataSet
    rng: np.random.Generator
    tensors: dict[str, Any]
    document: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    models: int = 0

    def write(self, step: str, kind: str, loop: int, n: int | None, composition: str | None, **facts: Any) -> None:
        """Add a line to the ledger."""
        place = {"step": step, "kind": kind, "loop": loop, "n_elements": n, "composition": composition}
        self.lines.append({**place, "seconds": 10.0 + 3.0 * len(self.lines), "facts": facts})
        (self.folder / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.lines))

    def label(self, structures: list[Atoms]) -> list[str]:
        """Add structures with their EMT labels to the data set; returns their names."""
        frames = []
        for atoms in structures:
            atoms.calc = EMT()
            results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
            frames.append(
                Frame.from_results(atoms, results=results, **{k: atoms.info[k] for k in ("name", "kind", "group")})
            )
        self.dataset = self.dataset.append(frames)
        write_dataset(self.folder / "data.h5", self.dataset)
        return [frame.name for frame in frames]

    def path(self, number: int) -> Path:
        """The file of a model."""
        return self.folder / "models" / f"{number:03d}.safetensors"

    def fit(self) -> dict[str, dict[str, dict[str, float]]]:
        """Write the next model, its last layer and sigma fitted to the training split; returns its errors."""
        train = fixed_split(self.dataset, SEED).train
        structures = [self.dataset.atoms(k) for k in train]
        target = self.path(self.models)
        target.parent.mkdir(exist_ok=True)
        write_model(target, self.tensors, self.document)
        features = describe(structures, target).features
        counts = np.array([[np.sum(atoms.symbols == symbol) for symbol in ELEMENTS] for atoms in structures])
        columns = np.hstack([features, counts])
        ridge = np.diag([1e-2] * features.shape[1] + [1e-6] * len(ELEMENTS))
        weights = np.linalg.solve(columns.T @ columns + ridge, columns.T @ self.dataset.energy[train])
        self.tensors["head.out"] = weights[: features.shape[1]].reshape(self.tensors["head.out"].shape)
        self.tensors["e0"] = weights[features.shape[1] :]
        self.tensors["gram"] = features.T @ features
        self.document["provenance"] = {"seed": 100 + self.models}
        write_model(target, self.tensors, self.document)
        self.models += 1
        return self.errors(self.models - 1)

    def errors(self, model: int) -> dict[str, dict[str, dict[str, float]]]:
        """Errors of a model by part and number of elements."""
        split, found = fixed_split(self.dataset, SEED), {}
        for part in ("train", "valid", "test"):
            rows = getattr(split, part)
            counts = self.dataset.n_elements[rows]
            chosen = {"all": rows} | {str(n): rows[counts == n] for n in np.unique(counts)}
            found[part] = {
                name: errors_of(self.dataset.select(each), self.path(model)) for name, each in chosen.items()
            }
        return found

    def refresh(self, step: str, loop: int, n: int | None, accepted: bool = True) -> None:
        """Fit a model and write the step down."""
        before = self.errors(self.models - 1) if self.models else {}
        after = self.fit()
        target = self.path(self.models - 1)
        self.write(
            step,
            "refresh",
            loop,
            n,
            None,
            model=f"models/{target.name}",
            sha256=hashlib.sha256(target.read_bytes()).hexdigest(),
            accepted=accepted,
            reason="better on the validation set" if accepted else "no better on the validation set",
            strata=["full"],
            structures=len(self.dataset),
            epochs=20,
            before=before,
            after=after,
            calibration={"z_std": 1.02, "auc": 0.81, "structures": 40},
        )


def errors_of(dataset: DataSet, model: Path) -> dict[str, float]:
    """Mean absolute errors as the ledger has them."""
    if not len(dataset):
        return {"structures": 0}
    said = describe([dataset.atoms(k) for k in range(len(dataset))], model)
    error = np.abs(said.energies - dataset.energy)
    forces = np.abs(np.concatenate(said.forces) - dataset.forces)
    mean = {
        "energy_mae": error.mean(),
        "energy_mae_atom": 1e3 * (error / dataset.sizes).mean(),
        "force_mae": 1e3 * forces.mean(),
    }
    return {"structures": len(dataset), **{name: float(value) for name, value in mean.items()}}


def made_loop(folder: Path) -> MadeLoop:
    """Make a finished loop of two meta loops over two and three elements."""
    rng = np.random.default_rng(SEED)
    tensors, document = random_model(rng, elements=ELEMENTS, n_hidden=10, zbl=False)
    made = MadeLoop(folder, empty_dataset({"method": "emt"}), rng, tensors, document)
    identity = {
        "config": {"elements": list(ELEMENTS), "reference": "emt", "name": "small", "loops": 2},
        "seed": SEED,
        "reference": {"method": "emt"},
        "packages": {"numpy": np.__version__},
        "start": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "loop.json").write_text(json.dumps(identity))
    atoms = [named(Atoms(symbol), f"start-{symbol}", "atom") for symbol in ELEMENTS]
    start = [*atoms, *(named(ball(rng), f"start-{k:03d}", "start.cluster") for k in range(80))]
    names = made.label(start)
    made.write("start", "start", 0, None, None, structures=len(names), labelled=len(names), failed={},
               data_sha256=made.dataset.sha256())  # fmt: skip
    made.refresh("start-refresh", 0, None)
    for number, ((loop, n), formulas) in enumerate(COMPOSITIONS.items(), start=1):
        for formula in formulas:
            explore(made, loop, n, formula)
        made.refresh(f"L{loop}-n{n}-refresh", loop, n, accepted=number != 3)
    return made


def explore(made: MadeLoop, loop: int, n: int, formula: str) -> None:
    """Search a composition, choose what was found, label it."""
    step, model = f"L{loop}-n{n}-{formula}", made.models - 1
    place = f"L{loop}/n{n}/{formula}"
    composition = Composition.parse(formula)
    pair = emt_pair(composition.symbols, made.folder)
    archive = search(composition, pair=pair, budget=BUDGET, seed=loop * 10 + n, out=made.folder / place / "search")
    assert archive is not None
    assert archive.best is not None
    searched = {
        "minimisations": BUDGET,
        "force_calls": 1000,
        "minima": len(archive),
        "best_energy": archive.best.energy,
        "outcomes": {"minimum": BUDGET},
        "model": model,
        "folder": f"{place}/search",
    }
    made.write(f"{step}-search", "search", loop, n, formula, **searched)
    chosen = []
    for k, minimum in enumerate(archive.lowest(12)):
        for kind, amplitude in (("found", 0.0), ("path", 0.08), ("path", 0.15)):
            atoms = atoms_of(minimum, composition)
            atoms.positions += made.rng.normal(scale=amplitude, size=(len(atoms), 3)) if amplitude else 0.0
            name = f"{step}-{len(chosen):04d}"
            chosen.append(named(atoms, name, f"loop{loop}.{kind}", f"{step}-{k:04d}"))
    made.write(f"{step}-select", "select", loop, n, formula, candidates=40, chosen=len(chosen),
               reasons={"low energy": 6, "far apart": len(chosen) - 6}, file=f"{place}/selected.extxyz")  # fmt: skip
    write(made.folder / place / "selected.extxyz", chosen)
    names = made.label(chosen)
    new = made.dataset.select(np.isin(made.dataset.name.astype(str), names))
    made.write(f"{step}-label", "label", loop, n, formula, labelled=len(names), retried=1,
               failed={f"{step}-9999": "failed twice: ValueError: NaN <b>"}, data_sha256=made.dataset.sha256(),
               errors=errors_of(new, made.path(model)))  # fmt: skip


def named(atoms: Atoms, name: str, kind: str, group: str = "") -> Atoms:
    """The structure with what the data set says of it."""
    atoms.info.update(name=name, kind=kind, group=group or name)
    return atoms


def ball(rng: np.random.Generator) -> Atoms:
    """A rattled icosahedron of 13 atoms of any elements."""
    from ase.cluster import Icosahedron

    atoms = Icosahedron("Cu", 2)
    atoms.pbc = False
    atoms.cell = None
    atoms.symbols = rng.choice(rng.choice(ELEMENTS, size=rng.integers(1, 4)), size=len(atoms))
    atoms.positions += rng.normal(scale=0.12, size=atoms.positions.shape)
    return atoms


if __name__ == "__main__":
    import sys

    made_loop(Path(sys.argv[1]))
