"""Is a gold atom better off inside a copper cluster or on its surface? And a crystal relaxed with its cell."""

from ase.build import bulk
from ase.cluster import Icosahedron
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS

from hea_potential import HEACalculator

calculator = HEACalculator()

energies = {}
for place, atom in {"centre": 0, "surface": -1}.items():
    atoms = Icosahedron("Cu", 3, latticeconstant=3.6)
    atoms.symbols[atom] = "Au"
    atoms.calc = calculator
    LBFGS(atoms, logfile=None).run(fmax=0.01)
    energies[place] = atoms.get_potential_energy()
print(f"gold is {energies['centre'] - energies['surface']:.2f} eV higher in the centre of Cu54Au than on its surface")

alloy = bulk("Cu", a=3.7, cubic=True)
alloy.symbols[0] = "Au"  # L1_2 Cu3Au
alloy.calc = calculator
LBFGS(FrechetCellFilter(alloy), logfile=None).run(fmax=0.001)
print(f"Cu3Au: a = {alloy.cell.lengths()[0]:.3f} A, stress {abs(alloy.get_stress()).max():.1e} eV/A^3")
