// Uses the page as a person does and writes down whether it did what it should; see check_view.py.
"use strict";
(async () => {
  const checks = {};
  // A page that nobody sees is painted now and then: so long at most is waited for what is asked for.
  const pause = () => new Promise((done) => setTimeout(done, 20));
  const painted = async () => {
    for (let k = 0; k < 3000 && asked; k++) await pause();
  };
  const scene = document.querySelector("canvas");
  const picture = () => scene.toDataURL();
  const changes = async (name, act) => {
    const before = picture();
    act();
    await painted();
    for (let k = 0; k < 100 && picture() === before; k++) await pause();  // a canvas shows now and then later what was drawn
    checks[name] = picture() !== before;
  };
  const pointer = (type, x, y) => scene.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, bubbles: true }));
  const slide = (id, value) => {
    const slider = document.getElementById(id);
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
  };
  scene.setPointerCapture = () => {};  // events of a script have no pointer that could be captured
  await painted();
  const first = picture(), rows = [...document.querySelectorAll("tbody tr")];
  const colours = new Set(), paint = scene.getContext("2d").getImageData(0, 0, scene.width, scene.height).data;
  for (let k = 0; k < paint.length; k += 4) if (paint[k + 3]) colours.add(paint[k] << 16 | paint[k + 1] << 8 | paint[k + 2]);
  checks["it draws shaded atoms"] = colours.size > 200;
  checks["ten minima are listed, in order"] = rows.length === 10 &&
    rows.every((row, k) => !k || Number(row.cells[1].textContent) >= Number(rows[k - 1].cells[1].textContent));
  checks["the first one is chosen"] = rows[0].getAttribute("aria-selected") === "true";
  checks["the legend counts the elements"] = [...document.querySelectorAll("#legend button")].map((chip) => chip.textContent).join() === "Ar 30,Kr 8";
  await changes("dragging rotates", () => {
    pointer("pointerdown", 300, 300);
    pointer("pointermove", 380, 330);
    pointer("pointerup", 380, 330);
  });
  await changes("the wheel zooms", () => scene.dispatchEvent(new WheelEvent("wheel", { deltaY: -300, cancelable: true })));
  await changes("a double click begins again", () => scene.dispatchEvent(new MouseEvent("dblclick")));
  checks["and shows what was there at first"] = picture() === first;
  await changes("arrow keys rotate", () => scene.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" })));
  await changes("the next minimum is another picture", () => rows[3].click());
  checks["and is the chosen one"] = rows[3].getAttribute("aria-selected") === "true" && rows[0].getAttribute("aria-selected") === "false";
  await changes("an element can be switched off", () => document.querySelector("#legend button").click());
  await changes("and on again", () => document.querySelector("#legend button").click());
  await changes("atoms can be small, with contacts between them", () => slide("size", 0.4));
  await changes("shells can be peeled off", () => slide("depth", 1));
  slide("depth", 99);
  slide("size", 1);
  await painted();
  const box = scene.getBoundingClientRect();
  pointer("pointermove", box.left + box.width / 2, box.top + box.height / 2);
  checks["pointing at an atom names it"] = /^(Argon|Krypton), atom \d+, shell \d of \d, \d+ contacts$/.test(document.getElementById("hint").textContent);
  const report = document.createElement("pre");
  report.id = "report";
  report.textContent = JSON.stringify({ checks, troubles: window.troubles });
  document.body.append(report);
})().catch((error) => window.troubles.push(String(error)));
