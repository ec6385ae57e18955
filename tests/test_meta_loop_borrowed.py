"""A model for elements that it does not have: whose part they take, and that a loop learns them from few labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Icosahedron
from hea_training.meta_loop import run_loop
from hea_training.meta_loop.borrowed import borrowed, lenders
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.restricted import for_reference, restricted
from small_loop import ledger_of

from hea_potential.described import describe
from hea_potential.errors import InputError
from hea_potential.model_file import read_model_file, write_model_file

HEA6 = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def icosahedron(first: str, second: str, edge: float) -> Atoms:
    """13 atoms, one of the first element in the middle and two more on the surface, edges of so many A."""
    atoms = Icosahedron("Cu", 2)
    atoms.symbols[:] = [first, first, first, *[second] * 10]
    atoms.positions += np.random.default_rng(1).normal(scale=0.05, size=(13, 3))
    atoms.positions *= edge / 2.55
    return atoms


def test_an_element_takes_the_part_of_one_of_its_size() -> None:
    # Covalent radii, A: Al 1.21, Ni 1.24, Fe 1.32, Cu 1.32, Pt and Au 1.36, Pd 1.39, Ag 1.45, Sr 1.95.
    assert lenders(["Al"], HEA6) == ["Ni"]
    assert lenders(["Al", "Ni"], HEA6) == ["Cu", "Ni"]
    assert lenders(["Sr", "Fe"], HEA6) == ["Ag", "Cu"]
    assert lenders(["Au", "Ni"], HEA6) == ["Au", "Ni"]
    with pytest.raises(InputError, match="got 2; a model of Cu lends to at most 1"):
        lenders(["Al", "Fe"], ["Cu"])


def test_energies_are_those_of_the_lenders_at_scaled_distances(tmp_path: Path) -> None:
    model = read_model_file("hea6")
    symbols = ["Sr", "Fe"]
    lent = borrowed(model, symbols)
    assert lent.elements == ("Sr", "Fe")
    assert lent.metadata["borrowed"] == {"Sr": "Ag", "Fe": "Cu"}
    assert "provenance" not in lent.metadata
    write_model_file(tmp_path / "lent.safetensors", for_reference(lent, {"Sr": 0.0, "Fe": 0.0}))
    lender = for_reference(restricted(model, ("Ag", "Cu")), {"Ag": 0.0, "Cu": 0.0})
    write_model_file(tmp_path / "lender.safetensors", lender)
    scale = lent.cutoff / model.cutoff
    assert scale == pytest.approx((1.95 + 1.32) / (1.45 + 1.32))
    ours = describe([icosahedron("Sr", "Fe", 2.7 * scale)], tmp_path / "lent.safetensors")
    theirs = describe([icosahedron("Ag", "Cu", 2.7)], tmp_path / "lender.safetensors")
    assert ours.energies == pytest.approx(theirs.energies, abs=1e-5)
    assert ours.features == pytest.approx(theirs.features, abs=1e-5)


def test_elements_that_the_model_has_are_only_taken_out() -> None:
    model = read_model_file("hea6")
    assert borrowed(model, ("Au", "Ni")).to_bytes() == restricted(model, ("Au", "Ni")).to_bytes()


def document(**start: object) -> dict[str, object]:
    """A loop on aluminium, which hea6 does not have, and nickel, which it has."""
    return {
        "elements": ["Al", "Ni"],
        "reference": "emt",
        "mode": "gofee",
        "loops": 1,
        "compositions": {"listed": ["Al3Ni3"]},
        "start": {"model": "hea6", **start},
        "gofee": {"steps": 3, "minimisations": 10, "features": 16},
        "refresh": {"epochs": 1},
    }


def test_a_loop_learns_an_element_that_its_model_does_not_have(tmp_path: Path) -> None:
    run_loop(config_of(document(borrow=True), "test", tmp_path), tmp_path / "run")
    labels = [line["facts"] for line in ledger_of(tmp_path / "run") if line["kind"] == "label"]
    assert [facts["labelled"] for facts in labels] == [1, 1, 1]
    assert labels[-1]["errors"]["energy_mae"] < 0.5 * labels[0]["errors"]["energy_mae"]
    assert read_model_file(tmp_path / "run" / "models" / "000.safetensors").metadata["borrowed"]["Al"] == "Cu"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({}, r"hea6 does not have Al; with start\.borrow they take the part of others"),
        ({"borrow": True, "data": "hea6"}, r"start\.borrow needs a start\.model without start\.data"),
        ({"borrow": True, "model": ""}, r"start\.borrow needs a start\.model without start\.data"),
    ],
)
def test_a_mistake_is_found_before_the_start(tmp_path: Path, start: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_of(document(**start), "test", tmp_path)


def test_a_model_lends_to_no_more_elements_than_it_has(tmp_path: Path) -> None:
    write_model_file(tmp_path / "one.safetensors", restricted(read_model_file("hea6"), ("Cu",)))
    with pytest.raises(InputError, match=r"start\.borrow: 1 elements lend to no more, got 2"):
        config_of(document(borrow=True, model="one.safetensors"), "test", tmp_path)
