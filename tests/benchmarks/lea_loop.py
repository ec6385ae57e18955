"""The mode lea against the plain loop, from nothing: what they ask of the reference, and how wrong their models are.

    python tests/benchmarks/lea_loop.py [--loops 3] [--seed 1] [--structures 20]

Clusters of 13 atoms of two and three metals, the same compositions in every loop, effective medium theory as the
reference, small models. After each loop: structures that have labels, trainings so far, and mean absolute errors on
clusters of other compositions, half of them minima that the last model of either mode finds, half frames on the way to
one; what lies beyond `search.unknown` for a model is left out of its errors. One core.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from finished_loop import accepted_models
from hea_training.meta_loop import run_loop
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.state import Watcher
from loop_errors import errors_of, sample
from rich.console import Console
from rich.table import Table

from hea_potential.labels import label_structures

SEARCHED = ["Ni4Cu9", "Cu7Au6", "Ni4Cu5Au4"]
UNSEEN = ["Ni8Cu5", "Cu4Au9", "Ni3Cu4Au6"]
CONFIGURATION: dict[str, Any] = {
    "elements": ["Ni", "Cu", "Au"],
    "reference": "emt",
    "compositions": {"listed": SEARCHED},
    "start": {"clusters": 20, "relax": 8},
    "search": {"minimisations": 60},
    "select": {"quota": 12},
    # Sizes and rates of examples/15_loop_six_metals.toml.
    "architecture": {
        "cutoff": 5.5,
        "n_interactions": 1,
        "n_features": 48,
        "n_angular": 0,
        "n_intervals": 48,
        "rank_pair": 0,
        "rank_many": 0,
    },
    "refresh": {"first_epochs": 30, "epochs": 12, "first_learning_rate": 6e-3},
}


class Progress(Watcher):
    """Keeps what has a label and what was trained, by loop, and says what is done."""

    def __init__(self) -> None:
        self.labelled: dict[int, int] = {}
        self.trained: dict[int, int] = {}

    def ends(self, line: dict[str, Any]) -> None:
        """After every step."""
        loop, facts = line["loop"], line["facts"]
        self.labelled[loop] = self.labelled.get(loop, 0) + facts.get("labelled", 0)
        self.trained[loop] = self.trained.get(loop, 0) + (facts.get("epochs", 0) > 0)
        if line["kind"] in ("label", "refresh"):
            told = {key: facts[key] for key in ("errors", "judged", "beyond_sigma", "reason") if key in facts}
            print(f"{line['step']}: {told}", flush=True)


def main() -> None:
    """Run both modes, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loops", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--structures", type=int, default=20, help="judged of each composition and mode")
    options = parser.parse_args()
    table = Table("mode", "loop", "labels", "trainings", "structures", "eV a cluster", "eV/A", "z")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        progress = {mode: Progress() for mode in ("plain", "lea")}
        for mode, watcher in progress.items():
            document = CONFIGURATION | {"mode": mode, "loops": options.loops, "seed": options.seed}
            config = config_of(document, "benchmark", folder)
            run_loop(config, folder / mode, watcher)
        models = {mode: accepted_models(folder / mode) for mode in progress}
        unknown = config.search.unknown
        how = (config.search.minimisations, unknown, options.structures, options.seed)
        structures = []
        for mode, of_loop in models.items():
            for formula in UNSEEN:
                found = sample(formula, of_loop[max(of_loop)], folder / f"{mode}-{formula}", *how)
                for k, atoms in enumerate(found):
                    atoms.info["name"] = f"{mode}-{formula}-{k:03d}"
                structures += found
        labels = label_structures(structures, folder / "labels.h5", config.reference, processes=0)
        for mode, watcher in progress.items():
            for loop in range(options.loops + 1):
                model = models[mode][max(each for each in models[mode] if each <= loop)]
                errors = errors_of(model, labels, unknown)
                wrong, force, z = np.array(errors).T
                counts = [sum(of_loop[k] for k in range(loop + 1)) for of_loop in (watcher.labelled, watcher.trained)]
                row = (f"{np.abs(wrong).mean():.3f}", f"{force.mean():.3f}", f"{z.std():.2f}")
                table.add_row(mode, str(loop), *map(str, [*counts, len(errors)]), *row)
    Console().print(table)


if __name__ == "__main__":
    main()
