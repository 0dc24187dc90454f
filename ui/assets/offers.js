/* The list under Where. What is ticked is the component's value; names and prices come with the server's word on the form. */

import { h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";

/* A short list keeps size and quality in sight; the link above it shows the rest. */
const SHOWN = 6;
const LEAST_SHOWN = 3;

export function paintOffers({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  let showAll = false;
  let typing = false;
  const wereTicked = new Set();

  const ticked = () => props.value?.ticked || [];
  const tick = (names) => {
    props.value = { ticked: names };
    paint();
    trigger("input", {});
  };

  function paint() {
    const view = outlook();
    if (!view) return;
    const chosen = new Set(ticked());
    // A row that is unticked stays where it is, so that it can be ticked again.
    chosen.forEach((name) => wereTicked.add(name));
    const rows = showAll ? view.rows : shownRows(view.rows, wereTicked);
    const hidden = view.rows.length > shownRows(view.rows, wereTicked).length;
    render(root, h("fieldset", { class: "offers-field" },
      h("legend", { class: "unseen" }, "Where to run"),
      h("div", { class: "field-head" },
        h("span", { class: "field-label", "aria-hidden": "true" }, "Where"),
        hidden ? h("button", { type: "button", class: "link", "data-all": true, "aria-expanded": String(showAll) },
          showAll ? "Fewer offers" : `All ${view.rows.length} offers`) : null),
      h("ul", { class: "offer-list" }, rows.map((row) => offerRow(row, chosen.has(row.offer)))),
      byHand(view.typed)));
  }

  const byHand = (providers) => {
    if (!providers.length) return null;
    if (!typing) return h("button", { type: "button", class: "link by-hand", "data-hand": true, key: "open" }, "Type a model id");
    return h("div", { class: "by-hand-row", key: "row" },
      h("label", { class: "unseen", for: "pg-hand" }, "Model id"),
      h("input", { type: "text", id: "pg-hand", placeholder: `Model id at ${providers[0].name}`, autocomplete: "off", spellcheck: "false" }),
      providers.length > 1 ? h("select", { id: "pg-hand-provider", "aria-label": "Provider" }, providers.map((one) => h("option", { value: one.id }, one.name))) : null,
      h("button", { type: "button", class: "button", "data-add": true }, "Add"));
  };

  const add = () => {
    const field = root.querySelector("#pg-hand");
    const id = field.value.trim();
    const provider = root.querySelector("#pg-hand-provider")?.value || outlook().typed[0].id;
    if (!id) return;
    typing = false;
    tick([...ticked(), `${provider}/${id}`]);
  };

  root.addEventListener("change", (event) => {
    const box = event.target.closest("input[type=checkbox]");
    if (!box) return;
    const others = ticked().filter((name) => name !== box.value);
    tick(box.checked ? [...others, box.value] : others);
  });
  root.addEventListener("click", (event) => {
    if (event.target.closest("[data-all]")) showAll = !showAll;
    else if (event.target.closest("[data-hand]")) typing = true;
    else if (event.target.closest("[data-add]")) return add();
    else return undefined;
    paint();
    root.querySelector("#pg-hand")?.focus();
    return undefined;
  });
  root.addEventListener("keydown", (event) => {
    if (event.target.id !== "pg-hand") return;
    if (event.key === "Enter") add();
    else if (event.key === "Escape") {
      typing = false;
      paint();
    } else return;
    event.preventDefault();
  });
  watch("value", paint);
  onOutlook(paint);
}

function shownRows(rows, chosen) {
  const kept = new Set(rows.filter((row) => chosen.has(row.offer)));
  const take = (candidates, count) => candidates.filter((row) => !kept.has(row)).slice(0, Math.max(count, 0)).forEach((row) => kept.add(row));
  take(rows.filter((row) => row.ready), Math.max(SHOWN - kept.size, LEAST_SHOWN));
  take(rows.filter((row) => !row.has_key && !row.retired), Math.max(SHOWN - kept.size, rows.some((row) => row.ready && !kept.has(row)) ? 0 : LEAST_SHOWN));
  return rows.filter((row) => kept.has(row));
}

function offerRow(row, isTicked) {
  const state = row.retired ? "retired" : row.ready ? "ready" : "keyless";
  const end = row.retired ? null
    : row.ready ? h("span", { class: "offer-price" }, row.price)
    : h("a", { class: "link", href: row.key_link, "aria-label": `Add a key for ${row.provider || row.model}` }, "Add a key");
  return h("li", { class: `offer ${state}${isTicked ? " ticked" : ""}`, key: row.offer, "data-testid": "offer", "data-offer": row.offer },
    h("label", { title: row.note || null },
      h("span", { class: "box" },
        h("input", { type: "checkbox", value: row.offer, checked: isTicked && row.ready, disabled: !row.ready }), icon("check")),
      h("span", { class: "offer-name" },
        h("span", {}, h("b", {}, row.model), row.provider ? ` ${row.provider}` : ""),
        /^Retire/.test(row.note || "") ? h("span", { class: "offer-note" }, row.note) : null)),
    end);
}
