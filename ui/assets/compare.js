/* Two to four images against each other: side by side, under a slider, as a map of where they differ, and by their settings.
   What is picked lives here; tiles ask for it when they are drawn. */

import { announce, h, icon, render } from "./dom.js";
import { heatOf } from "./heat.js";
import { syncedZoom } from "./synced_zoom.js";

const MOST = 4;
const MODES = { side: "Side by side", slider: "Slider", difference: "Difference", settings: "Settings" };
const OF_TWO = ["slider", "difference"];

const picks = new Map();
const listeners = [];
let dialog;
let zoom;
let mode = "side";
let pair = [0, 1];
let split = 50;
let onlyDifferences = true;
let table = null;
let heat = null;

export const isPicked = (id) => picks.has(id);

/** Calls `tell` whenever an image was picked or left out. */
export const onPicks = (tell) => listeners.push(tell);

/** Picks the image of a tile, or leaves it out again. */
export function togglePick(one) {
  if (picks.has(one.id)) picks.delete(one.id);
  else if (picks.size === MOST) return announce(`At most ${MOST} images are compared. Leave one out first.`);
  else picks.set(one.id, one);
  changed();
}

function changed() {
  announce(picks.size ? `${picks.size} picked` : "Nothing picked");
  for (const tell of listeners) tell();
}

/** Opens the comparison of what is picked; of one image there is none. */
export function openCompare(wanted = "side") {
  if (picks.size < 2) return;
  if (!dialog) make();
  [mode, pair, split, table, heat] = [wanted, [0, 1], 50, null, null];
  zoom.reset();
  if (!dialog.open) dialog.showModal();
  show(wanted);
}

/** Opens the comparison of these images, whatever was picked before. */
export function compareThese(images) {
  picks.clear();
  for (const one of images.slice(0, MOST)) picks.set(one.id, one);
  changed();
  openCompare();
}

// The bar under the results

export function paintCompareBar({ element }) {
  const root = element.querySelector(".drawn");
  const paint = () => render(root, picks.size ? bar() : null);
  root.addEventListener("click", (event) => {
    const act = event.target.closest("[data-compare]")?.dataset.compare;
    if (act === "none") {
      picks.clear();
      changed();
    } else if (act in MODES) openCompare(act);
  });
  onPicks(paint);
  paint();
}

function bar() {
  const few = picks.size < 2;
  return h("div", { class: "compare-bar", role: "toolbar", "aria-label": "Compare", "data-testid": "compare-bar" },
    h("span", { class: "compare-count" }, few ? "1 picked, pick one more" : `${picks.size} picked`),
    Object.entries(MODES).map(([name, words]) =>
      h("button", { type: "button", class: `bar-button ${name}`, key: name, "data-compare": name, disabled: few }, words)),
    picks.size === 2 ? h("a", { class: "bar-button", key: "vote", href: voteLink() }, "Vote blind") : null,
    h("button", { type: "button", class: "bar-button only-icon", key: "none", "data-compare": "none", "aria-label": "Pick none", title: "Pick none" }, icon("x")));
}

const voteLink = () => `#arena/images/${[...picks.keys()].map(encodeURIComponent).join("/")}`;

// The dialog

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox compare";
  dialog.setAttribute("aria-label", "Compare images");
  dialog.dataset.testid = "compare";
  document.querySelector(".gradio-container").append(dialog);
  zoom = syncedZoom(dialog, { stages: ".zoom-stage", size: () => (dialog.open ? [first().image.width, first().image.height] : null) });
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.mode) show(button.dataset.mode);
    else if (button?.dataset.go === "close") dialog.close();
    else if (button?.dataset.go) zoom.press(button.dataset.go);
  });
  dialog.addEventListener("input", (event) => {
    const { name, value, checked } = event.target;
    if (name === "split") split = Number(value);
    else if (name === "first" || name === "second") choose(name === "first" ? 0 : 1, Number(value));
    else if (name === "differences") onlyDifferences = checked;
    paint();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("select, input[type=range]") || !zoom.key(event.key)) return;
    event.preventDefault();
  });
  dialog.addEventListener("pointerdown", (event) => event.target.closest(".compare-line") && drag(event));
  dialog.addEventListener("close", () => render(dialog));
}

function drag(event) {
  const line = event.target.closest(".compare-line");
  line.setPointerCapture(event.pointerId);
  event.stopPropagation();
  const move = ({ clientX }) => {
    const box = line.parentElement.getBoundingClientRect();
    split = Math.min(Math.max(((clientX - box.left) / box.width) * 100, 0), 100);
    paint();
  };
  line.addEventListener("pointermove", move);
  line.addEventListener("lostpointercapture", () => line.removeEventListener("pointermove", move), { once: true });
}

function choose(which, index) {
  // The two must differ: the other one steps aside.
  if (pair[1 - which] === index) pair[1 - which] = pair[which];
  pair[which] = index;
  heat = null;
  if (mode === "difference") work();
}

function show(wanted) {
  mode = wanted;
  if (mode === "settings" && !table) ask();
  if (mode === "difference" && !heat) work();
  paint();
}

async function ask() {
  const names = [...picks.keys()].map((id) => `image=${encodeURIComponent(id)}`).join("&");
  try {
    const answer = await fetch(`compare.json?${names}`);
    table = await answer.json();
  } catch {
    table = { error: "The settings could not be read. Close this and try again." };
  }
  paint();
}

async function work() {
  const [one, other] = two();
  const found = await heatOf(one.image.original, other.image.original).catch(() => null);
  if (one !== two()[0] || other !== two()[1]) return;
  heat = found || { error: "An image could not be read, so nothing can be compared." };
  paint();
}

const shown = () => [...picks.values()];
const first = () => (OF_TWO.includes(mode) ? two()[0] : shown()[0]);
const two = () => pair.map((index) => shown()[index]);

function paint() {
  if (!dialog.open) return;
  const views = { side, slider, difference, settings };
  render(dialog, head(), views[mode]());
  const canvas = dialog.querySelector("canvas");
  if (canvas && heat?.bitmap && canvas.shown !== heat) {
    canvas.getContext("2d").putImageData(heat.bitmap, 0, 0);
    canvas.shown = heat;
  }
  zoom.apply();
}

function head() {
  const tool = (go, glyph, label) => h("button", { type: "button", class: "icon-button", key: go, "data-go": go, "aria-label": label, title: label }, icon(glyph));
  const zoomable = mode !== "settings";
  return h("div", { class: "lightbox-bar", key: "head" },
    h("div", { class: "compare-modes", role: "group", "aria-label": "How to compare" }, Object.entries(MODES).map(([name, words]) =>
      h("button", { type: "button", class: "button quiet", key: name, "data-mode": name, "aria-pressed": String(mode === name) }, words))),
    OF_TWO.includes(mode) && picks.size > 2 ? [chooser("first", 0), chooser("second", 1)] : null,
    h("span", { class: "zoom-percent", key: "percent" }),
    zoomable ? [tool("out", "null", "Smaller (-)"), tool("in", "plus", "Larger (+)"), h("button", { type: "button", class: "button quiet", key: "fit", "data-go": "fit" }, "Fit"), h("button", { type: "button", class: "button quiet full", key: "full", "data-go": "full" }, "1:1")] : null,
    tool("close", "x", "Close"));
}

const chooser = (name, which) => h("select", { key: name, name, "aria-label": which ? "Second image" : "First image", value: pair[which] },
  shown().map((one, index) => h("option", { key: index, value: index, selected: pair[which] === index }, `${index + 1} ${named(one)}`)));

const named = (one) => `${one.model}${one.provider ? ` ${one.provider}` : ""}`;
const caption = (one) => h("figcaption", { key: "caption" }, h("b", {}, one.model), one.provider ? ` ${one.provider}` : "", h("span", {}, ` · ${one.image.size}`));
const picture = (one, key) => h("img", { key, src: one.image.original, alt: `${named(one)}: ${one.alt}`, draggable: "false" });

const side = () => h("div", { class: `compare-grid of-${picks.size}`, key: "side" }, shown().map((one) =>
  h("figure", { key: one.id }, h("div", { class: "zoom-stage" }, picture(one, "img")), caption(one))));

function slider() {
  const [one, other] = two();
  return h("div", { class: "compare-one", key: "slider" },
    h("div", { class: "zoom-stage" },
      picture(one, "under"),
      h("div", { class: "compare-over", key: "over", style: `clip-path: inset(0 0 0 ${split}%)` }, picture(other, "img")),
      h("div", { class: "compare-line", key: "line", style: `left: ${split}%`, "aria-hidden": "true" }, h("i", {}))),
    h("div", { class: "compare-foot" },
      h("span", {}, named(one)),
      h("input", { type: "range", name: "split", min: 0, max: 100, step: 1, value: Math.round(split), "aria-label": "Place of the divider, percent from the left" }),
      h("span", {}, named(other))));
}

function difference() {
  const [one, other] = two();
  if (heat?.error) return h("div", { class: "compare-one", key: "difference" }, h("p", { class: "compare-wait", role: "alert" }, heat.error));
  return h("div", { class: "compare-one", key: "difference" },
    heat ? h("div", { class: "zoom-stage" }, h("canvas", { key: `${one.id} ${other.id}`, width: heat.width, height: heat.height, role: "img", "aria-label": `Where ${named(one)} and ${named(other)} differ. ${heat.words}` }))
      : h("p", { class: "compare-wait sheen" }, "Comparing every pixel…"),
    h("div", { class: "compare-foot" },
      h("span", {}, `${named(one)} and ${named(other)}`),
      heat ? h("span", { class: "heat-words" }, heat.words) : null,
      h("span", { class: "heat-key", "aria-hidden": "true" }, "alike", h("i", {}), "far apart")));
}

function settings() {
  if (!table) return h("p", { class: "compare-wait sheen", key: "settings" }, "Reading the settings…");
  if (table.error) return h("p", { class: "compare-wait", key: "settings", role: "alert" }, table.error);
  const rows = table.rows.filter((row) => row.differs || !onlyDifferences);
  return h("div", { class: "compare-settings", key: "settings" },
    h("label", { class: "compare-only" }, h("span", { class: "box" }, h("input", { type: "checkbox", name: "differences", checked: onlyDifferences }), icon("check")), "Only what differs"),
    rows.length ? h("div", { class: "compare-table" }, h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}), shown().map((one, index) => h("th", { key: one.id, scope: "col" },
        h("img", { src: one.image.thumb, alt: `Image ${index + 1}` }))))),
      h("tbody", {}, rows.map((row) => h("tr", { key: row.field, class: row.differs ? "differs" : "" },
        h("th", { scope: "row" }, row.field), row.values.map((value, index) => h("td", { key: index }, value || "not set")))))))
      : h("p", { class: "compare-wait" }, "Their settings are the same."));
}
