"""What repeats say about a search: censored costs, kept and continued repeats, table and plot."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from search_runs import HEA, MPIRUN, TIME_LIMIT

from hea_potential.cli import main
from hea_potential.errors import HEAError
from hea_potential.search.bench import Bench, bench_search, table_of
from hea_potential.search.pair import Pair
from hea_potential.search.starts import STARTS
from hea_potential.search.trials import Trial, mean_cost, median_cost, success_curve, success_rate

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
TARGET = -44.326801
NO_SEARCH = '{"format": "hea-bench-search", "version": 1, "search": 1, "target": -5.9, "budget": 5, "trials": []}'


def trial(cost: int, reached: bool) -> Trial:
    return Trial(1, reached, cost, 100 * cost, 0.1, -1.0)


def test_success_has_wilsons_interval() -> None:
    rate = success_rate([trial(1, reached=k < 8) for k in range(10)])
    # (p + z^2/2n +- z sqrt(p q / n + z^2 / 4 n^2)) / (1 + z^2/n) for p = 0.8, n = 10, z = 1.96
    assert (rate.value, rate.low, rate.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)


def test_means_count_what_failures_spent() -> None:
    costs, reached = np.array([100.0, 300.0, 1000.0, 1000.0]), np.array([True, True, False, False])
    mean = mean_cost(costs, reached)
    assert mean.value == 1200.0
    assert mean.low < 1200.0 < mean.high
    none = mean_cost(costs, np.zeros(4, bool))
    assert none.value == none.high == math.inf
    assert none.low == pytest.approx(2400.0 / -math.log(0.025))  # with a larger rate one would succeed in 97.5 %


def test_the_interval_of_a_mean_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        costs = rng.exponential(500.0, 20)
        mean = mean_cost(np.minimum(costs, 700.0), costs < 700.0)
        held += mean.low < 500.0 < mean.high
    assert 930 <= held <= 990


def test_medians_of_censored_costs_are_those_of_kaplan_and_meier() -> None:
    costs, reached = np.array([1.0, 2.0, 3.0, 5.0]), np.array([True, False, True, False])
    at, share, low, high = success_curve(costs, reached)
    # 3 of 4 are left after the first; of the two that are known to cost more than 2, one costs more than 3
    np.testing.assert_array_equal(at, [1.0, 2.0, 3.0, 5.0])
    np.testing.assert_allclose(share, [0.25, 0.25, 0.625, 0.625])
    assert (low <= share).all()
    assert (share <= high).all()
    assert median_cost(costs, reached) == 3.0
    assert median_cost(costs, np.zeros(4, bool)) == math.inf
    assert median_cost(np.array([7.0]), np.array([True])) == 7.0


def test_repeats_are_kept_and_the_same_call_adds_more(tmp_path: Path) -> None:
    def repeated(repeats: int, out: Path | None) -> Bench:
        done = bench_search("Ar13", pair=LENNARD_JONES, target=TARGET, budget=300, repeats=repeats, seed=3, out=out)
        assert done is not None
        return done

    first = repeated(2, tmp_path)
    more = repeated(4, tmp_path)
    assert more.trials[:2] == first.trials
    assert [one.seed for one in more.trials] == [3, 4, 5, 6]
    assert all(one.reached and abs(one.energy - TARGET) < 1e-4 for one in more.trials)
    assert repeated(4, tmp_path) == more
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    anew = repeated(4, None)
    assert [replace(one, seconds=0.0) for one in anew.trials] == [replace(one, seconds=0.0) for one in more.trials]


@pytest.mark.parametrize(("count", "width"), [(1, 60), (2, 160)])
def test_no_number_of_the_table_is_cut(count: int, width: int) -> None:
    trials = tuple(trial(cost, reached=cost < 50_000) for cost in (11_000, 20_000, 34_000, 50_000))
    page = StringIO()
    benches = [Bench("Ar98 ga", -543.665361, 50_000, {}, trials)] * count
    Console(file=page, width=width).print(table_of(benches, "LJ98"))
    for words in (
        "-543.665361",
        "3/4",
        "75 % (30-95)",
        "38333 (13117-185882)",
        "3833333 (1311696-18588198)",
        "2000000",
    ):
        assert page.getvalue().count(words) == count, words


def test_a_target_out_of_reach_is_no_success(tmp_path: Path) -> None:
    done = bench_search("Ar4", pair=LENNARD_JONES, target=-7.0, budget=5, repeats=3, out=tmp_path)
    assert done is not None
    assert [one.reached for one in done.trials] == [False] * 3
    assert [one.quenches for one in done.trials] == [5] * 3
    assert done.lowest == pytest.approx(-6.0, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"composition": "Ar5"}, "composition Ar4, this one has Ar5"),
        ({"target": -5.5}, "target"),
        ({"budget": 7}, "budget 5, this one has 7"),
        ({"seed": 9}, "seed 1, this one has 9"),
        ({"method": "bh"}, "method ga, this one has bh"),
        ({"method": "magic"}, "unknown method 'magic'"),
        ({"repeats": 0}, "0 repeats"),
        ({"target": math.nan}, "target energy nan"),
    ],
)
@pytest.mark.parametrize("repeats", [1, 2])  # all of which are there, or not
def test_other_repeats_than_those_of_the_folder_are_refused(
    tmp_path: Path, changed: dict[str, object], complaint: str, repeats: int
) -> None:
    settings = {"composition": "Ar4", "pair": LENNARD_JONES, "target": -5.9, "budget": 5, "repeats": 1, "out": tmp_path}
    bench_search(**settings)  # type: ignore[arg-type]
    before = (tmp_path / "bench.json").read_bytes()
    with pytest.raises(HEAError, match=complaint):
        bench_search(**{**settings, "repeats": repeats, **changed})  # type: ignore[arg-type]
    assert (tmp_path / "bench.json").read_bytes() == before


@pytest.mark.parametrize("content", ["{", "{}", '{"format": "other", "version": 1}', "[]", NO_SEARCH])
def test_a_damaged_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bench.json").write_text(content)
    with pytest.raises(HEAError, match=r"bench\.json: is not the record of a bench"):
        bench_search("Ar4", pair=LENNARD_JONES, target=-5.9, repeats=1, out=tmp_path)


def test_the_command_works_under_mpirun_and_finds_the_same(tmp_path: Path) -> None:
    (tmp_path / "pair.lmp").write_text("units lj\n" + "\n".join(LENNARD_JONES.lines))
    words = ["bench", "search", "Ar13", "--pair", tmp_path / "pair.lmp", "--target", TARGET, "--budget", 300]
    command = [MPIRUN, "-n", 2, *HEA, *words, "--repeats", 3, "--seed", 5, "--out", tmp_path / "2"]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("3/3") == 1
    alone = bench_search("Ar13", pair=LENNARD_JONES, target=TARGET, budget=300, repeats=3, seed=5)
    assert alone is not None
    together = json.loads((tmp_path / "2" / "bench.json").read_text())["trials"]
    assert [{**one, "seconds": 0.0} for one in together] == [asdict(replace(one, seconds=0.0)) for one in alone.trials]


def test_starts_are_named_as_for_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pair.lmp").write_text("units lj\n" + "\n".join(LENNARD_JONES.lines))
    for words, names in (("all", list(STARTS)), ("random, decahedral", ["random", "decahedral"])):
        command = ["hea", "bench", "search", "Ar4", "--pair", tmp_path / "pair.lmp", "--target", -5.9, "-n", 1]
        options = ["--starts", words, "--out", tmp_path / words]
        monkeypatch.setattr(sys, "argv", [str(word) for word in command + options])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0, capsys.readouterr().err
        assert json.loads((tmp_path / words / "bench.json").read_text())["search"]["starts"] == names


def test_bad_input_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["hea", "bench", "search", "Xx4", "--target", "-1", "--out", str(tmp_path / "bench")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err
        == "hea: error: composition: unknown element 'Xx' in 'Xx4'; write symbols such as Cu, Ni, Pd\n"
    )
    assert not (tmp_path / "bench").exists()


def test_a_mistake_is_said_once_under_mpirun(tmp_path: Path) -> None:
    words = ["bench", "search", "Ar4", "--target", "nan", "--out", str(tmp_path / "bench")]
    said = subprocess.run(
        [MPIRUN, "-n", "2", *HEA, *words], capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    assert said.returncode == 2
    assert said.stderr == "hea: error: bench: target energy nan; it must be a finite number\n"
    assert not (tmp_path / "bench").exists()
