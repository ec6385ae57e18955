"""A page in headless Chromium together with a script that uses it and writes down what came of it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

# Nothing may be fetched; a page that nobody sees gets as much time as it asks for, without waiting for it.
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--virtual-time-budget=600000",
    "--window-size=1400,800",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
)
# Errors are caught from the first script on.
LISTEN = """<script>
window.troubles = [];
onerror = (message) => { troubles.push(message); };
onunhandledrejection = (event) => { troubles.push(String(event.reason)); };
</script>"""


def exercised(browser: str, page: Path, exercise: Path) -> dict[str, Any]:
    """What the exercise wrote into the page: `checks` by name, and `troubles`, to which all that the browser wrote on
    its console is added. The page is changed.
    """
    text = page.read_text()
    script = f"<script>{exercise.read_text()}</script>"
    before, _, after = text.rpartition("</body>")
    page.write_text(before.replace("<head>", f"<head>{LISTEN}", 1) + script + "</body>" + after)
    command = [browser, *OPTIONS, f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    report = re.search(r'<pre id="report">(.*?)</pre>', done.stdout, re.DOTALL)
    assert report, f"the page did not run to its end: {done.stderr[-2000:]}"
    found = json.loads(report[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    found["troubles"] += re.findall(r":CONSOLE.*?\] (.*)", done.stderr)
    return found


def demand(found: dict[str, Any]) -> None:
    """Print what was found; AssertionError unless all is as it should be."""
    print(json.dumps(found, indent=1))
    assert found["checks"]
    assert found["troubles"] == []
    assert all(found["checks"].values()), "not as it should be: see above"
