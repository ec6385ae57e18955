"""Energy, forces and the model's own error estimate of an icosahedron with a gold shell, in ASE."""

from ase.cluster import Icosahedron

from hea_potential import HEACalculator

atoms = Icosahedron("Cu", 3, latticeconstant=3.8)
atoms.symbols[13:] = "Au"  # the outer shell
atoms.calc = HEACalculator()  # the shipped model hea6: Ni Cu Pd Ag Pt Au

energy = atoms.get_potential_energy()
sigma = atoms.calc.get_property("energy_std", atoms)
print(f"{atoms.symbols}: {energy:.3f} eV, {energy / len(atoms):.3f} eV an atom")
print(f"estimated error {1000 * sigma / len(atoms):.1f} meV an atom")
print(f"largest force component {abs(atoms.get_forces()).max():.3f} eV/A")
