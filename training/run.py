"""A whole training run: strata in order, pairs in parallel processes, results kept so that a killed run goes on."""

import hashlib
import json
import math
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from hea_training.config import Config
from hea_training.evaluate import error_table, errors_of
from hea_training.export import export, tensors_of
from hea_training.fit import Settings
from hea_training.graph import Graphs
from hea_training.network import Architecture
from hea_training.parity import check_parity
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
    train_stratum,
    trained_pairs,
)

from hea_potential import __version__
from hea_potential.complete_file import complete_file
from hea_potential.dataset import DataSet, Split, read_dataset
from hea_potential.errors import InputError
from hea_potential.model_file import read_model_file

__all__ = ["Data", "load_data", "train"]

SAMPLE = 20  # structures on which an exported model is compared in the engine and in torch

Report = Callable[[str, int, int, float], None]  # stratum, epochs done, epochs in all, loss


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
    dataset = read_dataset(path)
    present = {tuple(Graphs.symbols(numbers)) for numbers in dataset.element_sets}
    usable = np.array([set(Graphs.symbols(numbers)) <= set(arch.elements) for numbers in dataset.element_sets])
    if kinds:
        unknown = sorted(set(kinds) - set(dataset.kind.astype(str)))
        if unknown:
            known = ", ".join(sorted(set(dataset.kind.astype(str))))
            raise InputError(f"kinds: {', '.join(unknown)} not in {path}, which has {known}")
        usable &= np.isin(dataset.kind.astype(str), [*kinds, "atom"])
    dataset = dataset.select(usable)
    if len(dataset) == 0:
        raise InputError(
            f"{path} has no structure of {', '.join(arch.elements)} alone; it has {sorted(present)[:5]} ..."
        )
    return Data(dataset, dataset.split(split_seed), Graphs.of(dataset, arch.elements, arch.cutoff))


def provenance_of(config: Config, data: Data) -> dict[str, Any]:
    """What a model came from: versions, data and its hash, seeds, reference, settings."""
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


def train(config: Config, report: Report | None = None) -> Path:
    """Trains what the configuration asks for; the path of the model file. Called again after a kill, it goes on where
    it was.

    Raises InputError when the data do not fit the configuration, or the output folder holds another run.
    """
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    report = report or (lambda *_: None)
    data = load_data(config.data, config.architecture, config.split_seed, config.kinds)
    provenance = provenance_of(config, data)
    _claim(config.output, provenance | {"architecture": config.architecture.as_dict()})
    if config.model == "schnetpack":
        from hea_training.baseline import train_baseline

        return train_baseline(config, data, provenance, report)
    arch = config.architecture
    training = data.part("train")
    try:
        tensors = start(arch, training, config.seed)
    except ValueError as error:
        raise InputError(f"{config.data}: {error}") from error
    if config.start_from:
        tensors = _from_file(config, tensors)
    groups = all_strata(arch.n_elements) if config.model == "stratified" else [[Stratum("full")]]
    for number, group in enumerate(groups):
        training.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
        jobs = []
        for stratum in group:
            rows = rows_of(stratum, training)
            if len(rows):
                kind = stratum.kind
                jobs.append(
                    Job(
                        arch,
                        tensors,
                        stratum,
                        training.subset(rows),
                        config.strata[kind],
                        config.seed,
                        config.output,
                        provenance,
                    )
                )
        jobs.sort(key=lambda job: -job.graphs.n_edges.sum())  # the longest first
        for stratum, trained in _run(jobs, config, report):
            tensors = merge(arch, tensors, stratum, trained)
        try:
            pairs = sorted({pair for job in jobs for pair in trained_pairs(arch, job.stratum)})
            tensors = ensure_repulsion(arch, tensors, pairs, training)
        except ValueError as error:
            raise InputError(f"{config.data}: {error}") from error
        if 0 < number < len(groups) - 1:
            finish(config, data, tensors, provenance)  # a first model, before the last stratum
    return finish(config, data, tensors, provenance)


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
    agreement = check_parity(path, _sample(data))
    with complete_file(config.output / "errors.json") as temporary:
        temporary.write_text(json.dumps(errors | {"parity": agreement.as_dict()}, indent=1) + "\n")
    return path


def _sample(data: Data) -> list[Atoms]:
    """A few structures never trained on, of all kinds and sizes, for the parity of the exported file."""
    test = data.split.test if len(data.split.test) else data.split.train
    by_size = test[np.argsort(data.dataset.sizes[test], kind="stable")]
    chosen = by_size[np.unique(np.linspace(0, len(by_size) - 1, SAMPLE).astype(int))]
    return [data.dataset.atoms(int(k)) for k in chosen]


@dataclass(frozen=True)
class Job:
    """A stratum to train: everything a process needs."""

    arch: Architecture
    tensors: Tensors
    stratum: Stratum
    graphs: Graphs
    settings: Settings
    seed: int
    output: Path
    provenance: dict[str, Any]

    @property
    def name(self) -> str:
        return self.stratum.name(self.arch.elements)

    @property
    def result(self) -> Path:
        return self.output / "strata" / f"{self.name}.npz"

    @property
    def checkpoint(self) -> Path:
        return self.output / "strata" / f"{self.name}.checkpoint"


def _run(jobs: list[Job], config: Config, report: Report) -> list[tuple[Stratum, Tensors]]:
    """What the jobs taught; those that are finished already are read."""
    waiting = [job for job in jobs if not job.result.exists()]
    for job in jobs:
        if job not in waiting:
            report(job.name, job.settings.epochs, job.settings.epochs, math.nan)
    if len(waiting) == 1 or config.workers == 1:
        for job in waiting:
            _train(job, report)
    elif waiting:
        context = multiprocessing.get_context("spawn")
        with context.Manager() as manager:
            messages = manager.Queue()
            with (
                _forwarded(messages, report),
                ProcessPoolExecutor(config.workers, context, _prepare, (messages, config.threads)) as pool,
            ):
                list(pool.map(_train, waiting))
    results = []
    for job in jobs:
        with np.load(job.result) as arrays:
            results.append((job.stratum, dict(arrays)))
    return results


_messages: Any = None


def _prepare(messages: Any, threads: int) -> None:
    """Begins a worker process."""
    global _messages  # noqa: PLW0603 - a pool's initializer has no other place for what its jobs need
    _messages = messages
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


@contextmanager
def _forwarded(messages: Any, report: Report) -> Iterator[None]:
    """Gives the workers' messages to `report`, in this process, while the block runs."""
    finished = threading.Event()

    def forward() -> None:
        while not finished.is_set():
            try:
                report(*messages.get(timeout=0.2))
            except queue.Empty:
                continue

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _train(job: Job, report: Report | None = None) -> None:
    """Trains a stratum and keeps the result; the checkpoint, no longer needed then, stays for provenance."""
    send = report or (lambda *message: _messages.put(message))
    job.result.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def on_epoch(epoch: int, loss: float, *_: Any) -> None:
        send(job.name, epoch, job.settings.epochs, loss)
        with job.result.with_suffix(".log").open("a") as log:
            log.write(f"{epoch} {loss:.6f} {time.monotonic() - began:.1f}\n")

    trained = train_stratum(
        job.arch,
        job.tensors,
        job.stratum,
        job.graphs,
        job.settings,
        _seed_of(job.seed, job.name),
        checkpoint=job.checkpoint,
        provenance=job.provenance,
        on_epoch=on_epoch,
    )
    with complete_file(job.result) as temporary:
        np.savez(temporary, **trained)  # type: ignore[arg-type]


def _seed_of(seed: int, name: str) -> int:
    """A seed of its own for every stratum, whichever order or process they run in."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big")


def _claim(output: Path, run: dict[str, Any]) -> None:
    """Makes the output folder, or checks that what lies there is the same run."""
    output.mkdir(parents=True, exist_ok=True)
    path, text = output / "run.json", json.dumps(run, indent=1, sort_keys=True, default=str) + "\n"
    if not path.exists():
        with complete_file(path) as temporary:
            temporary.write_text(text)
    elif path.read_text() != text:
        before, now = json.loads(path.read_text()), json.loads(text)
        differ = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        raise InputError(
            f"{output} holds another run (they differ in {', '.join(differ)}); "
            "allowed is an empty folder, or the same configuration and data"
        )
