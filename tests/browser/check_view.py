"""The web page of a search in a real browser, used as a person does: `python tests/browser/check_view.py [CHROMIUM]`.

A page with a search's minima is opened in headless Chromium together with `exercise.js`, which rotates, zooms, chooses
and switches off, and writes down what came of it and every error. It ends with an error at the first thing that is not
as it should be. The Python tests do not need a browser; tests/run runs this where there is one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from headless import demand, exercised

from hea_potential.search import search
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run
from hea_potential.search.summary import illustrate

LENNARD_JONES = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 1.0 1.0"), units="lj")


def main() -> None:
    browser = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    with TemporaryDirectory() as name:
        folder = Path(name)
        search("Ar30Kr8", pair=LENNARD_JONES, budget=60, seed=1, out=folder, observers=[end])
        page = folder / "view.html"
        text = page.read_text()
        assert "http" not in text.replace("http-equiv", ""), "the page asks for something from the network"
        demand(exercised(browser, page, Path(__file__).with_name("exercise.js")))


def end(run: Run) -> None:
    """Make the page of a run that has ended."""
    if run.ended is not None:
        illustrate(run)


if __name__ == "__main__":
    main()
