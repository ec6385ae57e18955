"use strict";
// Charts: each lies beside the data that plotly draws it from.
const drawn = Promise.all([...document.querySelectorAll(".chart")].map((place) => {
  const { data, layout } = JSON.parse(place.nextElementSibling.textContent);
  return Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]] });
}));

// Tables: a click on a heading sorts by it, numbers as numbers; once more turns the order round. Rows without a value stay last.
const words = new Intl.Collator("en", { numeric: true });
function compared(a, b, isNumber) {
  return isNumber ? Number(a) - Number(b) : words.compare(a, b);
}
for (const head of document.querySelectorAll("table.sortable th")) {
  head.firstElementChild.onclick = () => {
    const table = head.closest("table"), column = head.cellIndex, isNumber = head.classList.contains("number");
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const value = (row) => row.cells[column].dataset.value;
    const rows = [...table.tBodies[0].rows].sort((a, b) =>
      (value(a) === "") - (value(b) === "") || sign * compared(value(a), value(b), isNumber));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    table.tBodies[0].append(...rows);
  };
}

// The list of sections marks where the reader is.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const inSight = new Set();
const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) isIntersecting ? inSight.add(target.id) : inSight.delete(target.id);
  const first = [...links.keys()].find((id) => inSight.has(id));
  for (const [id, link] of links) link.classList.toggle("here", id === first);
});
for (const section of document.querySelectorAll("section")) watch.observe(section);
