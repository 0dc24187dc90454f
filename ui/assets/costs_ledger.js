/* The ledger: a page of lines with filters, and unknowns settled by hand. */

import { announce, h, icon, render } from "./dom.js";

/** No filter. Not empty: an option without a value takes its words for one. */
const ANY = "any";

let toUnknown = null;

/** Shows the unknown lines, from a link elsewhere on the tab. */
export function showUnknown() {
  toUnknown?.();
}

export function paintLedger({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  const page = { shown: props.value || { state: "loading" }, settling: "" };
  const draw = () => render(root, view(page));
  const told = (more = {}) => ({ state: page.shown.filters?.state || "", offer: page.shown.filters?.offer || "", trail: page.shown.trail || [], others: page.shown.others?.trail || [], ...more });
  watch("value", () => {
    const before = page.shown;
    page.shown = props.value || { state: "loading" };
    if (page.shown.said) announce(page.shown.said.text);
    else if (before.state === "ledger") page.settling = "";
    draw();
    for (const field of root.querySelectorAll("select[data-name]")) field.value = page.shown.filters?.[field.dataset.name] || ANY;
  });
  draw();

  toUnknown = () => {
    trigger("turn", told({ state: "unknown", offer: "", trail: [] }));
    (root.querySelector("[data-testid=ledger]") || element).scrollIntoView({ block: "start", behavior: "smooth" });
  };
  root.addEventListener("change", (event) => {
    const { name } = event.target.dataset;
    if (name) trigger("turn", told({ [name]: event.target.value === ANY ? "" : event.target.value, trail: [] }));
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const trail = page.shown.trail || [];
    const others = page.shown.others?.trail || [];
    const act = {
      next: () => trigger("turn", told({ trail: [...trail, page.shown.next] })),
      previous: () => trigger("turn", told({ trail: trail.slice(0, -1) })),
      next_others: () => trigger("turn", told({ others: [...others, page.shown.others.next] })),
      previous_others: () => trigger("turn", told({ others: others.slice(0, -1) })),
      all: () => trigger("turn", told({ state: "", offer: "", trail: [] })),
      settle: () => {
        page.settling = page.settling === button.dataset.line ? "" : button.dataset.line;
        draw();
        root.querySelector(".co-settle input")?.focus();
      },
    }[button.dataset.do];
    act?.();
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const { amount, note } = event.target.elements;
    trigger("settle", told({ line: event.target.dataset.line, amount: amount.value, note: note.value }));
  });
}

function view(page) {
  if (page.shown.state !== "ledger") return h("div", { class: "panel sheen", style: "height: 240px" });
  return [page.shown.others ? others(page) : null, own(page)];
}

/** What visitors' runs left unknown, for the operator alone. */
function others({ shown, settling }) {
  const { rows, count, held } = shown.others;
  return h("section", { key: "others", class: "panel co-ledger", "data-testid": "others-unknown" },
    h("div", { class: "co-head" }, h("h2", {}, "Visitors' unknown costs"), h("span", { class: "caption" }, `${count}, ${held}`)),
    h("p", { class: "caption co-why" }, "What your server's keys pay counts towards its limits until it is settled. Look it up on the provider's bill."),
    rows.length
      ? h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Visitors' unknown costs" },
          h("table", { class: "table" },
            h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), h("th", { scope: "col" }, "Offer"), h("th", { scope: "col", class: "co-wide" }, "Visitor"), h("th", { scope: "col" }, "Paid by"), h("th", { scope: "col", class: "number" }, "Held"), h("th", { scope: "col" }, ""))),
            h("tbody", {}, rows.flatMap((row) => [foreign(row, settling), settling === row.id ? settle(row, shown.said) : null]))))
      : h("p", { class: "co-quiet" }, "None on this page."),
    pages(shown.others, "_others"));
}

const foreign = (row, settling) =>
  h("tr", { key: row.id },
    h("td", { class: "co-time" }, row.time),
    h("td", { class: "co-offer" }, row.offer, " ", h("span", {}, row.more)),
    h("td", { class: "co-wide" }, row.whose),
    h("td", {}, row.key),
    h("td", { class: "number" }, row.estimate),
    h("td", { class: "co-state" }, button(row, settling)));

function own({ shown, settling }) {
  const { filters, rows } = shown;
  if (!rows.length && !shown.is_filtered && !shown.has_previous) return null;
  return h("section", { key: "own", class: "panel co-ledger", "data-testid": "ledger" },
    h("div", { class: "co-head" }, h("h2", {}, "Ledger"),
      select("state", "State", [[ANY, "Every state"], ...filters.states.map((one) => [one.id, one.name])], filters.state),
      select("offer", "Offer", [[ANY, "Every offer"], ...filters.offers.map((one) => [one.id, one.name])], filters.offer),
      h("a", { class: "link", href: shown.csv, download: "" }, "Download CSV")),
    rows.length ? table(rows, settling, shown.said) : h("p", { class: "co-quiet" }, "No line matches. ", h("button", { type: "button", class: "link", "data-do": "all" }, "Show all")),
    pages(shown, ""));
}

const pages = (list, which) =>
  list.has_previous || list.next
    ? h("div", { class: "hi-pages" }, h("button", { type: "button", class: "button", "data-do": `previous${which}`, disabled: !list.has_previous }, "Newer"), h("span", { class: "caption" }, `Page ${list.page}`), h("button", { type: "button", class: "button", "data-do": `next${which}`, disabled: !list.next }, "Older"))
    : null;

const select = (name, label, choices, chosen) =>
  h("select", { key: name, class: "co-select", "data-name": name, "aria-label": label }, choices.map(([value, words]) => h("option", { key: value, value, selected: value === (chosen || ANY) }, words)));

const table = (rows, settling, said) =>
  h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Ledger" },
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), h("th", { scope: "col" }, "Offer"), h("th", { scope: "col", class: "co-wide" }, "Prompt"), h("th", { scope: "col", class: "number co-wide" }, "Estimate"), h("th", { scope: "col", class: "number" }, "Cost"), h("th", { scope: "col" }, "State"))),
      h("tbody", {}, rows.flatMap((row) => [line(row, settling), settling === row.id && row.can_settle ? settle(row, said) : null]))));

const line = (row, settling) =>
  h("tr", { key: row.id },
    h("td", { class: "co-time" }, row.time),
    h("td", { class: "co-offer" }, row.offer, " ", h("span", {}, row.more)),
    h("td", { class: "co-prompt co-wide", title: row.prompt }, h("span", {}, row.prompt)),
    h("td", { class: "number co-wide" }, row.estimate),
    h("td", { class: "number" }, row.cost),
    h("td", { class: "co-state" }, h("span", { class: "chip", title: row.title }, icon(row.icon, row.colour), row.word),
      row.can_settle ? [" ", button(row, settling)] : null));

const button = (row, settling) =>
  h("button", { type: "button", class: "link", "data-do": "settle", "data-line": row.id, "aria-expanded": String(settling === row.id) }, "Settle by hand");

const settle = (row, said) =>
  h("tr", { key: `settle ${row.id}`, class: "co-settle" }, h("td", { colspan: 6 },
    h("form", { "data-line": row.id },
      h("label", {}, "What the bill says ", h("span", { class: "co-dollar" }, h("span", { "aria-hidden": "true" }, "$"), h("input", { name: "amount", inputmode: "decimal", autocomplete: "off", placeholder: row.suggested || "0.00", "aria-label": "Cost in US dollars" }))),
      h("label", {}, "Note ", h("input", { name: "note", maxlength: 200, autocomplete: "off", placeholder: "bill of 1 Dec", "aria-label": "Note" })),
      h("button", { type: "submit", class: "button" }, "Settle"),
      h("p", { class: "caption" }, "0 where nothing was billed. You and the time are kept with the line; it counts on the day it was sent."),
      said?.id === row.id ? h("p", { class: "note", role: "alert" }, icon("warn", "bad"), h("span", {}, said.text)) : null)));
