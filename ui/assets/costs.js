/* Costs: cards, bars by day, limits with their editor, and estimate against actual. The ledger stands in `costs_ledger.js`. */

import { announce, h, icon, render } from "./dom.js";
import { paintLedger, showUnknown } from "./costs_ledger.js";
import { paintPrices } from "./costs_prices.js";

const BY = [["provider", "Provider"], ["model", "Model"], ["quality", "Quality"], ["tag", "Tag"]];
const PERIODS = [["30", "30 days"], ["90", "90 days"], ["365", "12 months"]];

function view(page) {
  const shown = page.shown;
  if (shown.state === "loading") return [h("div", { key: "l1", class: "panel sheen", style: "height: 96px" }), h("div", { key: "l2", class: "panel sheen", style: "height: 320px" })];
  const isEmpty = shown.state === "empty";
  return [
    isEmpty ? null : h("dl", { key: "cards", class: "panel cards co-cards", "data-testid": "cost-cards" }, shown.cards.map(card)),
    h("div", { key: "row", class: "co-row" }, isEmpty ? nothing() : bars(shown), h("div", { key: "side", class: "co-side" }, limits(page), shown.compared.rows.length ? compared(shown.compared) : null)),
    shown.coach?.length ? coach(shown.coach) : null,
  ];
}

const nothing = () =>
  h("section", { class: "panel co-nothing", key: "bars" },
    h("div", { class: "empty" }, icon("clock"), h("h2", {}, "Nothing was spent yet"),
      h("p", {}, "Each run stands here with its estimate and, once it is done, with what it cost. The Demo is free and costs nothing here either."),
      h("div", { class: "row" }, h("a", { class: "button primary", href: "#playground" }, "To the Playground"))));

const card = (one) =>
  h("div", { key: one.key, "data-testid": `card-${one.key}` }, h("dt", {}, one.label), h("dd", {}, one.figure),
    h("dd", { class: "co-note" }, one.note, one.action ? [" ", h("button", { type: "button", class: "link", "data-do": "unknown" }, one.action)] : null));

// Bars

const choice = (name, choices, chosen, label) =>
  h("div", { class: "co-switch", role: "group", "aria-label": label, key: name },
    choices.map(([value, words]) => h("button", { type: "button", key: value, "data-do": "choose", "data-name": name, "data-value": value, "aria-pressed": String(value === chosen) }, words)));

function bars(shown) {
  const chart = shown.bars;
  return h("section", { class: "panel co-bars", key: "bars", "data-testid": "cost-bars" },
    h("div", { class: "co-head" }, h("h2", {}, chart.title), choice("by", BY, shown.by, "Split by"), choice("period", PERIODS, shown.period, "How far back")),
    h("ul", { class: "co-legend" },
      chart.series.map((one) => h("li", { key: one.name }, h("i", { class: `co-key c${one.colour}` }), one.name, " ", h("b", {}, one.total))),
      chart.held ? h("li", { key: "held" }, h("i", { class: "co-key held" }), "Reserved or unknown ", h("b", {}, chart.held)) : null),
    chart.is_empty
      ? h("p", { class: "co-quiet" }, "Nothing was spent in this time.")
      : h("div", { class: "scrolls co-scroll", tabindex: "0", role: "region", "aria-label": `${chart.title}. Each bar says its sum.` },
          h("div", { class: `co-chart${chart.bars.length > 12 && chart.bars.length < 40 ? "" : " co-many"}` },
            h("div", { class: "co-ticks", "aria-hidden": "true" }, chart.ticks.map((tick) => h("span", { key: tick.share, style: `bottom: ${tick.share}%` }, tick.text))),
            h("ol", { class: "co-slots" }, chart.bars.map((one, place) => bar(one, chart.top_microusd, place, chart.bars.length))))));
}

const share = (amount, top) => `${((amount * 100) / top).toFixed(3)}%`;

const bar = (one, top, place, count) =>
  h("li", { key: one.key, title: one.words, "aria-label": one.words },
    h("span", { class: "co-stack" },
      one.held_microusd ? h("i", { key: "held", class: "held", style: `height: ${share(one.held_microusd, top)}` }) : null,
      [...one.parts].reverse().map((part) => h("i", { key: part.key, class: `c${part.colour}`, style: `height: ${share(part.microusd, top)}` }))),
    labelled(place, count) ? h("span", { class: "co-day", "aria-hidden": "true" }, place === count - 1 && count > 13 ? "Today" : one.label) : null);

/** Seven days apart, counted from today; all of them where there are few. */
const labelled = (place, count) => (count <= 13 ? true : (count - 1 - place) % (count > 40 ? 14 : 7) === 0);

// Limits

function limits(page) {
  const { rows, can_set, note, none } = page.shown.limits;
  return h("section", { class: "panel co-limits", key: "limits", "data-testid": "cost-limits" },
    h("div", { class: "co-head" }, h("h2", {}, "Limits"), can_set ? h("button", { type: "button", class: "link", "data-do": "edit", "aria-expanded": String(page.isEditing) }, page.isEditing ? "Done" : rows.length ? "Change" : "Set one") : null),
    rows.length ? h("ul", { key: "rows" }, rows.map(limit)) : h("p", { class: "co-quiet", key: "none" }, none),
    page.isEditing ? h("div", { key: "editor", class: "co-editor" }, page.shown.limits.editor.map((one) => field(one, page.shown.said))) : null,
    h("p", { class: "caption", key: "note" }, note));
}

const limit = (one) =>
  h("li", { key: one.key, class: one.state },
    h("div", { class: "co-line" }, h("span", {}, h("b", {}, one.name), " ", h("span", { class: "co-verb" }, one.action)),
      h("span", {}, one.word ? h("span", { class: "chip" }, icon("warn", one.state === "reached" ? "bad" : "warn"), one.word) : null, " ", one.figure)),
    one.has_bar ? h("div", { class: "co-track", role: "progressbar", "aria-label": `${one.name}: ${one.figure}`, "aria-valuenow": one.percent, "aria-valuemin": 0, "aria-valuemax": 100 }, h("i", { style: `width: ${one.percent}%` })) : null,
    one.note ? h("p", { class: "caption" }, one.note) : null);

const field = (one, said) =>
  h("form", { key: one.span, "data-span": one.span },
    h("label", { for: `co-limit-${one.span}` }, one.name),
    h("span", { class: "co-dollar" }, h("span", { "aria-hidden": "true" }, "$"),
      h("input", { id: `co-limit-${one.span}`, name: "amount", inputmode: "decimal", autocomplete: "off", placeholder: "no limit", "data-start": one.amount, "aria-label": `${one.name}, in US dollars` })),
    h("select", { name: "action", "aria-label": `What ${one.name} does` },
      h("option", { value: "block", selected: one.action === "block" }, "blocks"), h("option", { value: "warn", selected: one.action === "warn" }, "warns")),
    h("button", { type: "submit", class: "button" }, "Set"),
    h("button", { type: "button", class: "button quiet", "data-do": "remove", "data-span": one.span, disabled: !one.is_set }, "Remove"),
    said?.span === one.span ? h("p", { class: "note", role: "alert" }, icon("warn", "bad"), h("span", {}, said.text)) : null);

// Estimate against actual, and what the numbers say

const compared = ({ words, rows, more }) =>
  h("section", { class: "panel co-compared", key: "compared", "data-testid": "cost-compared" },
    h("h2", {}, "Estimate against actual"),
    h("p", { class: "caption" }, `${words} Last 30 days. `, h("a", { class: "link", href: "#leaderboard" }, "Seconds and errors by provider")),
    h("div", { class: "scrolls" }, h("table", { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Offer"), h("th", { scope: "col", class: "number" }, "Runs"), h("th", { scope: "col", class: "number" }, "Estimate"), h("th", { scope: "col", class: "number" }, "Actual"), h("th", { scope: "col", class: "number" }, "Off"))),
      h("tbody", {}, rows.map((row) => h("tr", { key: row.id }, h("td", {}, row.name), h("td", { class: "number" }, row.lines), h("td", { class: "number" }, row.estimate), h("td", { class: "number" }, row.actual), h("td", { class: "number" }, row.off)))))),
    more ? h("p", { class: "caption co-more" }, `And ${more} cheaper ${more === 1 ? "offer" : "offers"}; all are in the CSV.`) : null);

const coach = (sentences) =>
  h("section", { class: "panel co-coach", key: "coach", "data-testid": "coach" }, h("h2", {}, "What your numbers say"), h("ul", {}, sentences.map((text) => h("li", { key: text }, text))));

// Last, when all of the above is there: a component whose value came before the script is drawn at once.

window.diptych.component("ledger", paintLedger);
window.diptych.component("prices", paintPrices);

window.diptych.component("costs", ({ element, trigger, props, watch }) => {
  const root = element.querySelector(".drawn");
  const page = { shown: { state: "loading" }, isEditing: false, said: null };
  let seen = "";
  /** Where the bars do not fit, as on a phone, the newest are in sight. */
  const draw = () => {
    render(root, view(page));
    const [chart, what] = [root.querySelector(".co-scroll"), `${page.shown.by} ${page.shown.period}`];
    if (chart && chart.offsetParent && what !== seen) {
      chart.scrollLeft = chart.scrollWidth;
      seen = what;
    }
  };
  /** What stands in the editor is the person's while they type; the server's once it was set. */
  const fill = () => {
    for (const field of root.querySelectorAll(".co-editor input")) if (field.form.dataset.span !== page.shown.said?.span) field.value = field.dataset.start;
  };
  watch("value", () => {
    page.shown = props.value || { state: "loading" };
    if (page.shown.said) announce(page.shown.said.text);
    draw();
    fill();
  });
  page.shown = props.value || page.shown;
  draw();

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const { span, name, value } = button.dataset;
    const act = {
      choose: () => trigger("ask", { by: page.shown.by, period: page.shown.period, [name]: value }),
      edit: () => {
        page.isEditing = !page.isEditing;
        draw();
        fill();
        if (page.isEditing) root.querySelector(".co-editor input")?.focus();
      },
      remove: () => trigger("remove_limit", { span }),
      unknown: () => showUnknown(),
    }[button.dataset.do];
    act?.();
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    trigger("set_limit", { span: form.dataset.span, amount: form.elements.amount.value, action: form.elements.action.value });
  });
});
