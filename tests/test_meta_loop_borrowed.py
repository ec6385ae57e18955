"""A model for elements that it does not have: whose part they take, and that a loop learns them from few labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Icosahedron
from hea_training.meta_loop import run_loop
from hea_training.meta_loop.borrowed import borrowed, lenders, places
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.restricted import for_reference, restricted
from hea_training.meta_loop.state import Watcher
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


def test_places_are_those_of_the_periodic_table() -> None:
    where = {"H": (1, 1), "He": (1, 18), "Be": (2, 2), "B": (2, 13), "Al": (3, 13), "Sc": (4, 3), "Cu": (4, 11)}
    where |= {"Pd": (5, 10), "Ba": (6, 2), "La": (6, 3), "Yb": (6, 3), "Lu": (6, 3), "Hf": (6, 4), "U": (7, 3)}
    assert {symbol: tuple(place) for symbol, place in zip(where, places(list(where)).tolist(), strict=True)} == where


def test_an_element_takes_the_part_of_a_relative() -> None:
    assert lenders(["Cu", "Ni"], ["Pd", "Ag", "Pt", "Au"]) == ["Ag", "Pd"]
    assert lenders(["Al", "Ni"], HEA6) == ["Cu", "Ni"]
    assert lenders(["Rh", "Fe"], HEA6) == ["Pd", "Ni"]
    assert lenders(["Au", "Ni"], HEA6) == ["Au", "Ni"]
    assert lenders(["Zn", "Co"], ["Ni", "Cu"]) == ["Cu", "Ni"]
    with pytest.raises(InputError, match="got 2; a model of Cu lends to at most 1"):
        lenders(["Al", "Fe"], ["Cu"])


def test_energies_are_those_of_the_lenders_at_scaled_distances(tmp_path: Path) -> None:
    model = read_model_file("hea6")
    symbols = ["Cd", "Rh"]
    lent = borrowed(model, symbols)
    assert lent.elements == ("Cd", "Rh")
    assert lent.metadata["borrowed"] == {"Cd": "Ag", "Rh": "Pd"}
    assert "provenance" not in lent.metadata
    write_model_file(tmp_path / "lent.safetensors", for_reference(lent, {"Cd": 0.0, "Rh": 0.0}))
    lender = for_reference(restricted(model, ("Ag", "Pd")), {"Ag": 0.0, "Pd": 0.0})
    write_model_file(tmp_path / "lender.safetensors", lender)
    scale = lent.cutoff / model.cutoff
    assert scale == pytest.approx((1.44 + 1.42) / (1.45 + 1.39))
    ours = describe([icosahedron("Cd", "Rh", 2.7 * scale)], tmp_path / "lent.safetensors")
    theirs = describe([icosahedron("Ag", "Pd", 2.7)], tmp_path / "lender.safetensors")
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
    }


class LabelledError(Exception):
    """Ends a loop."""


class Ending(Watcher):
    """Ends a loop before its long training."""

    def begins(self, step: Step, number: int, total: int) -> None:
        """Before every step."""
        if step.loop == 1 and step.kind == "refresh":
            raise LabelledError


def test_a_loop_learns_an_element_that_its_model_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(LabelledError):
        run_loop(config_of(document(borrow=True), "test", tmp_path), tmp_path / "run", Ending())
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
