/* The mask of image 1, painted by hand. What is marked is shown over the image; closing the editor applies it, in whatever
   way it is closed. The file that is made is as providers take it: clear where to repaint. */

import { announce, h, icon, render } from "./dom.js";

/** Longest edge in pixels on which is painted; the server brings the mask to the size of the image. */
const LONGEST = 1536;
const MOST_UNDO = 12;
const INK = "#2f49d1";
const BRUSH = { least: 4, most: 400, first: 60 };
const STEP_PX = 8;
/** Pixels over which a mask that is painted anew ends: a hard edge would show in the image. */
const SOFT_EDGE = 8;

let dialog;
let state = null;

/** `{image, mask, isLocked, apply(file), lock(isOn), upload()}`: addresses of the image and of its mask so far, or null.
    `apply` is called once, on closing, when something was changed: with a PNG, or with null when nothing is marked. */
export async function openMaskEditor(given) {
  if (!dialog) make();
  const image = await loaded(given.image);
  const scale = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = sized(Math.round(image.naturalWidth * scale), Math.round(image.naturalHeight * scale));
  state = { ...given, canvas, undo: [], redo: [], tool: "brush", size: BRUSH.first, feather: given.mask ? 0 : SOFT_EDGE, isChanged: false, share: 0 };
  if (given.mask) await takeMask(given.mask);
  count();
  dialog.showModal();
  paint();
}

const loaded = (src) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image);
  image.onerror = () => reject(new Error("the image cannot be shown"));
  image.src = src;
});

function sized(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

const pen = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

/** A mask as it was sent, clear where to repaint, becomes ink there. */
async function takeMask(src) {
  const { canvas } = state;
  const brush = pen(canvas);
  brush.fillStyle = INK;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.globalCompositeOperation = "destination-out";
  brush.drawImage(await loaded(src), 0, 0, canvas.width, canvas.height);
  brush.globalCompositeOperation = "source-over";
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox mask-editor";
  dialog.dataset.testid = "mask-editor";
  dialog.setAttribute("aria-label", "Mask of image 1");
  document.querySelector(".gradio-container").append(dialog);
  dialog.addEventListener("click", (event) => {
    const act = event.target.closest("[data-mask]")?.dataset.mask;
    if (act) press(act);
  });
  dialog.addEventListener("input", (event) => {
    const { name, value, checked } = event.target;
    if (name === "size") state.size = Number(value);
    if (name === "feather") state.feather = Number(value);
    if (name === "feather") state.isChanged = true;
    if (name === "lock") state.lock(state.isLocked = checked);
    paint();
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("pointerdown", onDown);
  dialog.addEventListener("pointermove", onMove);
  for (const name of ["pointerup", "pointercancel"]) dialog.addEventListener(name, onUp);
  dialog.addEventListener("close", finish);
}

function press(act) {
  const acts = {
    brush: () => choose("brush"), eraser: () => choose("eraser"), undo: () => back("undo", "redo"), redo: () => back("redo", "undo"),
    clear: () => change(clear), invert: () => change(invert), grow: () => change(() => grow(STEP_PX)), shrink: () => change(() => shrink(STEP_PX)),
    download, close: () => dialog.close(),
    upload: () => {
      state.isChanged = false;
      dialog.close();
      state.upload();
    },
  };
  acts[act]?.();
}

function onKey(event) {
  if (event.target.matches("input")) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") back(...(event.shiftKey ? ["redo", "undo"] : ["undo", "redo"]));
  else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (key === "b") choose("brush");
  else if (key === "e") choose("eraser");
  else if (key === "i") press("invert");
  else if (key === "[") resize(1 / 1.25);
  else if (key === "]") resize(1.25);
  else return;
  event.preventDefault();
}

function choose(tool) {
  state.tool = tool;
  paint();
}

function resize(by) {
  state.size = Math.round(Math.min(Math.max(state.size * by, BRUSH.least), BRUSH.most));
  paint();
}

// Changes, each of which can be undone

function remember() {
  const { canvas } = state;
  const copy = sized(canvas.width, canvas.height);
  pen(copy).drawImage(canvas, 0, 0);
  state.undo.push(copy);
  if (state.undo.length > MOST_UNDO) state.undo.shift();
  state.redo = [];
  state.isChanged = true;
}

function change(work) {
  remember();
  work();
  count();
  paint();
}

function back(from, to) {
  const before = state[from].pop();
  if (!before) return;
  const { canvas } = state;
  const copy = sized(canvas.width, canvas.height);
  pen(copy).drawImage(canvas, 0, 0);
  state[to].push(copy);
  put(before);
  state.isChanged = true;
  count();
  paint();
}

function put(other) {
  clear();
  pen(state.canvas).drawImage(other, 0, 0);
}

function clear() {
  pen(state.canvas).clearRect(0, 0, state.canvas.width, state.canvas.height);
}

function invert() {
  const { canvas } = state;
  const other = sized(canvas.width, canvas.height);
  const brush = pen(other);
  brush.fillStyle = INK;
  brush.fillRect(0, 0, other.width, other.height);
  brush.globalCompositeOperation = "destination-out";
  brush.drawImage(canvas, 0, 0);
  put(other);
}

/** Laid over itself along a circle. */
function grow(by) {
  const { canvas } = state;
  const other = sized(canvas.width, canvas.height);
  const brush = pen(other);
  for (let step = 0; step < 24; step += 1) {
    const angle = (step / 24) * 2 * Math.PI;
    brush.drawImage(canvas, Math.cos(angle) * by, Math.sin(angle) * by);
  }
  brush.drawImage(canvas, 0, 0);
  put(other);
}

function shrink(by) {
  invert();
  grow(by);
  invert();
}

function count() {
  const small = sized(96, 96);
  pen(small).drawImage(state.canvas, 0, 0, 96, 96);
  const { data } = pen(small).getImageData(0, 0, 96, 96);
  let sum = 0;
  for (let at = 3; at < data.length; at += 4) sum += data[at];
  state.share = sum / (255 * 96 * 96);
}

// Strokes

let last = null;

function place(event) {
  const box = state.canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * state.canvas.width, ((event.clientY - box.top) / box.height) * state.canvas.height];
}

function onDown(event) {
  if (event.target !== state?.canvas || event.button) return;
  event.preventDefault();
  state.canvas.setPointerCapture(event.pointerId);
  remember();
  last = place(event);
  stroke(last, last);
}

function onMove(event) {
  showRing(event);
  if (!last) return;
  // Every place the pointer was at, not only where the browser had time to tell.
  for (const one of event.getCoalescedEvents?.() ?? [event]) {
    const next = place(one);
    stroke(last, next);
    last = next;
  }
}

function onUp() {
  if (!last) return;
  last = null;
  count();
  paint();
}

function stroke(from, to) {
  const brush = pen(state.canvas);
  Object.assign(brush, { lineCap: "round", lineWidth: state.size, strokeStyle: INK, globalCompositeOperation: state.tool === "eraser" ? "destination-out" : "source-over" });
  brush.beginPath();
  brush.moveTo(...from);
  brush.lineTo(to[0] + 0.01, to[1]);
  brush.stroke();
  brush.globalCompositeOperation = "source-over";
}

function showRing(event) {
  const ring = dialog.querySelector(".mask-ring");
  if (!ring) return;
  const isOver = event.target === state?.canvas;
  ring.hidden = !isOver || event.pointerType === "touch";
  if (ring.hidden) return;
  const across = (state.size * state.canvas.getBoundingClientRect().width) / state.canvas.width;
  ring.style.cssText = `left: ${event.clientX}px; top: ${event.clientY}px; width: ${across}px; height: ${across}px`;
}

// The file

/** A PNG, clear where to repaint, its edges soft as far as was asked. */
function toFile() {
  const { canvas, feather } = state;
  const soft = sized(canvas.width, canvas.height);
  const brush = pen(soft);
  if (feather) brush.filter = `blur(${feather / 2}px)`;
  brush.drawImage(canvas, 0, 0);
  const made = sized(canvas.width, canvas.height);
  const under = pen(made);
  under.fillRect(0, 0, made.width, made.height);
  under.globalCompositeOperation = "destination-out";
  under.drawImage(soft, 0, 0);
  return new Promise((resolve) => {
    made.toBlob((blob) => resolve(new File([blob], "mask.png", { type: "image/png" })), "image/png");
  });
}

async function download() {
  const url = URL.createObjectURL(await toFile());
  const link = Object.assign(document.createElement("a"), { href: url, download: "mask.png" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function finish() {
  if (!state) return;
  const { isChanged, share, apply } = state;
  if (isChanged) {
    const file = share > 0 ? await toFile() : null;
    announce(file ? `Mask applied, ${percent(share)} marked` : "Nothing is marked, so there is no mask");
    apply(file);
  }
  state = null;
  render(dialog);
}

const percent = (share) => `${share > 0 && share < 0.01 ? "under 1" : Math.round(share * 100)} %`;

// What is drawn

function paint() {
  const tool = (act, glyph, label, extra = {}) => h("button", { type: "button", class: "icon-button", key: act, "data-mask": act, "aria-label": label, title: label, ...extra }, icon(glyph));
  const word = (act, text, extra = {}) => h("button", { type: "button", class: "button quiet", key: act, "data-mask": act, ...extra }, text);
  const slider = (name, words, least, most) => h("label", { class: "mask-slider", key: name }, words, h("input", { type: "range", name, min: least, max: most, value: state[name] }));
  render(dialog,
    h("div", { class: "lightbox-bar mask-bar", key: "bar" },
      h("div", { class: "compare-modes", role: "group", "aria-label": "Tool" }, word("brush", "Brush", { "aria-pressed": String(state.tool === "brush"), title: "B" }), word("eraser", "Eraser", { "aria-pressed": String(state.tool === "eraser"), title: "E" })),
      slider("size", "Size", BRUSH.least, BRUSH.most),
      tool("undo", "left", "Undo (Ctrl Z)", { disabled: !state.undo.length }), tool("redo", "right", "Redo (Ctrl Shift Z)", { disabled: !state.redo.length }),
      word("clear", "Clear"), word("invert", "Invert"), word("grow", "Grow"), word("shrink", "Shrink"),
      slider("feather", "Soft edge", 0, 64),
      word("upload", "Upload"), tool("download", "download", "Download the mask"),
      h("span", { class: "chip", key: "share", role: "status" }, h("b", {}, percent(state.share)), "marked"),
      h("button", { type: "button", class: "button primary", key: "close", "data-mask": "close" }, "Done")),
    h("div", { class: "mask-stage", key: "stage" }, h("div", { class: "mask-sheet", key: "sheet" }, h("img", { key: "img", src: state.image, alt: "Image 1", draggable: "false" }))),
    h("div", { class: "mask-foot", key: "foot" },
      h("p", { class: "caption" }, state.share >= 0.995 ? "Everything is marked: without a mask the model repaints everything too." : "Paint over what the model may change. Closing applies it."),
      h("label", { class: "letters" }, h("span", { class: "box" }, h("input", { type: "checkbox", name: "lock", checked: state.isLocked }), icon("check")), "Keep everything else exactly as it is")),
    h("div", { class: "mask-ring", key: "ring", hidden: true }));
  const sheet = dialog.querySelector(".mask-sheet");
  if (state.canvas.parentNode !== sheet) sheet.append(state.canvas);
}
