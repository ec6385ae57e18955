"""Minimisations by LAMMPS: known energies, failures that are outcomes, numbers that do not depend on what was done
before.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hea_potential.errors import InputError
from hea_potential.model_file import find_model
from hea_potential.search.bonds import bond_energy, probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.minimise import QUENCHES, Limits, Minimiser
from hea_potential.search.pair import Pair, PairError
from hea_potential.search.starts import random_packing

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
BOND = np.array([[1.12]])


def minimiser(formula: str, fmax: float = 1e-6, calls: int = 20_000) -> Minimiser:
    return Minimiser(Composition.parse(formula), LENNARD_JONES, BOND, Limits(fmax, calls))


@pytest.mark.parametrize(("size", "energy"), [(1, 0.0), (2, -1.0), (3, -3.0), (4, -6.0), (5, -9.103852)])
def test_smallest_lennard_jones_clusters(size: int, energy: float) -> None:
    quench = minimiser(f"Ar{size}")
    start = random_packing(np.random.default_rng(1), quench.composition, BOND)
    found = quench(start)
    assert found.outcome == "minimum"
    assert found.energy == pytest.approx(energy, abs=2e-6)
    assert size == 1 or found.calls >= 1
    quench.close()


def test_a_minimum_depends_on_its_start_alone_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    quench = minimiser("Ar20")
    starts = [random_packing(rng, quench.composition, BOND) for _ in range(12)]
    forwards = [quench(start) for start in starts]
    quench.close()
    backwards = [quench(start) for start in reversed(starts)][::-1]
    quench.close()
    for one, other in zip(forwards, backwards, strict=True):
        assert (one.energy, one.calls) == (other.energy, other.calls)
        assert np.array_equal(one.cluster.positions, other.cluster.positions)


def test_a_fragment_is_no_minimum() -> None:
    quench = minimiser("Ar4", fmax=1e-3)
    pairs = np.array([[0.0, 0, 0], [1.1, 0, 0], [15, 0, 0], [16.1, 0, 0]])
    assert quench(Cluster(np.zeros(4, int), pairs)).outcome == "fragmented"
    quench.close()


def test_spent_force_calls_are_told() -> None:
    quench = minimiser("Ar13", fmax=1e-9, calls=5)
    found = quench(random_packing(np.random.default_rng(0), quench.composition, BOND))
    assert found.outcome == "unconverged"
    assert 5 <= found.calls <= 7
    quench.close()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e9])
def test_after_atoms_are_lost_the_next_minimisation_works(bad: float) -> None:
    quench = minimiser("Ar3")
    positions = np.array([[0.0, 0, 0], [1.1, 0, 0], [0.5, 1, 0]])
    broken = positions.copy()
    broken[2, 1] = bad
    found = quench(Cluster(np.zeros(3, int), broken))
    assert found.outcome in ("lost", "error")
    assert found.message or found.outcome == "lost"
    assert quench(Cluster(np.zeros(3, int), positions)).energy == pytest.approx(-3.0, abs=1e-6)
    quench.close()


def test_minimisations_that_fail_leave_no_memory_behind() -> None:
    """A model refuses atoms on top of each other by an error, and what LAMMPS holds of it takes 10 MB."""
    composition = Composition.parse("Cu3")
    quench = Minimiser(composition, Pair.of_model("hea6", composition), np.array([[2.4]]))
    start = Cluster(composition.types, np.array([[0.0, 0, 0], [0, 0, 1e-5], [0, 2.4, 0]]))

    def resident() -> int:
        """Memory of this process in bytes."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(3):
        found = quench(start)
    assert found.outcome == "error"
    assert found.message.startswith("Pair style hea: atoms 1 and 2 are 1e-05 A apart")
    before = resident()
    for _ in range(10):
        quench(start)
    assert resident() - before < 30e6
    quench.close()


@pytest.mark.parametrize("kind", ["compressed", "squeezed"])
def test_a_compressed_quench_ends_in_a_minimum_of_the_energy_alone(kind: str) -> None:
    """Both stages count: it takes more force calls than the second stage would."""
    quench = minimiser("Ar13", fmax=1e-4)
    start = random_packing(np.random.default_rng(5), quench.composition, BOND)
    found = quench(start, kind)
    assert found.outcome == "minimum"
    again = quench(found.cluster)
    assert again.energy == pytest.approx(found.energy, abs=1e-6)
    assert again.calls < 5 < found.calls
    spent = Minimiser(quench.composition, LENNARD_JONES, BOND, Limits(1e-4, calls=found.calls - 3))
    assert spent(start, kind).outcome == "unconverged"
    spent.close()
    quench.close()


def test_compression_leads_more_starts_to_the_spherical_minimum() -> None:
    """The icosahedron of 13 atoms, from the same random starts."""
    rng = np.random.default_rng(6)
    quench = minimiser("Ar13", fmax=1e-3)
    starts = [random_packing(rng, quench.composition, BOND) for _ in range(40)]
    hits = {kind: sum(quench(start, kind).energy < -44.32 for start in starts) for kind in QUENCHES}
    assert hits["plain"] < hits["compressed"] < hits["squeezed"]
    quench.close()


def test_compression_has_no_units() -> None:
    """The same cluster and the same calls whatever the units of length and energy are."""
    pair = Pair(("pair_style lj/cut 90.0", "pair_coeff * * 0.25 3.0"))
    ours, scaled = minimiser("Ar9"), Minimiser(Composition.parse("Ar9"), pair, 3.0 * BOND, Limits(1e-6 * 0.25 / 3.0))
    start = random_packing(np.random.default_rng(8), ours.composition, BOND)
    for kind in QUENCHES:
        one, other = ours(start, kind), scaled(Cluster(start.types, 3.0 * start.positions), kind)
        assert other.energy == pytest.approx(0.25 * one.energy, rel=1e-9)
        assert abs(other.calls - one.calls) <= 3


def test_an_unknown_quench_is_refused() -> None:
    quench = minimiser("Ar3")
    with pytest.raises(InputError, match="unknown quench 'magic'; allowed: plain, compressed, squeezed"):
        quench(random_packing(np.random.default_rng(0), quench.composition, BOND), "magic")


@pytest.mark.parametrize("distance", [1e-3, 1e-9, 0.0])
def test_atoms_on_top_of_each_other_part_or_are_lost(distance: float) -> None:
    """Energies beyond all numbers are an outcome, and what comes next is not disturbed."""
    quench = minimiser("Ar4")
    positions = np.array([[0.0, 0, 0], [1.1, 0, 0], [0.5, 1, 0], [0.5, 1, distance]])
    found = quench(Cluster(np.zeros(4, int), positions))
    assert found.outcome in ("minimum", "fragmented", "lost")
    assert found.outcome == "lost" or found.energy < 0.0
    good = np.array([[0.0, 0, 0], [1.1, 0, 0], [0.5, 1, 0], [0.5, 0.3, 0.9]])
    assert quench(Cluster(np.zeros(4, int), good)).energy == pytest.approx(-6.0, abs=1e-6)
    quench.close()


def test_a_cluster_that_explodes_is_no_minimum() -> None:
    """A pair style that repels at bond length: atoms fly until the limits of the minimisation, or of the box."""
    pair = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 30.0"), units="lj")
    quench = Minimiser(Composition.parse("Ar13"), pair, BOND, Limits(1e-6, 400))
    found = quench(random_packing(np.random.default_rng(0), quench.composition, BOND))
    assert found.outcome in ("fragmented", "lost")
    quench.close()


def test_bonds_are_read_off_the_pair_style() -> None:
    pair = Pair(
        ("pair_style lj/cut 12.0", "pair_coeff 1 1 1.0 2.0", "pair_coeff 2 2 0.5 3.0", "pair_coeff 1 2 2.0 2.5")
    )
    bonds = probe_bonds(Composition.parse("Ni2Au2"), pair)
    spacing = (8.0 / 0.8) ** (1 / 69)
    expected = 2.0 ** (1 / 6) * np.array([2.0, 3.0])
    assert np.abs(np.log(np.diag(bonds) / expected)).max() < np.log(spacing)
    assert np.array_equal(bonds, bonds.T)
    assert bonds[0, 0] < bonds[0, 1] < bonds[1, 1]


def test_bonds_of_a_table_are_found_above_its_inner_cutoff(tmp_path: Path) -> None:
    """LAMMPS ends with an error where atoms are closer than that; so it does between 0.8 and 0.95 here."""
    distances = np.linspace(0.95, 12.0, 2000)
    energies = 4.0 * (distances**-12 - distances**-6)
    forces = 4.0 * (12.0 * distances**-13 - 6.0 * distances**-7)
    rows = [f"{k + 1} {r} {e} {f}" for k, (r, e, f) in enumerate(zip(distances, energies, forces, strict=True))]
    (tmp_path / "lj.table").write_text("\n".join(["LJ", "N 2000 R 0.95 12.0", "", *rows, ""]))
    table = Pair(("pair_style table linear 2000", f"pair_coeff * * {tmp_path}/lj.table LJ 12.0"), units="lj")
    argon = Composition.parse("Ar1")
    assert np.array_equal(probe_bonds(argon, table), probe_bonds(argon, LENNARD_JONES))


def test_a_bond_energy_is_that_of_a_bond() -> None:
    """At four bonds a Lennard-Jones pair still has 0.0005 of it."""
    assert bond_energy(Composition.parse("Ar2"), LENNARD_JONES, np.array([[2.0 ** (1 / 6)]])) == pytest.approx(
        1, abs=1e-3
    )


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (("pair_style nonsense 3",), "refuses the line 'pair_style nonsense 3'.*nonsense"),
        (("pair_style lj/cut 10.0", "pair_coeff 3 3 1.0 1.0"), "refuses the line 'pair_coeff 3 3"),
        (("pair_style eam/alloy", "pair_coeff * * missing.alloy Cu"), "refuses the line .*missing.alloy"),
        (("pair_style hea", 'pair_coeff * * "/näh né/ß.safetensors" Cu'), "refuses the line .*/näh né/ß.safetensors"),
        (("pair_style lj/cut 10.0",), "coeffs are not set"),
        (("pair_style soft 3.0", "pair_coeff * * 10.0"), "does not bind Cu-Cu"),
    ],
)
def test_a_pair_style_that_cannot_be_used_is_refused(lines: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(PairError, match=complaint):
        probe_bonds(Composition.parse("Cu2"), Pair(lines))


def test_a_model_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "näh né 东"
    folder.mkdir()
    model = Path(shutil.copyfile(find_model("hea6"), folder / "m.safetensors"))
    copper = Composition.parse("Cu2")
    assert probe_bonds(copper, Pair.of_model(model, copper)) == probe_bonds(copper, Pair.of_model("hea6", copper))


def test_a_pair_file_is_read_with_its_units_and_elements(tmp_path: Path) -> None:
    path = tmp_path / "pair.lmp"
    path.write_text(
        "# a comment\nunits real\n\npair_style eam/alloy  # another\npair_coeff * * &\n  f.alloy {elements}\n"
    )
    pair = Pair.of_file(path, Composition.parse("Cu2Ni3"))
    assert [line.split() for line in pair.lines] == [
        ["pair_style", "eam/alloy"],
        ["pair_coeff", "*", "*", "f.alloy", "Cu", "Ni"],
    ]
    assert pair.energy_unit == "kcal/mol"


def test_a_pair_file_is_read_as_lammps_reads_a_deck(tmp_path: Path) -> None:
    """Blanks after a sign of continuation, signs of comments in quotes, a byte order mark, quotes that nothing ends."""
    path = tmp_path / "pair.lmp"
    text = """units lj
pair_style table & \n linear 100  # Kelvin's "table"
pair_coeff * * "set #1/lj.table" LJ  # "1.0"
pair_coeff 1 1 it's  # one
"""
    path.write_text(text, encoding="utf-8-sig")
    pair = Pair.of_file(path, Composition.parse("Ar1"))
    assert pair.units == "lj"
    assert [line.split() for line in pair.lines] == [
        ["pair_style", "table", "linear", "100"],
        ["pair_coeff", "*", "*", '"set', '#1/lj.table"', "LJ"],
        ["pair_coeff", "1", "1", "it's"],
    ]


@pytest.mark.parametrize(
    ("text", "complaint"), [("pair_coeff * * 1 1", "no line pair_style"), ("units si\npair_style x", "units 'si'")]
)
def test_a_pair_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "pair.lmp"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        Pair.of_file(path, Composition.parse("Cu2"))
    with pytest.raises(InputError, match="cannot be read"):
        Pair.of_file(tmp_path, Composition.parse("Cu2"))


def test_what_a_model_does_not_know_is_no_minimum() -> None:
    """The same minimum counts or not by the model's own error estimate."""
    composition = Composition.parse("Cu4Au3")
    pair = Pair.of_model("hea6", composition)
    bonds = probe_bonds(composition, pair)
    quench = Minimiser(composition, pair, bonds)
    start = random_packing(np.random.default_rng(3), composition, bonds)
    assert quench(start).outcome == "minimum"
    quench.limits = replace(quench.limits, unknown=1e-9)
    assert quench(start).outcome == "unknown"
    quench.close()
