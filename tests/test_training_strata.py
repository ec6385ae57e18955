"""Training through all strata: earlier predictions stay what they were to the last bit; a killed run goes on; the
model file is what was trained."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from hea_training.arithmetic import fast_arithmetic
from hea_training.compare import test_model as error_table_of
from hea_training.config import read_config
from hea_training.export import export
from hea_training.filters import first_free_control
from hea_training.fit import Settings, predict
from hea_training.graph import Graphs
from hea_training.jobs import Job, run_jobs
from hea_training.model import from_file
from hea_training.network import Architecture
from hea_training.repulsion import dimer_energies, ensure_repulsion, mend_dimer, rises, smooth_dimer, widen_repulsion
from hea_training.run import load_data, train
from hea_training.sigma import uncertainty
from hea_training.strata import (
    Stratum,
    Tensors,
    all_strata,
    load_network,
    merge,
    rows_of,
    start,
    train_stratum,
    trained_pairs,
)
from training_structures import ELEMENTS, cluster, write_small_dataset

from hea_potential import HEACalculator
from hea_potential.dataset import read_dataset, write_dataset
from hea_potential.errors import InputError

ARCH = Architecture(ELEMENTS, n_features=8, n_angular=2, n_intervals=32, n_hidden=6, rank_pair=2, rank_many=3)
SETTINGS = Settings(epochs=2, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Graphs:
    path = tmp_path_factory.mktemp("data") / "small.h5"
    write_small_dataset(path, np.random.default_rng(5))
    return load_data(path, ARCH, 0, []).graphs


@pytest.fixture(scope="module")
def models(graphs: Graphs) -> list[Tensors]:
    """The model after each stratum: elements, three pairs, many."""
    tensors = start(ARCH, graphs, seed=2)
    stages = []
    for group in all_strata(3):
        graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
        for stratum in group:
            trained = train_stratum(ARCH, tensors, stratum, graphs.subset(rows_of(stratum, graphs)), SETTINGS, seed=4)
            merged = merge(ARCH, tensors, stratum, trained)
            tensors = ensure_repulsion(ARCH, merged, trained_pairs(ARCH, stratum), graphs)
            stages.append(tensors)
    return stages


def predictions(tensors: Tensors, graphs: Graphs, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies and forces of some structures in double precision."""
    chosen = graphs.subset(rows)
    chosen.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    return predict(load_network(ARCH, tensors, torch.float64), torch.from_numpy(tensors["filters"]).double(), chosen)


def test_later_strata_leave_earlier_predictions_as_they_were(graphs: Graphs, models: list[Tensors]) -> None:
    taught = [stratum for group in all_strata(3) for stratum in group]
    for k, stratum in enumerate(taught[:-1]):
        rows = rows_of(stratum, graphs)
        energies, forces = predictions(models[k], graphs, rows)
        for later in models[k + 1 :]:
            again, forces_again = predictions(later, graphs, rows)
            assert np.array_equal(energies, again)
            assert np.array_equal(forces, forces_again)


def test_every_stratum_learns(graphs: Graphs, models: list[Tensors]) -> None:
    taught = [stratum for group in all_strata(3) for stratum in group]
    before = models[0]
    for k, stratum in enumerate(taught[1:], start=1):
        rows = rows_of(stratum, graphs)
        assert not np.array_equal(predictions(models[k - 1], graphs, rows)[0], predictions(models[k], graphs, rows)[0])
    unchanged = [name for name in before if np.array_equal(before[name], models[-1][name])]
    assert {"embedding", "in2f", "f2out1.weight", "head.out", "e0"} <= set(unchanged)
    assert {"filters", "adapter.in", "adapter.out"}.isdisjoint(unchanged)


def test_file_engine_and_torch_agree(graphs: Graphs, models: list[Tensors], tmp_path: Path) -> None:
    tensors, path = models[-1], tmp_path / "model.safetensors"
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network, table = load_network(ARCH, tensors), torch.from_numpy(tensors["filters"])
    export(path, ARCH, tensors, uncertainty(network, table, graphs, graphs), {"name": "small"})
    torch_model, calculator = from_file(path), HEACalculator(path, precision="double")
    rng = np.random.default_rng(6)
    cell = bulk("Cu", cubic=True)
    cell.symbols[0] = "Pd"
    cell.rattle(0.1, seed=1)
    for atoms in (Atoms("Ni"), cluster(rng, 7, ["Ni"]), cluster(rng, 13, list(ELEMENTS)), cell):
        oracle = torch_model.evaluate(atoms)
        atoms.calc = calculator
        assert atoms.get_potential_energy() == pytest.approx(oracle.energy, abs=1e-9 * len(atoms))
        np.testing.assert_allclose(atoms.get_forces(), oracle.forces, atol=1e-8)
        np.testing.assert_allclose(calculator.get_property("energies", atoms), oracle.energies, atol=1e-9)
        assert calculator.get_property("energy_std", atoms) == pytest.approx(oracle.sigma, abs=1e-8)
    np.testing.assert_allclose(cell.get_stress(voigt=False), oracle.virial / cell.get_volume(), atol=1e-9)


def test_isolated_atoms_have_the_energies_of_the_data(models: list[Tensors], graphs: Graphs) -> None:
    single = np.flatnonzero(graphs.n_atoms == 1)
    energies, forces = predictions(models[-1], graphs, single)
    np.testing.assert_allclose(energies, graphs.energies[single], atol=1e-12)
    assert np.all(forces == 0.0)


def test_repulsion_widens_until_dimers_rise(models: list[Tensors]) -> None:
    deep = {name: array.copy() for name, array in models[0].items()}
    deep["head.out"] *= 30.0  # a network that digs holes
    deep["zbl.inner"], deep["zbl.outer"] = np.full(6, 0.9), np.full(6, 1.6)
    assert not rises(ARCH, deep, 0, 0)
    widened = widen_repulsion(ARCH, deep, 0, 0)
    assert rises(ARCH, widened, 0, 0)
    assert np.array_equal(widened["zbl.inner"][1:], deep["zbl.inner"][1:])
    with pytest.raises(ValueError, match="Ni-Ni does not rise"):
        widen_repulsion(ARCH, deep | {"zbl.inner": np.full(6, 0.05), "zbl.outer": np.full(6, 0.1)}, 0, 0)


def test_mended_dimer_follows_the_data_and_leaves_longer_distances(models: list[Tensors]) -> None:
    tensors, distances = models[0], np.linspace(1.9, 3.5, 12)
    known = 8.0 * (np.exp(-2.0 * (distances - 2.4)) - 2.0 * np.exp(-(distances - 2.4)))
    dimers = [Atoms("Ni2", positions=[[0, 0, 0], [r, 0, 0]]) for r in distances]
    energies = known + 2 * tensors["e0"][0]
    training = Graphs.build(ELEMENTS, ARCH.cutoff, dimers, energies, [np.zeros((2, 3))] * len(dimers))
    close, far = np.arange(1.9, 2.4, 0.05), np.arange(3.5, 5.0, 0.1)
    mended = mend_dimer(ARCH, tensors, 0, 0, training)
    wanted = np.interp(close, distances, known)
    before = np.abs(dimer_energies(ARCH, tensors, 0, 0, close) - wanted).mean()
    after = np.abs(dimer_energies(ARCH, mended, 0, 0, close) - wanted).mean()
    assert after < 0.5 * before
    assert np.array_equal(dimer_energies(ARCH, mended, 0, 0, far), dimer_energies(ARCH, tensors, 0, 0, far))


def test_a_small_bump_is_smoothed_and_clusters_hardly_feel_it(models: list[Tensors], graphs: Graphs) -> None:
    tensors, rng = models[-1], np.random.default_rng(7)
    assert rises(ARCH, tensors, 0, 0)
    free = int(first_free_control(ARCH, tensors["distance.min"])[0])
    wave, bumpy = rng.normal(size=(2, 3, ARCH.n_channels)), tensors
    for size in np.geomspace(1e-3, 10.0, 40):
        bumpy = {**tensors, "filters": tensors["filters"].copy()}
        bumpy["filters"][:, 0, free + 1 : free + 4] += size * wave
        if not rises(ARCH, bumpy, 0, 0):
            break
    smooth = smooth_dimer(ARCH, bumpy, 0, 0)
    assert not rises(ARCH, bumpy, 0, 0)
    assert rises(ARCH, smooth, 0, 0)
    rows = np.flatnonzero(graphs.n_atoms > 2)
    moved = np.abs(predictions(smooth, graphs, rows)[0] - predictions(bumpy, graphs, rows)[0]) / graphs.n_atoms[rows]
    assert moved.mean() < 0.02  # eV/atom
    assert smooth_dimer(ARCH, smooth, 0, 0)["zbl.inner"] is smooth["zbl.inner"]  # no wider repulsion


def test_a_dimer_is_not_mended_by_dimers_that_all_lie_outside_its_minimum(models: list[Tensors]) -> None:
    distances = np.linspace(2.5, 3.5, 6)
    dimers = [Atoms("Ni2", positions=[[0, 0, 0], [r, 0, 0]]) for r in distances]
    energies = -1.0 / distances + 2 * models[0]["e0"][0]  # the closest is the lowest
    training = Graphs.build(ELEMENTS, ARCH.cutoff, dimers, energies, [np.zeros((2, 3))] * len(dimers))
    mended = mend_dimer(ARCH, models[0], 0, 0, training)
    assert np.array_equal(mended["filters"], models[0]["filters"])


def test_a_model_does_not_depend_on_what_a_reference_wants_of_torch(graphs: Graphs) -> None:
    """Some potentials in torch set double precision for all that follows in their process."""

    def trained() -> Tensors:
        with fast_arithmetic(1):
            tensors = start(ARCH, graphs, seed=2)
            return train_stratum(ARCH, tensors, Stratum("full"), graphs, SETTINGS, seed=4)

    expected = trained()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            found = trained()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_killed_run_goes_on_and_gives_the_same_model(graphs: Graphs, tmp_path: Path) -> None:
    tensors, stratum = start(ARCH, graphs, seed=2), Stratum("full")
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    settings = Settings(epochs=4, batch_size=16)
    unbroken = train_stratum(ARCH, tensors, stratum, graphs, settings, seed=1)

    class KilledError(Exception):
        pass

    def kill(epoch: int, *_: object) -> None:
        if epoch == 2:
            raise KilledError

    checkpoint = tmp_path / "full.checkpoint"
    with pytest.raises(KilledError):
        train_stratum(
            ARCH,
            tensors,
            stratum,
            graphs,
            settings,
            seed=1,
            checkpoint=checkpoint,
            checkpoint_seconds=0.0,
            on_epoch=kill,
        )
    epochs: list[int] = []
    resumed = train_stratum(
        ARCH,
        tensors,
        stratum,
        graphs,
        settings,
        seed=1,
        checkpoint=checkpoint,
        on_epoch=lambda epoch, *_: epochs.append(epoch),
    )
    assert epochs == [3, 4]
    assert all(np.array_equal(unbroken[name], resumed[name]) for name in unbroken)
    with pytest.raises(ValueError, match="another run"):
        train_stratum(ARCH, tensors, stratum, graphs, settings, seed=9, checkpoint=checkpoint)


def test_a_job_that_is_left_after_a_kill_has_the_threads_that_it_would_have_had(graphs: Graphs, tmp_path: Path) -> None:
    tensors, strata = start(ARCH, graphs, seed=2), [Stratum("pair", (0, 1)), Stratum("pair", (0, 2))]
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    jobs = [
        Job(ARCH, tensors, stratum, graphs.subset(rows_of(stratum, graphs)), SETTINGS, 1, tmp_path, {})
        for stratum in strata
    ]
    run_jobs(jobs[:1], workers=2, threads=1, report=lambda *_: None)
    threads: list[int] = []
    with fast_arithmetic(2):
        run_jobs(jobs, workers=2, threads=1, report=lambda *_: threads.append(torch.get_num_threads()))
        assert torch.get_num_threads() == 2
    assert threads == [2, 1, 1]  # of the one that was done already, and of two epochs


def test_whole_run_from_a_configuration(tmp_path: Path) -> None:
    write_small_dataset(tmp_path / "small.h5", np.random.default_rng(5))
    (tmp_path / "run.toml").write_text(
        'data = "small.h5"\noutput = "out"\nelements = ["Ni", "Cu", "Pd"]\n'
        "[architecture]\nn_features = 8\nn_angular = 2\nn_intervals = 32\nn_hidden = 6\nrank_pair = 2\nrank_many = 2\n"
        "[training]\nepochs = 2\nbatch_size = 16\n"
    )
    config = read_config(tmp_path / "run.toml")
    seen: set[str] = set()
    path = train(config, lambda stratum, *_: seen.add(stratum))
    assert seen == {"elements", "pair-NiCu", "pair-NiPd", "pair-CuPd", "many"}
    errors = json.loads((tmp_path / "out" / "errors.json").read_text())
    assert errors["test"]["all"]["structures"] > 0
    model = from_file(path)
    assert model.sigma is not None
    assert error_table_of(str(path), tmp_path / "small.h5", "test", None)["all"] == errors["test"]["all"]
    dataset = read_dataset(tmp_path / "small.h5")
    write_dataset(tmp_path / "smaller.h5", dataset.select(np.arange(len(dataset) - 1)))
    with pytest.raises(InputError, match="trained on others"):  # the same seed divides other data otherwise
        error_table_of(str(path), tmp_path / "smaller.h5", "test", None)
    assert error_table_of(str(path), tmp_path / "smaller.h5", "all", None)["all"]["structures"] == len(dataset) - 1
    first = path.read_bytes()
    assert train(config).read_bytes() == first  # everything is there already: the same file again
    (tmp_path / "run.toml").write_text((tmp_path / "run.toml").read_text().replace("epochs = 2", "epochs = 3"))
    with pytest.raises(InputError, match="another run"):
        train(read_config(tmp_path / "run.toml"))
