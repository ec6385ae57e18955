"""Selection of structures to label: each rule by itself, against plain calculations of what it says."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hea_training.meta_loop.selection import (
    SelectionSettings,
    counts_by_share,
    is_force_outlier,
    select,
)
from random_model import random_model, write_model
from sample_structures import cluster

from hea_potential.described import describe, in_units_of_sigma
from hea_potential.errors import InputError

# All of the candidates may be chosen: random packings are far above their lowest.
WIDE = {"window": 100.0, "force_floor": 1e6}


@pytest.fixture
def model(tmp_path) -> Path:
    return write_model(tmp_path / "model.safetensors", *random_model(np.random.default_rng(2)))


def packings(count: int, symbols: str = "Ni4Cu4Pd3", seed: int = 5) -> list[Atoms]:
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        atoms = Atoms(symbols, cluster(rng, len(Atoms(symbols))).positions)
        atoms.info["name"] = f"c{k}"
        made.append(atoms)
    return made


def chosen_names(candidates, model, known=None, seed=0, **settings) -> list[str]:
    wanted = SelectionSettings(**{**WIDE, **settings})
    return [atoms.info["name"] for atoms in select(candidates, model, known, wanted, np.random.default_rng(seed))]


def only(reason: str) -> dict[str, float]:
    return {**dict.fromkeys(("low_energy", "high_sigma", "far_apart", "random"), 0.0), reason: 1.0}


def test_each_structure_is_chosen_once_for_one_reason_within_the_quota(model):
    candidates = packings(40)
    chosen = select(candidates, model, None, SelectionSettings(quota=10, **WIDE), np.random.default_rng(0))
    assert Counter(atoms.info["reason"] for atoms in chosen) == {
        "low energy": 4,
        "high sigma": 3,
        "far apart": 2,
        "random": 1,
    }
    assert len({atoms.info["name"] for atoms in chosen}) == 10
    assert all("reason" not in atoms.info for atoms in candidates)
    found = describe(chosen, model)
    np.testing.assert_allclose([atoms.info["predicted_energy"] for atoms in chosen], found.energies)
    np.testing.assert_allclose([atoms.info["predicted_sigma"] for atoms in chosen], found.sigmas)
    assert chosen[0].info["above_lowest"] == 0.0
    assert all(atoms.info["max_force"] == 20.0 for atoms in chosen)


def test_the_same_generator_gives_the_same_choice(model):
    candidates = packings(40)
    assert chosen_names(candidates, model) == chosen_names(candidates, model)
    assert chosen_names(candidates, model, seed=1, **only("random")) != chosen_names(
        candidates, model, seed=2, **only("random")
    )


def test_low_energy_takes_the_lowest(model):
    candidates = packings(30)
    order = np.argsort(describe(candidates, model).energies)
    assert chosen_names(candidates, model, quota=5, same_energy=0.0, **only("low_energy")) == [
        f"c{k}" for k in order[:5]
    ]


def test_high_sigma_takes_what_is_uncertain_once_the_others_are_known(model, tmp_path):
    """The model that has each chosen structure in its Gram matrix, with a great weight, is least sure of the next."""
    candidates = packings(30)
    names = chosen_names(candidates, model, quota=4, same_energy=0.0, **only("high_sigma"))
    tensors, document = random_model(np.random.default_rng(2))
    for name in names:
        taught = write_model(tmp_path / "taught.safetensors", tensors, document)
        found = describe(candidates, taught)
        assert name == f"c{np.argmax(found.sigmas)}"
        feature = found.features[int(name[1:])]
        tensors["gram"] = tensors["gram"] + 1e4 * np.outer(feature, feature)


def test_far_apart_is_farthest_point_sampling_from_what_is_known(model):
    candidates, known = packings(30), packings(5, seed=6)
    features = describe(known, model).features
    taken = [*in_units_of_sigma(features, model)]
    places = in_units_of_sigma(describe(candidates, model).features, model)
    expected = []
    for _ in range(6):
        nearest = [min(np.linalg.norm(place - other) for other in taken) for place in places]
        expected.append(int(np.argmax(nearest)))
        taken.append(places[expected[-1]])
    assert chosen_names(candidates, model, features, quota=6, same_energy=0.0, **only("far_apart")) == [
        f"c{k}" for k in expected
    ]


def test_what_is_known_is_not_chosen_again(model):
    candidates = packings(12)
    again = [candidates[k].copy() for k in (2, 5)]
    for atoms in again:
        atoms.rotate(40, (1, 2, 3))
        atoms.rattle(1e-4, seed=1)
    names = chosen_names(candidates, model, describe(again, model).features, quota=12)
    assert sorted(names) == sorted(f"c{k}" for k in range(12) if k not in (2, 5))


def test_energetic_duplicates_are_chosen_once(model):
    candidates = packings(4)
    turned = [atoms.copy() for atoms in candidates]
    for atoms in turned:
        atoms.rotate(70, (3, 2, 1))
        atoms.info["name"] += "-turned"
    names = chosen_names([*candidates, *turned], model, quota=8)
    assert sorted(name.removesuffix("-turned") for name in names) == ["c0", "c1", "c2", "c3"]


def test_force_outliers_are_not_chosen(model):
    candidates = packings(12)
    candidates[3].positions[1] = candidates[3].positions[0] + [0.0, 0.0, 0.3]
    names = chosen_names(candidates, model, quota=12, force_floor=5.0)
    assert "c3" not in names
    assert len(names) > 8


def test_an_outlier_is_above_the_floor_and_far_above_the_quartiles():
    forces = np.array([1.0, 2.0, 3.0, 4.0, 9.9, 30.0])  # quartiles 2.25 and 8.425: far out is above 26.95
    assert is_force_outlier(forces, 5.0).tolist() == [False] * 5 + [True]
    assert not is_force_outlier(forces, 31.0).any()
    assert is_force_outlier(np.array([0.01] * 9 + [0.2]), 5.0).sum() == 0


def test_what_is_far_above_the_lowest_is_not_chosen(model):
    candidates = packings(30)
    energies = describe(candidates, model).energies / 11
    window = float(np.median(energies) - energies.min())
    names = chosen_names(candidates, model, quota=30, same_energy=0.0, window=window)
    assert sorted(names) == sorted(f"c{k}" for k in np.flatnonzero(energies <= energies.min() + window))


def test_the_quota_is_for_each_composition(model):
    candidates = packings(10) + packings(10, symbols="Ni6Cu5")
    for k, atoms in enumerate(candidates):
        atoms.info["name"] = f"c{k}"
    chosen = select(candidates, model, None, SelectionSettings(quota=3, **WIDE), np.random.default_rng(0))
    assert [atoms.get_chemical_formula() for atoms in chosen] == ["Cu4Ni4Pd3"] * 3 + ["Cu5Ni6"] * 3


def test_few_or_no_candidates_are_all_there_is(model):
    assert select([], model, None, SelectionSettings(), np.random.default_rng(0)) == []
    assert sorted(chosen_names(packings(2), model, quota=8)) == ["c0", "c1"]


@pytest.mark.parametrize(("quota", "expected"), [(1, [1, 0, 0, 0]), (8, [3, 2, 2, 1]), (10, [4, 3, 2, 1])])
def test_counts_by_share_sum_to_the_quota(quota, expected):
    assert counts_by_share(quota, (0.4, 0.3, 0.2, 0.1)) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quota": 0}, "quota is 0; allowed is a whole number of 1 or more"),
        ({"quota": 2.5}, "quota is 2.5"),
        ({"window": -0.1}, "window is -0.1; allowed is a finite number of 0 or more"),
        ({"max_force": float("inf")}, "max_force is inf"),
        ({"low_energy": 0, "high_sigma": 0, "far_apart": 0, "random": 0}, "are all 0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        SelectionSettings(**settings)


def test_a_model_without_uncertainty_is_refused(tmp_path):
    plain = write_model(tmp_path / "plain.safetensors", *random_model(np.random.default_rng(2), sigma=False))
    with pytest.raises(InputError, match="has no uncertainty"):
        chosen_names(packings(3), plain)
