"""Orderings of alloy clusters: descents against the enumeration of all homotops, moves, sites, bad input."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Icosahedron, Octahedron
from numpy.typing import NDArray
from random_model import random_model, write_model

from hea_potential import HEACalculator, clusters
from hea_potential.engine import ExchangeScan, Model, Potential
from hea_potential.errors import InputError
from hea_potential.model_file import find_model
from hea_potential.search import best_ordering, search
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, random_rotation
from hea_potential.search.homotops import Orderings, Reorder, Settle, Transfer, exchange_scan, homotop_moves
from hea_potential.search.orderings import descend, hop, kicked
from hea_potential.search.pair import Pair
from hea_potential.search.sites import matched_sites
from hea_potential.search.starts import random_packing

Types = NDArray[np.int32]
ALL = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def icosahedron(*symbols_and_counts: tuple[str, int]) -> Atoms:
    """An icosahedron of 13 or 55 atoms, relaxed by none, its elements in order from the first atom on."""
    symbols = [symbol for symbol, count in symbols_and_counts for _ in range(count)]
    atoms = Icosahedron("Pd", {13: 2, 55: 3}[len(symbols)])
    atoms.symbols = symbols
    return atoms


def scan_of(atoms: Atoms, symbols: tuple[str, ...]) -> tuple[ExchangeScan, Types]:
    scan = exchange_scan("hea6", symbols, "double")
    scan.place(*clusters.half_edges(atoms.positions, scan.cutoff))
    return scan, np.array([symbols.index(symbol) for symbol in atoms.symbols], dtype=np.int32)


def homotops(size: int, count: int) -> Iterator[Types]:
    """All ways to put `count` atoms of type 1 on the sites."""
    for chosen in combinations(range(size), count):
        types = np.zeros(size, dtype=np.int32)
        types[list(chosen)] = 1
        yield types


@pytest.mark.parametrize(("symbols", "counts", "number"), [(("Au", "Cu"), (10, 3), 286), (("Pt", "Ni"), (9, 4), 715)])
def test_descents_find_the_lowest_of_all_homotops(
    symbols: tuple[str, str], counts: tuple[int, int], number: int
) -> None:
    atoms = icosahedron(*zip(symbols, counts, strict=True))
    atoms.calc = HEACalculator()
    scan, types = scan_of(atoms, symbols)
    model = Model(find_model("hea6"))
    potential = Potential(model, [model.elements.index(symbol) for symbol in symbols])
    first, neighbour, vectors = clusters.half_edges(atoms.positions, scan.cutoff)
    orderings = list(homotops(13, counts[1]))
    assert len(orderings) == number
    energies = np.array([potential.evaluate(t, first, neighbour, vectors, forces=False)["energy"] for t in orderings])
    lowest = energies.min()
    assert (energies < lowest + 0.01).sum() < number / 5  # there is something to find
    rng = np.random.default_rng(4)
    for _ in range(5):
        found = descend(scan, rng.permutation(types))
        assert found.energy == pytest.approx(lowest, abs=1e-9)
        # The same ordering, or one that a symmetry of the icosahedron turns into it.
        same = [t for t, energy in zip(orderings, energies, strict=True) if abs(energy - lowest) < 1e-9]
        assert any(np.array_equal(found.types, t) for t in same)
        assert np.array_equal(np.bincount(found.types), counts)
    best = best_ordering(atoms, relax=False)
    assert best.get_potential_energy() == pytest.approx(lowest, abs=1e-9)
    assert np.array_equal(best.positions, atoms.positions)


@pytest.mark.parametrize("symbols", [("Ni", "Pt", "Au"), ALL])
def test_swap_energies_are_differences_of_full_energies(symbols: tuple[str, ...]) -> None:
    rng = np.random.default_rng(5)
    atoms = icosahedron(*((symbol, 55 // len(symbols) + (k < 55 % len(symbols))) for k, symbol in enumerate(symbols)))
    atoms.symbols = rng.permutation(list(atoms.symbols))
    atoms.positions += rng.normal(scale=0.1, size=(55, 3))
    atoms.calc = HEACalculator()
    scan, types = scan_of(atoms, symbols)
    assert scan.order(types) == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    pairs = scan.unlike_pairs()
    assert len(pairs) == sum(types[i] != types[j] for i, j in combinations(range(55), 2))
    energies = scan.exchanges(pairs)
    for k in rng.integers(len(pairs), size=40):
        swapped = atoms.copy()
        swapped.symbols[pairs[k]] = swapped.symbols[pairs[k][::-1]]
        swapped.calc = atoms.calc
        assert energies[k] == pytest.approx(swapped.get_potential_energy(), abs=1e-9)
    single = exchange_scan("hea6", symbols)
    single.place(*clusters.half_edges(atoms.positions, single.cutoff))
    assert single.order(types) == pytest.approx(scan.order(types), abs=1e-4)
    assert single.exchanges(pairs) - single.order(types) == pytest.approx(energies - scan.order(types), abs=5e-5)


def test_a_scan_answers_for_nothing_before_an_ordering() -> None:
    atoms = icosahedron(("Ag", 7), ("Cu", 6))
    scan, types = scan_of(atoms, ("Ag", "Cu"))
    first, neighbour, vectors = clusters.half_edges(atoms.positions, scan.cutoff)
    for _ in range(2):
        for ask in (scan.substitutions, scan.unlike_pairs, lambda: scan.exchanges(np.array([[0, 12]], dtype=np.int32))):
            with pytest.raises(ValueError, match=r"no ordering of it: order\(\) comes before"):
                ask()
        scan.order(types)
        assert len(scan.unlike_pairs()) == 42
        with pytest.raises(ValueError, match="overlap"):
            scan.place(first, neighbour, 1e-6 * vectors)
        assert scan.order(types[:0]) == 0.0  # a geometry that was refused leaves none
        scan.place(first, neighbour, vectors)


def test_the_order_of_the_atoms_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    atoms = icosahedron(("Ag", 7), ("Cu", 6))
    scan, types = scan_of(atoms, ("Ag", "Cu"))
    energy, found = scan.order(types), descend(scan, types)
    shuffled = rng.permutation(13)
    scan, types = scan_of(atoms[shuffled], ("Ag", "Cu"))
    assert scan.order(types) == pytest.approx(energy, abs=1e-10)
    pairs = scan.unlike_pairs()
    by_shuffled = scan.exchanges(pairs)
    assert descend(scan, types).energy == pytest.approx(found.energy, abs=1e-9)
    scan, types = scan_of(atoms, ("Ag", "Cu"))
    scan.order(types)
    assert scan.exchanges(shuffled[pairs].astype(np.int32)) == pytest.approx(by_shuffled, abs=1e-10)


@pytest.mark.parametrize("symbols", [("Ni", "Pd", "Ag"), ALL])
def test_descents_end_where_no_swap_is_lower(symbols: tuple[str, ...]) -> None:
    rng = np.random.default_rng(7)
    positions = Octahedron("Pd", 4, 1).positions
    types = rng.permutation(np.arange(38) % len(symbols)).astype(np.int32)
    scan = exchange_scan("hea6", symbols, "double")
    scan.place(*clusters.half_edges(positions, scan.cutoff))
    before = scan.order(types)
    found = descend(scan, types)
    assert found.energy < before - 1.0
    assert scan.order(found.types) == pytest.approx(found.energy, abs=1e-9)
    assert scan.exchanges(scan.unlike_pairs()).min() > found.energy - 1e-5
    assert np.array_equal(np.bincount(found.types), np.bincount(types))
    assert found.evaluations > 600


def test_hops_leave_the_ordering_that_is_known() -> None:
    rng = np.random.default_rng(12)
    scan = exchange_scan("hea6", ("Cu", "Ni"), "double")
    scan.place(*clusters.half_edges(Octahedron("Pd", 4, 1).positions, scan.cutoff))
    known = descend(scan, rng.permutation(np.arange(38) % 2).astype(np.int32))
    other = hop(rng, scan, known.types, 6)
    assert not np.array_equal(other.types, known.types)
    assert scan.order(other.types) == pytest.approx(other.energy, abs=1e-9)


def test_kicks_keep_the_composition_and_change_the_ordering() -> None:
    types = np.array([0, 0, 1, 1, 1, 2], dtype=np.int32)
    other = kicked(np.random.default_rng(8), types, 1)
    assert np.array_equal(np.sort(other), types)
    assert (other != types).sum() == 2


def test_sites_of_two_atoms_are_matched() -> None:
    bonds = np.full((2, 2), 2.5)
    one = Cluster(np.array([0, 1]), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.5]]))
    other = Cluster(np.array([0, 1]), np.array([[3.0, 0.0, 0.0], [5.4, 0.0, 0.0]]))
    sites = matched_sites(np.random.default_rng(1), one, other, bonds)
    assert sorted(sites) == [0, 1]


def test_matched_sites_undo_rotation_reflection_and_renumbering() -> None:
    rng = np.random.default_rng(9)
    positions = random_packing(rng, Composition.parse("Cu38"), np.full((1, 1), 2.75)).positions  # without symmetry
    types = rng.permutation(np.arange(38) % 2)
    shuffled = rng.permutation(38)
    turned = 1.05 * (positions @ random_rotation(rng))[shuffled] * [1.0, 1.0, -1.0] + 3.0
    one, other = Cluster(types, positions), Cluster(types[shuffled], turned)
    sites = matched_sites(rng, one, other, np.full((2, 2), 2.75))
    assert np.array_equal(shuffled[sites], np.arange(38))
    assert np.array_equal(other.types[sites], types)


def test_orderings_go_from_motif_to_motif() -> None:
    rng = np.random.default_rng(10)
    bonds = np.full((2, 2), 2.75)
    ico = Icosahedron("Pd", 3).positions
    inside = np.argsort(np.linalg.norm(ico - ico.mean(axis=0), axis=1), kind="stable")[:13]
    types = np.zeros(55, dtype=np.int64)
    types[inside] = 1
    cuboctahedron = Octahedron("Pd", 5, 2).positions
    assert len(cuboctahedron) == 55
    carried = types[matched_sites(rng, Cluster(types, cuboctahedron), Cluster(types, ico), bonds)]
    radii = np.linalg.norm(cuboctahedron - cuboctahedron.mean(axis=0), axis=1)
    assert radii[carried == 1].max() < radii[carried == 0].min()


def test_moves_are_deterministic_keep_composition_and_travel() -> None:
    composition = Composition.parse("Cu6Au7")
    pair = Pair.of_model("hea6", composition)
    moves = homotop_moves(composition, pair)
    assert set(moves) == {"reorder", "settle", "orderings", "transfer"}
    atoms = icosahedron(("Cu", 6), ("Au", 7))
    parents = [Cluster(composition.types, atoms.positions), Cluster(composition.types[::-1].copy(), atoms.positions)]
    for move in pickle.loads(pickle.dumps(moves)).values():
        assert isinstance(move.apply, Reorder | Settle | Orderings | Transfer)
        given = parents[: move.parents]
        one, two = (move.apply(np.random.default_rng(11), given, np.full((2, 2), 2.7)) for _ in range(2))
        assert np.array_equal(one.types, two.types)
        assert np.array_equal(one.positions, two.positions)
        assert np.array_equal(np.sort(one.types), composition.types)
        assert np.array_equal(one.positions, atoms.positions) == isinstance(move.apply, Reorder | Transfer)


def test_only_alloys_with_a_model_have_the_moves(tmp_path: Path) -> None:
    single = Composition.parse("Cu13")
    assert homotop_moves(single, Pair.of_model("hea6", single)) == {}
    lines = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 1.0 1.0"), units="lj")
    assert homotop_moves(Composition.parse("Ar6Kr7"), lines) == {}
    with pytest.raises(InputError, match="unknown move 'orderings'"):
        search("Ar6Kr7", pair=lines, budget=5, moves=("orderings",))


def test_a_search_uses_them_and_is_reproducible(tmp_path: Path) -> None:
    for name in ("one", "other"):
        search("Cu5Au8", budget=60, seed=3, window=8, out=tmp_path / name)
    one, other = ((tmp_path / name / "journal.jsonl").read_text().splitlines()[1:] for name in ("one", "other"))
    entries = [
        [(e["operator"], e["parents"], e.get("energy")) for e in map(json.loads, lines)] for lines in (one, other)
    ]
    assert entries[0] == entries[1]
    assert {"reorder", "settle"} <= {operator for operator, _, _ in entries[0]}


def test_bad_input_is_one_error() -> None:
    with pytest.raises(InputError, match="got Fe"):
        exchange_scan("hea6", ("Cu", "Fe"))
    with pytest.raises(InputError, match="precision"):
        exchange_scan("hea6", ("Cu", "Au"), "half")


def test_a_model_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    """A training may put its model in the place of an older one, while a notebook goes on."""
    atoms = icosahedron(("Ni", 6), ("Cu", 7))
    path = tmp_path / "model.safetensors"
    energies = []
    for seed in (1, 2):
        write_model(path, *random_model(np.random.default_rng(seed), elements=["Ni", "Cu"]))
        os.utime(path, ns=(seed, seed))  # file systems do not tell two moments apart that are too close
        scan = exchange_scan(path, ("Ni", "Cu"))
        scan.place(*clusters.half_edges(atoms.positions, scan.cutoff))
        energies.append(scan.order(np.array(atoms.symbols == "Cu", dtype=np.int32)))
        atoms.calc = HEACalculator(path)
        assert energies[-1] == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    assert abs(energies[0] - energies[1]) > 0.01


def test_the_engine_refuses_what_does_not_fit() -> None:
    atoms = icosahedron(("Cu", 6), ("Au", 7))
    scan, types = scan_of(atoms, ("Cu", "Au"))
    with pytest.raises(ValueError, match="types has 12 rows, allowed are 13"):
        scan.order(types[:12])
    scan.order(types)
    with pytest.raises(ValueError, match="a pair has the atom 13, allowed are 0 to 12"):
        scan.exchanges(np.array([[0, 13]], dtype=np.int32))
    with pytest.raises(ValueError, match="has the type 2, allowed are 0 to 1"):
        scan.order(np.where(types == 1, 2, types).astype(np.int32))
    with pytest.raises(ValueError, match="first is empty"):
        scan.place(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros((0, 3)))


@pytest.mark.parametrize(("formula", "lag"), [("Cu19Ni19", 0), ("Ni75Cu75", 0), ("Ni25Cu25Pd25Ag24Pt24Au24", 2)])
def test_others_do_not_wait_for_learnt_orderings_of_large_clusters(formula: str, lag: int) -> None:
    composition = Composition.parse(formula)
    moves = homotop_moves(composition, Pair.of_model("hea6", composition))
    assert {name: move.lag for name, move in moves.items() if move.lag} == ({"orderings": lag} if lag else {})
