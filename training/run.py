"""A whole training run: strata in order, then the model file with its errors, checked in the engine."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.architecture import Architecture
from hea_training.arithmetic import fast_arithmetic
from hea_training.config import Config
from hea_training.evaluate import error_table, errors_of
from hea_training.export import export, tensors_of
from hea_training.graph import Graphs
from hea_training.jobs import Job, Report, claim, run_jobs
from hea_training.parity import check_parity, unseen_sample
from hea_training.repulsion import ensure_repulsion
from hea_training.sigma import uncertainty
from hea_training.strata import (
    Stratum,
    Tensors,
    all_strata,
    load_network,
    merge,
    rows_of,
    start,
    trained_pairs,
)

from hea_potential import __version__
from hea_potential.complete_file import complete_file
from hea_potential.dataset import DataSet, read_dataset
from hea_potential.errors import InputError
from hea_potential.model_file import read_model_file
from hea_potential.split import Split

__all__ = ["Data", "load_data", "train"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Data:
    """A data set restricted to the model's elements, split by groups of structures; `graphs` are in the data set's
    order."""

    dataset: DataSet
    split: Split
    graphs: Graphs

    def part(self, name: str) -> Graphs:
        """The structures of train, valid or test."""
        return self.graphs.subset(getattr(self.split, name))

    def kinds(self, name: str) -> np.ndarray:
        """Their kinds, in the same order."""
        return self.dataset.kind[getattr(self.split, name)].astype(str)


def load_data(path: Path, arch: Architecture, split_seed: int, kinds: list[str]) -> Data:
    """Reads the structures that hold no other elements (and are of the kinds asked for, if any) and finds their
    neighbours."""
    whole = read_dataset(path)
    present = {tuple(Graphs.symbols(numbers)) for numbers in whole.element_sets}
    dataset = whole.of_elements(arch.elements)
    if kinds:
        unknown = sorted(set(kinds) - set(whole.kind.astype(str)))
        if unknown:
            known = ", ".join(sorted(set(whole.kind.astype(str))))
            raise InputError(f"kinds: {', '.join(unknown)} not in {path}, which has {known}")
        dataset = dataset.select(np.isin(dataset.kind.astype(str), [*kinds, "atom"]))
    if len(dataset) == 0:
        raise InputError(
            f"{path} has no structure of {', '.join(arch.elements)} alone; it has {sorted(present)[:5]} ..."
        )
    return Data(dataset, dataset.split(split_seed), Graphs.of(dataset, arch.elements, arch.cutoff))


def provenance_of(config: Config, data: Data) -> dict[str, Any]:
    """What a model came from: versions, data and its hash, seeds, reference, settings; threads, for the order in which
    they add decides the last digits.
    """
    return {
        "packages": {"hea-potential": __version__}
        | {name: version(name) for name in ("torch", "schnetpack", "numpy", "ase")},
        "data": {
            "name": config.data.name,
            "sha256": data.dataset.sha256(),
            "structures": len(data.dataset),
            "provenance": data.dataset.provenance,
        },
        "split": {"seed": config.split_seed}
        | {part: len(getattr(data.split, part)) for part in ("train", "valid", "test")},
        "seed": config.seed,
        "threads": config.threads,
        "model": config.model,
        "start_from": _origin(config.start_from_path) if config.start_from else None,
        "training": {name: asdict(settings) for name, settings in config.strata.items()},
    }


def _origin(path: Path) -> dict[str, Any]:
    """The model that a training begins with, and where that came from in turn."""
    return {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "provenance": read_model_file(path).metadata.get("provenance"),
    }


def train(config: Config, report: Report = lambda *_: None, say: Say = lambda what: None) -> Path:
    """Trains what the configuration asks for; the path of the model file. Called again after a kill, it goes on where
    it was. report: told of every epoch; say: what is done before and after them, which takes seconds or minutes.

    Raises InputError when the data do not fit the configuration, or the output folder holds another run.
    """
    with fast_arithmetic(config.threads):
        return _trained(config, report, say)


def _trained(config: Config, report: Report, say: Say) -> Path:
    """What `train` says."""
    say(f"reading {config.data} and finding neighbours")
    data = load_data(config.data, config.architecture, config.split_seed, config.kinds)
    provenance = provenance_of(config, data)
    claim(config.output, provenance | {"architecture": config.architecture.as_dict()})
    if config.model == "schnetpack":
        from hea_training.baseline import train_baseline

        return train_baseline(config, data, provenance, report)
    arch = config.architecture
    training = data.part("train")
    try:
        tensors = start(arch, training, config.seed, data.graphs)
    except ValueError as error:
        raise InputError(f"{config.data}: {error}") from error
    if config.start_from:
        tensors = _from_file(config, tensors)
    groups = all_strata(arch.n_elements) if config.model == "stratified" else [[Stratum("full")]]
    for number, group in enumerate(groups):
        training.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
        jobs = jobs_of(config, tensors, group, training, provenance)
        for stratum, trained in run_jobs(jobs, config.workers, config.threads, report):
            tensors = merge(arch, tensors, stratum, trained)
        try:
            pairs = sorted({pair for job in jobs for pair in trained_pairs(arch, job.stratum)})
            tensors = ensure_repulsion(arch, tensors, pairs, training)
        except ValueError as error:
            raise InputError(f"{config.data}: {error}") from error
        if 0 < number < len(groups) - 1:
            say("a first model: errors, sigma and parity")
            finish(config, data, tensors, provenance)  # a first model, before the last stratum
    say("the model: errors, sigma and parity")
    return finish(config, data, tensors, provenance)


def jobs_of(
    config: Config, tensors: Tensors, group: list[Stratum], training: Graphs, provenance: dict[str, Any]
) -> list[Job]:
    """The trainings of those strata of a group that any structures teach, the longest first."""
    jobs = [
        Job(
            config.architecture,
            tensors,
            stratum,
            training.subset(rows),
            config.strata[stratum.kind],
            config.seed,
            config.output,
            provenance,
            warm=bool(config.start_from),
        )
        for stratum in group
        if len(rows := rows_of(stratum, training))
    ]
    return sorted(jobs, key=lambda job: -job.graphs.n_edges.sum())


def _from_file(config: Config, fresh: Tensors) -> Tensors:
    """The weights of the model file to start from; distances, switches and E0 are those of the file, too."""
    arch, tensors = tensors_of(config.start_from_path)
    if arch != config.architecture:
        raise InputError(
            f"start_from: the model's sizes are {arch}; allowed are those of the configuration, {config.architecture}"
        )
    return {name: tensors[name].astype(fresh[name].dtype) for name in fresh}


def finish(config: Config, data: Data, tensors: Tensors, provenance: dict[str, Any]) -> Path:
    """Writes model.safetensors and errors.json of the present state of a model."""
    arch = config.architecture
    data.graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network = load_network(arch, tensors)
    table = torch.from_numpy(tensors["filters"].astype(np.float32))
    errors = {
        part: error_table(errors_of(network, table, data.part(part)), data.part(part), data.kinds(part))
        for part in ("valid", "test")
    }
    sigma = uncertainty(network, table, data.part("train"), data.part("valid")) if config.sigma else None
    path = config.output / "model.safetensors"
    document = {"name": config.name, "provenance": provenance, "errors": errors, "licence": config.licence}
    export(path, arch, tensors, sigma, document)
    agreement = check_parity(path, unseen_sample(data.dataset, data.split))
    with complete_file(config.output / "errors.json") as temporary:
        temporary.write_text(json.dumps(errors | {"parity": agreement.as_dict()}, indent=1) + "\n")
    return path
