"""The model that a step of the mode `gofee` searches with: the loop's, with a wide last layer that knows all labels.

In the folder of a loop and composition lie `wide.safetensors`, the loop's model of these elements with random features
(`wide_heads`), and `sums.npz`, what the labels say of its last layer (`label_rows`), which is carried on from step to
step because it costs more than the rest. In the folder of each step lies `surrogate.safetensors`, the last layer given
the labels (`posterior`). All of it is a function of the loop's model and its data, in the order of their labelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from ase import Atoms
from hea_training.meta_loop.candidates import path_frames
from hea_training.meta_loop.label_rows import LabelSums, sums_of
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.posterior import posterior
from hea_training.meta_loop.restricted import restricted
from hea_training.meta_loop.state import Loop
from hea_training.meta_loop.wide_heads import with_prior, with_wide_heads

from hea_potential.complete_file import complete_file
from hea_potential.dataset import read_dataset
from hea_potential.model_file import ModelFile, read_model_file, write_model_file
from hea_potential.search.composition import Composition
from hea_potential.search.pair import PairError

__all__ = ["labelled_before", "name_of", "surrogate_of"]

FRAMES = 40  # unlabelled structures that the random features are made for: on the way from random packings to minima


def surrogate_of(loop: Loop, step: Step) -> Path:
    """The model file of a step, made if it is not there. Before the first label it is the loop's model itself."""
    path = loop.folder_of(step) / "surrogate.safetensors"
    if path.exists():
        return path
    composition = Composition.parse(str(step.composition))
    known = labelled_before(loop, step)
    if any(set(atoms.symbols) == set(composition.symbols) for atoms in known):
        wide = widened(loop, step, composition, known)
        sums = summed(path.parent.parent / "sums.npz", wide, known)
        write_model_file(path, posterior(wide, sums).model)
    else:
        write_model_file(path, base_of(loop, composition))
    return path


def labelled_before(loop: Loop, step: Step) -> list[Atoms]:
    """The clusters of its composition's elements that this run has labelled before a step, in the order of the data
    set. A step that is done again finds its own labels there already: they do not count.
    """
    assert step.turn is not None
    symbols = set(Composition.parse(str(step.composition)).symbols)
    own = {name_of(step, (step.turn - 1) * loop.config.gofee.labels + k) for k in range(loop.config.gofee.labels)}
    dataset = read_dataset(loop.data)
    prefixes = ("L", "start-") if loop.config.from_nothing else ("L",)
    ours = [k for k, name in enumerate(dataset.name) if name.startswith(prefixes) and name not in own]
    return [atoms for atoms in map(dataset.atoms, ours) if len(atoms) > 2 and set(atoms.symbols) <= symbols]


def name_of(step: Step, number: int) -> str:
    """The name of a structure that is chosen in the steps of a loop and composition, numbered from 0."""
    return f"L{step.loop}-n{step.n_elements}-{step.composition}-{number:04d}"


def base_of(loop: Loop, composition: Composition) -> ModelFile:
    """The loop's model for the elements of a composition."""
    assert loop.model is not None
    return restricted(read_model_file(loop.model), composition.symbols)


def widened(loop: Loop, step: Step, composition: Composition, known: Sequence[Atoms]) -> ModelFile:
    """The loop's model with random features, as the labels of this loop and composition begin to teach it: made for
    what is known then, and for what lies on the way from random packings to minima.
    """
    path = loop.folder_of(step).parent / "wide.safetensors"
    if not path.exists():
        assert loop.model is not None
        rng = np.random.default_rng(loop.seed(f"L{step.loop}-{step.composition}-features"))
        frames = [*known]
        with suppress(PairError):  # a model too young to bind two elements
            frames += path_frames(composition, loop.model, FRAMES, rng)
        wide = with_wide_heads(base_of(loop, composition), frames, loop.config.gofee.features, rng)
        write_model_file(path, with_prior(wide, frames))
    return read_model_file(path)


def summed(path: Path, model: ModelFile, labelled: Sequence[Atoms]) -> LabelSums:
    """What labels say of a model's last layer, carried on from the file of an earlier step."""
    before = None
    if path.exists():
        with np.load(path) as file:
            names = tuple(file["names"].tolist())
            before = LabelSums(file["matrix"], file["vector"], float(file["square"]), int(file["count"]), names)
    sums = sums_of(model, labelled, before)
    with complete_file(path) as temporary, temporary.open("wb") as content:
        np.savez(content, **vars(sums))
    return sums
