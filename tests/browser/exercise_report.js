// Uses a report as a person does and writes down whether it did what it should; see check_report.py.
"use strict";
(async () => {
  const checks = {};
  const pause = () => new Promise((done) => setTimeout(done, 20));
  // A page that nobody sees is painted now and then: so long at most is waited for what has to come.
  const comes = async (holds) => {
    for (let k = 0; k < 3000 && !holds(); k++) await pause();
    return Boolean(holds());
  };
  await drawn;

  const charts = [...document.querySelectorAll(".chart")];
  checks["there are charts"] = charts.length >= 4;
  for (const chart of charts) {
    const shown = chart.data.filter((trace) => trace.y.some((value) => value !== null));
    checks[`${chart.id} is drawn`] = await comes(() => chart.querySelectorAll(".main-svg .trace").length >= shown.length);
    checks[`${chart.id} has its pictures`] = chart.querySelectorAll(".main-svg image").length === chart.layout.images.length;
  }

  const words = new Intl.Collator("en", { numeric: true });
  const tables = [...document.querySelectorAll("table.sortable")];
  checks["there are tables"] = tables.length >= 3;
  for (const table of tables) {
    const title = table.closest("details").querySelector("summary").firstChild.textContent.trim(), rows = table.tBodies[0].rows;
    const count = rows.length;
    for (const head of table.tHead.rows[0].cells) {
      for (const [direction, sign] of [["ascending", 1], ["descending", -1]]) {
        head.querySelector("button").click();
        const values = [...rows].map((row) => row.cells[head.cellIndex].dataset.value), known = values.filter((value) => value !== "");
        const order = (a, b) => sign * (head.classList.contains("number") ? Number(a) - Number(b) : words.compare(a, b));
        const isSorted = known.every((value, k) => !k || order(known[k - 1], value) <= 0);
        const isLast = values.slice(known.length).every((value) => value === "");
        checks[`${title}: ${head.textContent} ${direction}`] =
          isSorted && isLast && rows.length === count && head.getAttribute("aria-sort") === direction;
      }
    }
  }

  const frame = document.querySelector("iframe.view");
  frame.scrollIntoView({ behavior: "instant" });
  const inside = frame.contentWindow, scene = () => frame.contentDocument.querySelector("canvas");
  const copy = document.createElement("canvas"), pen = copy.getContext("2d", { willReadFrequently: true });
  const colours = () => {
    const canvas = scene();
    if (!canvas || !canvas.width || !canvas.height) return 0;
    [copy.width, copy.height] = [canvas.width, canvas.height];
    pen.drawImage(canvas, 0, 0);
    const paint = pen.getImageData(0, 0, copy.width, copy.height).data, found = new Set();
    for (let k = 0; k < paint.length; k += 4) if (paint[k + 3]) found.add(paint[k] << 16 | paint[k + 1] << 8 | paint[k + 2]);
    return found.size;
  };
  checks["clusters are drawn"] = await comes(() => colours() > 200);
  const isStill = () => !inside.eval("asked");
  const changes = async (name, act) => {
    await comes(isStill);
    const before = scene().toDataURL();
    act();
    checks[name] = await comes(() => isStill() && scene().toDataURL() !== before);
  };
  const pointer = (type, x, y) =>
    scene().dispatchEvent(new inside.PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, bubbles: true }));
  scene().setPointerCapture = () => {};  // events of a script have no pointer that could be captured
  await changes("dragging turns the cluster", () => {
    pointer("pointerdown", 200, 200);
    pointer("pointermove", 290, 230);
    pointer("pointerup", 290, 230);
  });
  const rows = frame.contentDocument.querySelectorAll("tbody tr");
  await changes("the list shows another cluster", () => rows[1].click());
  checks["and marks it"] = rows[1].getAttribute("aria-selected") === "true";
  window.scrollTo({ top: 0, behavior: "instant" });
  rows[0].click();
  await pause();
  checks["and leaves the page where it is"] = window.scrollY === 0;

  const tiles = [...document.querySelectorAll(".tile img")];
  for (const tile of tiles) tile.loading = "eager";
  checks["the grid has its clusters"] = tiles.length > 0 && await comes(() => tiles.every((tile) => tile.complete && tile.naturalWidth > 0));
  checks["every section is listed"] = [...document.querySelectorAll("section")].every((each) => document.querySelector(`nav a[href="#${each.id}"]`));
  checks["nothing comes from elsewhere"] = performance.getEntriesByType("resource").every((each) => each.name.startsWith("data:"));
  const report = document.createElement("pre");
  report.id = "report";
  report.textContent = JSON.stringify({ checks, troubles: window.troubles });
  document.body.append(report);
})().catch((error) => window.troubles.push(String(error)));
