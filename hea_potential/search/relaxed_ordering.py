"""`best_ordering(...)`: which element sits where in a cluster of given geometry, ASE structures in and out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from hea_potential import clusters
from hea_potential.calculator import HEACalculator
from hea_potential.engine import Potential
from hea_potential.errors import InputError
from hea_potential.search.geometry import Floats
from hea_potential.search.homotops import exchange_scan, potential_of
from hea_potential.search.learnt_orderings import learnt
from hea_potential.search.orderings import LOWER, Types, hop
from hea_potential.search.relaxed_swaps import State, settled

MOST_STEPS = 2000  # of one relaxation


def best_ordering(
    atoms: Atoms,
    model: str | Path = "hea6",
    *,
    descents: int = 5,
    relax: bool = True,
    fmax: float = 0.01,
    rounds: int = 10,
    seed: int = 0,
    progress: Callable[[float], None] = lambda energy: None,
) -> Atoms:
    """The ordering of lowest energy that is found for a cluster: its elements are exchanged, its geometry is kept.

    Swaps are followed downhill on the fixed geometry by the engine's exchange scan. With `relax` the cluster is relaxed
    with its new ordering: the strain that is relaxed changes the energies of swaps, so both are repeated until what is
    found on the relaxed cluster is no longer lower: by swaps judged with their relaxation, by the scan, and by
    learning what orderings of this geometry are worth.

    Args:
        atoms: a cluster of two elements or more that the model knows, not periodic; positions in Angstrom. It is not
            changed.
        model: name of a shipped model, or path of a model file.
        descents: on every geometry, the first from the present ordering, the others from the lowest found after some
            random swaps; on the given geometry as many from random orderings as well.
        relax: also relax the geometry; otherwise every atom stays where it is.
        fmax: largest force of a relaxed cluster, eV/Angstrom.
        rounds: of relaxing and exchanging, at most.
        seed: of the random swaps; the same seed gives the same ordering.
        progress: called with the energy (eV) of each ordering that is relaxed and gone on from: first on from the given
            one, then from that which suits the given geometry.

    Returns:
        A copy of `atoms`, in their order, with the new elements and positions, and with energy (eV) and forces
        (eV/Angstrom) in a SinglePointCalculator.

    Raises:
        InputError: one element only, an element that the model lacks, positions that are not finite or overlap,
            periodic directions, arguments out of range.
        ModelFileError: the model is not there, or damaged.
    """
    check_cluster(atoms)
    if descents < 1 or rounds < 1:
        raise InputError(f"best_ordering: got {descents} descents and {rounds} rounds; allowed is 1 or more of each")
    if not 0.0 < fmax < np.inf:
        raise InputError(f"best_ordering: fmax is {fmax}; allowed are positive numbers, in eV/Angstrom")
    if seed < 0:
        raise InputError(f"best_ordering: seed {seed}; it must not be negative")
    rng = np.random.default_rng(seed)
    calculator = HEACalculator(model)
    largest_force = fmax if relax else None
    given = relaxed(atoms, calculator, None)
    ordered = exchanged(rng, given, model, descents, with_random=True)
    # A bad ordering can relax to another geometry: the given one and the ordering that suits it both have their chance.
    found = [relaxed(each, calculator, largest_force) for each in (given, ordered)]
    if relax:
        found = [improved(rng, each, calculator, model, descents, fmax, rounds, progress) for each in found]
    return min(found, key=Atoms.get_potential_energy)


def improved(
    rng: np.random.Generator,
    atoms: Atoms,
    calculator: HEACalculator,
    model: str | Path,
    descents: int,
    fmax: float,
    rounds: int,
    progress: Callable[[float], None],
) -> Atoms:
    """A relaxed cluster after exchanging and relaxing, round by round, until nothing lowers its energy any more: no
    swaps judged with their relaxation, none of the fixed geometry, and nothing that is learnt of its orderings.
    """
    ways: tuple[Callable[[Atoms], Atoms], ...] = (
        lambda best: near(best, model, settled),
        lambda best: exchanged(rng, best, model, descents),
        lambda best: near(best, model, partial(learnt, rng)),
    )
    best = atoms
    for _ in range(rounds):
        progress(best.get_potential_energy())
        aheads = (relaxed(way(best), calculator, fmax) for way in ways)
        enough = best.get_potential_energy() - LOWER
        lower = next((ahead for ahead in aheads if ahead.get_potential_energy() <= enough), None)
        if lower is None:
            break
        best = lower
    return best


def check_cluster(atoms: Atoms) -> None:
    """Refuse structures that have no orderings, or that are not clusters."""
    symbols = atoms.symbols.species()
    if len(symbols) < 2:
        raise InputError(
            f"best_ordering: got {len(atoms)} atoms of {', '.join(symbols) or 'no element'}; allowed are clusters of "
            f"two elements or more"
        )
    if atoms.pbc.any():
        raise InputError(f"best_ordering: got pbc {atoms.pbc.tolist()}; allowed are clusters, periodic in no direction")
    if not np.isfinite(atoms.positions).all():
        atom = int(np.argmin(np.isfinite(atoms.positions).all(axis=1)))
        raise InputError(
            f"positions: got {atoms.positions[atom].tolist()} for atom {atom}; allowed are finite numbers, in Angstrom"
        )


def relaxed(atoms: Atoms, calculator: HEACalculator, fmax: float | None) -> Atoms:
    """A copy of a cluster with its energy and forces, relaxed unless `fmax` is None; without constraints, and without
    what belongs to an atom of one element.
    """
    moved = atoms.copy()
    moved.set_constraint()
    for belonging in ("masses", "initial_magmoms", "initial_charges"):
        moved.arrays.pop(belonging, None)
    moved.calc = calculator
    if fmax is not None:
        from ase.optimize import LBFGS  # here: every worker imports this module, and few relax with ASE

        LBFGS(moved, logfile=None).run(fmax=fmax, steps=MOST_STEPS)
    energy, forces = moved.get_potential_energy(), moved.get_forces()
    moved.calc = SinglePointCalculator(moved, energy=energy, forces=forces)
    return moved


def exchanged(
    rng: np.random.Generator, atoms: Atoms, model: str | Path, descents: int, with_random: bool = False
) -> Atoms:
    """A copy of a cluster with the lowest ordering that is found on its geometry; its own if none is lower."""
    symbols, types = types_of(atoms)
    scan = exchange_scan(model, symbols, "double")
    scan.place(*clusters.half_edges(atoms.positions, scan.cutoff))
    found = [hop(rng, scan, types, descents)]
    if with_random:
        found += [hop(rng, scan, types, 1, fresh=True) for _ in range(descents)]
    lowest = min(found, key=lambda ordering: ordering.energy)
    ordered = atoms.copy()
    if lowest.energy < scan.order(types) - LOWER:
        ordered.symbols = [symbols[kind] for kind in lowest.types]
    return ordered


def near(atoms: Atoms, model: str | Path, descent: Callable[[Potential, Types, Floats], State]) -> Atoms:
    """A copy of a relaxed cluster after a descent by swaps that gain when it relaxes, nearly relaxed."""
    symbols, types = types_of(atoms)
    found = descent(potential_of(model, symbols), types, atoms.positions)
    moved = atoms.copy()
    moved.symbols = [symbols[kind] for kind in found.types]
    moved.positions = found.positions
    return moved


def types_of(atoms: Atoms) -> tuple[tuple[str, ...], Types]:
    """The elements of a cluster in alphabetical order, and which of them each atom is of."""
    symbols = tuple(sorted(atoms.symbols.species()))
    return symbols, np.array([symbols.index(symbol) for symbol in atoms.symbols], dtype=np.int32)
