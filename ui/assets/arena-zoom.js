/* Both images of a battle, enlarged side by side: one zoom and one place for both. Held F or Flip shows each in the other's
   place. Only what the battle shows is shown here: before the vote, the blind copies under their letters. */

import { h, icon, render } from "./dom.js";

const MOST = 12;
const STEP = 1.5;

let dialog;
let shown = null;
let isFlipped = false;
let place = { scale: 1, x: 0, y: 0 };
const pointers = new Map();

/** `{images: {a, b}, labels: {a, b}, width, height}`: addresses, words and pixels of both. */
export function openZoom(pair) {
  shown = pair;
  isFlipped = false;
  place = { scale: 1, x: 0, y: 0 };
  pointers.clear();
  if (!dialog) make();
  if (!dialog.open) dialog.showModal();
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
  dialog.addEventListener("pointerdown", onDown);
  dialog.addEventListener("pointermove", onMove);
  for (const name of ["pointerup", "pointercancel"]) dialog.addEventListener(name, onUp);
  dialog.addEventListener("wheel", onWheel, { passive: false });
  dialog.addEventListener("dblclick", (event) => {
    const stage = event.target.closest(".ar-stage");
    if (stage) zoomTo(place.scale > 1 ? 1 : natural(), stage, event);
  });
  // The page's own keys and its drop must not see what happens here.
  dialog.addEventListener("close", () => {
    flip(false);
    shown = null;
    render(dialog);
  });
  addEventListener("resize", () => dialog.open && apply());
}

function press(what) {
  if (what === "close") closeZoom();
  else if (what === "in") zoomTo(place.scale * STEP);
  else if (what === "out") zoomTo(place.scale / STEP);
  else if (what === "fit") zoomTo(1);
  else if (what === "full") zoomTo(natural());
}

function onKey(event) {
  const by = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (/^f$/i.test(event.key)) flip(true);
  else if (/^z$/i.test(event.key)) closeZoom();
  else if (event.key === "+" || event.key === "=") zoomTo(place.scale * STEP);
  else if (event.key === "-") zoomTo(place.scale / STEP);
  else if (event.key === "0") zoomTo(1);
  else if (event.key === "1") zoomTo(natural());
  else if (by) move(by[0] * 60, by[1] * 60);
  else if (event.key === " " && event.target.dataset?.go === "flip" && !event.repeat) flip(!isFlipped);
  else return;
  event.preventDefault();
}

// Where both stand

const stages = () => [...dialog.querySelectorAll(".ar-stage")];

/** CSS pixels that a pixel of the images takes when they fit. */
function fit() {
  const stage = stages()[0];
  return Math.min(stage.clientWidth / shown.width, stage.clientHeight / shown.height);
}

/** The scale at which a pixel of the images is a pixel of the screen. */
const natural = () => 1 / fit() / devicePixelRatio;

function zoomTo(scale, stage = stages()[0], at = null) {
  const next = Math.min(Math.max(scale, Math.min(1, natural())), Math.max(MOST, natural() * 4));
  const box = stage.getBoundingClientRect();
  const from = at ? [at.clientX - box.left - box.width / 2, at.clientY - box.top - box.height / 2] : [0, 0];
  const grown = next / place.scale;
  place = { scale: next, x: from[0] - (from[0] - place.x) * grown, y: from[1] - (from[1] - place.y) * grown };
  apply();
}

function move(x, y) {
  place = { ...place, x: place.x + x, y: place.y + y };
  apply();
}

function apply() {
  const stage = stages()[0];
  if (!stage || !shown) return;
  const size = fit() * place.scale;
  const room = [Math.max(0, (shown.width * size - stage.clientWidth) / 2), Math.max(0, (shown.height * size - stage.clientHeight) / 2)];
  place.x = Math.min(Math.max(place.x, -room[0]), room[0]);
  place.y = Math.min(Math.max(place.y, -room[1]), room[1]);
  for (const image of dialog.querySelectorAll(".ar-stage img")) image.style.transform = `translate(${place.x}px, ${place.y}px) scale(${place.scale})`;
  dialog.classList.toggle("can-pan", room[0] > 0 || room[1] > 0);
  const percent = dialog.querySelector(".ar-percent");
  if (percent) percent.textContent = `${Math.round(size * devicePixelRatio * 100)} %`;
}

function flip(is) {
  if (is === isFlipped || !shown) return;
  isFlipped = is;
  paint();
}

// Pointers: one pans, two pinch

function onDown(event) {
  if (event.target.closest("[data-go=flip]")) {
    flip(true);
    return;
  }
  const stage = event.target.closest(".ar-stage");
  if (!stage || event.button) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY, stage });
  event.preventDefault();
}

function onMove(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = { clientX: event.clientX, clientY: event.clientY, stage: before.stage };
  if (pointers.size === 1) move(now.clientX - before.clientX, now.clientY - before.clientY);
  else {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const middle = { clientX: (now.clientX + other.clientX) / 2, clientY: (now.clientY + other.clientY) / 2 };
    if (apart(before) > 0) zoomTo((place.scale * apart(now)) / apart(before), before.stage, middle);
  }
  pointers.set(event.pointerId, now);
}

function onUp(event) {
  pointers.delete(event.pointerId);
  flip(false);
}

function onWheel(event) {
  const stage = event.target.closest(".ar-stage");
  if (!stage) return;
  event.preventDefault();
  zoomTo(place.scale * Math.exp(-event.deltaY / 400), stage, event);
}

// What is drawn

function paint() {
  const button = (go, glyph, label) => h("button", { type: "button", class: "icon-button", key: go, "data-go": go, "aria-label": label, title: label }, icon(glyph));
  render(dialog,
    h("div", { class: "lightbox-bar", key: "bar" },
      h("p", { key: "words" }, "Both move together. Drag, scroll or pinch."),
      h("span", { class: "ar-percent", key: "percent" }),
      button("out", "null", "Smaller (-)"),
      button("in", "plus", "Larger (+)"),
      h("button", { type: "button", class: "button quiet", key: "fit", "data-go": "fit" }, "Fit"),
      h("button", { type: "button", class: "button quiet", key: "full", "data-go": "full" }, "1:1"),
      h("button", { type: "button", class: "button", key: "flip", "data-go": "flip", "aria-pressed": String(isFlipped), title: "Hold to show each in the other’s place" }, "Hold to flip", h("kbd", { "aria-hidden": "true" }, "F")),
      button("close", "x", "Close")),
    h("div", { class: `ar-stages${shown.width < shown.height ? " upright" : ""}`, key: "stages" }, ["a", "b"].map((side) => {
      const seen = isFlipped ? (side === "a" ? "b" : "a") : side;
      return h("figure", { key: side, "data-testid": `zoom-${side}` },
        h("div", { class: "ar-stage" }, ["a", "b"].map((one) => h("img", { key: one, class: one === seen ? "" : "behind", src: shown.images[one], alt: one === seen ? `Image ${one.toUpperCase()}` : "", draggable: "false" }))),
        h("figcaption", {}, h("b", {}, shown.labels[seen])));
    })));
  apply();
}
