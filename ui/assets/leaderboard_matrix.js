/* Who beats whom: a real table, so that each number is read with its row and column. */

import { h } from "./dom.js";

const MOST_TINT = 42;

export function matrix(shown) {
  return h(
    "section",
    { class: "panel lb-chart", key: "matrix", "data-testid": "chart-matrix" },
    h("h2", {}, "Who beats whom"),
    h("p", { class: "caption" }, "Row wins against column, in percent. Ties count half."),
    h(
      "div",
      { class: "scrolls lb-matrix-box", tabindex: "0", role: "region", "aria-label": "Who beats whom" },
      h(
        "table",
        { class: "lb-matrix" },
        h("thead", {}, h("tr", {}, h("td", { key: "corner" }), shown.names.map((name, place) => h("th", { key: name, scope: "col", title: name }, h("span", { "aria-hidden": "true" }, String(place + 1)), h("span", { class: "unseen" }, name))))),
        h("tbody", {}, shown.names.map((name, place) => h("tr", { key: name }, h("th", { key: "name", scope: "row", title: name }, h("span", { class: "lb-place", "aria-hidden": "true" }, String(place + 1)), named(name)), shown.cells[place].map(one)))),
      ),
    ),
    h("p", { class: "caption lb-under" }, shown.under),
  );
}

/** A long name on two lines: the model, and below it what tells it from its like. */
function named(name) {
  const cut = name.lastIndexOf(", ");
  return h("span", { class: "lb-named" }, cut < 0 ? name : [name.slice(0, cut), h("small", {}, name.slice(cut + 2))]);
}

function one(cell, place) {
  if (!cell) return h("td", { key: place, class: "self" }, "·");
  const [percent, how, words] = cell;
  if (how === "apart") return h("td", { key: place, class: how, title: words }, h("span", { class: "unseen" }, words));
  if (how !== "met") return h("td", { key: place, class: how, title: words }, how === "expected" ? `(${percent})` : String(percent));
  const tint = Math.round((Math.abs(percent - 50) / 50) * MOST_TINT);
  return h("td", { key: place, class: percent >= 50 ? "won" : "lost", style: `--tint: ${tint}%`, title: words }, String(percent));
}
