"""Reports in a real browser, used as a person does: `python tests/browser/check_report.py [CHROMIUM]`, with tests and
tests/browser in PYTHONPATH.

The reports of a small meta loop and of one of its searches are opened in headless Chromium together with
`exercise_report.js`, which sorts every table, turns the clusters and looks at every chart. It ends with an error at the
first thing that is not as it should be.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from headless import demand, exercised
from made_loop import made_loop

from hea_potential.report import write_report


def main() -> None:
    browser = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    exercise = Path(__file__).with_name("exercise_report.js")
    with TemporaryDirectory() as name:
        loop = Path(name) / "loop"
        made_loop(loop)
        search = loop / "L1/n2/Cu6Ni7/search"
        for folder in (loop, search):
            demand(exercised(browser, write_report(folder), exercise))


if __name__ == "__main__":
    main()
