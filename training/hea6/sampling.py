"""Cheap motion of atoms with ASE's EMT, which knows all six metals: partial relaxations and molecular dynamics."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.calculators.emt import EMT
from ase.md.langevin import Langevin
from ase.optimize import FIRE

from .metals import emt_to_reference


def descend(atoms: Atoms, steps: int) -> Atoms:
    """A copy after at most `steps` FIRE steps on EMT's energy surface."""
    moved = atoms.copy()
    if steps > 0 and len(moved) > 1:
        moved.calc = EMT()
        FIRE(moved, logfile=None, maxstep=0.15).run(fmax=0.03, steps=steps)
        moved.calc = None
    return moved


def dynamics(atoms: Atoms, temperatures: np.ndarray, steps: int, rng: np.random.Generator) -> list[Atoms]:
    """One snapshot after each `steps` Langevin steps of 5 fs, at each temperature (K) in turn."""
    moving = atoms.copy()
    moving.calc = EMT()
    thermal = np.sqrt(moving.get_masses() * units.kB * 2.0 * temperatures[0])  # half of it becomes potential energy
    moving.set_momenta(thermal[:, None] * rng.normal(size=(len(moving), 3)))
    motion = Langevin(
        moving, 5.0 * units.fs, temperature_K=temperatures[0], friction=0.02 / units.fs, fixcm=False, rng=rng
    )
    snapshots = []
    for temperature in temperatures:
        motion.set_temperature(temperature_K=temperature)
        motion.run(steps)
        snapshots.append(bare(moving))
    return snapshots


def bare(atoms: Atoms) -> Atoms:
    """A copy without momenta, calculator or constraints."""
    return Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def to_reference_scale(atoms: Atoms, rng: np.random.Generator) -> Atoms:
    """A free cluster that EMT relaxed, scaled to the reference's bond lengths times a random factor near one."""
    scaled = atoms.copy()
    scaled.positions *= emt_to_reference(list(atoms.symbols)) * np.clip(rng.normal(1.0, 0.014), 0.96, 1.05)
    return scaled
