/* The list under Where. What is ticked is the component's value; names and prices come with the server's word on the form.

   Short, it holds what is ticked and a few suggestions. Opened, it holds every model once, with a button for each provider
   that sells it. What was ticked stays in place and in sight in both, so nothing moves under the hand that ticks. */

import { announce, h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";

/* A short list keeps size and quality in sight. */
const SHOWN = 6;
const LEAST_SUGGESTED = 2;
const FILTER_FROM = 12;
/* Told by Settings when a server was asked which models it has. */
const MODELS_LISTED = "diptych:models-listed";
const USE_OFFER = "diptych:use-offer";

/** Ticks an offer wherever it is asked for. */
export const useOffer = (offer) => document.dispatchEvent(new CustomEvent(USE_OFFER, { detail: offer }));

export function paintOffers({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  const wereTicked = new Set();
  const listed = new Map();
  let isOpen = false;
  let isTyping = false;
  let wanted = "";
  let taker = "";

  const ticked = () => props.value?.ticked || [];
  const tick = (names) => {
    props.value = { ticked: names };
    paint();
    trigger("input", {});
  };

  function paint() {
    const view = outlook()?.offers;
    if (!view) return;
    const chosen = new Set(ticked());
    // What is unticked stays where it is, so that it can be ticked again.
    chosen.forEach((name) => wereTicked.add(name));
    const all = view.families.flatMap((family) => family.models.flatMap((model) => model.offers.map((offer) => ({ ...offer, model }))));
    const few = fewOf(all, view.suggested, wereTicked);
    const count = all.filter((one) => one.ready).length;
    const hasMore = few.length < all.length || view.retired.length > 0;
    render(root, h("fieldset", { class: "offers-field" },
      h("legend", { class: "unseen" }, "Where to run"),
      h("div", { class: "field-head" },
        h("span", { class: "field-label", "aria-hidden": "true" }, "Where"),
        hasMore ? h("button", { type: "button", class: "link", "data-all": true, "aria-expanded": String(isOpen) }, isOpen ? "Show fewer" : count > few.length ? `All ${count} offers` : "All models") : null),
      isOpen ? everything(view, all, chosen) : [
        few.length ? h("ul", { class: "offer-list", key: "few" }, few.map((one) => row(one, chosen.has(one.offer)))) : null,
        view.keyless.length ? keysToAdd(view.keyless) : null],
      byHand(view.typed)));
  }

  function everything(view, all, chosen) {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const isShown = (family, model, offer) => chosen.has(offer.offer) || words.every((word) => `${family.name} ${model.name} ${offer.provider}`.toLowerCase().includes(word));
    const families = view.families
      .map((family) => ({ ...family, models: family.models.map((model) => ({ ...model, offers: model.offers.filter((offer) => isShown(family, model, offer)) })).filter((model) => model.offers.length) }))
      .filter((family) => family.models.length);
    return [
      all.length > FILTER_FROM ? h("div", { class: "offer-filter", key: "filter" },
        icon("search"),
        h("input", { type: "text", id: "pg-filter", "aria-label": "Filter models and providers", placeholder: "Filter by model or provider", autocomplete: "off", spellcheck: "false", value: wanted })) : null,
      families.map((family) => h("ul", { class: "offer-list family", key: `family ${family.name}`, "aria-label": family.name }, family.models.map((model) => group(model, chosen)))),
      families.length ? null : h("p", { class: "caption", key: "none", role: "status" }, `Nothing matches “${wanted.trim()}”.`),
      view.keyless.length ? h("ul", { class: "offer-list", key: "keyless", "aria-label": "Providers without a key" }, view.keyless.map(keyless)) : null,
      view.retired.length ? h("details", { class: "offer-retired", key: "retired" },
        h("summary", {}, `${view.retired.length} retired ${view.retired.length === 1 ? "model" : "models"}`),
        h("ul", {}, view.retired.map((one) => h("li", { key: one.name }, h("b", {}, one.name), ` ${one.note}`)))) : null,
    ];
  }

  const byHand = (providers) => {
    if (!providers.length) return null;
    if (!isTyping) return h("button", { type: "button", class: "link by-hand", "data-hand": true, key: "open" }, "Type a model id");
    const at = providers.find((one) => one.id === taker) || providers[0];
    const known = listed.get(at.id) || [];
    return h("div", { class: "by-hand-row", key: "row" },
      providers.length > 1 ? h("select", { id: "pg-hand-provider", "aria-label": "Provider", key: "at" }, providers.map((one) => h("option", { value: one.id, selected: one.id === at.id, key: one.id }, one.name))) : null,
      h("input", { type: "text", id: "pg-hand", key: "id", "aria-label": `Model id at ${at.name}`, placeholder: `Model id at ${at.name}`, autocomplete: "off", spellcheck: "false", list: "pg-hand-known" }),
      h("datalist", { id: "pg-hand-known", key: "known" }, known.map((id) => h("option", { value: id, key: id }))),
      h("button", { type: "button", class: "button", "data-add": true, key: "add" }, "Add"),
      at.is_server && !known.length ? h("a", { class: "link", href: `#settings/${at.id}`, key: "look" }, `See what ${at.name} lists`) : null);
  };

  const offersOf = (id) => outlook().offers.families.flatMap((family) => family.models).find((model) => model.id === id)?.offers.filter((one) => one.ready).map((one) => one.offer) || [];

  const add = () => {
    const id = root.querySelector("#pg-hand").value.trim();
    const at = outlook().offers.typed;
    if (!id) return;
    isTyping = false;
    tick([...ticked(), `${at.find((one) => one.id === taker)?.id || at[0].id}/${id}`]);
  };

  root.addEventListener("change", (event) => {
    if (event.target.id === "pg-hand-provider") {
      taker = event.target.value;
      return paint();
    }
    const box = event.target.closest("input[type=checkbox]");
    if (!box) return undefined;
    const others = ticked().filter((name) => name !== box.value);
    return tick(box.checked ? [...others, box.value] : others);
  });
  root.addEventListener("input", (event) => {
    if (event.target.id !== "pg-filter") return;
    wanted = event.target.value;
    paint();
  });
  root.addEventListener("click", (event) => {
    const every = event.target.closest("[data-every]")?.dataset.every;
    if (every) return tick(offersOf(every));
    if (event.target.closest("[data-all]")) [isOpen, wanted] = [!isOpen, ""];
    else if (event.target.closest("[data-hand]")) isTyping = true;
    else if (event.target.closest("[data-add]")) return add();
    else return undefined;
    paint();
    if (event.target.closest("[data-hand]")) root.querySelector("#pg-hand")?.focus();
    return undefined;
  });
  root.addEventListener("keydown", (event) => {
    const isFilter = event.target.id === "pg-filter";
    if (event.target.id !== "pg-hand" && !isFilter) return;
    if (event.key === "Escape") {
      if (isFilter) wanted = "";
      else isTyping = false;
      paint();
      if (!isFilter) root.querySelector("[data-hand]")?.focus();
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      if (!isFilter) add();
    } else return;
    event.preventDefault();
  });
  document.addEventListener(MODELS_LISTED, ({ detail }) => {
    listed.set(detail.provider, detail.models);
    paint();
  });
  let awaited = [];
  document.addEventListener(USE_OFFER, ({ detail }) => {
    // A page that was opened by the link has not read its draft yet, which would take the tick away again.
    if (outlook()) tick([...ticked().filter((name) => name !== detail), detail]);
    else awaited.push(detail);
    announce(`Ticked: ${detail}`);
  });
  watch("value", paint);
  onOutlook(() => {
    paint();
    const late = awaited;
    awaited = [];
    if (late.length) setTimeout(() => tick([...new Set([...ticked(), ...late])]));
  });
}

/** What was ticked, and suggestions up to a handful, in the order of the whole list. */
function fewOf(all, suggested, wereTicked) {
  const kept = new Set(all.filter((one) => wereTicked.has(one.offer)).map((one) => one.offer));
  const room = Math.max(SHOWN - kept.size, LEAST_SUGGESTED);
  suggested.filter((name) => !kept.has(name)).slice(0, room).forEach((name) => kept.add(name));
  return all.filter((one) => kept.has(one.offer));
}

const box = (one, isTicked, label) =>
  h("input", { type: "checkbox", value: one.offer, checked: isTicked && one.ready, disabled: !one.ready, "aria-label": label });

const spoken = (one, model) => [`${model.name} at ${one.provider}`, one.price, one.second_key].filter(Boolean).join(", ");

function row(one, isTicked) {
  const notes = [one.model.note, one.second_key].filter(Boolean).join(" · ");
  return h("li", { class: `offer${one.ready ? " ready" : ""}${isTicked && one.ready ? " ticked" : ""}`, key: one.offer, "data-testid": "offer", "data-offer": one.offer },
    h("label", { title: one.hint || null },
      h("span", { class: "box" }, box(one, isTicked, spoken(one, one.model)), icon("check")),
      h("span", { class: "offer-name" },
        h("span", {}, h("b", {}, one.model.name), one.shown_provider ? ` ${one.shown_provider}` : ""),
        notes ? h("span", { class: "offer-note" }, notes) : null)),
    one.ready ? h("span", { class: "offer-price" }, one.price) : h("a", { class: "link", href: one.key_link }, "Add a key"));
}

/** A model with a button for each provider. */
function group(model, chosen) {
  const second = model.offers.filter((one) => one.second_key);
  return h("li", { class: "model", key: model.id, role: "group", "aria-label": model.name },
    h("p", { class: "model-name" }, h("b", {}, model.name), model.note ? h("span", { class: "caption" }, model.note) : null,
      model.offers.filter((one) => one.ready).length > 1 ? h("button", { type: "button", class: "link every", "data-every": model.id, title: "Tick this model at every provider and nothing else; ends in a table of what each did" }, "At every provider") : null),
    h("div", { class: "sellers" }, model.offers.map((one) => {
      const isTicked = chosen.has(one.offer) && one.ready;
      return h("label", { class: `seller${isTicked ? " ticked" : ""}${one.ready ? "" : " off"}`, key: one.offer, title: one.hint || null, "data-testid": "offer", "data-offer": one.offer },
        h("span", { class: "box" }, box(one, isTicked, spoken(one, model)), icon("check")), h("b", {}, one.provider), h("span", {}, one.price));
    })),
    second.map((one) => h("p", { class: "caption", key: `second ${one.offer}` }, `${one.provider} ${one.second_key}. `, one.ready ? null : h("a", { class: "link", href: one.key_link }, "Add it"))));
}

const keyless = (one) =>
  h("li", { class: "offer", key: one.id },
    h("span", { class: "offer-name" }, h("b", {}, one.name), ` ${one.models}`),
    h("a", { class: "link", href: one.key_link, "aria-label": `Add a key for ${one.name}` }, "Add a key"));

const keysToAdd = (providers) =>
  h("p", { class: "keys-to-add", key: "keys" }, h("span", {}, "Add a key for "),
    providers.map((one, index) => [
      h("a", { class: "link", key: one.id, href: one.key_link, "aria-label": `Add a key for ${one.name}` }, one.name),
      index < providers.length - 2 ? ", " : index === providers.length - 2 ? " or " : ""]));
