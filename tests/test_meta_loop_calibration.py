"""Whether sigma says what errors are: numbers against distributions where they are known."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hea_training.meta_loop.calibration import calibration, calibration_of

from hea_potential.dataset import read_dataset
from hea_potential.model_file import find_model

HEA6_DATA = Path(__file__).parent.parent / "training" / "hea6" / "hea6.h5"


def test_a_perfect_sigma_has_unit_scores_and_finds_large_errors() -> None:
    rng = np.random.default_rng(1)
    sigma = np.exp(rng.normal(size=4000))
    found = calibration(rng.normal(size=4000) * sigma, sigma)
    assert found["z_std"] == pytest.approx(1.0, abs=0.05)
    assert found["auc"] > 0.85
    assert found["structures"] == 4000


def test_a_sigma_half_as_large_has_scores_twice_as_large() -> None:
    rng = np.random.default_rng(2)
    sigma = np.exp(rng.normal(size=500))
    errors = rng.normal(size=500) * sigma
    one, two = calibration(errors, sigma), calibration(errors, sigma / 2)
    assert two["z_std"] == pytest.approx(2 * one["z_std"], abs=1e-3)
    assert two["auc"] == one["auc"]


def test_a_sigma_that_says_nothing_is_a_coin() -> None:
    rng = np.random.default_rng(3)
    assert calibration(rng.normal(size=8000), np.exp(rng.normal(size=8000)))["auc"] == pytest.approx(0.5, abs=0.03)
    assert calibration(rng.normal(size=50), np.ones(50))["auc"] == 0.5


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(4)
    errors, sigma = rng.normal(size=60), rng.integers(1, 6, size=60).astype(float)
    large = set(np.argsort(-np.abs(errors))[:6].tolist())
    pairs = list(itertools.product(large, set(range(60)) - large))
    share = np.mean([1.0 if sigma[a] > sigma[b] else 0.5 if sigma[a] == sigma[b] else 0.0 for a, b in pairs])
    assert calibration(errors, sigma)["auc"] == pytest.approx(share, abs=1e-4)


def test_few_structures_say_nothing() -> None:
    assert calibration(np.ones(19), np.ones(19)) == {"z_std": None, "auc": None, "structures": 19}


def test_the_shipped_model_knows_where_it_is_wrong() -> None:
    dataset = read_dataset(HEA6_DATA)
    found = calibration_of(find_model("hea6"), dataset, dataset.split(1).test[::3])
    assert found["structures"] > 400
    assert 0.7 < found["z_std"] < 1.4
    assert found["auc"] > 0.75
