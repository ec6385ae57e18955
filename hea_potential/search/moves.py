"""How new clusters come from old ones. A move is a function (rng, parents, bonds) -> Cluster with the parents'
composition.

What it returns is not relaxed, and its atoms may overlap: `tasks.execute` separates and minimises it. Those below are
done by the compiled `hea_potential.clusters`, with random numbers from `rng`; it says what each of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hea_potential import clusters
from hea_potential.errors import InputError
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.surface import anneal, move_surface, resurface
from hea_potential.search.symmetrise import symmetrise, symmetrise_core

Apply = Callable[[np.random.Generator, Sequence[Cluster], Floats], Cluster]


@dataclass(frozen=True)
class Move:
    """A move and what it needs: number of parents, least number of atoms, least number of elements; and what it costs,
    in force calls, besides the minimisation of what it makes. Where one use takes much longer than most tasks do, `lag`
    is the number of windows by which its results may come late, so that others need not wait for them (see `turns`).

    Moves of one parent that are never chosen: one that `follows` improves what others make (see `improvement`), one
    that `refines` improves the lowest minima as far as it can (see `refinement`). One that draws `evenly` is of one
    parent as well, of any motif whatever its energy: for moves whose outcome does not depend on how low the parent is.
    """

    apply: Apply
    parents: int = 1
    atoms: int = 2
    elements: int = 1
    follows: bool = False
    refines: bool = False
    cost: int = 0
    evenly: bool = False
    lag: int = 0

    def __post_init__(self) -> None:
        if not (isinstance(self.lag, int | np.integer) and self.lag >= 0):
            raise InputError(f"move: lag of {self.lag!r} windows; allowed are whole numbers from 0")


def splice(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Turn both parents at random, take the top of one and the bottom of the other, and mend the composition (Deaven
    and Ho, Phys. Rev. Lett. 75, 288 (1995)).
    """
    one, other = parents
    stream = rng.bit_generator.capsule
    return Cluster(*clusters.spliced(stream, one.types, one.positions, other.types, other.positions, bonds))


def rattle(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Displace a random share of the atoms by Gaussian noise of a random width."""
    (parent,) = parents
    return Cluster(*clusters.rattled(rng.bit_generator.capsule, parent.types, parent.positions, bonds))


def twist(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Turn the part above a random plane through the middle about the plane's normal."""
    (parent,) = parents
    return Cluster(*clusters.twisted(rng.bit_generator.capsule, parent.types, parent.positions, bonds))


def mirror(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Replace the lower half by the reflection, or the inversion, of the upper one, and mend the composition. A small
    noise lets the minimisation leave the symmetry.
    """
    (parent,) = parents
    return Cluster(*clusters.mirrored(rng.bit_generator.capsule, parent.types, parent.positions, bonds))


def exchange(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Exchange the elements of one to four pairs of unlike atoms."""
    (parent,) = parents
    return Cluster(*clusters.exchanged(rng.bit_generator.capsule, parent.types, parent.positions, bonds))


def exchange_shells(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Exchange the elements of an inner and an outer atom, so that elements find their way to the core and to the
    surface.
    """
    (parent,) = parents
    return Cluster(*clusters.with_exchanged_shells(rng.bit_generator.capsule, parent.types, parent.positions, bonds))


MOVES: dict[str, Move] = {
    "splice": Move(splice, parents=2),
    "rattle": Move(rattle),
    "twist": Move(twist, atoms=3),
    "mirror": Move(mirror, atoms=4),
    "surface": Move(move_surface, atoms=5),
    "resurface": Move(resurface, atoms=5),
    "anneal": Move(anneal, atoms=5, evenly=True),
    "symmetrise": Move(symmetrise, atoms=4),
    "core": Move(symmetrise_core, atoms=5),
    "exchange": Move(exchange, elements=2),
    "shells": Move(exchange_shells, atoms=3, elements=2),
}
