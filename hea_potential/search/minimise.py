"""Minimisation of clusters by LAMMPS: one persistent instance, any pair style given by its input lines.

The numbers depend on the start alone, to the last bit: atoms are never sorted, and every minimisation begins from new
lists. So a task gives the same minimum whichever worker does it, whatever that worker did before.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from hea_potential.errors import InputError
from hea_potential.lammps_instance import abandon, one_line
from hea_potential.search.bonds import bond_energy, bond_force
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, is_connected
from hea_potential.search.instance import create_atoms, instance, run
from hea_potential.search.pair import Pair, PairError

# Kinds of quenches, and how strongly each compresses: before the energy alone it minimises the energy and k times the
# sum of the squared distances from the centre, k in bond energies per squared bond. That makes compact, spherical
# shapes likelier (Doye, Phys. Rev. E 62, 8753 (2000)), the more the stronger; but squeezed atoms come closer to each
# other than many a potential is made for.
COMPRESSION = {"plain": 0.0, "compressed": 1.0, "squeezed": 16.0}
QUENCHES = tuple(COMPRESSION)
ROUGHLY = 0.3  # bond energies per bond: the largest force that ends the stage with compression
STALLED = 10.0  # times the largest force asked for: what still counts as a minimum
MEMORY = 5  # steps that L-BFGS remembers: with its model of the bonds, more save no force calls
LONGEST_STEP = 0.1  # of an atom in a step of a minimisation, in bonds
LARGEST_FORCE = 0.01  # on an atom of a minimum, by default, in eV/Angstrom, kcal/mol/Angstrom or epsilon/sigma
SLIGHT = 0.04  # of what a bond pulls: for argon in eV/Angstrom, LARGEST_FORCE is four times what it pulls
LARGEST_FORCE_ELECTRON = 2e-4  # Ha/Bohr, 0.0103 eV/Angstrom: 0.01 Ha/Bohr is more than many a bond ever pulls
UNKNOWN = 0.1  # eV/atom: a trained model whose own error estimate is larger has never seen anything like it
MOST_CALLS = 2**31 - 1  # the largest whole number that LAMMPS reads
SMALL = 200  # up to this many atoms comparing all pairs builds the neighbour list faster than bins do


@dataclass(frozen=True)
class Limits:
    """When a minimisation ends: largest force on an atom (energy unit / length unit; None: `usual_force`), most
    force calls; and the largest sigma (eV/atom) of a minimum that a model can be trusted with, see `Quench`.
    """

    fmax: float | None = None
    calls: int = 4000
    unknown: float = UNKNOWN

    def __post_init__(self) -> None:
        if self.fmax is not None and not 0.0 < self.fmax < math.inf:
            raise InputError(f"search: largest force of {self.fmax}; it must be positive and finite")
        if not 1 <= self.calls <= MOST_CALLS or self.calls != int(self.calls):
            raise InputError(
                f"search: at most {self.calls} force calls of a minimisation; allowed: whole numbers from 1 to "
                f"{MOST_CALLS}"
            )
        if not 0.0 < self.unknown < math.inf:
            raise InputError(f"search: unknown above {self.unknown} eV/atom; it must be positive and finite")
        for name, kind in (("fmax", float), ("calls", int), ("unknown", float)):  # a journal holds no other numbers
            if getattr(self, name) is not None:
                object.__setattr__(self, name, kind(getattr(self, name)))


def usual_force(symbols: tuple[str, ...], pair: Pair) -> float:
    """The largest force on an atom of a minimum where none is given: small beside what a bond pulls, whatever the pair
    style and its units. Raises PairError where LAMMPS refuses the pair style or nothing binds.
    """
    largest = LARGEST_FORCE_ELECTRON if pair.units == "electron" else LARGEST_FORCE
    slight = SLIGHT * bond_force(symbols, pair)
    # It is part of what a search is: two digits are the same on every processor.
    return min(largest, float(f"{slight:.2g}")) if slight > 0.0 else largest


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
        fmax = self.limits.fmax
        self.largest_force = usual_force(composition.symbols, pair) if fmax is None else fmax
        self.mean_bond = float(bonds.mean())
        self.lammps: Any = None
        self.bond_energy: float | None = None  # probed when it is first needed
        lengths = " ".join(str(length) for length in bonds[np.triu_indices(len(bonds))].tolist())
        self.steps = f"memory {MEMORY} dmax {LONGEST_STEP * bonds.max()} bonds {lengths}"

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
            self.places[:] = cluster.positions
            calls = self.compress(COMPRESSION[quench]) if COMPRESSION[quench] else 0
            calls += self.minimise(self.largest_force, self.limits.calls - calls)
            energy = self.lammps.get_thermo("pe")
            positions = self.places.copy()
            # It also stops where the energy no longer falls in floating point, a little before the forces are as small
            # as asked.
            converged = self.lammps.extract_variable("lbfgs_fmax") <= STALLED * self.largest_force
            self.check_order()
            unknown = self.is_unknown()
        except Exception as error:  # LAMMPS raises plain Exception for everything
            lost = "Lost atoms" in str(error) or "Non-numeric" in str(error)
            self.close()
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
        self.places, self.tags = (lammps.numpy.extract_atom(name) for name in ("x", "id"))
        self.order = np.arange(1, self.composition.size + 1, dtype=self.tags.dtype).tobytes()
        return lammps

    def forces(self, positions: Floats) -> Floats:
        """Forces (n, 3) on atoms at positions (n, 3). Raises what LAMMPS raises."""
        if self.lammps is None:
            self.lammps = self.built()
        self.places[:] = positions
        self.lammps.command("run 0 post no")
        self.check_order()
        return np.array(self.lammps.numpy.extract_atom("f"))

    def minimise(self, fmax: float, calls: int, term: str = "") -> int:
        """Minimise from where the atoms are, with a further term of the energy; returns the number of force calls."""
        self.lammps.command(f"minimize/lbfgs 0.0 {fmax} {calls} {calls} {self.steps} {term}")
        return int(self.lammps.extract_variable("lbfgs_calls"))

    def compress(self, strength: float) -> int:
        """Go to a rough minimum of the energy with the centripetal term of a strength as in `COMPRESSION`; returns the
        number of force calls.
        """
        if self.bond_energy is None:
            self.bond_energy = bond_energy(self.composition, self.pair.without_kappa(self.composition), self.bonds)
        bond = self.mean_bond
        term = f"compress {strength * self.bond_energy / bond**2}"
        return self.minimise(ROUGHLY * self.bond_energy / bond, self.limits.calls, term)

    def is_unknown(self) -> bool:
        """Whether sigma is above what can be trusted: searches find the holes of a potential. Without sigma: False."""
        if self.pair.model is None:
            return False
        largest = self.limits.unknown * self.composition.size
        return bool(self.lammps.extract_pair("sigma") > largest)  # no sigma is not a number

    def check_order(self) -> None:
        """Raise PairError unless the atoms are still in the order of their creation."""
        if self.tags.tobytes() != self.order:
            raise PairError("LAMMPS changed the order of the atoms")

    def close(self) -> None:
        """End the LAMMPS instance, which gives its memory back; the next minimisation builds another."""
        if self.lammps is not None:
            self.lammps.close()
            self.lammps = None
