"""What swaps of unlike atoms gain when the cluster may relax, judged without minimising each of them.

On a geometry that was relaxed with other elements almost every swap costs energy, because atoms of other sizes do not
fit: of the best swaps after relaxation only one in ten is among the best before it. So a swap is judged to second
order: with the forces F of the new ordering and the matrix H of second derivatives of the old one, the energy falls by
F.H^-1.F/2 while the atoms move by H^-1.F. The forces of a swap are taken as the sum of those of the two substitutions
that it consists of. So 3n + n(S - 1) force calls judge all swaps of n atoms of S elements.

On a six-element cluster of 38 atoms the rank correlation with the energies after true minimisations is 0.96, that of
fixed geometries 0.89; the best of 601 swaps had rank 5 in one and 204 in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hea_potential.engine import Potential
from hea_potential.search.geometry import Floats
from hea_potential.search.orderings import LOWER, Types, half_edges

DISPLACEMENT = 0.015  # Angstrom: of an atom, for second derivatives
SOFTEST = 0.4  # eV/Angstrom^2: softer directions are taken to be as stiff as this, so that no atom is sent far away
LONGEST_STEP = 0.35  # Angstrom: of an atom
TRIED = 32  # swaps that are evaluated after their displacement
FOLLOWED = 8  # of those, swaps that are relaxed further
STEPS = 8  # of such a relaxation, at most
SHORTER = 0.4  # factor of a step after which the energy would be higher
SMALL_FORCE = 0.02  # eV/Angstrom: ends it


class Surface:
    """Energies (eV) and forces (eV/Angstrom) of orderings near one geometry, positions (n, 3)."""

    def __init__(self, potential: Potential, positions: Floats) -> None:
        self.potential = potential
        self.positions = positions
        self.first, self.neighbour, self.vectors = half_edges(positions, potential.cutoff)
        self.owner = np.repeat(np.arange(len(positions)), np.diff(self.first))

    def __call__(self, types: Types, displacements: Floats | None = None) -> tuple[float, Floats]:
        """Energy, and forces flat (3n,), of an ordering here, or displaced by so little that no pair comes within the
        cutoff.
        """
        vectors = self.vectors
        if displacements is not None:
            vectors = vectors + displacements[self.neighbour] - displacements[self.owner]
        found = self.potential.evaluate(types, self.first, self.neighbour, vectors)
        return found["energy"], np.asarray(found["forces"]).ravel()


@dataclass(frozen=True)
class State:
    """An ordering where it has got to: types (n,), positions (n, 3), energy in eV, forces (3n,) in eV/Angstrom."""

    types: Types
    positions: Floats
    energy: float
    forces: Floats


def settled(potential: Potential, types: Types, positions: Floats) -> State:
    """Follow swaps downhill, each with its relaxation, until none is found to gain; what is returned is nearly relaxed.

    The positions given must be relaxed. Where no swap gains, the best of them is returned all the same: a search has no
    use for what it has.
    """
    here = Surface(potential, positions)
    given = State(types, positions, *here(types))
    softness = inverse_hessian(here, given)
    last, ahead = given, relaxed_pass(potential, given, softness)
    while ahead.energy < last.energy - LOWER:
        last, ahead = ahead, relaxed_pass(potential, ahead, softness)
    return ahead if last is given else last


def relaxed_pass(potential: Potential, given: State, softness: Floats) -> State:
    """The state after the swaps that gain most, each of atoms that were not swapped yet; the lowest other one that was
    met if none gains.
    """
    pairs, steps = promising_swaps(Surface(potential, given.positions), given, softness)
    tried = [
        state_at(potential, swapped(given.types, pair), given.positions + step)
        for pair, step in zip(pairs, steps, strict=True)
    ]
    expected = [state.energy - 0.5 * state.forces @ softness @ state.forces for state in tried]
    best, other = given, tried[int(np.argmin(expected))]
    touched = np.zeros(len(given.types), bool)
    for rank in np.argsort(expected, kind="stable")[:FOLLOWED]:
        pair = pairs[rank]
        if touched[pair].any():
            continue
        begun = tried[rank] if best is given else state_at(potential, swapped(best.types, pair), best.positions)
        state = relaxed(potential, begun, softness)
        if state.energy < best.energy - LOWER:
            best = state
            touched[pair] = True
        elif state.energy < other.energy:
            other = state
    return other if best is given else best


def inverse_hessian(here: Surface, given: State) -> Floats:
    """Inverse of the second derivatives by position, shape (3n, 3n), from differences of forces; without translations
    and rotations, and with limits to what is soft.
    """
    size = given.forces.size
    hessian = np.empty((size, size))
    displacements = np.zeros((size // 3, 3))
    for coordinate in range(size):
        displacements.flat[coordinate] = DISPLACEMENT
        hessian[coordinate] = (given.forces - here(given.types, displacements)[1]) / DISPLACEMENT
        displacements.flat[coordinate] = 0.0
    curvatures, directions = np.linalg.eigh(0.5 * (hessian + hessian.T))
    inner = np.argsort(np.abs(curvatures), kind="stable")[6:]
    directions = directions[:, inner]
    return np.asarray(directions / np.maximum(np.abs(curvatures[inner]), SOFTEST) @ directions.T)


def promising_swaps(here: Surface, given: State, softness: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The TRIED swaps of unlike atoms (swaps, 2) that are lowest after relaxation, to second order, and how the atoms
    move (swaps, n, 3).
    """
    types = given.types
    size, kinds = len(types), int(types.max()) + 1
    energies, forces = np.zeros((size, kinds)), np.zeros((size, kinds, 3 * size))
    for atom in range(size):
        for kind in range(kinds):
            if kind != types[atom]:
                changed = types.copy()
                changed[atom] = kind
                energy, force = here(changed)
                energies[atom, kind] = energy - given.energy
                forces[atom, kind] = force - given.forces
    one, other = np.nonzero(np.triu(types[:, None] != types[None, :]))
    total = forces[one, types[other]] + forces[other, types[one]] + given.forces
    steps = total @ softness
    rises = energies[one, types[other]] + energies[other, types[one]] - 0.5 * np.einsum("ka,ka->k", steps, total)
    chosen = np.argsort(rises, kind="stable")[:TRIED]
    limited = np.stack([no_longer(step.reshape(-1, 3)) for step in steps[chosen]])
    return np.column_stack([one, other])[chosen], limited


def swapped(types: Types, pair: NDArray[np.int64]) -> Types:
    """The ordering after one swap."""
    types = types.copy()
    types[pair] = types[pair[::-1]]
    return types


def state_at(potential: Potential, types: Types, positions: Floats) -> State:
    """An ordering at positions (n, 3), with its energy and forces."""
    return State(types, positions, *Surface(potential, positions)(types))


def no_longer(step: Floats) -> Floats:
    """A step (n, 3) shortened so that no atom goes farther than LONGEST_STEP."""
    return np.asarray(step * min(1.0, LONGEST_STEP / np.linalg.norm(step, axis=1).max()))


def relaxed(potential: Potential, state: State, softness: Floats) -> State:
    """Follow forces by Newton steps with second derivatives that stay what they are, as long as the energy falls."""
    shortened = 1.0
    for _ in range(STEPS):
        if np.abs(state.forces).max() < SMALL_FORCE:
            break
        step = shortened * no_longer((softness @ state.forces).reshape(-1, 3))
        ahead = state_at(potential, state.types, state.positions + step)
        if ahead.energy < state.energy:
            state, shortened = ahead, 1.0
        else:
            shortened *= SHORTER
    return state
