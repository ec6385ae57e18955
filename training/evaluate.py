"""Errors of a model on labelled structures: by stratum, by kind, and stratified against full."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hea_training.fit import predict
from hea_training.graph import Graphs
from hea_training.network import Network
from torch import Tensor

__all__ = ["Errors", "error_table", "errors_of", "errors_of_predictions"]


@dataclass(frozen=True)
class Errors:
    """energy [M]: |dE|/N in meV/atom; force [M]: sum over atoms and components of |dF| in meV/A; components [M]: 3N."""

    energy: np.ndarray
    force: np.ndarray
    components: np.ndarray

    def summary(self, chosen: np.ndarray) -> dict[str, float]:
        """Mean absolute errors (energy a structure, force a component) of the chosen structures."""
        n = int(np.count_nonzero(chosen))
        if n == 0:
            return {"structures": 0}
        return {
            "structures": n,
            "atoms": int(self.components[chosen].sum() // 3),
            "energy_mae": round(float(self.energy[chosen].mean()), 3),
            "energy_median": round(float(np.median(self.energy[chosen])), 3),
            "energy_rmse": round(float(np.sqrt((self.energy[chosen] ** 2).mean())), 3),
            "force_mae": round(float(self.force[chosen].sum() / self.components[chosen].sum()), 3),
        }


def errors_of(network: Network, table: Tensor, graphs: Graphs) -> Errors:
    """Errors on a set whose offsets are set."""
    return errors_of_predictions(graphs, *predict(network, table, graphs))


def errors_of_predictions(graphs: Graphs, energies: np.ndarray, forces: np.ndarray) -> Errors:
    """Errors of energies [M] in eV and forces [sum of atoms, 3] in eV/A against the set's labels."""
    owner = np.repeat(np.arange(len(graphs)), graphs.n_atoms)
    force = np.bincount(owner, weights=np.abs(forces - graphs.forces).sum(1), minlength=len(graphs)) * 1e3
    return Errors(np.abs(energies - graphs.energies) / graphs.n_atoms * 1e3, force, 3.0 * graphs.n_atoms)


def error_table(errors: Errors, graphs: Graphs, kinds: np.ndarray) -> dict[str, Any]:
    """Errors of all structures, of clusters of 13 and more atoms, by number of elements, by set of elements and by
    kind."""
    has = graphs.composition()
    count = has.sum(1)
    names = np.array(["".join(np.array(graphs.elements)[row]) for row in has])
    clusters = np.array([kind.startswith("cluster") for kind in kinds], dtype=bool)
    strata = {"elements": count == 1, "pairs": count == 2, "many": count >= 3}
    return {
        "units": {"energy": "meV/atom", "force": "meV/Angstrom"},
        "all": errors.summary(np.ones(len(graphs), dtype=bool)),
        "clusters of 13 atoms or more": errors.summary(clusters & (graphs.n_atoms >= 13)),
        "stratum": {name: errors.summary(chosen) for name, chosen in strata.items()},
        "elements": {str(n): errors.summary(count == n) for n in sorted(set(count.tolist()))},
        "kind": {str(kind): errors.summary(kinds == kind) for kind in sorted(set(kinds))},
        "set": {
            str(name): errors.summary(names == name)
            for name in sorted(set(names[count <= 2]), key=lambda s: (len(s), s))
        },
    }
