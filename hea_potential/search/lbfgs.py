"""Limited-memory BFGS (Nocedal 1980; Liu and Nocedal 1989) for clusters: the fewest force calls from a start to its
minimum.

LAMMPS' own conjugate gradient tries step after step along every line and needs twice as many force calls or more. Here
each costs some 60 microseconds more, because this is Python; so it is faster wherever a force call takes longer than
that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from hea_potential.search.geometry import Floats

MEMORY = 6
SUFFICIENT = 1e-4  # of the fall in energy that the slope promises
ROUNDING = 1e-11  # of the energy: a rise below this is not seen as one

Evaluate = Callable[[Floats], tuple[float, Floats]]


def minimise(evaluate: Evaluate, positions: Floats, fmax: float, calls: int, reach: float) -> tuple[Floats, float, int]:
    """Follow the forces to a minimum; returns positions (n, 3), energy and the number of force calls.

    `evaluate` gives energy and forces (n, 3). Ends when no force is larger than `fmax`, when `calls` are spent, or
    where the energy no longer falls. No coordinate moves more than `reach` in a step.
    """
    energy, forces = evaluate(positions)
    gradient = -forces.ravel()
    used = 1
    memory: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    # The largest component is quicker to find than the largest vector, and tells most steps that it is not over yet.
    while used < calls and (np.abs(gradient).max() > fmax or largest(gradient) > fmax):
        direction = descent(gradient, memory, reach)
        slope = direction.dot(gradient)
        direction_rows = direction.reshape(-1, 3)
        length = 1.0
        while True:
            moved = positions + length * direction_rows
            moved_energy, forces = evaluate(moved)
            used += 1
            rise = moved_energy - energy
            if rise <= SUFFICIENT * length * slope + ROUNDING * abs(energy):
                break
            if used >= calls or length < 1e-6:
                return positions, energy, used
            # The lowest point of the parabola through both energies and the slope; after an absurd step just a shorter
            # one.
            parabola = -0.5 * slope * length * length / (rise - slope * length) if np.isfinite(rise) else 0.0
            length = min(max(parabola, 0.1 * length), 0.5 * length)
        moved_gradient = -forces.ravel()
        step = (moved - positions).ravel()
        bend = moved_gradient - gradient
        curvature = step.dot(bend)
        if curvature > 1e-10 * bend.dot(bend):
            memory.append((step, bend, curvature))
        positions, energy, gradient = moved, moved_energy, moved_gradient
    return positions, energy, used


def descent(gradient: Floats, memory: deque[tuple[Floats, Floats, float]], reach: float) -> Floats:
    """The quasi-Newton step, or without memory a short one along the forces; no coordinate moves more than `reach`."""
    if not memory:
        return np.asarray(-gradient * (0.1 * reach / np.abs(gradient).max()))
    direction = -gradient
    weights = []
    for step, bend, curvature in reversed(memory):
        weight = step.dot(direction) / curvature
        weights.append(weight)
        direction -= weight * bend
    _, bend, curvature = memory[-1]
    direction *= curvature / bend.dot(bend)
    for (step, bend, curvature), weight in zip(memory, reversed(weights), strict=True):
        direction += (weight - bend.dot(direction) / curvature) * step
    longest = np.abs(direction).max()
    return direction if longest <= reach else np.asarray(direction * (reach / longest))


def largest(vectors: Floats) -> float:
    """Length of the longest of the atoms' vectors, (n, 3) or in one array (3 n,)."""
    rows = vectors.reshape(-1, 3)
    return float(np.sqrt((rows * rows).sum(axis=1).max()))
