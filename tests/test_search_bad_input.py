"""What a search is asked for that makes no sense: one clear error, and nothing left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from search_runs import LENNARD_JONES, hea

from hea_potential.cli import main
from hea_potential.errors import InputError
from hea_potential.search import search
from hea_potential.search.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("Xx3",), "unknown element 'Xx'"),
        (("Ar0",), "zero atoms of Ar"),
        (("13",), "cannot read '13'"),
        (("Ar3", "--target", "nan"), "target energy nan"),
        (("Ar3", "--time", "0"), "time of 0.0 seconds"),
        (("Ar3", "--budget", "0"), "budget of 0 minimisations"),
        (("Ar3", "--seed", "-1"), "seed -1"),
        (("Ar3", "--method", "magic"), "unknown method 'magic'; allowed: ga, bh"),
        (("Ar3", "--starts", "perfect"), "unknown start 'perfect'; allowed: random"),
        (("Ar3", "--pair", "absent.lmp"), "pair file 'absent.lmp': cannot be read"),
        (("Ar3", "--model", "absent"), "model: got 'absent'"),
        (("Ar3", "--kappa", "2"), "kappa 2.0 and a pair style"),
        (("Cu3", "--model", "hea6", "--kappa", "nan"), "kappa: got nan"),
    ],
)
def test_bad_input_is_one_clear_error(
    *,
    pair: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = () if {"--pair", "--model"} & set(words) else ("--pair", str(pair))
    monkeypatch.setattr(sys, "argv", ["hea", "search", *words, *options, "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["quit 0", "clear"])
def test_a_pair_file_that_would_end_lammps_is_refused(command: str, tmp_path: Path) -> None:
    (tmp_path / "pair.lmp").write_text(f"units lj\npair_style lj/cut 30.0\npair_coeff * * 1.0 1.0\n{command}  # done\n")
    result = hea("Ar3", "--pair", tmp_path / "pair.lmp", "--budget", 5, "--out", tmp_path / "run")
    assert result.returncode == 2
    assert result.stderr.endswith(f"has the command {command.partition(' ')[0]}; allowed are those of a pair style\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [{"starts": "random"}, {"moves": "rattle"}])
def test_names_that_are_no_list_are_refused_as_such(words: dict[str, Any], pair: Path) -> None:
    with pytest.raises(InputError, match=r"give a list of names, such as \['(random|rattle)'\]"):
        search("Ar3", pair=pair, budget=5, **words)


def test_bad_input_under_mpirun_ends_all_ranks(pair: Path, tmp_path: Path) -> None:
    result = hea("Xx3", "--pair", pair, "--out", tmp_path / "run", ranks=2)
    assert result.returncode == 2
    assert result.stderr.count("unknown element 'Xx'") == 1


def test_a_mistaken_command_line_is_said_once_under_mpirun() -> None:
    result = hea("Ar3", "--bogus", ranks=3)
    assert result.returncode == 2
    assert result.stderr.count("No such option: --bogus") == 1


def test_a_search_must_end() -> None:
    with pytest.raises(InputError, match="give a budget, a time or a target"):
        search("Ar3", pair=Pair(("pair_style lj/cut 5.0", "pair_coeff * * 1 1")))
