"""A new model from the present one and a data set that has grown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.architecture import Architecture
from hea_training.evaluate import errors_of
from hea_training.export import export, tensors_of
from hea_training.fit_settings import Settings
from hea_training.graph import Graphs
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.repulsion import ensure_repulsion
from hea_training.sigma import uncertainty
from hea_training.strata import Stratum, Tensors, load_network, merge, start, train_stratum

from hea_potential import __version__
from hea_potential.complete_file import complete_file
from hea_potential.dataset import ALWAYS_TRAIN, DataSet, Split, uniform

__all__ = ["Refreshed", "fixed_split", "refresh"]

Report = Callable[[str, int, int, float], None]  # stratum, epochs done, epochs in all, loss


@dataclass(frozen=True)
class Refreshed:
    """What became of a refresh; the fields are the facts of the ledger."""

    model: str
    sha256: str
    accepted: bool
    reason: str
    strata: list[str]
    structures: int
    epochs: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)


def fixed_split(dataset: DataSet, seed: int) -> Split:
    """Training, validation and test by a rule that no new data changes: a number that depends on seed and group."""
    parts: tuple[list[int], ...] = ([], [], [])
    for k, (kind, group) in enumerate(zip(dataset.kind.tolist(), dataset.group.tolist(), strict=True)):
        u = uniform(f"{seed}/{group}")
        parts[0 if kind in ALWAYS_TRAIN or u >= 0.2 else 1 if u >= 0.1 else 2].append(k)
    return Split(*(np.array(part, dtype=np.int64) for part in parts))


def refresh(
    dataset: DataSet,
    split: Split,
    new_names: Collection[str],
    model: Path | None,
    settings: RefreshSettings,
    folder: Path,
    target: Path,
    *,
    architecture: Architecture,
    seed: int,
    report: Report,
) -> Refreshed:
    """Train on the training part of a data set, beginning with a model or with nothing, and write the new model."""
    if model is not None:
        architecture, tensors = tensors_of(model)
    graphs = Graphs.of(dataset, architecture.elements, architecture.cutoff)
    training = graphs.subset(split.train)
    if model is None:
        tensors = start(architecture, training, seed)
    before = table_of(architecture, tensors, graphs, split, dataset) if model else {}
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    training = graphs.subset(split.train)
    epochs = settings.epochs if model else settings.first_epochs
    rate = settings.learning_rate if model else settings.first_learning_rate
    how = Settings(epochs=epochs, batch_size=settings.batch_size, learning_rate=rate)
    folder.mkdir(parents=True, exist_ok=True)
    trained = train_stratum(
        architecture,
        tensors,
        Stratum("full"),
        training,
        how,
        seed,
        checkpoint=folder / "full.checkpoint",
        on_epoch=lambda epoch, loss, *_: report("full", epoch, epochs, loss),
    )
    tensors = merge(architecture, tensors, Stratum("full"), trained)
    tensors = ensure_repulsion(architecture, tensors, list(range(architecture.n_pairs)), training)
    after = table_of(architecture, tensors, graphs, split, dataset)
    network = load_network(architecture, tensors)
    table = torch.from_numpy(tensors["filters"].astype(np.float32))
    sigma = uncertainty(network, table, graphs.subset(split.train), graphs.subset(split.valid))
    provenance = {
        "packages": {"hea-potential": __version__},
        "data": {"sha256": dataset.sha256(), "structures": len(dataset)},
        "seed": seed,
        "training": asdict(how),
    }
    with complete_file(target) as temporary:
        export(temporary, architecture, tensors, sigma, {"name": target.stem, "provenance": provenance})
    better = not before or after["valid"]["all"]["energy_mae"] <= before["valid"]["all"]["energy_mae"]
    return Refreshed(
        model=f"models/{target.name}",
        sha256=hashlib.sha256(target.read_bytes()).hexdigest(),
        accepted=better,
        reason="smaller errors on the validation set" if before else "the first model",
        strata=["full"],
        structures=len(split.train),
        epochs=epochs,
        before=before,
        after=after,
    )


def table_of(arch: Architecture, tensors: Tensors, graphs: Graphs, split: Split, dataset: DataSet) -> dict[str, Any]:
    """Errors of each part of the split, of all structures and by number of elements."""
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network = load_network(arch, tensors)
    table = torch.from_numpy(tensors["filters"].astype(np.float32))
    errors = errors_of(network, table, graphs)
    n_elements = dataset.n_elements
    found: dict[str, Any] = {}
    for part in ("train", "valid", "test"):
        inside = np.isin(np.arange(len(dataset)), getattr(split, part))
        groups = {"all": inside} | {str(n): inside & (n_elements == n) for n in np.unique(n_elements[inside])}
        found[part] = {}
        for name, chosen in groups.items():
            summary = errors.summary(chosen)
            if summary["structures"]:
                eV = float((errors.energy * dataset.sizes)[chosen].mean() / 1e3)
                found[part][name] = {
                    "structures": summary["structures"],
                    "energy_mae": round(eV, 6),
                    "energy_mae_atom": summary["energy_mae"],
                    "force_mae": summary["force_mae"],
                }
    return found
