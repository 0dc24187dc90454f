/* The price table: what each offer costs and says who, own prices from a day on, and a what-if over old runs. */

import { announce, h, icon, render } from "./dom.js";

export function paintPrices({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  const page = { shown: props.value || { state: "loading" }, editing: "", isAsked: false, isBusy: false };
  const draw = () => render(root, view(page));
  watch("value", () => {
    page.shown = props.value || page.shown;
    page.isBusy = false;
    if (page.shown.said) announce(page.shown.said.text);
    if (page.shown.saved === page.editing) page.editing = "";
    if (page.shown.what_if) announce(page.shown.what_if.words);
    draw();
  });
  draw();

  root.addEventListener("click", (event) => {
    // The rows are asked for when it is opened.
    if (event.target.closest("summary") && !page.isAsked) {
      page.isAsked = true;
      trigger("look", {});
    }
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const { offer, price } = button.dataset;
    const act = {
      edit: () => {
        page.editing = page.editing === offer ? "" : offer;
        draw();
        const form = root.querySelector(".co-own");
        if (!form) return;
        form.elements.figures.value = page.shown.rows.find((row) => row.id === offer).lines;
        form.elements.valid_from.value = page.shown.today;
        form.elements.figures.focus();
      },
      take_back: () => trigger("take_back", { price_id: price }),
      what_if: () => {
        page.isBusy = true;
        draw();
        trigger("what_if", {});
      },
    }[button.dataset.do];
    act?.();
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const { figures, valid_from, source } = event.target.elements;
    trigger("set_price", { offer: event.target.dataset.offer, figures: figures.value, valid_from: valid_from.value, source: source.value });
  });
}

const view = (page) =>
  h("details", { class: "panel co-prices", "data-testid": "prices" },
    h("summary", {}, h("h2", {}, "Prices"), h("span", { class: "caption" }, "What estimates are made of, with source and date")),
    page.shown.state === "prices" ? body(page) : h("div", { class: "sheen", style: "height: 120px" }));

const body = ({ shown, editing, isBusy }) => [
  h("div", { class: "co-head", key: "head" },
    h("p", { class: "caption" }, shown.note),
    h("button", { type: "button", class: "button", "data-do": "what_if", disabled: isBusy }, isBusy ? "Recomputing" : "What if: old runs at today's prices")),
  shown.what_if ? whatIf(shown.what_if) : null,
  h("div", { class: "scrolls", key: "table", tabindex: "0", role: "region", "aria-label": "Prices" },
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Offer"), h("th", { scope: "col" }, "Figures"), h("th", { scope: "col" }, "Source"), h("th", { scope: "col" }, "Since"), shown.can_set ? h("th", {}, "") : null)),
      h("tbody", {}, shown.rows.flatMap((row) => [line(row, shown.can_set, editing), ...row.own.map((one) => own(one, shown.can_set)), editing === row.id ? editor(row, shown.said) : null])))),
];

const line = (row, canSet, editing) =>
  h("tr", { key: row.id },
    h("td", { class: "co-offer" }, row.name),
    h("td", {}, row.figures),
    h("td", { class: "co-source" }, row.is_own ? h("span", { class: "chip" }, "Own") : null, " ", row.source),
    h("td", { class: "co-time" }, row.date, row.is_old ? [" ", h("span", { class: "chip", title: "Read more than 60 days ago" }, icon("warn", "warn"), "Old")] : null),
    canSet ? h("td", {}, h("button", { type: "button", class: "link", "data-do": "edit", "data-offer": row.id, "aria-expanded": String(editing === row.id), "aria-label": `Set an own price for ${row.name}` }, "Own price")) : null);

const own = (one, canSet) =>
  h("tr", { key: one.id, class: "co-mine" }, h("td", { colspan: 4 }, one.words, " ", h("span", { class: "co-verb" }, one.state)),
    canSet ? h("td", {}, h("button", { type: "button", class: "link", "data-do": "take_back", "data-price": one.id }, "Take back")) : null);

const editor = (row, said) =>
  h("tr", { key: `edit ${row.id}`, class: "co-settle" }, h("td", { colspan: 5 },
    h("form", { class: "co-own", "data-offer": row.id },
      h("label", { class: "co-figures" }, h("span", {}, "Figures in US dollars, one on a line"), h("textarea", { name: "figures", rows: 6, spellcheck: "false", placeholder: "image_out 30\nimage low 1024x1024 0.011" })),
      h("label", {}, "From ", h("input", { name: "valid_from", type: "date" })),
      h("label", {}, "Source ", h("input", { name: "source", maxlength: 200, autocomplete: "off", placeholder: "contract of 1 Dec" })),
      h("button", { type: "submit", class: "button" }, "Set own price"),
      h("p", { class: "caption" }, "text_in, image_in, image_out, text_out: per million tokens. image quality size: per image, * for any other size. fee: per image on top. Runs of before keep their price."),
      said?.offer === row.id ? h("p", { class: "note", role: "alert" }, icon("warn", "bad"), h("span", {}, said.text)) : null)));

const whatIf = ({ words, rows }) =>
  h("div", { key: "what-if", class: "co-what-if", "data-testid": "what-if" }, h("p", { role: "status" }, words),
    rows.length ? h("table", { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Offer"), h("th", { scope: "col", class: "number" }, "Runs"), h("th", { scope: "col", class: "number" }, "Paid"), h("th", { scope: "col", class: "number" }, "At today's prices"))),
      h("tbody", {}, rows.map((row) => h("tr", { key: row.id }, h("td", {}, row.name), h("td", { class: "number" }, row.runs), h("td", { class: "number" }, row.paid), h("td", { class: "number" }, row.today))))) : null);
