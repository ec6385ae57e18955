"""The mode `lea`: an evolution that goes on from loop to loop, and a model that is trained only when it has to be.

The search of a composition begins from the population that the composition's last search ended with, relaxed anew by
the present model, besides fresh starts. Labels judge the model by its own measure: with calibrated sigma a label is
farther than z sigma from the model's energy with probability 2 (1 - Phi(z)). When so many labels of a loop are farther
that chance alone would hardly do it, the reference disagrees by more than sigma allows, and the model is trained. A
model that errs widely and says so is not contradicted by any label: so it is trained as well when the labels that it
does not know have become a good part of the data. Otherwise it is kept, and they wait for the next training.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from hea_training.meta_loop import steps
from hea_training.meta_loop.candidates import minima_of
from hea_training.meta_loop.carried import Carried
from hea_training.meta_loop.label_into import LABELS
from hea_training.meta_loop.mode_settings import LeaSettings
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.refreshed import Refreshed
from hea_training.meta_loop.state import Loop
from hea_training.meta_loop.steps import number_of, searched
from scipy.stats import binom, norm

from hea_potential.complete_file import complete_file
from hea_potential.dataset import DataSet, read_dataset
from hea_potential.described import describe
from hea_potential.search.composition import Composition
from hea_potential.search.starts import STARTS, Start

__all__ = ["STEPS", "disagrees", "judged"]

Facts = dict[str, Any]


def search(loop: Loop, step: Step) -> Facts:
    """Search with the present model, going on with the composition's last population."""
    settings = loop.config.search
    assert loop.model is not None
    starts: dict[str, Start] = {name: STARTS[name] for name in settings.starts}
    population = population_before(loop, step)
    if population is not None:
        starts["carried"] = population
    found = searched(loop, step, loop.model, settings.minimisations, settings.kappa, starts, settings.unknown)
    return {"model": number_of(loop.model), "carried": 0 if population is None else len(population.clusters)} | found


def population_before(loop: Loop, step: Step) -> Carried | None:
    """The lowest minima of the composition's last search in an earlier loop."""
    for earlier in range(step.loop - 1, 0, -1):
        before = Step("search", earlier, step.n_elements, step.composition)
        lowest = minima_of(loop.folder / before.place / "search", loop.config.lea.population)
        if lowest:
            return Carried.of(Composition.parse(str(step.composition)), lowest)
    return None


def label(loop: Loop, step: Step) -> Facts:
    """Label what was chosen, and judge the model by its own sigma."""
    facts = steps.label(loop, step)
    assert loop.model is not None
    labels = read_dataset(loop.folder_of(step) / LABELS)
    count, beyond = judged(labels, loop.model, loop.config.lea.sigmas)
    return facts | {"judged": count, "beyond_sigma": beyond}


def judged(labels: DataSet, model: Path, sigmas: float) -> tuple[int, int]:
    """How many structures have labels, and how many of them are farther than so many sigma from the model's energy.

    Frames of one relaxation are much the same: only the first of them counts.
    """
    first = [k for k, name in enumerate(labels.name) if name.partition(".")[2] in ("", "000")]
    if not first:
        return 0, 0
    said = describe([labels.atoms(k) for k in first], model)
    beyond = np.abs(said.energies - labels.energy[first]) > sigmas * said.sigmas
    return len(first), int(beyond.sum())


def disagrees(count: int, beyond: int, settings: LeaSettings) -> bool:
    """Whether `beyond` of `count` labels are more than calibrated sigma allows: chance alone would give that many with
    a probability below the settings' `chance`.
    """
    share = 2.0 * norm.sf(settings.sigmas)
    return bool(beyond > 0 and binom.sf(beyond - 1, count, share) < settings.chance)


def refresh(loop: Loop, step: Step) -> Facts:
    """Train the model if the labels since the last training disagree with it or are many, otherwise keep it."""
    if step.loop == 0:
        return steps.refresh(loop, step)
    settings, dataset = loop.config.lea, read_dataset(loop.data)
    places = {each.place for each in loop.refreshes_since_accepted(step)}
    lines = [loop.facts(each) for each in loop.steps if is_judge(each, places) and each.name in loop.ledger.lines]
    count, beyond = (sum(line[what] for line in lines) for what in ("judged", "beyond_sigma"))
    waiting = len(steps.unlearned(loop, step, dataset))
    if disagrees(count, beyond, settings) or waiting > settings.waiting * len(dataset):
        return steps.refresh(loop, step)
    far = f"{beyond} of {count} labels beyond {settings.sigmas:g} sigma"
    return kept(loop, step, f"{far}, {waiting} of {len(dataset)} structures not trained on: no reason to train")


def is_judge(step: Step, places: set[str]) -> bool:
    """Whether a step labels for one of the refreshes at these places."""
    return step.kind == "label" and str(Path(step.place).parent) in places


def kept(loop: Loop, step: Step, reason: str) -> Facts:
    """The present model once more."""
    target = loop.target(step)
    assert loop.model is not None
    with complete_file(target) as temporary:
        shutil.copyfile(loop.model, temporary)
    return asdict(Refreshed.untrained(target, reason))


STEPS: Mapping[str, Callable[[Loop, Step], Facts]] = {"search": search, "label": label, "refresh": refresh}
