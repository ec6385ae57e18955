"""Minimisation of clusters by LAMMPS: one persistent instance, any pair style given by its input lines.

The numbers depend on the start alone, to the last bit: atoms are never sorted, and every minimisation begins from new
lists. So a task gives the same minimum whichever worker does it, whatever that worker did before.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from hea_potential.errors import InputError
from hea_potential.search import lbfgs
from hea_potential.search.bonds import bond_energy
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, is_connected
from hea_potential.search.instance import abandon, create_atoms, instance, one_line, run
from hea_potential.search.pair import Pair, PairError

ALGORITHMS = ("auto", "cg", "lbfgs")
# A compressed quench first minimises the energy and a weak centripetal term, k times the sum of the squared distances
# from the centre: it makes compact, spherical shapes likelier (Doye, Phys. Rev. E 62, 8753 (2000)).
QUENCHES = ("plain", "compressed")
COMPRESSION = 0.5  # k, in bond energies per squared bond
ROUGHLY = 0.05  # bond energies per bond: the largest force that ends the first stage of a compressed quench
STALLED = 10.0  # times the largest force asked for: what still counts as a minimum
LONGEST_STEP = 0.1  # of an atom in a step of a minimisation, in bonds
UNKNOWN = 0.1  # eV/atom: a model whose own error estimate is larger has never seen anything like it
SMALL = 200  # up to this many atoms comparing all pairs builds the neighbour list faster than bins do


@dataclass(frozen=True)
class Limits:
    """How to minimise and when to end: largest force on an atom (energy unit / length unit), most force calls.

    Algorithms: `cg` is LAMMPS' conjugate gradient; `lbfgs` needs half its force calls or fewer, but each costs some 60
    microseconds more; `auto` takes `lbfgs` for `pair_style hea` and `cg` for others, most of which are cheaper.
    """

    fmax: float = 0.01
    calls: int = 4000
    algorithm: str = "auto"

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise InputError(f"search: unknown minimiser {self.algorithm!r}; allowed: {', '.join(ALGORITHMS)}")


@dataclass(frozen=True)
class Quench:
    """How a minimisation ended. Outcomes: `minimum`, `unconverged` (force calls spent), `fragmented`, `unknown` (the
    model's own error estimate says that its energy means nothing), `lost` (atoms or numbers went to infinity), `error`
    (anything else that LAMMPS refused)."""

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
        algorithm = self.limits.algorithm
        if algorithm == "auto":
            algorithm = "lbfgs" if pair.model is not None else "cg"
        self.minimise = self.quasi_newton if algorithm == "lbfgs" else self.conjugate_gradient
        self.lammps: Any = None
        self.bond_energy: float | None = None  # probed when it is first needed
        # LAMMPS prints the number of force calls only to its log; this is a file in memory that takes one
        # minimisation's log.
        self.log = os.memfd_create("lammps-log")

    def __call__(self, cluster: Cluster, quench: str = "plain") -> Quench:
        """Minimise a cluster whose atoms are in order of their types by one of `QUENCHES`. Never raises for what a bad
        start can cause.
        """
        if quench not in QUENCHES:
            raise InputError(f"search: unknown quench {quench!r}; allowed: {', '.join(QUENCHES)}")
        began = time.perf_counter()
        try:
            if self.lammps is None:
                self.lammps = self.built()
            used = 0
            if quench == "compressed":
                cluster, used = self.compressed(cluster)
            energy, positions, calls = self.minimise(cluster)
            calls += used
            # Both algorithms also stop where the energy no longer falls in floating point, a little before the forces
            # are as small as asked.
            converged = bool(lbfgs.largest(self.forces) <= STALLED * self.limits.fmax)
            unknown = self.is_unknown()
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
        if unknown:
            return Quench("unknown", relaxed, energy, calls, seconds)
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
                f"min_modify line quadratic norm max dmax {LONGEST_STEP * bond}",
            )
            # On a line, one bond apart, until the first minimisation says where the atoms are.
            line = (np.arange(self.composition.size) - 0.5 * self.composition.size)[:, None] * [0.5 * reach, 0.0, 0.0]
            create_atoms(lammps, self.composition.types, line / self.composition.size)
            if self.pair.model is not None:
                lammps.extract_pair("sigma")  # asked for once, it is there after every force call
        except BaseException:
            abandon(lammps)
            raise
        # LAMMPS' own arrays; it moves them only when atoms are added. To ask for them takes longer than a force call.
        self.places, self.forces, self.tags = (lammps.numpy.extract_atom(name) for name in ("x", "f", "id"))
        return lammps

    def conjugate_gradient(self, cluster: Cluster) -> tuple[float, Floats, int]:
        """Minimise by LAMMPS' own command; returns energy, positions and number of force calls."""
        lammps = self.lammps
        self.places[:] = cluster.positions
        os.ftruncate(self.log, 0)
        run(lammps, "reset_timestep 0", f"log /proc/self/fd/{self.log}")
        lammps.command(f"minimize 0.0 {self.limits.fmax} {self.limits.calls} {self.limits.calls}")
        lammps.command("log none")
        calls = re.search(rb"force evaluations = \d+ (\d+)", os.pread(self.log, 100_000, 0))
        if calls is None:
            raise PairError("LAMMPS ended a minimisation without its statistics")
        self.check_order()
        return lammps.get_thermo("pe"), self.places.copy(), int(calls[1])

    def quasi_newton(self, cluster: Cluster) -> tuple[float, Floats, int]:
        """Minimise by L-BFGS on LAMMPS' forces; returns energy, positions and number of force calls."""
        self.places[:] = cluster.positions
        run(self.lammps, "reset_timestep 0", "run 0 post no")
        reach = LONGEST_STEP * float(self.bonds.max())
        fmax, calls = self.limits.fmax, self.limits.calls
        positions, energy, used = lbfgs.minimise(self.evaluate, cluster.positions, fmax, calls, reach)
        self.check_order()
        return energy, positions, used

    def compressed(self, cluster: Cluster) -> tuple[Cluster, int]:
        """A rough minimum of the energy with the centripetal term, and the number of force calls it took."""
        if self.bond_energy is None:
            self.bond_energy = bond_energy(self.composition, self.pair, self.bonds)
        bond = float(self.bonds.mean())
        strength = COMPRESSION * self.bond_energy / bond**2

        def evaluate(positions: Floats) -> tuple[float, Floats]:
            energy, forces = self.evaluate(positions)
            away = positions - positions.mean(axis=0)
            return energy + strength * float((away * away).sum()), forces - 2.0 * strength * away

        self.places[:] = cluster.positions
        run(self.lammps, "reset_timestep 0", "run 0 post no")
        fmax = ROUGHLY * self.bond_energy / bond
        reach = LONGEST_STEP * float(self.bonds.max())
        positions, _, used = lbfgs.minimise(evaluate, cluster.positions, fmax, self.limits.calls, reach)
        return Cluster(cluster.types, positions), used

    def evaluate(self, positions: Floats) -> tuple[float, Floats]:
        """Energy and forces after `run 0` has built the first neighbour lists."""
        self.places[:] = positions
        # A step without any integrator: it checks the neighbour lists and computes the forces, nothing else.
        self.lammps.command("run 1 pre no post no")
        return self.lammps.get_thermo("pe"), self.forces.copy()

    def is_unknown(self) -> bool:
        """Whether sigma is above what can be trusted: searches find the holes of a potential. Without sigma: False."""
        if self.pair.model is None:
            return False
        return bool(self.lammps.extract_pair("sigma") > UNKNOWN * self.composition.size)  # no sigma is not a number

    def check_order(self) -> None:
        """Raise PairError unless the atoms are still in the order of their creation."""
        if (self.tags != np.arange(1, self.composition.size + 1)).any():
            raise PairError("LAMMPS changed the order of the atoms")

    def close(self, broken: bool = False) -> None:
        """End the LAMMPS instance, or abandon it if it is broken; the next minimisation builds another."""
        if self.lammps is not None:
            if broken:
                abandon(self.lammps)
            else:
                self.lammps.close()
            self.lammps = None
