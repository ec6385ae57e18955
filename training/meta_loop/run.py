"""`run_loop(...)`: a meta loop from its beginning, or from where an earlier call was stopped, to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.ledger import Ledger, LoopFolderError
from hea_training.meta_loop.outputs import check_outputs
from hea_training.meta_loop.plan import steps_of
from hea_training.meta_loop.state import Loop, Watcher
from threadpoolctl import threadpool_limits

from hea_potential import __version__
from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError
from hea_potential.loop_files import IDENTITY, LEDGER
from hea_potential.reference import reference_method, versions
from hea_potential.torch_library import load_torch

__all__ = ["identity_of", "loop_ranks", "run_loop"]

FORMAT, VERSION = "hea-loop", 1
SAME = ("config", "reference", "start")  # what may not differ when a run is continued
KEPT = "what is done is kept: the same command goes on"
LABELLING = ("start", "label")  # kinds of steps that ask the reference
NO_DIFFERENCE = ("processes", "packages", "licence")  # threads decide the last digits, who labels decides nothing


def run_loop(
    config: LoopConfig,
    out: Path,
    watcher: Watcher | None = None,
    *,
    executor: Executor | None = None,
    workers: int = 0,
) -> Path | None:
    """Carry out a meta loop in the folder `out`; returns the path of the last accepted model.

    Stopped or killed at any instant, the same call goes on where it was. Under mpirun all ranks call it; rank 0
    manages and trains, the others minimise and label, and get None. executor: with the number of its `workers`, instead
    of the ranks of mpirun.

    Raises HEAError: InputError, LoopFolderError for a folder that holds another loop, OutputError, ...
    """
    if executor is not None:
        with one_thread():
            return managed(config, out, watcher, executor, workers)
    with loop_ranks() as rank_0:
        return managed(config, out, watcher, *rank_0) if rank_0 is not None else None


@contextmanager
def loop_ranks() -> Iterator[tuple[Executor | None, int] | None]:
    """What `mpi_executor` yields, with ranks that calculate as a loop's must. For who does more than `run_loop` on rank
    0 alone, such as reading the configuration.
    """
    from hea_potential.search.workers import mpi_executor

    with one_thread(), mpi_executor("the loop", KEPT) as rank_0:
        yield rank_0


def managed(
    config: LoopConfig, out: Path, watcher: Watcher | None, executor: Executor | None, workers: int
) -> Path | None:
    """Carry out a meta loop with these workers; returns the path of the last accepted model."""
    from hea_potential.label_workers import Processes

    processes = config.label.processes
    check_ranks(config, workers)
    check_free(out)
    load_torch()  # before a search loads LAMMPS
    with closing(Ledger(out)) as ledger, Processes(processes) if processes else nullcontext() as labellers:
        claim(out, identity_of(config))
        check_outputs(out, list(ledger.lines.values()))
        loop = Loop(config, out, steps_of(config), ledger, executor, workers, labellers, watcher or Watcher())
        carry_out(loop)
        return loop.model


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra, and references that ask how many threads they may use, have one thread: the number decides last
    digits. Training has as many as the configuration says.
    """
    from hea_potential.label_workers import one_thread_each

    with one_thread_each(), threadpool_limits(1, user_api="blas"):
        yield


def check_ranks(config: LoopConfig, workers: int) -> None:
    """Raise InputError if more ranks would search than there are minimisations."""
    ranks = workers + 1
    fewest = config.gofee.minimisations if config.mode == "gofee" else config.search.minimisations
    if ranks > fewest:
        raise InputError(f"{ranks} ranks for searches of {fewest} minimisations; use fewer ranks")


def carry_out(loop: Loop) -> None:
    """Do all steps that the ledger does not have."""
    from hea_training.meta_loop.modes import STEPS_OF_MODE

    steps_of_mode = STEPS_OF_MODE[loop.config.mode]
    for number, step in enumerate(loop.steps, start=1):
        line = loop.ledger.lines.get(step.name)
        if line is None:
            loop.watcher.begins(step, number, len(loop.steps))
            began = time.monotonic()
            if step.kind in LABELLING:
                check_reference(loop)
            facts = steps_of_mode[step.kind](loop, step)
            line = loop.ledger.write(step, time.monotonic() - began, facts)
        loop.watcher.ends(line)


def check_reference(loop: Loop) -> None:
    """Raise LoopFolderError if the reference is no longer what the run began with: its file was edited in between."""
    before, now = read_identity(loop.folder / IDENTITY), reference_of(loop.config)
    if differ := differing(before["reference"], now, "reference."):
        raise LoopFolderError(
            f"the reference {loop.config.reference!r} has changed since the loop in {str(loop.folder)!r} began (it "
            f"differs in {', '.join(differ)}); restore it, or begin another loop"
        )


def reference_of(config: LoopConfig) -> dict[str, Any]:
    """The provenance of the reference, as JSON holds it."""
    return dict(json.loads(json.dumps(reference_method(config.reference).provenance)))


def identity_of(config: LoopConfig) -> dict[str, Any]:
    """What makes a run what it is, as JSON holds it: configuration, reference, versions, what it begins with."""
    resolved = asdict(config)
    del resolved["folder"], resolved["architecture"]["elements"]  # neither is a key of the file
    files = {} if config.from_nothing else {"model": config.start_model}
    files |= {"data": config.start_data} if config.start.data else {}
    identity = {
        "format": FORMAT,
        "version": VERSION,
        "config": resolved,
        "seed": config.seed,
        "reference": reference_of(config),
        "packages": {"hea-potential": __version__} | versions("ase", "scipy", "torch", "schnetpack", "lammps"),
        "start": {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
    }
    return dict(json.loads(json.dumps(identity)))


def check_free(folder: Path) -> None:
    """Raise LoopFolderError for a folder that holds something and no loop, before anything is made in it."""
    if not folder.is_dir() or (folder / IDENTITY).exists():
        return
    if others := sorted(each.name for each in folder.iterdir() if each.name != LEDGER):
        raise LoopFolderError(
            f"run folder {str(folder)!r} holds {', '.join(others[:3])} and no loop; choose an empty or new folder"
        )


def claim(folder: Path, identity: dict[str, Any]) -> None:
    """Write the identity into a new folder, or check that the folder holds the same loop, which may be given more loops
    than it had. Raises LoopFolderError.
    """
    path = folder / IDENTITY
    if path.exists():
        before = read_identity(path)
        if differ := differences(before, identity):
            raise LoopFolderError(
                f"run folder {str(folder)!r} holds another loop (they differ in {', '.join(differ)}); give the "
                f"configuration that it was begun with, or choose another folder"
            )
        identity = {**before, "config": {**before["config"], "loops": identity["config"]["loops"]}}
    with complete_file(path) as temporary:
        temporary.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")


def read_identity(path: Path) -> dict[str, Any]:
    """The identity of the loop in a folder. Raises LoopFolderError if it cannot be read."""
    try:
        identity = json.loads(path.read_text(encoding="utf-8"))
        if (identity["format"], identity["version"]) != (FORMAT, VERSION):
            raise ValueError(f"{identity['format']!r} version {identity['version']!r}")
        if not all(isinstance(identity[name], dict) for name in SAME):
            raise ValueError("parts of it are missing")
        if not isinstance(identity["config"]["loops"], int):
            raise ValueError("it has no number of loops")
    except (ValueError, KeyError, TypeError) as error:
        raise LoopFolderError(f"{path} cannot be read: {error}; restore it, or choose another folder") from error
    return dict(identity)


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What may not differ between two identities and does, by name: all that decides what is found, apart from versions
    of packages, and from more loops than before.
    """
    found = [
        *differing(before["config"], now["config"]),
        *differing(before["reference"], now["reference"], "reference."),
        *differing(before["start"], now["start"], "start."),
    ]
    if now["config"]["loops"] > before["config"]["loops"]:
        found.remove("loops")
    return found


def differing(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Names of the values that differ in two tables, and in the tables in them, but for those that decide nothing."""
    found: list[str] = []
    for name in {**before, **now}:
        one, other = before.get(name), now.get(name)
        if name in NO_DIFFERENCE:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            found += differing(one, other, f"{prefix}{name}.")
        elif one != other:
            found.append(prefix + name)
    return found
