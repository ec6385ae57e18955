"""Moves that go wrong, and a program that searches with one of them: `python troublesome.py MOVE PAIR FOLDER`.

Each is a rattle that now and then does something else; which uses these are depends on the task alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hea_potential.cli import fail
from hea_potential.errors import HEAError
from hea_potential.search import search
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.moves import MOVES, Apply, Move

BUDGET = 70
SEED = 2


@dataclass(frozen=True)
class NowAndThen:
    """A rattle that gives way to the trouble in a share of the times."""

    trouble: Apply
    share: float = 0.125

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        act = self.trouble if rng.uniform() < self.share else MOVES["rattle"].apply
        return act(rng, parents, bonds)


def crash(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    os.kill(os.getpid(), signal.SIGSEGV)
    return parents[0]


def crash_inside(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    ctypes.string_at(0)
    return parents[0]


def hang(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    while True:
        time.sleep(1.0)


def leave(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    sys.exit("good bye")


TROUBLES = {trouble.__name__: NowAndThen(trouble) for trouble in (crash, crash_inside, leave)}
TROUBLES["hang"] = NowAndThen(hang, 0.1)
HANGS = 10.0  # seconds after which a task does; no other takes as long, however busy the machine

if __name__ == "__main__":
    name, pair, folder = sys.argv[1:]
    try:
        archive = search(
            "Ar7",
            pair=pair,
            budget=BUDGET,
            seed=SEED,
            moves={name: Move(TROUBLES[name])},
            out=folder,
            task_seconds=HANGS,
        )
    except HEAError as error:
        sys.exit(fail(str(error)))
    if archive is not None:
        print(f"{len(archive)} minima")
