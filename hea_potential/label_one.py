"""Label one structure with an ASE calculator, or the frames of a relaxation that the calculator carries out.

What a structure's `info` says about its labelling, all optional:

- `name` (default: its place in the list), `kind` (default "structure"), `group` (default: its name);
- `relax`: steps of a relaxation with the reference itself, of which frames of growing distance are labelled;
- `path_kind`: the kind of the frames after the first (default: its kind);
- `max_force`: largest force that is accepted, eV/A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import BFGS

from hea_potential.frame import POSITION_DECIMALS, Frame

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


def labelled_steps(last: int) -> list[int]:
    """Steps of a relaxation at which frames are labelled: quarter squares 0, 1, 2, 4, 6, 9, 12, ... up to `last`."""
    steps = {k * k // 4 for k in range(1, 2 * int(np.sqrt(last)) + 4)}
    return sorted(step for step in steps if step <= last)


def label(atoms: Atoms, name: str, calculator: Any) -> Outcome:
    """Label one structure, or the frames of its relaxation. Never raises for what the reference does."""
    info = atoms.info
    kind, group = str(info.get("kind", "structure")), str(info.get("group", name))
    path_kind = str(info.get("path_kind", kind))
    # Of a calculator that tells two energies (smeared electrons) the one whose gradient the forces are.
    consistent = "free_energy" in getattr(calculator, "implemented_properties", ())
    last, max_force = int(info.get("relax", 0)), float(info.get("max_force", np.inf))
    moving = atoms.copy()
    moving.calc = calculator
    frames: list[Frame] = []
    try:
        moving.positions = np.round(moving.positions, POSITION_DECIMALS)
        optimiser = BFGS(moving, logfile=None, maxstep=0.15) if last > 0 else None
        keep = labelled_steps(last)
        for step in range(last + 1):
            results = {
                "energy": moving.get_potential_energy(force_consistent=consistent),
                "forces": moving.get_forces(),
            }
            if moving.pbc.all():
                results["stress"] = moving.get_stress()
            frame_name = name if last == 0 else f"{name}.{step:03d}"
            frame = Frame.from_results(moving, frame_name, path_kind if frames else kind, group, results)
            largest = float(np.sqrt((results["forces"] ** 2).sum(axis=1).max()))
            if largest > max_force:
                return Outcome(name, reason=f"force {largest:.1f} eV/A above the allowed {max_force:g}")
            if step in keep or largest < RELAXED_FORCE:
                frames.append(frame)
            if optimiser is None or step == last or largest < RELAXED_FORCE:
                break
            optimiser.step()
            moving.positions = np.round(moving.positions, POSITION_DECIMALS)
    except Exception as error:  # any calculator may be the reference: whatever it raises is an outcome
        return Outcome(name, reason=f"{type(error).__name__}: {error}", again=True)
    return Outcome(name, tuple(frames))
