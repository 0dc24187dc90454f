/* One tile: the image's box has its final ratio before there is an image; nothing is ever written on an image. */

import { isPicked } from "./compare.js";
import { h, icon } from "./dom.js";

/** Tiles that show what came instead of what the lock made of it. */
const asItCame = new Set();

export function toggleLock(id) {
  asItCame.has(id) ? asItCame.delete(id) : asItCame.add(id);
}

/** The picture that stands for the tile: the locked one where there is one, unless what came is asked for. */
export const shownOf = (one) => (one.lock?.state === "made" && !asItCame.has(one.id) ? one.lock : one.image);

const ACTIONS = [
  ["base", "base", "Use as base"],
  ["reference", "ref", "Add as reference"],
  ["remix", "remix", "Remix: take these settings into the form"],
];

export function tile(one) {
  const name = `${one.model}${one.provider ? `, ${one.provider}` : ""}`;
  return h("figure", {
    class: `tile${isPicked(one.id) ? " picked" : ""}`, key: one.id, tabindex: "-1", "data-testid": "tile", "data-state": one.state, "data-run": one.run, "data-position": one.position,
    "data-name": name, "data-original": one.image && shownOf(one).original, "data-download": one.image && (shownOf(one) === one.lock ? one.lock.original : one.image.downloads[0].url), "data-size": one.image && shownOf(one).size,
  },
  box(one),
  progress(one),
  h("figcaption", {},
    h("div", { class: "tile-head" },
      h("p", { class: "tile-name" }, h("b", {}, one.model), one.provider ? ` ${one.provider}` : ""),
      one.image ? pick(one) : null),
    // Of a press with variables each run has a prompt of its own.
    one.prompt ? h("p", { class: "caption tile-prompt", title: one.prompt, key: "prompt" }, one.prompt) : null,
    h("div", { class: "chips" }, one.chips.map((chip, index) => chipOf(chip, index))),
    figures(one),
    one.lock ? locked(one) : null,
    one.tags.length ? h("p", { class: "caption tile-tags", key: "tags" }, one.tags.map((tag) => `#${tag}`).join("  ")) : null,
    // The row is there before its buttons: nothing moves when an image arrives.
    h("div", { class: "tile-actions" }, one.image ? actions(one) : ["queued", "running"].includes(one.state) ? stopOne(one) : one.failure && one.state !== "missing" ? moreOf(one) : null)));
}

function box(one) {
  const ratio = { style: `aspect-ratio: ${one.ratio}` };
  if (one.image) {
    return h("button", { type: "button", class: "image-box", ...ratio, "data-act": "open", "aria-label": `Open: ${one.alt}`, key: "box" },
      h("img", { src: shownOf(one).thumb, alt: one.alt, key: "img", decoding: "async" }));
  }
  if (one.failure) return h("div", { class: "image-box failed", ...ratio, key: "failed" }, failure(one));
  if (one.preview) return h("div", { class: "image-box", ...ratio, key: "preview" }, h("img", { src: one.preview, alt: `Preview: ${one.alt}`, key: "img" }));
  if (one.state === "parked") {
    return h("div", { class: "image-box parked", ...ratio, key: "parked" },
      h("p", {}, one.waits), h("a", { class: "button", href: one.waits_for }, "Open Settings"));
  }
  return h("div", { class: "image-box sheen", ...ratio, key: "waiting" }, one.waits ? h("p", {}, one.waits) : null);
}

const pick = (one) =>
  h("label", { class: "pick", key: "pick" },
    h("span", { class: "box" },
      h("input", { type: "checkbox", checked: isPicked(one.id), "data-pick": one.id, "aria-label": `Compare ${one.model}${one.provider ? ` ${one.provider}` : ""}` }), icon("check")),
    "Compare");

function progress(one) {
  const [seen, asked] = one.progress;
  const share = one.state === "running" && asked ? Math.min(seen / asked, 1) : 0;
  return h("div", { class: "tile-bar", "aria-hidden": "true" }, share ? h("i", { style: `width: ${Math.round(share * 100)}%` }) : null);
}

function failure({ failure: told, run, position }) {
  const step = told.action === "key"
    ? h("a", { class: "button", href: told.key_link }, told.label)
    : told.action ? h("button", { type: "button", class: "button", "data-act": told.action, "data-run": run, "data-position": position }, told.label) : null;
  return [
    h("p", { class: "failure-title" }, icon(told.icon, told.tone), h("b", {}, told.title)),
    h("p", { class: "failure-text" }, told.text),
    step ? h("p", { class: "failure-step" }, step, told.aside ? h("span", { class: "caption" }, told.aside) : null) : null,
  ];
}

const chipOf = ({ icon: glyph, tone, figure, text, title }, index) =>
  h("span", { class: "chip", key: index, title: title || null }, glyph ? icon(glyph, `${tone}${glyph === "spin" ? " spin" : ""}`) : null, figure ? h("b", {}, figure) : null, text);

function figures(one) {
  if (!one.since) return h("p", { class: "caption figures", key: "still" }, one.figures);
  // The stopwatch writes its own text, so nothing is described inside it.
  return h("p", { class: "caption figures", key: "clock" },
    h("time", { "data-since": one.since, "data-word": one.state === "queued" ? "Waiting " : "", "data-first": one.first ? `, preview at ${one.first}` : "", key: one.since }));
}

function locked(one) {
  const { state, words, note, heat } = one.lock;
  if (state !== "made") return h("p", { class: "caption tile-lock", key: "lock" }, words);
  const isRaw = asItCame.has(one.id);
  return h("div", { class: "tile-lock", key: "lock", "data-testid": "lock" },
    h("p", { class: "caption" }, words, note ? ` ${note}` : ""),
    h("div", { class: "lock-ways" },
      h("button", { type: "button", class: "link", "data-act": "toggle_lock", "data-id": one.id, "aria-pressed": String(isRaw) }, isRaw ? "Show the locked image" : "Show it as it came"),
      heat ? h("button", { type: "button", class: "link", "data-act": "heat", "data-id": one.id }, "Where it changed") : null));
}

const stopOne = (one) =>
  h("button", { type: "button", class: "button quiet stop-one", key: "stop", "data-act": "stop_run", "data-run": one.run, "data-position": one.position, title: "Stop this run only" }, icon("stop"), "Stop");

function actions(one) {
  const at = { "data-run": one.run, "data-position": one.position };
  const button = (act, glyph, label, more = {}) =>
    h("button", { type: "button", class: "icon-button", "data-act": act, ...at, key: act, "aria-label": label, title: label, ...more }, icon(glyph));
  const { url, label } = one.image.downloads[0];
  return [
    button("open", "open", "Open"),
    ACTIONS.map(([act, glyph, words]) => button(act, glyph, words)),
    button("favourite", "star", "Favourite", { "aria-pressed": String(one.favourite), class: `icon-button${one.favourite ? " on" : ""}` }),
    h("a", { class: "icon-button", key: "download", href: `${url}?download`, download: true, "aria-label": label, title: label }, icon("download")),
    moreOf(one),
  ];
}

/** What comes of a run without an image can be put away too. */
const moreOf = (one) =>
  h("button", { type: "button", class: "icon-button tile-more", "data-act": "menu", "data-run": one.run, "data-position": one.position, "data-id": one.id, key: "more", "aria-label": "More", title: "More", "aria-haspopup": "menu" }, icon("more"));
