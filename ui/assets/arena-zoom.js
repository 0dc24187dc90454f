/* Both images of a battle, enlarged side by side: one zoom and one place for both. Held F or Flip shows each in the other's
   place. Only what the battle shows is shown here: before the vote, the blind copies under their letters. */

import { h, icon, render } from "./dom.js";
import { syncedZoom } from "./synced_zoom.js";

let dialog;
let zoom;
let shown = null;
let isFlipped = false;

/** `{images: {a, b}, labels: {a, b}, width, height}`: addresses, words and pixels of both. */
export function openZoom(pair) {
  shown = pair;
  isFlipped = false;
  if (!dialog) make();
  if (!dialog.open) dialog.showModal();
  zoom.reset();
  paint();
}

export function closeZoom() {
  if (dialog?.open) dialog.close();
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox ar-zoom";
  dialog.setAttribute("aria-label", "Both images, enlarged");
  dialog.dataset.testid = "zoom";
  document.querySelector(".gradio-container").append(dialog);
  dialog.addEventListener("click", (event) => press(event.target.closest("button")?.dataset.go));
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("keyup", (event) => /^f$/i.test(event.key) && flip(false));
  dialog.addEventListener("pointerdown", (event) => event.target.closest("[data-go=flip]") && flip(true));
  for (const name of ["pointerup", "pointercancel"]) dialog.addEventListener(name, () => flip(false));
  zoom = syncedZoom(dialog, { stages: ".zoom-stage", size: () => shown && [shown.width, shown.height] });
  // The page's own keys and its drop must not see what happens here.
  dialog.addEventListener("close", () => {
    flip(false);
    shown = null;
    render(dialog);
  });
}

function press(what) {
  if (what === "close") closeZoom();
  else zoom.press(what);
}

function onKey(event) {
  if (/^f$/i.test(event.key)) flip(true);
  else if (/^z$/i.test(event.key)) closeZoom();
  else if (event.key === " " && event.target.dataset?.go === "flip" && !event.repeat) flip(!isFlipped);
  else if (!zoom.key(event.key)) return;
  event.preventDefault();
}

function flip(is) {
  if (is === isFlipped || !shown) return;
  isFlipped = is;
  paint();
}

// What is drawn

function paint() {
  const button = (go, glyph, label) => h("button", { type: "button", class: "icon-button", key: go, "data-go": go, "aria-label": label, title: label }, icon(glyph));
  render(dialog,
    h("div", { class: "lightbox-bar", key: "bar" },
      h("p", { key: "words" }, "Both move together. Drag, scroll or pinch."),
      h("span", { class: "zoom-percent", key: "percent" }),
      button("out", "null", "Smaller (-)"),
      button("in", "plus", "Larger (+)"),
      h("button", { type: "button", class: "button quiet", key: "fit", "data-go": "fit" }, "Fit"),
      h("button", { type: "button", class: "button quiet", key: "full", "data-go": "full" }, "1:1"),
      h("button", { type: "button", class: "button", key: "flip", "data-go": "flip", "aria-pressed": String(isFlipped), title: "Hold to show each in the other’s place" }, "Hold to flip", h("kbd", { "aria-hidden": "true" }, "F")),
      button("close", "x", "Close")),
    h("div", { class: `ar-stages${shown.width < shown.height ? " upright" : ""}`, key: "stages" }, ["a", "b"].map((side) => {
      const seen = isFlipped ? (side === "a" ? "b" : "a") : side;
      return h("figure", { key: side, "data-testid": `zoom-${side}` },
        h("div", { class: "zoom-stage" }, ["a", "b"].map((one) => h("img", { key: one, class: one === seen ? "" : "behind", src: shown.images[one], alt: one === seen ? `Image ${one.toUpperCase()}` : "", draggable: "false" }))),
        h("figcaption", {}, h("b", {}, shown.labels[seen])));
    })));
  zoom.apply();
}
