/* History: a grid of thumbnails, and the details of one run beside it. Choosing one never touches the form. */

import { h, icon, render } from "./dom.js";

window.diptych.component("history", ({ element, trigger, props, watch }) => {
  let chosen = null;
  const paint = () => render(element.querySelector(".drawn"), grid(props.value || {}, chosen));

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.run) {
      chosen = button.dataset.key;
      paint();
      trigger("open_run", { run_id: button.dataset.run, position: Number(button.dataset.position) });
    } else if (button?.dataset.turn) trigger("turn_page", { to: button.dataset.turn });
    else if (button?.dataset.clear) trigger("clear_search", {});
  });
  document.addEventListener("diptych:details-closed", () => {
    const button = element.querySelector(`[data-key="${CSS.escape(chosen || "")}"]`);
    chosen = null;
    paint();
    button?.focus();
  });

  watch("value", paint);
  paint();
});

function grid(shown, chosen) {
  if (shown.state === "empty") return nothing(shown, h("a", { class: "button primary", href: "#playground" }, "Open Playground"), "base");
  if (shown.state === "no_match") {
    return nothing(shown, h("button", { type: "button", class: "button", "data-clear": "1", id: "hi-clear" }, "Clear the search"), "search");
  }
  if (shown.state !== "grid") return h("div", { class: "hi-quiet" });
  return h(
    "div",
    { class: "hi" },
    h("p", { class: "hi-count caption", key: "count", "data-testid": "history-count" }, shown.count),
    h("ul", { class: "hi-grid", key: "grid" }, shown.tiles.map((tile) => h("li", { key: tile.key }, cell(tile, chosen)))),
    h(
      "nav",
      { class: "hi-pages", key: "pages", "aria-label": "Pages of the history" },
      h("button", { type: "button", class: "button", "data-turn": "previous", id: "hi-previous", disabled: !shown.has_previous }, icon("left"), "Newer"),
      h("span", { class: "caption" }, shown.range),
      h("button", { type: "button", class: "button", "data-turn": "next", id: "hi-next", disabled: !shown.has_next }, "Older", icon("right")),
    ),
  );
}

const cell = (tile, chosen) =>
  h(
    "button",
    {
      type: "button",
      class: "hi-tile",
      "data-testid": `tile-${tile.run_id}`,
      "data-key": tile.key,
      "data-run": tile.run_id,
      "data-position": tile.position,
      "aria-pressed": String(tile.key === chosen),
      title: tile.prompt,
    },
    h(
      "span",
      { class: "hi-box" },
      tile.thumb
        ? h("img", { src: tile.thumb, alt: tile.prompt, loading: "lazy", decoding: "async" })
        : h("span", { class: "hi-state" }, icon(tile.icon, tile.colour === "busy" ? "busy spin" : tile.colour), tile.word),
    ),
    h("span", { class: "hi-words" }, h("span", { class: "hi-prompt", "aria-hidden": tile.thumb ? "true" : null }, tile.prompt), h("span", { class: "hi-cost" }, tile.cost)),
  );

const nothing = (shown, way, picture) =>
  h("div", { class: "empty", "data-testid": `history-${shown.state}` }, icon(picture), h("h2", {}, shown.title), h("p", {}, shown.text), h("div", { class: "row" }, way));

window.diptych.component("details", ({ element, trigger, props, watch }) => {
  const paint = () => render(element.querySelector(".drawn"), details(props.value || {}));

  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    const shown = props.value || {};
    if (button?.dataset.do === "close") {
      trigger("close_details", {});
      document.dispatchEvent(new CustomEvent("diptych:details-closed"));
    } else if (button?.dataset.do === "image") trigger("open_image", { run_id: shown.run_id, position: Number(button.dataset.position) });
  });

  watch("value", () => {
    paint();
    const isBelow = window.matchMedia("(max-width: 1100px)").matches;
    if (isBelow && props.value?.state === "details") element.scrollIntoView({ block: "start", behavior: "smooth" });
  });
  paint();
});

function details(shown) {
  if (shown.state === "gone") return h("p", { class: "hi-gone caption", role: "status" }, shown.text);
  if (shown.state !== "details") return h("p", { class: "hi-hint caption" }, "Choose an image to see how it was made.");
  const image = shown.image;
  return h(
    "section",
    { class: "hi-details", "data-testid": "details", "aria-label": "Details of the run" },
    image
      ? h(
          "a",
          { class: "hi-big", key: image.sha256, href: image.url, target: "_blank", rel: "noopener", style: `--ratio: ${image.width / image.height}`, title: "Open the original" },
          h("img", { src: image.url, alt: shown.prompt, width: image.width, height: image.height }),
        )
      : null,
    shown.others.length
      ? h("div", { class: "hi-others", key: "others" }, shown.others.map((one) => small("button", one, { type: "button", "data-do": "image", "data-position": one.position, "aria-label": `Image ${one.position + 1} of this run` })))
      : null,
    actions(shown, image),
    h("p", { class: "hi-text", key: "prompt" }, shown.prompt),
    shown.revised ? h("p", { class: "hi-revised caption", key: "revised" }, h("b", {}, "Rewritten by the provider: "), shown.revised) : null,
    h("div", { class: "hi-chips", key: "chips" }, shown.chips.map((chip, n) => h("span", { class: "chip", key: n }, chip.icon ? icon(chip.icon, chip.colour) : null, chip.figure ? h("b", {}, chip.figure) : null, chip.word))),
    shown.error ? problem(shown.error) : null,
    h("div", { class: "scrolls", key: "fields" }, fields(shown.fields)),
    shown.inputs.length
      ? h("div", { class: "hi-inputs", key: "inputs" }, h("span", { class: "caption" }, "Inputs"), shown.inputs.map((one) => small("a", one, { href: one.url, target: "_blank", rel: "noopener", "aria-label": one.role === "mask" ? "Mask" : "Input image", title: one.role === "mask" ? "Mask" : "Input image" })))
      : null,
    h("dl", { class: "hi-facts", key: "facts" }, shown.facts.map((fact) => h("div", { key: fact.label }, h("dt", {}, fact.label), h("dd", { class: fact.mono ? "mono" : "" }, fact.text)))),
  );
}

const actions = (shown, image) =>
  h(
    "div",
    { class: "hi-actions", key: "actions" },
    h("a", { class: "button", id: "hi-remix", href: shown.remix }, icon("remix"), "Remix"),
    image ? h("a", { class: "button", id: "hi-base", href: shown.use_as_base }, icon("base"), "Use as base") : null,
    h("span", { class: "hi-gap" }),
    image?.converted ? h("a", { class: "button", id: "hi-converted", href: image.converted, download: "" }, icon("download"), image.converted_label) : null,
    image ? h("a", { class: "icon-button", id: "hi-download", href: image.download, download: "", "aria-label": "Download the original", title: "Download the original" }, icon("download")) : null,
    image ? h("a", { class: "icon-button", id: "hi-open", href: image.url, target: "_blank", rel: "noopener", "aria-label": "Open the original in a new tab", title: "Open the original" }, icon("open")) : null,
    h("button", { type: "button", class: "icon-button", id: "hi-close", "data-do": "close", "aria-label": "Close the details", title: "Close" }, icon("x")),
  );

const small = (tag, one, props) => h(tag, { key: `${one.thumb} ${one.role || ""}`, class: "hi-small", ...props }, h("img", { src: one.thumb, alt: "", loading: "lazy" }));

const problem = (error) =>
  h("div", { class: "hi-error", key: "error", role: "note" }, icon("warn", error.billed ? "warn" : "bad"), h("p", {}, error.message, error.billed ? h("b", {}, " It may have been billed.") : null));

const fields = (rows) =>
  h(
    "table",
    { class: "table hi-fields" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Field")), ["Asked", "Sent", "Got"].map((word) => h("th", { scope: "col", key: word }, word)))),
    h("tbody", {}, rows.map((one) => h("tr", { key: one.label, class: one.differs ? "differs" : "" }, h("th", { scope: "row" }, one.label), h("td", {}, one.asked), h("td", {}, one.sent), h("td", {}, one.got, one.differs ? [icon("warn", "warn"), h("span", { class: "unseen" }, " differs")] : null)))),
  );
