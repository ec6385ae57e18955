"""Lattice constants, bulk moduli and formation energies of any calculator, and those of the reference.

`python -m hea_training.hea6.properties sevennet reference_7net.json` writes the numbers that the acceptance of hea6
compares with. The same functions measure the trained model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa

from hea_potential.complete_file import complete_file
from hea_potential.reference import reference_method

from .metals import LATTICE, METALS
from .periodic import TESTED_ALLOYS, alloy

# Half widths of the two energy curves, relative to the lattice constant: the second is centred on the first's minimum.
CURVES = (0.05, 0.025)


def equilibrium(volumes: np.ndarray, energies: np.ndarray) -> tuple[float, float, float]:
    """Volume (A^3), energy (eV) and bulk modulus (eV/A^3) at the minimum of a Birch-Murnaghan curve.

    Third-order Birch-Murnaghan is a cubic in x = V^(-2/3), so it is fitted by linear least squares.
    Raises ValueError if the fitted curve has no minimum among the volumes.
    """
    x = volumes ** (-2.0 / 3.0)
    curve = np.polynomial.Polynomial.fit(x, energies, 3)
    slope, curvature = curve.deriv(), curve.deriv(2)
    roots = [float(root.real) for root in slope.roots() if abs(root.imag) < 1e-12]
    inside = [root for root in roots if x.min() < root < x.max() and curvature(root) > 0.0]
    if not inside:
        raise ValueError(f"no minimum of the energy between {volumes.min():.3f} and {volumes.max():.3f} A^3")
    minimum = inside[0]
    volume: float = minimum**-1.5
    dx_dv = -2.0 / 3.0 * volume ** (-5.0 / 3.0)
    return float(volume), float(curve(minimum)), float(volume * curvature(minimum) * dx_dv**2)


def fcc_metal(element: str, calculator: Any) -> dict[str, float]:
    """Lattice constant (A), energy per atom (eV) and bulk modulus (GPa) of an fcc metal."""
    centre = LATTICE[element]
    for width in CURVES:
        volumes, energies = [], []
        for scale in np.linspace(1.0 - width, 1.0 + width, 11):
            cell = bulk(element, "fcc", a=centre * scale)
            cell.calc = calculator
            volumes.append(cell.get_volume())
            energies.append(cell.get_potential_energy())
        volume, energy, modulus = equilibrium(np.array(volumes), np.array(energies))
        centre = (4.0 * volume) ** (1.0 / 3.0)
    return {"lattice_constant": centre, "energy": energy, "bulk_modulus": modulus / GPa}


def relaxed(cell: Atoms, calculator: Any) -> Atoms:
    """The structure with cell and positions relaxed to 2e-3 eV/A."""
    cell = cell.copy()
    cell.calc = calculator
    if not BFGS(FrechetCellFilter(cell), logfile=None).run(fmax=2e-3, steps=200):
        raise RuntimeError(f"{cell.get_chemical_formula()} did not relax in 200 steps")
    return cell


def material_properties(calculator: Any) -> dict[str, dict[str, Any]]:
    """Properties of the six fcc metals, and formation energies (eV/atom) and cell lengths (A) of the tested alloys."""
    metals = {element: fcc_metal(element, calculator) for element in METALS}
    alloys = {}
    for name, a, b in TESTED_ALLOYS:
        cell = relaxed(alloy(name, a, b), calculator)
        apart = sum(metals[symbol]["energy"] for symbol in cell.symbols)
        formation = (cell.get_potential_energy() - apart) / len(cell)
        alloys[f"{name} {cell.get_chemical_formula()}"] = {
            "formation_energy": float(formation),
            "cell_lengths": cell.cell.lengths().tolist(),
        }
    return {"fcc": metals, "alloys": alloys}


def main() -> None:
    """Measure a reference method's properties and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("reference", help="reference method: sevennet, emt, or module:callable")
    parser.add_argument("output", type=Path, help="JSON file to write")
    options = parser.parse_args()
    method = reference_method(options.reference)
    document = {"reference": method.provenance, "units": "A, eV/atom, GPa", **material_properties(method.calculator())}
    with complete_file(options.output) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
