"""Density-functional theory with GPAW: `gpaw`, or `gpaw:FILE` with settings of one's own in a TOML file.

vacuum = 6.0                    # A on each side of a cluster
initial_moments = {Ni = 1.0}    # magnetic moments at the start, in Bohr magnetons; other elements have none
[parameters]                    # of the calculator GPAW, in place of the defaults
mode = {name = "pw", ecut = 400.0}
xc = "PBE"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from ase import Atoms

from hea_potential.errors import InputError
from hea_potential.reference.boxed import BoxedCalculator
from hea_potential.reference.method import ReferenceMethod, demand, versions
from hea_potential.torch_library import own_libraries

HOW = (
    "on Debian apt-get install libxc-dev libopenblas-dev, then CC=g++ pip install gpaw "
    "(the package gpaw-data, which comes along, has the PAW setups)"
)
# By these GPAW knows that a launcher began its process.
LAUNCHED = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "I_MPI_MPIRUN")


def defaults() -> dict[str, Any]:
    """PBE, plane waves to 400 eV, Fermi-Dirac smearing of 0.1 eV, 3.5 k points per reciprocal Angstrom."""
    return {
        "mode": {"name": "pw", "ecut": 400.0},
        "xc": "PBE",
        "occupations": {"name": "fermi-dirac", "width": 0.1},
        "kpts": {"density": 3.5, "gamma": True},
        "convergence": {"energy": 1e-5, "density": 1e-5},
        "maxiter": 250,
    }


@dataclass(frozen=True)
class GPAWSettings:
    """Keys of the TOML file, see the text of this module. `parameters` replace the defaults key by key."""

    vacuum: float = 6.0
    initial_moments: dict[str, float] = field(default_factory=lambda: {"Fe": 2.5, "Co": 1.7, "Ni": 0.8})
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.vacuum, int | float) and self.vacuum > 0.0):
            raise InputError(f"gpaw: vacuum is {self.vacuum!r}; allowed is a positive length in Angstrom")
        for name in ("initial_moments", "parameters"):
            if not isinstance(getattr(self, name), dict):
                raise InputError(f"gpaw: {name} is {getattr(self, name)!r}; allowed is a table")


def gpaw(argument: str = "") -> ReferenceMethod:
    """GPAW with the settings of a TOML file, or by default.

    Energies are free energies (with the electrons' entropy), whose gradient the forces are. Isolated atoms have the
    moments of Hund's rules. Raises InputError for a file that is not there or has unknown keys.
    """
    demand("gpaw", "gpaw", HOW)
    settings = read_settings(Path(argument)) if argument else GPAWSettings()
    provenance = {
        "method": "gpaw",
        "settings": {**asdict(settings), "parameters": {**defaults(), **settings.parameters}},
        "licence": "GPL-3.0-or-later (GPAW, https://gpaw.readthedocs.io); what it calculates is yours",
        "packages": versions("gpaw", "gpaw-data", "ase"),
    }
    return ReferenceMethod(provenance, partial(GPAWCluster, settings), without_setup)


def read_settings(path: Path) -> GPAWSettings:
    """Settings from a TOML file."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"settings of gpaw {str(path)!r}: cannot be read: {error}") from error
    allowed = [each.name for each in fields(GPAWSettings)]
    unknown = sorted(set(found) - set(allowed))
    if unknown:
        raise InputError(f"settings of gpaw {str(path)!r}: got {', '.join(unknown)}; allowed: {', '.join(allowed)}")
    return GPAWSettings(**found)


def without_setup(symbols: Sequence[str]) -> list[str]:
    """Of chemical symbols those for which no PAW setup of PBE is installed."""
    from gpaw import setup_paths

    return [symbol for symbol in symbols if not any(list(Path(path).glob(f"{symbol}.PBE*")) for path in setup_paths)]


@contextmanager
def serial() -> Iterator[None]:
    """GPAW, loaded in the block, works for its own process alone, also in a rank of mpirun, where it would refuse to
    work without the others: ranks label a structure each.
    """
    import ase.parallel
    import gpaw

    gpaw.GPAW_MPI_BACKEND = "serial"
    launched = {name: os.environ.pop(name) for name in LAUNCHED if name in os.environ}
    world, ase.parallel.world.comm = ase.parallel.world.comm, ase.parallel.DummyMPI()
    try:
        yield
    finally:
        os.environ.update(launched)
        ase.parallel.world.comm = world


class GPAWCluster(BoxedCalculator):
    """GPAW for free, partly and wholly periodic structures; each calculation begins anew."""

    def __init__(self, settings: GPAWSettings) -> None:
        super().__init__(settings.vacuum)
        self.settings = settings

    def evaluate(self, boxed: Atoms, *, with_stress: bool) -> dict[str, Any]:
        """Free energy, forces and stress. Raises what GPAW raises: not converged, no setup, wrong parameters."""
        from gpaw import GPAW

        moments = self.settings.initial_moments
        boxed.set_initial_magnetic_moments([float(moments.get(symbol, 0.0)) for symbol in boxed.symbols])
        alone = len(boxed) == 1 and not boxed.pbc.any()
        parameters = {**defaults(), **({"hund": True} if alone else {}), **self.settings.parameters}
        with serial(), own_libraries():  # the first call loads most of GPAW
            boxed.calc = GPAW(txt=None, **parameters)
        energy = float(boxed.get_potential_energy(force_consistent=True))
        results = {"energy": energy, "forces": boxed.get_forces()}
        return results | ({"stress": boxed.get_stress()} if with_stress else {})
