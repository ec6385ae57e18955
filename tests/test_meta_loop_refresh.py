"""Refreshing a model: only what new data touch is trained, a worse model is not accepted, a killed run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hea_training.architecture import Architecture
from hea_training.compare import compare_models
from hea_training.compare import test_model as error_table_of
from hea_training.export import tensors_of
from hea_training.graph import Graphs
from hea_training.meta_loop.acceptance import verdict
from hea_training.meta_loop.refresh import Refreshed, refresh
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.replay import Replay
from hea_training.repulsion import nearest_rising, rises
from training_structures import ELEMENTS, write_small_dataset

from hea_potential.dataset import DataSet, fixed_split, read_dataset, write_dataset
from hea_potential.described import describe
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, pair_index, read_model_file, write_model_file

ARCH = Architecture(
    ELEMENTS, n_interactions=1, n_features=8, n_angular=2, n_intervals=32, n_hidden=6, rank_pair=2, rank_many=2
)
STRATA = RefreshSettings(mode="strata", first_epochs=3, epochs=2, batch_size=8, replay=10)
FULL = replace(STRATA, mode="full")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    path = tmp_path_factory.mktemp("data") / "small.h5"
    write_small_dataset(path, np.random.default_rng(5))
    return read_dataset(path)


def refreshed(
    dataset: DataSet, new: list[str], model: Path | None, settings: RefreshSettings, folder: Path, **options: Any
) -> Refreshed:
    split = options.pop("split", fixed_split(dataset, 1))
    target = folder / "models" / "new.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    return refresh(
        dataset, split, new, model, settings, folder / "refresh", target, architecture=ARCH, seed=3, **options
    )


@pytest.fixture(scope="module")
def first(dataset: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained from nothing by strata."""
    folder = tmp_path_factory.mktemp("first")
    found = refreshed(dataset, [], None, STRATA, folder)
    assert found.accepted
    assert found.strata == ["elements", "pair-NiCu", "pair-NiPd", "pair-CuPd", "many"]
    assert found.before == {}
    valid = fixed_split(dataset, 1).valid
    assert found.after["valid"]["all"]["structures"] == np.count_nonzero(dataset.sizes[valid] > 2)
    return folder / found.model


def taught(dataset: DataSet, elements: set[str]) -> list[str]:
    """Names of the training structures of exactly these elements."""
    names = dataset.name[fixed_split(dataset, 1).train].tolist()
    return [name for name in names if set(dataset.atoms(dataset.name.tolist().index(name)).symbols) == elements]


def said(model: Path, dataset: DataSet, elements: set[str]) -> np.ndarray:
    """A model's energies of all structures of exactly these elements."""
    structures = [dataset.atoms(k) for k in range(len(dataset))]
    return describe([atoms for atoms in structures if set(atoms.symbols) == elements], model).energies


def test_new_data_of_a_pair_train_that_pair_alone(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    found = refreshed(dataset, taught(dataset, {"Ni", "Cu"}), first, STRATA, tmp_path)
    assert found.strata == ["pair-NiCu"]
    new = tmp_path / found.model
    for elements in ({"Ni"}, {"Pd"}, {"Ni", "Pd"}, {"Cu", "Pd"}):
        assert np.array_equal(said(new, dataset, elements), said(first, dataset, elements))
    assert not np.array_equal(said(new, dataset, {"Ni", "Cu"}), said(first, dataset, {"Ni", "Cu"}))
    assert found.before["train"]["1"] == found.after["train"]["1"]
    assert found.before["train"]["2"] != found.after["train"]["2"]


def test_new_data_of_three_elements_train_the_last_stratum(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    found = refreshed(dataset, taught(dataset, set(ELEMENTS)), first, STRATA, tmp_path)
    assert found.strata == ["many"]
    new = tmp_path / found.model
    for elements in ({"Cu"}, {"Ni", "Cu"}, {"Cu", "Pd"}):
        assert np.array_equal(said(new, dataset, elements), said(first, dataset, elements))
    assert not np.array_equal(said(new, dataset, set(ELEMENTS)), said(first, dataset, set(ELEMENTS)))


def test_new_data_of_an_element_train_what_stands_on_it(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    found = refreshed(dataset, taught(dataset, {"Ni"}), first, STRATA, tmp_path)
    assert found.strata == ["elements", "pair-NiCu", "pair-NiPd", "pair-CuPd", "many"]
    assert found.epochs == STRATA.first_epochs


def test_a_warm_start_begins_with_the_model_itself(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    still = replace(FULL, epochs=1, learning_rate=1e-12)
    found = refreshed(dataset, taught(dataset, {"Ni", "Cu"}), first, still, tmp_path)
    assert found.strata == ["full"]
    np.testing.assert_allclose(
        said(tmp_path / found.model, dataset, set(ELEMENTS)), said(first, dataset, set(ELEMENTS)), rtol=0, atol=1e-5
    )


def test_a_refreshed_model_says_how_its_data_were_divided(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "data.h5", dataset)
    found = refreshed(dataset, taught(dataset, {"Ni", "Cu"}), first, STRATA, tmp_path, split_seed=1)
    for part in ("valid", "test"):
        table = error_table_of(str(tmp_path / found.model), tmp_path / "data.h5", part, None)
        assert table["all"]["structures"] == len(getattr(fixed_split(dataset, 1), part))
    assert error_table_of(str(tmp_path / found.model), tmp_path / "data.h5", "test", 1) == table
    with pytest.raises(InputError, match="does not say how these data were split"):
        error_table_of(str(first), tmp_path / "data.h5", "test", None)
    grown = dataset.append([replace(dataset.frame(k), name=f"more{k}") for k in range(20)])
    write_dataset(tmp_path / "grown.h5", grown)
    table = error_table_of(str(tmp_path / found.model), tmp_path / "grown.h5", "train", None)
    assert table["all"]["structures"] == len(fixed_split(grown, 1).train)
    write_dataset(tmp_path / "others.h5", dataset.select(np.arange(1, len(dataset))))
    with pytest.raises(InputError, match="trained on others"):  # such as those of the model that the loop began with
        error_table_of(str(tmp_path / found.model), tmp_path / "others.h5", "test", None)


def test_models_of_different_splits_are_not_compared(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "data.h5", dataset)
    model, data = read_model_file(first), {"sha256": dataset.sha256(), "structures": len(dataset)}
    names = []
    for seed in (1, 2):
        names.append(str(tmp_path / f"{seed}.safetensors"))
        provenance = {"split": {"lasting_seed": seed}, "data": data}
        write_model_file(names[-1], ModelFile(model.tensors, {**model.metadata, "provenance": provenance}))
    with pytest.raises(InputError, match="divide these data differently"):
        compare_models(*names, tmp_path / "data.h5", "test", None)
    for part, seed in (("all", None), ("test", 3)):
        rows = compare_models(*names, tmp_path / "data.h5", part, seed)
        assert all(row["energy"][0] == row["energy"][1] for row in rows)


def test_a_worse_model_is_kept_but_not_accepted(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    wild = replace(FULL, epochs=1, learning_rate=0.5)
    found = refreshed(dataset, taught(dataset, {"Ni", "Cu"}), first, wild, tmp_path)
    assert not found.accepted
    assert found.reason
    assert read_model_file(tmp_path / found.model).metadata["provenance"]["training"]["learning_rate"] == 0.5


def test_without_new_data_the_model_stays(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    for settings in (STRATA, FULL):
        found = refreshed(dataset, [], first, settings, tmp_path / settings.mode)
        assert (found.accepted, found.strata) == (False, [])
        assert (tmp_path / settings.mode / found.model).read_bytes() == first.read_bytes()


class KilledError(Exception):
    pass


@pytest.mark.parametrize("settings", [STRATA, FULL], ids=["strata", "full"])
def test_a_killed_refresh_goes_on_to_the_same_model(
    dataset: DataSet, first: Path, tmp_path: Path, settings: RefreshSettings
) -> None:
    new = [*taught(dataset, {"Ni", "Cu"}), *taught(dataset, {"Ni", "Pd"})]
    unbroken = refreshed(dataset, new, first, settings, tmp_path / "unbroken")

    def kill(stratum: str, done: int, *_: object) -> None:
        if stratum in ("pair-NiPd", "full") and done == settings.epochs:
            raise KilledError

    with pytest.raises(KilledError):
        refreshed(dataset, new, first, settings, tmp_path / "killed", report=kill)
    trained: list[tuple[str, int]] = []
    resumed = refreshed(
        dataset,
        new,
        first,
        settings,
        tmp_path / "killed",
        report=lambda stratum, done, *_: trained.append((stratum, done)),
    )
    assert ("pair-NiCu", 1) not in trained
    assert ("full", 1) not in trained
    assert resumed == unbroken
    with pytest.raises(InputError, match="another run"):
        refreshed(dataset, new, first, replace(settings, batch_size=4), tmp_path / "killed")


def test_nearer_atoms_free_the_filters_and_leave_the_repulsion(dataset: DataSet, first: Path, tmp_path: Path) -> None:
    pressed = replace(dataset, positions=dataset.positions * 0.9)
    still = replace(FULL, epochs=1, learning_rate=1e-12)
    found = refreshed(pressed, taught(dataset, {"Ni", "Cu"}), first, still, tmp_path)
    old, new = (read_model_file(path).tensors for path in (first, tmp_path / found.model))
    np.testing.assert_allclose(new["distance.min"], 0.9 * old["distance.min"], rtol=1e-6)
    np.testing.assert_array_equal(new["zbl.inner"], old["zbl.inner"])


def test_a_model_goes_part_of_the_way_back_until_its_dimers_rise(dataset: DataSet, first: Path) -> None:
    arch, known = tensors_of(first)
    pair, graphs = pair_index(0, 1, 3), Graphs.of(dataset, arch.elements, arch.cutoff)
    well = (slice(None), pair, slice(24, 27))  # about 3.7 A, farther than what smoothing bends
    trained = known | {"filters": known["filters"].copy()}
    trained["filters"][well] -= 10.0 * np.sign(known["filters"][:, pair, 25:26])
    assert not rises(arch, trained, 0, 1)
    found = nearest_rising(arch, known, trained, [pair], graphs)
    assert rises(arch, found, 0, 1)
    shares = (found["filters"] - known["filters"])[well] / (trained["filters"] - known["filters"])[well]
    assert 0.05 < shares.min() < 0.95
    np.testing.assert_allclose(shares, shares.min(), rtol=1e-5)
    for name in ("zbl.inner", "zbl.outer", "head.out"):
        np.testing.assert_array_equal(found[name], known[name])


def test_a_model_whose_dimers_rise_stays_what_training_made_it(dataset: DataSet, first: Path) -> None:
    arch, known = tensors_of(first)
    trained = known | {"head.out": known["head.out"] * np.float32(1.001)}
    graphs = Graphs.of(dataset, arch.elements, arch.cutoff)
    assert nearest_rising(arch, known, trained, list(range(arch.n_pairs)), graphs) is trained


def test_data_without_an_atom_are_refused(dataset: DataSet, tmp_path: Path) -> None:
    crowded = dataset.select(dataset.sizes > 1)
    with pytest.raises(InputError, match="no isolated atom of Ni, Cu, Pd"):
        refreshed(crowded, [], None, FULL, tmp_path)


def group(structures: int, energy: float, force: float) -> dict[str, float]:
    return {"structures": structures, "energy_mae_atom": energy, "force_mae": force}


def part(start: dict[str, float], found: dict[str, float]) -> dict[str, Any]:
    return {"all": {"structures": start["structures"] + found["structures"]}, "start": start, "found": found}


NOTHING: dict[str, Any] = {"structures": 0}


def test_without_a_validation_part_the_training_part_judges() -> None:
    errors = {"train": part(group(9, 5.0, 30.0), NOTHING), "valid": part(NOTHING, NOTHING)}
    better = {**errors, "train": part(group(9, 4.0, 39.0), NOTHING)}
    assert verdict(errors, better, FULL) == (
        True,
        "better: 10 x energy (meV/atom) + 1 x force (meV/A) on 9 training structures to begin with: 79.0, before 80.0",
    )
    assert not verdict(better, errors, FULL)[0]
    assert verdict(*[dict.fromkeys(("train", "valid"), part(NOTHING, NOTHING))] * 2, FULL)[0]
    assert not verdict(errors, errors, FULL)[0]


def test_what_the_loop_found_counts_as_much_as_all_that_it_began_with() -> None:
    before = {"valid": part(group(900, 5.0, 50.0), group(10, 8.0, 20.0))}
    accepted, reason = verdict(before, {"valid": part(group(900, 5.5, 50.0), group(10, 7.0, 20.0))}, FULL)
    assert accepted
    assert reason.endswith(
        "on 900 validation structures to begin with: 105.0, before 100.0; "
        "on 10 validation structures found by the loop: 90.0, before 100.0"
    )
    assert not verdict(before, {"valid": part(group(900, 6.2, 50.0), group(10, 7.0, 20.0))}, FULL)[0]


def test_an_epoch_replays_some_of_the_old_and_all_of_the_new() -> None:
    new, generator = np.array([3, 7, 20]), np.random.default_rng(1)
    replay = Replay(new, 10)
    orders = [replay.order(50, generator) for _ in range(40)]
    assert replay.size(50) == 13
    assert all(len(set(order)) == 13 and set(new) <= set(order) for order in orders)
    assert len(set(np.concatenate(orders))) == 50
    assert sorted(Replay(new, 1000).order(50, generator)) == list(range(50))
    assert Replay(new, 1000).size(50) == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "all"}, "r.mode must be one of full, strata, got 'all'"),
        ({"epochs": 0}, "r.epochs must be at least 1, got 0"),
        ({"learning_rate": float("inf")}, "r.learning_rate must be positive, got inf"),
        ({"replay": -1}, "r.replay must be at least 0, got -1"),
        ({"energy_weight": 0.0, "force_weight": 0.0}, "must not both be 0"),
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, Any], message: str) -> None:
    (wrong,) = replace(FULL, **change).out_of_range("r.")
    assert message in wrong
    assert FULL.out_of_range("r.") == []
