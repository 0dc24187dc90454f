/* A battle as it is drawn: prompt, source images and two boxes whose shape stands before their images; and what stands there
   when there is none. */

import { foot } from "./arena-foot.js";
import { h, icon } from "./dom.js";

/** What the tab shows for its value. */
export function board(shown, gate, look, form) {
  if (shown.state === "loading") return h("div", { class: "ar-quiet" });
  if (shown.state === "form") return form.describe(gate.sent);
  if (shown.state === "empty") return empty(shown, gate);
  if (shown.state === "off") return off(shown, gate);
  return h(
    "div",
    { class: `ar${look.more && shown.state === "battle" ? " more" : ""}`, "data-testid": "battle", "data-state": shown.state, "data-gate": shown.state === "battle" ? gate.state : "closed" },
    shown.prompt && h("h2", { class: "ar-prompt", key: "prompt" }, shown.prompt),
    // On a phone the line at the foot lies below both images; this is to be known before the vote.
    shown.state === "battle" && shown.origin === "chosen" ? h("p", { class: "ar-note caption", key: "note" }, shown.source) : null,
    shown.inputs?.length ? sources(shown.inputs) : null,
    shown.width ? pair(shown, gate) : null,
    shown.state === "reported" ? reported(shown) : null,
    foot(shown, gate, look),
  );
}

const sources = (urls) =>
  h(
    "div",
    { class: "ar-inputs", key: "inputs" },
    h("span", { class: "caption" }, urls.length > 1 ? "Sources" : "Source"),
    urls.map((url, n) =>
      h("button", { type: "button", key: url, class: "ar-input", "data-source": n + 1, "data-src": url, "aria-label": `Enlarge source image ${n + 1}`, title: "Enlarge" },
        h("img", { src: url, alt: `Source image ${n + 1}` }), urls.length > 1 ? h("b", {}, n + 1) : null)),
  );

function pair(shown, gate) {
  const ratio = shown.width / shown.height;
  return h(
    "div",
    { class: `ar-pair ${ratio < 1 ? "upright" : ""}`, key: `pair ${shown.battle_id || ""}`, style: `--ratio: ${ratio}` },
    ["a", "b"].map((side) => half(shown, gate, side)),
  );
}

function half(shown, gate, side) {
  const letter = side.toUpperCase();
  const isShown = shown.state !== "working" && gate.images && ["shown", "open"].includes(gate.state);
  const told = shown.reveal?.[side];
  return h(
    "figure",
    { class: "ar-side", "data-testid": `side-${side}` },
    isShown
      ? h("button", { type: "button", class: "ar-box", "data-zoom": side, "aria-label": `Enlarge both images, ${letter} first`, title: "Enlarge both (Z)" },
          h("img", { src: gate.images[side], alt: told ? `${letter}: ${shown.prompt}` : `Image ${letter}`, width: shown.width, height: shown.height }))
      : h("div", { class: gate.state === "broken" && shown.state !== "working" ? "ar-box broken" : "ar-box sheen" }, gate.state === "broken" && shown.state === "battle" ? unshown(gate, side) : null),
    h(
      "figcaption",
      {},
      told
        ? [
            h("div", { class: "ar-maker", key: "maker" }, h("b", {}, told.model), told.provider ? h("span", {}, told.provider) : null, voted(shown, side)),
            h("div", { class: "ar-facts", key: "facts" }, h("span", {}, told.facts), told.rating ? h("span", {}, told.rating) : null),
          ]
        : h("b", { key: "letter" }, letter),
    ),
  );
}

/** Neither image is seen without the other, so the one that came waits. */
const unshown = (gate, side) =>
  gate.missing.includes(side)
    ? [
        h("p", { key: "words" }, icon("warn", "warn"), "Did not load"),
        h("button", { type: "button", class: "button", key: "again", "data-ask": "reload", "aria-label": `Load image ${side.toUpperCase()} again`, disabled: gate.sent }, "Load again"),
      ]
    : h("p", { key: "words" }, "Waits for the other image");

const voted = (shown, side) => (shown.outcome === side ? h("span", { class: "chip" }, icon("check", "ok"), "Your vote") : null);

const reported = (shown) =>
  h("div", { class: "empty ar-reported", key: "reported", "data-testid": "reported" }, icon("check", "ok"), h("h2", {}, shown.title), h("p", {}, shown.text));

function empty(shown, gate) {
  const button = (props, words, isFirst) => h("button", { type: "button", class: `button ${isFirst ? "primary" : ""}`, ...props }, words);
  return h(
    "div",
    { class: "empty", "data-testid": "arena-empty" },
    icon("compare"),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    h(
      "div",
      { class: "row" },
      shown.is_filtered ? button({ key: "any", "data-ask": "anything", disabled: gate.sent }, "Show any task", true) : null,
      shown.has_demo && !shown.is_filtered ? button({ key: "demo", id: "ar-demo", "data-ask": "demo_battle", disabled: gate.sent }, "Start a demo battle · free", true) : null,
      shown.has_models ? button({ key: "new", id: "ar-source", "data-ask": "form", disabled: gate.sent }, "New battle", !shown.has_demo && !shown.is_filtered) : null,
      shown.has_models ? null : h("a", { key: "keys", class: `button ${shown.has_demo ? "" : "primary"}`, href: "#settings" }, "Add a key"),
      h("a", { key: "playground", class: "button", href: "#playground" }, "Open Playground"),
    ),
  );
}

function off(shown, gate) {
  return h(
    "div",
    { class: "empty", "data-testid": "arena-off" },
    icon("warn", "warn"),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    shown.reasons?.length ? h("ul", { class: "ar-reasons" }, shown.reasons.map((reason, n) => h("li", { key: n }, reason))) : null,
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "button primary", "data-ask": "form", disabled: gate.sent }, "New battle"),
      h("button", { type: "button", class: "button", id: "ar-next", "data-ask": "next", disabled: gate.sent }, "Pairs already made"),
    ),
  );
}
