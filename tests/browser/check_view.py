"""The web page of a search in a real browser, used as a person does: `python tests/browser/check_view.py [CHROMIUM]`.

A page with a search's minima is opened in headless Chromium together with `exercise.js`, which rotates, zooms, chooses
and switches off, and writes down what came of it and every error. It ends with an error at the first thing that is not
as it should be. The Python tests do not need a browser; tests/run runs this where there is one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hea_potential.search import search
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run
from hea_potential.search.summary import illustrate

LENNARD_JONES = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 1.0 1.0"), units="lj")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=600000", "--window-size=1400,800")


def seen(browser: str, page: Path) -> dict[str, object]:
    """What the exercise wrote into the page."""
    command = [browser, *OPTIONS, f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    report = re.search(r'<pre id="report">(.*?)</pre>', dom, re.DOTALL)
    assert report, "the page did not run to its end"
    return json.loads(report[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def main() -> None:
    browser = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    with TemporaryDirectory() as name:
        folder = Path(name)
        search("Ar30Kr8", pair=LENNARD_JONES, budget=60, seed=1, out=folder, observers=[end])
        page = folder / "view.html"
        text = page.read_text()
        assert "http" not in text.replace("http-equiv", ""), "the page asks for something from the network"
        exercise = Path(__file__).with_name("exercise.js").read_text()
        # Errors are caught from the first script on.
        listen = "<script>window.troubles=[];onerror=(message)=>{troubles.push(message)};</script>"
        page.write_text(
            text.replace("<head>", f"<head>{listen}").replace("</body>", f"<script>{exercise}</script></body>")
        )
        report = seen(browser, page)
    print(json.dumps(report, indent=1))
    assert report["troubles"] == []
    assert all(report["checks"].values()), "not as it should be: see above"  # type: ignore[attr-defined]


def end(run: Run) -> None:
    """Make the page of a run that has ended."""
    if run.ended is not None:
        illustrate(run)


if __name__ == "__main__":
    main()
