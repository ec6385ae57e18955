"""The mode `gofee`: each composition is searched step by step, and every label counts at once.

After Bisbo and Hammer, Phys. Rev. Lett. 124, 086102 (2020): a step relaxes many candidates in E - kappa sigma of the
present model, has the reference label the lowest that is not known yet, and learns from it before the next step. Their
model is a Gaussian process on a fixed fingerprint; ours is the loop's own model with random features in its last layer
(`surrogate`), so it begins with what was learnt before, uses the forces of every label, and runs in LAMMPS. The
candidates come from our own search, which begins from the lowest of the step before as well. The full training follows
when all compositions of a number of elements have had their steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from hea_training.meta_loop.candidates import minima_of
from hea_training.meta_loop.carried import Carried
from hea_training.meta_loop.chosen import read_chosen, write_chosen
from hea_training.meta_loop.mode_settings import GofeeSettings
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.state import Loop
from hea_training.meta_loop.steps import labelled, number_of, searched
from hea_training.meta_loop.surrogate import labelled_before, name_of, surrogate_of

from hea_potential.described import describe, in_units_of_sigma
from hea_potential.model_file import read_model_file
from hea_potential.search.composition import Composition
from hea_potential.search.starts import STARTS, Start

__all__ = ["STEPS", "pick"]

Facts = dict[str, Any]
CANDIDATES = 200  # minima of lowest E - kappa sigma that may be labelled
REASON = "lowest E - kappa sigma"
ATTEMPTS = 4  # of a search whose minima are all refused, each with ten times the sigma allowed: a young model


def search(loop: Loop, step: Step) -> Facts:
    """Candidates: minima of E - kappa sigma of the model that knows all labels so far."""
    settings, model = loop.config.gofee, surrogate_of(loop, step)
    starts: dict[str, Start] = {name: STARTS[name] for name in loop.config.search.starts}
    if before := lowest_before(loop, step):
        starts["carried"] = Carried.of(Composition.parse(str(step.composition)), before)
    kappa = settings.kappa if read_model_file(model).has_sigma else 0.0
    assert loop.model is not None
    facts = {"model": number_of(loop.model), "surrogate": str(model.relative_to(loop.folder)), "kappa": kappa}
    for attempt in range(ATTEMPTS):
        unknown = loop.config.search.unknown * 10.0**attempt
        name = f"search-{attempt}" if attempt else "search"
        found = searched(loop, step, model, settings.minimisations, kappa, starts, unknown, name)
        if found["minima"]:
            break
    return facts | {"unknown": unknown} | found


def lowest_before(loop: Loop, step: Step) -> list[Atoms]:
    """The lowest minima of the step before."""
    assert step.turn is not None
    before = loop.ledger.lines.get(replace(step, turn=step.turn - 1).name)
    return minima_of(loop.folder / before["facts"]["folder"], loop.config.gofee.carried) if before else []


def select(loop: Loop, step: Step) -> Facts:
    """Choose what to label of the minima of a step."""
    settings = loop.config.gofee
    candidates = minima_of(loop.folder / loop.facts(replace(step, kind="search"))["folder"], CANDIDATES)
    for atoms in candidates:
        atoms.calc = None
        atoms.info = {"kind": f"loop{step.loop}.found", "relax": 0}
    chosen = pick(candidates, asked_before(loop, step), surrogate_of(loop, step), settings)
    assert step.turn is not None
    assert loop.model is not None
    for k, atoms in enumerate(chosen, start=(step.turn - 1) * settings.labels):
        name = name_of(step, k)
        atoms.info |= {"name": name, "group": name, "model": number_of(loop.model)}
    return {"candidates": len(candidates)} | write_chosen(loop, step, chosen)


def asked_before(loop: Loop, step: Step) -> list[Atoms]:
    """Structures of the step's composition whose labels were asked for before, also those that could not be given."""
    assert step.turn is not None
    whole = Atoms(step.composition).get_chemical_formula()
    asked = [atoms for atoms in labelled_before(loop, step) if atoms.get_chemical_formula() == whole]
    for turn in range(1, step.turn):
        asked += read_chosen(loop, replace(step, turn=turn))
    return asked


def pick(candidates: Sequence[Atoms], known: Sequence[Atoms], model: Path, settings: GofeeSettings) -> list[Atoms]:
    """Choose structures to label, of one composition: copies, lowest E - kappa sigma first.

    Of what is expected to differ in energy from a labelled one, or from one chosen before, by less than the settings'
    resolution (root mean square, by the model), nothing new is learnt: it is passed over. After each choice the sigma
    of the others is what it will be when that label is there. A model without uncertainty chooses the lowest energies.
    """
    if not candidates:
        return []
    content = read_model_file(model)
    said = describe([*candidates, *known], model)
    if not content.has_sigma:
        order = np.argsort(said.energies[: len(candidates)], kind="stable")[: settings.labels]
        return [with_reason(candidates[k], said.energies[k], np.nan) for k in order.tolist()]
    places = in_units_of_sigma(said.features, model)
    covariance = places @ places.T  # of the energies
    noise = len(candidates[0]) * float(content.metadata["sigma"].get("noise", 0.0)) ** 2
    told = list(range(len(candidates), len(said.energies)))
    picked: list[Atoms] = []
    while len(picked) < settings.labels:
        variance = np.diag(covariance)
        apart = [variance + variance[k] - 2.0 * covariance[k] + (said.energies - said.energies[k]) ** 2 for k in told]
        is_new = np.min([np.full(len(variance), np.inf), *apart], axis=0) > settings.resolution**2
        goal = said.energies - settings.kappa * np.sqrt(np.maximum(variance, 0.0))
        open_ones = [k for k in range(len(candidates)) if is_new[k]]
        if not open_ones:
            break
        best = min(open_ones, key=lambda k: goal[k])
        picked.append(with_reason(candidates[best], said.energies[best], said.sigmas[best]))
        told.append(best)
        row = covariance[best]
        covariance = covariance - np.outer(row, row) / max(row[best] + noise, 1e-12)
    return picked


def with_reason(candidate: Atoms, energy: float, sigma: float) -> Atoms:
    """A copy that says why."""
    atoms = candidate.copy()
    atoms.info |= {"reason": REASON, "predicted_energy": float(energy), "predicted_sigma": float(sigma)}
    return atoms


def label(loop: Loop, step: Step) -> Facts:
    """Label what was chosen; how far off the model was that chose it."""
    return labelled(loop, step, surrogate_of(loop, step))


STEPS: Mapping[str, Callable[[Loop, Step], Facts]] = {"search": search, "select": select, "label": label}
