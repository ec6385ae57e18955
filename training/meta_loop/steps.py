"""The steps of a meta loop. Each is idempotent: done again after a kill at any instant, it ends with the same files and
the same facts, which `ledger` keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from hea_training.meta_loop.beginning import adopt, start
from hea_training.meta_loop.candidates import minima_of, path_frames
from hea_training.meta_loop.chosen import read_chosen, write_chosen
from hea_training.meta_loop.label_into import label_into_data
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.selection import select as choose
from hea_training.meta_loop.state import Loop

from hea_potential.dataset import DataSet, fixed_split, read_dataset
from hea_potential.described import describe
from hea_potential.labels import FAILED
from hea_potential.search import search as run_search
from hea_potential.search.composition import Composition
from hea_potential.search.minimise import Limits
from hea_potential.search.pair import PairError, RefusedLineError
from hea_potential.search.starts import STARTS, Start
from hea_potential.search.state import Run

__all__ = ["STEPS", "labelled", "number_of", "searched", "unlearned"]

Facts = dict[str, Any]
UNKNOWN = 4  # structures labelled of each search that the model knows that it does not know
PATHS = 4  # frames on the way to a minimum, for each that is labelled
ANY_HEIGHT = 1e6  # eV/atom


def search(loop: Loop, step: Step) -> Facts:
    """Search the composition with the present model."""
    settings, model = loop.config.search, loop.model
    assert model is not None
    starts = {name: STARTS[name] for name in settings.starts}
    return {"model": number_of(model)} | searched(
        loop, step, model, settings.minimisations, settings.kappa, starts, settings.unknown
    )


def searched(
    loop: Loop,
    step: Step,
    model: Path,
    minimisations: int,
    kappa: float,
    starts: Mapping[str, Start],
    unknown: float,
    folder_name: str = "search",
) -> Facts:
    """Search with a model in the step's folder; minima with a sigma above `unknown` (eV/atom) are refused."""
    settings = loop.config.search
    folder = loop.folder_of(step) / folder_name
    runs: list[Run] = []

    def watch(run: Run) -> None:
        runs[:] = [run]
        loop.watcher.goes_on("minimisations", run.tally.done, minimisations)

    facts: Facts = {"folder": str(folder.relative_to(loop.folder))}
    try:
        run_search(
            str(step.composition),
            budget=minimisations,
            seed=loop.seed(step.name),
            out=folder,
            model=model,
            method=settings.method,
            starts=starts,
            limits=Limits(settings.fmax, settings.calls, unknown),
            kappa=kappa,
            executor=loop.executor,
            workers=loop.workers,
            observers=[watch],
            confirm=0,  # a saddle is worth a label as any other structure
        )
    except RefusedLineError:  # the model cannot be read: no search will find anything
        raise
    except PairError as error:  # a model too young to bind two elements: its next data come from other searches
        nothing: Facts = {"minimisations": 0, "force_calls": 0, "minima": 0, "best_energy": None, "outcomes": {}}
        return facts | nothing | {"error": str(error)}
    run = runs[0]
    best = run.archive.best
    return facts | {
        "minimisations": run.tally.done,
        "force_calls": run.tally.calls,
        "minima": len(run.archive),
        "best_energy": None if best is None else best.energy,
        "outcomes": dict(sorted(run.tally.outcomes.items())),
    }


def number_of(model: Path) -> int:
    """The number of a model of the loop."""
    return int(model.stem)


def select(loop: Loop, step: Step) -> Facts:
    """Choose what to label of what a search found, and write it with names and reasons."""
    settings, model = loop.config.search, loop.model
    assert model is not None
    composition = Composition.parse(str(step.composition))
    rng = np.random.default_rng(loop.seed(step.name))
    minima = minima_of(loop.folder_of(step) / "search", settings.minima)
    try:
        path = path_frames(composition, model, PATHS * settings.path, rng)
    except PairError:
        path = []
    for atoms in (*minima, *path):
        atoms.calc = None
        atoms.info = {"kind": f"loop{step.loop}.path", "path_kind": f"loop{step.loop}.path", "relax": 0}
    for atoms in minima:
        atoms.info |= {"kind": f"loop{step.loop}.found", "relax": loop.config.label.relax}
    chosen = chosen_of(minima, path, loop, composition, model, rng)
    base = f"L{step.loop}-n{step.n_elements}-{step.composition}"
    for k, atoms in enumerate(chosen):
        atoms.info = {"name": f"{base}-{k:04d}", "group": f"{base}-{k:04d}", "model": number_of(model), **atoms.info}
    return {"candidates": len(minima) + len(path)} | write_chosen(loop, step, chosen)


def chosen_of(
    minima: list[Atoms], path: list[Atoms], loop: Loop, composition: Composition, model: Path, rng: np.random.Generator
) -> list[Atoms]:
    """What is labelled: of the minima, of the frames on the way to one however high they are, and a few of which the
    model's own error estimate says that their energy means nothing: they say where it has holes, not what is low.
    """
    settings = loop.config.select
    known = known_features(loop, composition, model)
    (minima, strange), (path, stranger) = (divided(each, model, loop.config.search.unknown) for each in (minima, path))
    chosen = choose(minima, model, known, settings, rng)
    if path:
        chosen += choose(path, model, known, replace(settings, quota=loop.config.search.path, window=ANY_HEIGHT), rng)
    unknown = choose(strange + stranger, model, known, replace(settings, quota=UNKNOWN, window=ANY_HEIGHT), rng)
    for atoms in unknown:
        atoms.info["reason"] = "unknown"
    return chosen + unknown


def divided(structures: list[Atoms], model: Path, most: float) -> tuple[list[Atoms], list[Atoms]]:
    """Structures with a sigma up to so many eV/atom, and those with more."""
    parts: tuple[list[Atoms], list[Atoms]] = ([], [])
    for atoms, sigma in zip(structures, describe(structures, model).sigmas, strict=True):
        parts[bool(sigma > most * len(atoms))].append(atoms)
    return parts


def known_features(loop: Loop, composition: Composition, model: Path) -> np.ndarray | None:
    """Features of the structures of a composition that have labels; None if there are none."""
    dataset = read_dataset(loop.data)
    wanted = np.sort(Atoms(composition.names(composition.types)).numbers)
    known = [
        dataset.atoms(int(k))
        for k in np.flatnonzero(dataset.sizes == composition.size)
        if np.array_equal(np.sort(dataset.frame(int(k)).numbers), wanted)
    ]
    return describe(known, model).features if known else None


def label(loop: Loop, step: Step) -> Facts:
    """Label what was chosen by the present model."""
    assert loop.model is not None
    return labelled(loop, step, loop.model)


def labelled(loop: Loop, step: Step, model: Path) -> Facts:
    """Label what was chosen, compare the labels with what the model that chose it says, and add them to the data."""
    labels = label_into_data(loop, step, read_chosen(loop, step))
    return {
        "labelled": len(labels),
        "failed": labels.failures,
        "retried": sum(reason.startswith(FAILED) for reason in labels.failures.values()),
        "data_sha256": read_dataset(loop.data).sha256(),
        "errors": errors_of(labels, model),
    }


def errors_of(labelled: DataSet, model: Path) -> Facts:
    """Mean absolute errors of a model on labelled structures: eV a structure, meV/atom, meV/A."""
    if not len(labelled):
        return {"structures": 0}
    said = describe([labelled.atoms(k) for k in range(len(labelled))], model)
    error = np.abs(said.energies - labelled.energy)
    return {
        "structures": len(labelled),
        "energy_mae": round(float(error.mean()), 6),
        "energy_mae_atom": round(float(1e3 * (error / labelled.sizes).mean()), 3),
        "force_mae": round(float(1e3 * np.abs(np.concatenate(said.forces) - labelled.forces).mean()), 3),
    }


def refresh(loop: Loop, step: Step) -> Facts:
    """Train the model on the data set as it is now. New to it is what was labelled since a model was accepted last."""
    target = loop.target(step)
    target.parent.mkdir(exist_ok=True)
    if step.loop == 0 and not loop.config.from_nothing:
        return adopt(loop, target)
    from hea_training.meta_loop.refresh import refresh as refreshed

    dataset = read_dataset(loop.data)
    result = refreshed(
        dataset,
        fixed_split(dataset, loop.config.seed),
        unlearned(loop, step, dataset),
        loop.model,
        loop.config.refresh,
        loop.folder_of(step) / "refresh",
        target,
        architecture=loop.config.architecture,
        seed=loop.seed(step.name),
        split_seed=loop.config.seed,
        threads=loop.config.threads,
        report=lambda stratum, done, total, _: loop.watcher.goes_on(f"epochs ({stratum})", done, total),
    )
    return asdict(result)


def unlearned(loop: Loop, step: Step, dataset: DataSet) -> list[str]:
    """Names of the structures that were labelled since a model was accepted last, before a refresh."""
    prefixes = tuple(f"{each.place.replace('/', '-')}-" for each in loop.refreshes_since_accepted(step))
    return [name for name in dataset.name.tolist() if name.startswith(prefixes)]


STEPS: Mapping[str, Callable[[Loop, Step], Facts]] = {
    "start": start,
    "search": search,
    "select": select,
    "label": label,
    "refresh": refresh,
}
