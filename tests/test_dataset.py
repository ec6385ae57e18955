"""Data sets: round trips, the hash, splits by family, and files that must be refused."""

import h5py
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from hea_potential.dataset import DataSet, empty_dataset, read_dataset, write_dataset
from hea_potential.errors import InputError, OutputError
from hea_potential.frame import Frame


def labelled(atoms: Atoms, name: str, kind: str, group: str) -> Frame:
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    if atoms.pbc.all():
        results["stress"] = atoms.get_stress()
    return Frame.from_results(atoms, name, kind, group, results)


def frames(count: int) -> list[Frame]:
    """Families of two: rattled bulk of one metal, and dimers of two."""
    rng = np.random.default_rng(3)
    made = []
    for k in range(count):
        if k % 4 < 2:
            atoms = bulk(("Cu", "Ag")[k % 2], cubic=True)
            atoms.positions += rng.normal(0.0, 0.05, atoms.positions.shape)
            made.append(labelled(atoms, f"f{k}", "bulk", f"bulk{k // 4}"))
        else:
            atoms = Atoms("AuPt", positions=[[0, 0, 0], [0, 0, rng.uniform(2.2, 3.5)]])
            made.append(labelled(atoms, f"f{k}", "dimer", f"dimer{k // 4}"))
    return made


@pytest.fixture(scope="module")
def dataset() -> DataSet:
    return empty_dataset({"reference": {"method": "emt"}}).append(frames(200))


def test_a_file_gives_back_every_array_exactly(dataset: DataSet, tmp_path):
    write_dataset(tmp_path / "set.h5", dataset)
    again = read_dataset(tmp_path / "set.h5")
    for what in (
        "offsets",
        "numbers",
        "positions",
        "cell",
        "pbc",
        "energy",
        "forces",
        "stress",
        "kind",
        "group",
        "name",
    ):
        np.testing.assert_array_equal(getattr(again, what), getattr(dataset, what))
    assert again.provenance == dataset.provenance
    with h5py.File(tmp_path / "set.h5") as file:
        np.testing.assert_array_equal(file["n_elements"][:], [len(found) for found in dataset.element_sets])


def test_an_empty_data_set_can_be_written_and_read(tmp_path):
    write_dataset(tmp_path / "none.h5", empty_dataset({}))
    assert len(read_dataset(tmp_path / "none.h5")) == 0


def test_atoms_carry_the_labels(dataset: DataSet):
    periodic, pair = dataset.atoms(0), dataset.atoms(2)
    recomputed = periodic.copy()
    recomputed.calc = EMT()
    assert periodic.get_potential_energy() == pytest.approx(recomputed.get_potential_energy(), abs=1e-6)
    np.testing.assert_allclose(periodic.get_forces(), recomputed.get_forces(), atol=1e-5)
    np.testing.assert_allclose(periodic.get_stress(), recomputed.get_stress(), atol=1e-7)
    assert "stress" not in pair.calc.results
    with pytest.raises(InputError, match="allowed are 0 to 199"):
        dataset.atoms(200)


def test_the_hash_knows_contents_but_not_order_names_or_provenance(dataset: DataSet):
    order = np.random.default_rng(0).permutation(len(dataset))
    assert dataset.select(order).sha256() == dataset.sha256()
    assert empty_dataset({}).append([dataset.frame(k) for k in order]).sha256() == dataset.sha256()
    dataset_of_one = dataset.select([0])
    dataset_of_one.forces[0, 0] += 1e-5
    assert dataset_of_one.sha256() != dataset.select([0]).sha256()


def test_the_hash_of_known_contents_does_not_change():
    frame = Frame.from_results(Atoms("Cu"), "a", "atom", "Cu", {"energy": -0.5, "forces": np.zeros((1, 3))})
    expected = "7eaa798d4981f3d672e17f6b209c60048d6ec24356eb3517a87b6a5709b39cbc"
    assert empty_dataset({}).append([frame]).sha256() == expected


def test_results_in_single_precision_are_rounded_in_double(tmp_path):
    forces = np.array([[0.1, -7.30517, 2.2]], dtype=np.float32)
    frame = Frame.from_results(Atoms("Cu"), "a", "atom", "Cu", {"energy": np.float32(-0.3), "forces": forces})
    assert frame.energy == -0.3
    np.testing.assert_array_equal(frame.forces, [[0.1, -7.30517, 2.2]])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_split_leaks_no_family_and_loses_nothing(dataset: DataSet, seed: int):
    split = dataset.split(seed, (0.7, 0.2, 0.1))
    parts = (split.train, split.valid, split.test)
    assert sorted(np.concatenate(parts)) == list(range(len(dataset)))
    families = [set(dataset.group[part]) for part in parts]
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert not families[1] & families[2]
    for kind in ("bulk", "dimer"):
        shares = [np.mean(dataset.kind[part] == kind) for part in parts]
        np.testing.assert_allclose(shares, 0.5, atol=0.1)
    assert abs(len(split.train) - 140) <= 8
    np.testing.assert_array_equal(dataset.split(seed, (0.7, 0.2, 0.1)).test, split.test)


def test_a_split_depends_on_the_seed_and_not_on_the_order(dataset: DataSet):
    order = np.random.default_rng(1).permutation(len(dataset))
    shuffled = dataset.select(order)
    assert set(shuffled.name[shuffled.split(5).test]) == set(dataset.name[dataset.split(5).test])
    assert set(dataset.name[dataset.split(6).test]) != set(dataset.name[dataset.split(5).test])


def test_atoms_and_lattices_are_always_trained_on():
    single = [labelled(Atoms(e), e, "atom", e) for e in ("Cu", "Ag", "Au", "Pt", "Pd", "Ni")]
    assert len(empty_dataset({}).append(single).split(0, (0.0, 0.0, 1.0)).train) == 6


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_division_are_refused(dataset: DataSet, fractions):
    with pytest.raises(InputError, match="sum 1"):
        dataset.split(0, fractions)


def test_select_takes_masks_and_indices(dataset: DataSet):
    dimers = dataset.select(dataset.kind == "dimer")
    assert set(dimers.sizes) == {2}
    assert len(dimers) == 100
    np.testing.assert_array_equal(dataset.select([5, 1]).positions[:2], dataset.atoms(5).positions[:2])
    with pytest.raises(InputError, match="needs 200 values"):
        dataset.select(np.ones(3, dtype=bool))
    with pytest.raises(InputError, match="0 to 199"):
        dataset.select([200])


def test_numbers_that_are_not_finite_and_repeated_names_are_refused(dataset: DataSet):
    with pytest.raises(InputError, match="'bad': forces must be finite"):
        Frame.from_results(Atoms("Cu"), "bad", "atom", "x", {"energy": 0.0, "forces": np.full((1, 3), np.nan)})
    with pytest.raises(InputError, match="'bad': energy must be finite"):
        Frame.from_results(Atoms("Cu"), "bad", "atom", "x", {"energy": np.inf, "forces": np.zeros((1, 3))})
    with pytest.raises(InputError, match="'f0' is in the data set already"):
        dataset.append([dataset.frame(0)])


def test_damaged_files_are_refused_with_their_name(dataset: DataSet, tmp_path):
    whole = tmp_path / "set.h5"
    write_dataset(whole, dataset)
    contents = whole.read_bytes()
    cut = tmp_path / "cut.h5"
    for length in (0, 100, len(contents) // 2, len(contents) - 1):
        cut.write_bytes(contents[:length])
        with pytest.raises(InputError, match=r"cut\.h5"):
            read_dataset(cut)
    with pytest.raises(InputError, match="does not exist"):
        read_dataset(tmp_path / "absent.h5")


def damage(path, change) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def replace_array(file: h5py.File, what: str, values: np.ndarray) -> None:
    del file[what]
    file[what] = values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.attrs.__setitem__("version", 2), "version 2; allowed is"),
        (lambda file: file.attrs.__delitem__("format"), "is None version 1"),
        (lambda file: file.__delitem__("forces"), "forces"),
        (lambda file: (file.__delitem__("kind"), file.create_group("kind")), "not a readable data set"),
        (lambda file: replace_array(file, "energy", np.zeros(3)), r"energy has shape \(3,\), expected \(200,\)"),
        (lambda file: replace_array(file, "energy", np.full(200, np.nan)), "energy must be finite"),
        (lambda file: replace_array(file, "energy", np.zeros(200)), "do not fit its hash"),
        (lambda file: replace_array(file, "offsets", np.zeros(201, dtype=int)), "offsets must start at 0 and rise"),
    ],
)
def test_contents_that_do_not_fit_are_refused(dataset: DataSet, tmp_path, change, message):
    write_dataset(tmp_path / "set.h5", dataset)
    damage(tmp_path / "set.h5", change)
    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / "set.h5")


def test_a_missing_folder_is_an_error_and_leaves_nothing(dataset: DataSet, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        write_dataset(tmp_path / "absent" / "set.h5", dataset)
    assert list(tmp_path.iterdir()) == []
