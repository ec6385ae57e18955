"""Label one structure with an ASE calculator, or the frames of a relaxation that the calculator carries out.

What a structure's `info` says about its labelling, all optional:

- `name` (default: its place in the list), `kind` (default "structure"), `group` (default: its name);
- `relax`: steps of a relaxation with the reference itself, of which frames of growing distance are labelled;
- `path_kind`: the kind of the frames after the first (default: its kind);
- `max_force`: largest force that is accepted, eV/A.

Constraints of a structure (ASE's FixAtoms and others, as files of slabs have them) hold in its relaxation. Labels are
the reference's own energies and forces: a potential that learnt that fixed atoms feel none would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import BFGS

from hea_potential.errors import InputError
from hea_potential.frame import POSITION_DECIMALS, Frame

NUMBERS = (int, float, np.integer, np.floating)  # as files of structures give them
RELAXED_FORCE = 0.02  # eV/A: a relaxation ends below it


@dataclass(frozen=True)
class Outcome:
    """What became of one structure: labelled frames, or the reason why there are none, and whether to try again; how
    many seconds it took.
    """

    name: str
    frames: tuple[Frame, ...] = ()
    reason: str = ""
    again: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Wish:
    """What a structure's `info` says about its labelling, as in the text of this module."""

    kind: str
    group: str
    path_kind: str
    relax: int
    max_force: float

    @classmethod
    def of(cls, atoms: Atoms, name: str) -> Wish:
        """The wish for a structure of this name. Raises InputError for what cannot be wished."""
        info = atoms.info
        relax, max_force = info.get("relax", 0), info.get("max_force", np.inf)
        if not (isinstance(relax, NUMBERS) and relax >= 0 and relax % 1 == 0):
            raise InputError(f"structure {name!r}: relax is {plain(relax)!r}; allowed is a number of steps, 0 or more")
        if not (isinstance(max_force, NUMBERS) and max_force > 0):
            raise InputError(
                f"structure {name!r}: max_force is {plain(max_force)!r}; allowed is a number above 0, in eV/A"
            )
        kind = str(info.get("kind", "structure"))
        group, path_kind = str(info.get("group", name)), str(info.get("path_kind", kind))
        return cls(kind, group, path_kind, int(relax), float(max_force))


def plain(value: Any) -> Any:
    """A number as Python has it, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def labelled_steps(last: int) -> list[int]:
    """Steps of a relaxation at which frames are labelled: quarter squares 0, 1, 2, 4, 6, 9, 12, ... up to `last`."""
    steps = {k * k // 4 for k in range(1, 2 * int(np.sqrt(last)) + 4)}
    return sorted(step for step in steps if step <= last)


def label(atoms: Atoms, name: str, calculator: Any) -> Outcome:
    """Label one structure, or the frames of its relaxation. Never raises for what the reference does, but InputError
    for what cannot be wished.
    """
    wish = Wish.of(atoms, name)
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        return Outcome(name, reason="positions and cell must be finite, got NaN or infinity")
    # Of a calculator that tells two energies (smeared electrons) the one whose gradient the forces are.
    consistent = "free_energy" in getattr(calculator, "implemented_properties", ())
    moving = atoms.copy()
    moving.calc = calculator
    frames: list[Frame] = []
    try:
        moving.positions = np.round(moving.positions, POSITION_DECIMALS)
        optimiser = BFGS(moving, logfile=None, maxstep=0.15) if wish.relax else None
        keep = labelled_steps(wish.relax)
        for step in range(wish.relax + 1):
            results = {
                "energy": moving.get_potential_energy(force_consistent=consistent, apply_constraint=False),
                "forces": moving.get_forces(apply_constraint=False),
            }
            if moving.pbc.all():
                results["stress"] = moving.get_stress(apply_constraint=False)
            frame_name = f"{name}.{step:03d}" if wish.relax else name
            kind = wish.path_kind if frames else wish.kind
            frame = Frame.from_results(moving, frame_name, kind, wish.group, results)
            largest = largest_of(results["forces"])
            if largest > wish.max_force:
                return Outcome(name, reason=f"force {largest:.1f} eV/A above the allowed {wish.max_force:g}")
            relaxed = largest_of(moving.get_forces()) < RELAXED_FORCE
            if step in keep or relaxed:
                frames.append(frame)
            if optimiser is None or step == wish.relax or relaxed:
                break
            optimiser.step()
            moving.positions = np.round(moving.positions, POSITION_DECIMALS)
    except Exception as error:  # any calculator may be the reference: whatever it raises is an outcome
        return Outcome(name, reason=f"{type(error).__name__}: {error}", again=True)
    return Outcome(name, tuple(frames))


def largest_of(forces: np.ndarray) -> float:
    """The length of the largest of some forces (n, 3)."""
    return float(np.sqrt((forces**2).sum(axis=1).max()))
