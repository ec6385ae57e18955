"""Random orbits under a point group that add up to a wanted number of points.

First it is drawn how many orbits lie on planes and axes of symmetry, at the centre and in between, then where on these
each one lies. Points drawn without that plan leave a remainder that no orbit fills: under Td half of 98 atoms.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hea_potential import clusters
from hea_potential.search.chance import one_of
from hea_potential.search.geometry import Floats, Integers
from hea_potential.search.symmetry import Place, places, point_group

DENSEST, LOOSEST = 0.9, 1.2  # radius of the ball that is packed, in radii of a close packing
CROWDED = 0.1  # orbits for which there is room, as it were, where there is none


def packed_orbits(rng: np.random.Generator, name: str, size: int, bond: float) -> tuple[Floats, Integers]:
    """Orbits of random points in a ball: positions (points, 3), orbit by orbit, and the number of points of each orbit;
    `size` points in all, or a few less where no orbits of this group add up to that.

    They keep clear of each other where that is easy; they may still overlap.
    """
    # A close packing of spheres of diameter b fills b^3 / sqrt(2) an atom.
    radius = rng.uniform(DENSEST, LOOSEST) * bond * (3.0 * size / (4.0 * np.pi * np.sqrt(2.0))) ** (1.0 / 3.0)
    onto = [one_of(rng, list(place.projections)) for place in drawn_places(rng, name, size)]
    projections = np.array(onto).reshape(-1, 3, 3)
    return clusters.packed_orbits(rng.bit_generator.capsule, point_group(name), projections, radius, bond)


def drawn_places(rng: np.random.Generator, name: str, size: int) -> list[Place]:
    """The places of orbits of `size` points in all, or of as many less as is possible: each drawn by the room that is
    left there, the centre at most once. Small places come first.
    """
    centre = [place for place in places(name) if place.dimension == 0]
    others = [place for place in places(name) if place.dimension > 0]
    adds_up = sums(tuple(place.size for place in others), size)
    total = next(n for n in range(size, -1, -1) if adds_up[n] or (centre and n > 0 and adds_up[n - 1]))
    drawn = centre[: one_of(rng, [n for n in range(len(centre) + 1) if n <= total and adds_up[total - n]])]
    left = total - len(drawn)
    room = {place: place.capacity(size) for place in others}
    while left > 0:
        fitting = [place for place in others if place.size <= left and adds_up[left - place.size]]
        drawn.append(one_of(rng, fitting, [max(room[place], CROWDED) for place in fitting]))
        room[drawn[-1]] -= 1.0
        left -= drawn[-1].size
    return sorted(drawn, key=lambda place: place.dimension)


@lru_cache(maxsize=256)
def sums(sizes: tuple[int, ...], most: int) -> list[bool]:
    """For every number from 0 to `most` whether it is a sum of sizes, each taken any number of times."""
    found = [True]
    for number in range(1, most + 1):
        found.append(any(size <= number and found[number - size] for size in sizes))
    return found
