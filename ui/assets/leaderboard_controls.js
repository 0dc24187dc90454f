/* The Leaderboard's controls: which votes, how they are rated, and what to take away. Real form fields, named by `data-name`. */

import { h, icon } from "./dom.js";

export const NAMES = ["board", "category", "level", "voters", "when", "ties", "question", "models"];

const FIELDS = [
  ["category", "Category"],
  ["level", "Level"],
  ["voters", "Votes by"],
  ["when", "When"],
  ["ties", "Ties"],
  ["question", "Question"],
];
const BOARDS = [["generate", "Generate"], ["edit-single", "Edit one"], ["edit-multi", "Edit many"]];

export function bar(page) {
  const options = page.shown.options || {};
  return h(
    "div",
    { class: `lb-bar ${page.is_open ? "open" : ""}`, key: "bar", role: "group", "aria-label": "Which board" },
    segment("board", "Board", options.board || BOARDS, page.choices.board),
    options.models?.length ? segment("models", "Models", options.models, page.shown.is_demo ? "demo" : "real") : null,
    h(
      "button",
      { type: "button", key: "fold", class: "button lb-fold", "data-do": "fold", "aria-expanded": String(page.is_open), "aria-controls": "lb-fields" },
      h("span", {}, summary(page, options)),
      icon(page.is_open ? "x" : "plus"),
    ),
    h("div", { class: "lb-fields", key: "fields", id: "lb-fields" }, FIELDS.map(([name, words]) => select(name, words, options[name]))),
    h("div", { class: "lb-actions", key: "actions" }, page.shown.state === "board" ? actions(page) : null),
  );
}

const segment = (name, words, choices, chosen) =>
  h(
    "fieldset",
    { class: "seg lb-seg", key: name },
    h("legend", {}, words),
    h(
      "div",
      { class: "wrap" },
      choices.map(([value, label]) =>
        h("label", { key: value }, h("input", { type: "radio", name: `lb-${name}`, value, checked: value === chosen, "data-name": name }), h("span", {}, label)),
      ),
    ),
  );

function select(name, words, choices) {
  if (!choices || choices.length < 2) return null;
  return h(
    "label",
    { class: "lb-field", key: name },
    h("span", {}, words),
    h("select", { "data-name": name, id: `lb-${name}` }, choices.map(([value, label]) => h("option", { key: value, value }, label))),
  );
}

/** What is chosen, for the phone, where the fields are folded: all that is not as on a first visit, else the first few. */
function summary(page, options) {
  const worded = (name) => (options[name] || []).find(([value]) => value === (page.choices[name] ?? ""))?.[1].split(" · ")[0];
  const changed = FIELDS.filter(([name]) => options[name]?.length > 1 && page.choices[name] !== options[name][0][0]).map(([name]) => worded(name));
  const words = changed.length ? changed : ["level", "voters", "when"].map(worded);
  return words.filter(Boolean).join(", ") || "Filters";
}

const actions = (page) => [
  h(
    "details",
    { class: "lb-menu", key: "columns" },
    h("summary", { class: "button quiet" }, "Columns"),
    h(
      "div",
      { class: "popover" },
      page.shown.table.columns
        .filter((one) => one.optional)
        .map((one) =>
          h(
            "label",
            { key: one.name, class: "lb-check", title: one.title },
            h("input", { type: "checkbox", "data-column": one.name, checked: isShown(one, page.columns) }),
            h("span", {}, one.head),
          ),
        ),
    ),
  ),
  h("button", { type: "button", key: "recount", class: "button quiet", "data-do": "recount", disabled: page.busy, title: "Make everything anew from the votes and compare" }, "Recompute"),
  h(
    "details",
    { class: "lb-menu", key: "export" },
    h("summary", { class: "button" }, icon("download"), "Export"),
    h(
      "div",
      { class: "popover" },
      page.shown.exports.map((one) => h("a", { key: one.name, class: "lb-export", href: one.href, download: "" }, h("b", {}, one.name), h("span", {}, one.about))),
    ),
  ),
];

export const isShown = (column, kept) => !column.optional || (kept[column.name] ?? column.shown);
