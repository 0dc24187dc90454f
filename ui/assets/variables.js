/* The table of the prompt's `{name}`s: a column for each, a row for each prompt that is run. It shows while the prompt has any;
   values of a name that is gone stay, in case it comes back. The rules of what a name is stand in playground/variables.py. */

import { announce, h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";

const NAME = "[\\p{L}][\\p{L}\\p{N}_ -]{0,29}";
const MARK = new RegExp(`\\{\\{${NAME}\\}\\}|\\{(${NAME})\\}`, "gu");
const MOST_ROWS = 50;
const PASTED = /\r\n|\r|\n/;

const namesIn = (prompt) => [...new Set([...prompt.matchAll(MARK)].map((found) => found[1]).filter(Boolean))];
const promptField = () => document.querySelector("#pg-prompt textarea");

export function paintVariables({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  let names = [];
  let rows = [];

  const has = (row) => names.some((name) => row[name]?.trim());
  const take = () => {
    rows = (props.value?.rows || []).map((row) => ({ ...row }));
    paint();
  };
  const give = (isNews) => {
    props.value = { rows: rows.filter((row) => Object.values(row).some((text) => text.trim())) };
    if (isNews) trigger("input", {});
  };

  function paint() {
    names = namesIn(promptField()?.value || "");
    // One empty row stands ready at the end.
    if (!rows.length || has(rows.at(-1))) rows.push({});
    if (rows.length > MOST_ROWS) rows.length = MOST_ROWS;
    render(root, names.length ? table() : []);
  }

  const table = () =>
    h("section", { class: "variables", "aria-label": "Variables", "data-testid": "variables" },
      h("div", { class: "field-head" }, h("span", { class: "field-label" }, "Variables ", h("span", { class: "quiet" }, "one row, one prompt")), h("span", { class: "caption" }, told())),
      h("div", { class: "variables-table" }, h("table", {},
        h("thead", {}, h("tr", {}, names.map((name) => h("th", { key: name, scope: "col" }, name)), h("td", { key: "way" }))),
        h("tbody", {}, rows.map((row, index) => h("tr", { key: index },
          names.map((name) => h("td", { key: name }, h("input", {
            type: "text", value: row[name] || "", "data-row": index, "data-name": name, autocomplete: "off",
            "aria-label": `${name}, row ${index + 1}`, placeholder: index ? "" : name,
          }))),
          h("td", { key: "way" }, has(row) ? h("button", { type: "button", class: "icon-button", "data-remove": index, "aria-label": `Remove row ${index + 1}`, title: "Remove row" }, icon("x")) : null)))))));

  function told() {
    const full = rows.filter((row) => names.every((name) => row[name]?.trim())).length;
    return full ? `${full} ${full === 1 ? "prompt" : "prompts"}, ${outlook()?.runs ?? full} runs` : "";
  }

  root.addEventListener("input", (event) => {
    const { row, name } = event.target.dataset;
    if (name === undefined) return;
    rows[row][name] = event.target.value;
    // The form's own listener for typing tells the server.
    give(false);
    paint();
  });
  root.addEventListener("paste", (event) => {
    const { row, name } = event.target.dataset;
    const lines = (event.clipboardData?.getData("text/plain") || "").replace(/[\r\n]+$/, "").split(PASTED);
    if (name === undefined || (lines.length < 2 && !lines[0].includes("\t"))) return;
    event.preventDefault();
    fillFrom(Number(row), names.indexOf(name), lines.map((line) => line.split("\t")));
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    rows.splice(Number(button.dataset.remove), 1);
    announce("Row removed");
    give(true);
    paint();
    root.querySelector("input")?.focus();
  });

  /** A block of cells, as a spreadsheet gives it, from one cell on. */
  function fillFrom(row, column, lines) {
    lines.slice(0, MOST_ROWS - row).forEach((cells, down) => {
      while (rows.length <= row + down) rows.push({});
      cells.forEach((text, right) => {
        const name = names[column + right];
        if (name) rows[row + down][name] = text.trim();
      });
    });
    give(true);
    paint();
  }

  document.addEventListener("input", (event) => {
    if (event.target === promptField()) paint();
  });
  watch("value", () => {
    // What the person is typing is newer than what the server filled in.
    if (!root.contains(document.activeElement)) take();
  });
  onOutlook(paint);
  take();
}
