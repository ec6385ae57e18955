"""The shipped data set: whole, as its README says, and what its recipe gives."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from ase.atoms import Atoms
from ase.data import atomic_numbers
from ase.io import read
from hea_training import hea6
from hea_training.hea6.found import found_by_search
from hea_training.hea6.metals import METALS, closeness
from hea_training.hea6.properties import equilibrium, fcc_metal
from hea_training.hea6.recipe import FOUND, families_of, few_atoms_and_lattices

from hea_potential.dataset import DataSet, read_dataset
from hea_potential.reference import reference_method

FOLDER = Path(hea6.__file__).parent


@pytest.fixture(scope="module")
def dataset() -> DataSet:
    return read_dataset(FOLDER / "hea6.h5")


def test_the_shipped_data_set_is_the_one_of_its_readme(dataset: DataSet):
    assert len(dataset) >= 12_000
    assert f"sha256 `{dataset.sha256()}`" in (FOLDER / "README.md").read_text()
    assert dataset.provenance["reference"]["model"] == "7net-mf-0"
    assert dataset.provenance["reference"]["modal"] == "PBE"


def test_every_set_of_up_to_six_metals_is_there(dataset: DataSet):
    wanted = {
        tuple(sorted(atomic_numbers[e] for e in chosen))
        for size in range(1, 7)
        for chosen in itertools.combinations(METALS, size)
    }
    assert set(dataset.element_sets) == wanted


def test_forces_and_distances_are_within_the_limits(dataset: DataSet):
    force = np.maximum.reduceat(np.linalg.norm(dataset.forces, axis=1), dataset.offsets[:-1])
    few = np.isin(dataset.kind, ["dimer", "trimer"])
    assert force[few].max() <= 40.0
    found = dataset.kind == "cluster.found"
    assert force[found].max() <= 25.0
    assert force[~few & ~found].max() <= 15.0
    assert min(closeness(dataset.atoms(int(k))) for k in np.flatnonzero(few)) >= 1.0


def test_the_recipe_gives_the_labelled_structures_again(dataset: DataSet):
    labelled = {contents(dataset.atoms(k)) for k in range(len(dataset))}
    generated = few_atoms_and_lattices()
    quaternary = ("Ni", "Cu", "Ag", "Pt")
    order = [chosen for size in range(1, 7) for chosen in itertools.combinations(METALS, size)]
    generated += families_of(0, quaternary, order.index(quaternary))[0]
    missing = [atoms for atoms in generated if contents(atoms) not in labelled]
    # Those whose forces were above the limit have no label.
    assert len(missing) <= 3
    assert len(generated) > 1400


def test_what_searches_found_is_labelled(dataset: DataSet):
    labelled = {contents(dataset.atoms(int(k))) for k in np.flatnonzero(dataset.kind == "cluster.found")}
    found = read(FOUND, ":")
    missing = [atoms for atoms in found if contents(atoms) not in labelled]
    assert len(labelled) + len(missing) == len(found)
    assert len(missing) == sum("force" in reason for reason in dataset.failures.values()) - 27  # 27 of the recipe's own


def test_searching_for_structures_again_finds_the_same():
    elements = ("Pd", "Ag", "Au")
    first, second = (found_by_search("hea6", elements, 30, search=1) for _ in range(2))
    assert len(first) >= 3
    assert [contents(atoms) for atoms in first] == [contents(atoms) for atoms in second]
    assert all(set(atoms.symbols) == set(elements) for atoms in first)


def contents(atoms: Atoms) -> bytes:
    return b"".join(
        (np.round(values, 6) + 0.0).tobytes() for values in (atoms.numbers, atoms.positions, atoms.cell.array)
    )


def test_equilibrium_finds_the_minimum_of_a_birch_murnaghan_curve():
    volume, energy, modulus, slope = 12.0, -3.0, 0.9, 5.2
    volumes = np.linspace(11.0, 13.0, 9)
    strain = (volume / volumes) ** (2.0 / 3.0) - 1.0
    energies = energy + 9.0 / 16.0 * volume * modulus * (strain**3 * (slope - 4.0) + 2.0 * strain**2)
    np.testing.assert_allclose(equilibrium(volumes, energies), (volume, energy, modulus), rtol=1e-6)
    with pytest.raises(ValueError, match="no minimum"):
        equilibrium(volumes, -volumes)


def test_properties_of_emt_copper_are_those_that_emt_was_made_for():
    """Jacobsen, Stoltze, Norskov (1996): bulk modulus of Cu about 0.85 eV/A^3, lattice constant 3.59 A in ASE's EMT."""
    copper = fcc_metal("Cu", reference_method("emt").calculator())
    assert copper["lattice_constant"] == pytest.approx(3.59, abs=0.01)
    assert copper["bulk_modulus"] == pytest.approx(134.0, rel=0.05)
