/* What the History finds, as images, as groups or as a table. Pure: a state in, elements out. */

import { h, icon } from "./dom.js";

export function drawList(state, tiles) {
  const { shown } = state;
  if (!shown) return h("div", { class: "hi-grid", key: "wait", "aria-busy": "true" }, [...Array(12).keys()].map((n) => h("div", { class: "hi-box sheen", key: n })));
  const isAllTrashed = shown.state === "empty" && state.around?.trash.things > 0;
  if (isAllTrashed) return nothing({ ...shown, title: "All of it is in the trash", text: "What is there can be restored for 30 days." }, h("button", { type: "button", class: "button", "data-chip": "is:trashed" }, "Open the trash"), "trash");
  if (shown.state === "empty") return nothing(shown, h("a", { class: "button primary", href: "#playground" }, "Open Playground"), "base");
  if (shown.state === "no_match") return nothing(shown, h("button", { type: "button", class: "button", "data-chip": "", id: "hi-clear" }, "Show all"), shown.in_trash ? "trash" : "search");
  const draw = { groups, table }[state.view] || images;
  return [
    shown.in_trash ? h("p", { class: "caption hi-note", key: "trash" }, "What is here is deleted for ever after 30 days. ", h("button", { type: "button", class: "link", "data-go": "empty" }, "Empty the trash")) : null,
    draw(state, tiles),
    shown.pages > 1 ? pages(shown) : null,
  ];
}

const images = (state, tiles) => h("ul", { class: "hi-grid", key: "images" }, tiles.map((tile) => item(tile, state)));

const item = (tile, state) => h("li", { key: tile.key, "data-key": tile.key, class: state.ticked.has(tile.key) ? "ticked" : "" }, cell(tile, state), words(tile, state));

const cell = ({ key, run, image }, state) =>
  h("button", { type: "button", class: "hi-tile", "data-testid": `tile-${run.run_id}`, "data-key": key, "aria-pressed": String(key === state.chosen), title: run.prompt },
    h("span", { class: "hi-box" },
      image
        ? h("img", { src: image.thumb, alt: run.prompt, loading: "lazy", decoding: "async" })
        : h("span", { class: "hi-state" }, icon(run.icon, run.colour === "busy" ? "busy spin" : run.colour), run.word)));

const words = ({ key, run, image }, state) =>
  h("div", { class: "hi-words" },
    tickBox(key, run, state),
    h("span", { class: "hi-prompt", "aria-hidden": image ? "true" : null }, run.prompt),
    image?.favourite ? h("span", { class: "hi-mark", title: "Favourite" }, icon("star", "filled"), h("span", { class: "unseen" }, "Favourite")) : null,
    image?.stars ? h("span", { class: "hi-mark", title: `${image.stars} of 5 stars` }, `${image.stars}★`) : null,
    image && image !== run.images[0] ? null : h("span", { class: "hi-cost" }, run.cost));

const tickBox = (key, run, state) =>
  h("label", { class: "hi-tick" }, h("span", { class: "box" }, h("input", { type: "checkbox", "data-tick": key, checked: state.all || state.ticked.has(key), "aria-label": `Pick: ${run.prompt.slice(0, 60)}` }), icon("check")));

function groups(state, tiles) {
  const found = new Map();
  for (const tile of tiles) {
    if (!found.has(tile.run.group_id)) found.set(tile.run.group_id, []);
    found.get(tile.run.group_id).push(tile);
  }
  return [...found].map(([id, some]) => {
    const runs = [...new Map(some.map(({ run }) => [run.run_id, run])).values()];
    return h("section", { class: "hi-group", key: id },
      h("h2", {}, runs[0].prompt),
      h("p", { class: "caption" }, [runs[0].day, `${runs.length} ${runs.length === 1 ? "run" : "runs"}`, [...new Set(runs.map((run) => run.model))].join(", ")].join(" · ")),
      h("ul", { class: "hi-grid" }, some.map((tile) => item(tile, state))),
      state.shown.rest?.[id] ? h("p", { class: "caption hi-rest" }, state.shown.rest[id]) : null);
  });
}

const table = (state, tiles) =>
  h("div", { class: "scrolls hi-table", key: "table" },
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, ["", "", "Prompt", "Model", "Size", "Quality", "Time", "Cost", "Stars", "Made (UTC)"].map((name, n) => h("th", { key: n, scope: "col", class: ["Time", "Cost", "Stars"].includes(name) ? "number" : "" }, name || h("span", { class: "unseen" }, n ? "Image" : "Pick"))))),
      h("tbody", {}, tiles.map((tile) => row(tile, state)))));

const row = (tile, state) => {
  const { key, run, image } = tile;
  return h("tr", { key, "data-key": key, class: key === state.chosen ? "chosen" : "" },
    h("td", {}, tickBox(key, run, state)),
    h("td", {}, cell(tile, state)),
    h("td", { class: "hi-cell-prompt" }, h("span", {}, run.prompt), run.tags.length ? h("span", { class: "caption" }, run.tags.join(", ")) : null),
    h("td", {}, h("b", {}, run.model), " ", h("span", { class: "caption" }, run.provider)),
    h("td", {}, run.size),
    h("td", {}, run.quality),
    h("td", { class: "number" }, run.seconds),
    h("td", { class: "number" }, run.cost),
    h("td", { class: "number" }, image?.favourite ? icon("star", "filled") : null, image?.stars || ""),
    h("td", {}, run.at.slice(0, 16).replace("T", " ")));
};

const pages = (shown) =>
  h("nav", { class: "hi-pages", key: "pages", "aria-label": "Pages of the history" },
    h("button", { type: "button", class: "button", "data-turn": "previous", id: "hi-previous", disabled: shown.page <= 1 }, icon("left"), "Previous"),
    h("label", { class: "hi-page-box" }, "Page", h("input", { type: "number", name: "hi-page", min: 1, max: shown.pages, value: shown.page, inputmode: "numeric" }), `of ${shown.pages.toLocaleString("en")}`),
    h("button", { type: "button", class: "button", "data-turn": "next", id: "hi-next", disabled: shown.page >= shown.pages }, "Next", icon("right")));

const nothing = (shown, way, picture) =>
  h("div", { class: "empty", key: "nothing", "data-testid": `history-${shown.state}` }, icon(picture), h("h2", {}, shown.title), h("p", {}, shown.text), h("div", { class: "row" }, way));
