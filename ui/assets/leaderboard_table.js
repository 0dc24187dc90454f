/* The Leaderboard's table: sorted here by any column, intervals of all rows on one axis. */

import { h, icon } from "./dom.js";
import { isShown } from "./leaderboard_controls.js";

const AXIS = 200;
const ROW = 40;
const ASCENDING = ["rank", "competitor", "places", "cost", "p50"];
const UNSORTED = ["interval"];

/** The order after a press on a column's head: the better end first, then the other. */
export function sorted(sort, by) {
  if (sort.by === by) return { by, descending: !sort.descending };
  return { by, descending: !ASCENDING.includes(by) };
}

export function table(shown, page) {
  const columns = shown.columns.filter((one) => isShown(one, page.columns));
  return h(
    "div",
    { class: "panel lb-panel", key: "table" },
    h(
      "div",
      { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Leaderboard" },
      h(
        "table",
        { class: "table lb-table", "data-testid": "board" },
        h("thead", {}, h("tr", {}, columns.map((one) => head(one, shown.axis, page.sort)))),
        h("tbody", {}, order(shown.rows, page.sort).map((row) => line(row, columns, shown.axis))),
      ),
    ),
    shown.notes.length ? notes(shown.notes) : null,
  );
}

function order(rows, { by, descending }) {
  if (by === "rank") return descending ? [...rows].reverse() : rows;
  const value = (row) => (by === "competitor" ? row.cells.competitor[0].toLowerCase() : row.cells[by][1]);
  const place = new Map(rows.map((row, index) => [row, index]));
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    // What is not known stands last in both directions.
    if (a === null || b === null) return (a === null) - (b === null) || place.get(one) - place.get(other);
    return (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1) || place.get(one) - place.get(other);
  });
}

function head(column, axis, sort) {
  const isSorted = sort.by === column.name;
  const props = { key: column.name, scope: "col", class: `lb-${column.name} ${column.name === "competitor" ? "" : "number"}` };
  if (UNSORTED.includes(column.name)) return h("th", { ...props, class: "lb-interval" }, ticks(axis));
  const towards = sort.descending ? "descending" : "ascending";
  return h(
    "th",
    { ...props, "aria-sort": isSorted ? towards : "none" },
    h(
      "button",
      { type: "button", "data-sort": column.name, title: column.title },
      column.head,
      h("span", { class: `lb-arrow ${isSorted ? towards : ""}`, "aria-hidden": "true" }),
    ),
  );
}

function line(row, columns, axis) {
  return h("tr", { key: row.id, class: row.pale ? "pale" : "", "data-testid": `row-${row.id}` }, columns.map((column) => cell(row, column.name, axis)));
}

function cell(row, name, axis) {
  if (name === "competitor") return competitor(row);
  if (name === "interval") return h("td", { key: name, class: "lb-interval" }, interval(row, axis));
  if (name === "rating") return h("td", { key: name, class: "number lb-rating" }, h("b", {}, row.cells.rating[0]), row.half ? h("span", {}, row.half) : null);
  return h("td", { key: name, class: `number lb-${name}` }, row.cells[name][0]);
}

const competitor = (row) =>
  h(
    "th",
    { key: "competitor", scope: "row", class: "lb-competitor" },
    h("b", {}, row.model),
    row.more ? [" ", h("span", { class: "lb-more" }, row.more)] : null,
    row.chip ? " " : null,
    row.chip ? h("span", { class: "chip", title: row.notes.join(" ") }, row.chip) : null,
    !row.chip && row.notes.length ? h("span", { class: "lb-careful", role: "img", "aria-label": row.notes.join(" "), title: row.notes.join(" ") }, icon("warn", "warn")) : null,
  );

/* Intervals */

const across = (value, axis) => ((value - axis.low) / (axis.high - axis.low)) * AXIS;

/** Those whose figure has room in the head; a line without one would say nothing. */
const labelled = (axis) => axis.ticks.filter(([value]) => across(value, axis) > 14 && across(value, axis) < AXIS - 14);

const ticks = (axis) =>
  h(
    "svg",
    { width: AXIS, height: 16, viewBox: `0 0 ${AXIS} 16`, "aria-hidden": "true" },
    labelled(axis).map(([value, words]) => h("text", { key: words, x: across(value, axis), y: 12, "text-anchor": "middle" }, words)),
  );

function interval(row, axis) {
  const [rating, low, high] = row.at;
  const from = low === null ? null : Math.max(0, across(low, axis));
  const to = high === null ? null : Math.min(AXIS, across(high, axis));
  return h(
    "svg",
    { width: AXIS, height: ROW, viewBox: `0 0 ${AXIS} ${ROW}`, "aria-hidden": "true" },
    labelled(axis).map(([value, words]) => h("line", { key: words, class: "lb-grid", x1: across(value, axis), x2: across(value, axis), y1: 0, y2: ROW })),
    from === null ? null : h("line", { key: "line", class: "lb-span", x1: from, x2: to, y1: ROW / 2, y2: ROW / 2 }),
    h("circle", { key: "dot", class: "lb-dot", cx: across(rating, axis), cy: ROW / 2, r: 4 }),
  );
}

const notes = (told) =>
  h(
    "details",
    { class: "lb-notes", "data-testid": "board-notes" },
    h("summary", {}, told.length === 1 ? "Be careful with one row" : `Be careful with ${told.length} rows`),
    h("ul", {}, told.map((one) => h("li", { key: one.name }, h("b", {}, one.name), ` ${one.notes.join(" ")}`))),
  );
