/* Own images to pick references from: a page of thumbnails at a time, by mouse or by keys. Nothing is taken before Add. */

import { announce, h, icon, render } from "./dom.js";

let dialog;
let answer = null;
/** What this opening shows: images so far, the way to more, what is picked, and what went wrong. */
let state;

/** Resolves to the picked images, as the tray keeps them; to none when the picker is closed otherwise. `taken`: those in the
    tray, which cannot be picked again. */
export function pickImages({ taken, most }) {
  if (!dialog) make();
  answer?.([]);
  state = { images: [], next: null, search: "", picked: [], isBusy: false, trouble: "", taken: new Set(taken.map((item) => item.sha256)), room: most - taken.length, turn: 0 };
  paint();
  dialog.querySelector("input").value = "";
  dialog.showModal();
  load();
  return new Promise((resolve) => {
    answer = resolve;
  });
}

async function load(isMore = false) {
  const turn = ++state.turn;
  Object.assign(state, { isBusy: true, trouble: "" }, isMore ? {} : { images: [], next: null });
  paint();
  const asked = new URLSearchParams({ search: state.search, before: (isMore && state.next) || "" });
  try {
    const reply = await fetch(`images.json?${asked}`, { cache: "no-store" });
    const page = await reply.json();
    if (turn !== state.turn) return;
    if (!reply.ok) throw new Error(page.error);
    const known = new Set(state.images.map((one) => one.sha256));
    state.images.push(...page.images.filter((one) => !known.has(one.sha256) && known.add(one.sha256)));
    state.next = page.next;
    announce(`${state.images.length} images`);
  } catch {
    if (turn !== state.turn) return;
    state.trouble = "The images could not be listed. The app may be stopped; try again.";
  }
  state.isBusy = false;
  paint();
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox picker";
  dialog.setAttribute("aria-label", "Pick from history");
  dialog.dataset.testid = "picker";
  document.querySelector(".gradio-container").append(dialog);
  let pause;
  dialog.addEventListener("input", (event) => {
    state.search = event.target.value;
    clearTimeout(pause);
    pause = setTimeout(load, 200);
    event.stopPropagation();
  });
  dialog.addEventListener("click", (event) => {
    const { act, sha } = event.target.closest("[data-act], [data-sha]")?.dataset || {};
    if (sha) toggle(sha);
    else if (act === "more") load(true);
    else if (act === "again") load();
    else if (act === "add") end(state.picked);
    else if (act === "close" || event.target === dialog) end([]);
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("cancel", () => end([]));
}

function end(picked) {
  const { images } = state;
  answer?.(picked.map((sha) => images.find((one) => one.sha256 === sha)).filter(Boolean));
  answer = null;
  dialog.close();
}

function toggle(sha) {
  const at = state.picked.indexOf(sha);
  if (at >= 0) state.picked.splice(at, 1);
  else if (state.picked.length < state.room) state.picked.push(sha);
  else announce(`No more than ${state.room} fit`);
  paint();
}

/** Arrows go through the grid as it lies there. */
function onKey(event) {
  const cells = [...dialog.querySelectorAll("[data-sha]")];
  const at = cells.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && at < 0 && event.target.tagName === "INPUT") return cells[0]?.focus();
  if (at < 0) return undefined;
  const across = cells.filter((one) => one.offsetTop === cells[0].offsetTop).length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
  if (!step) return undefined;
  event.preventDefault();
  return cells[Math.min(Math.max(at + step, 0), cells.length - 1)].focus();
}

function paint() {
  const { images, picked, isBusy, next, trouble, room } = state;
  render(dialog,
    h("div", { class: "lightbox-bar" },
      h("h2", {}, "From history"),
      h("input", { type: "search", class: "text-field", placeholder: "Words of a prompt", "aria-label": "Search own images", autocomplete: "off" }),
      h("button", { type: "button", class: "icon-button", "data-act": "close", "aria-label": "Close", title: "Close" }, icon("x"))),
    h("div", { class: "picker-stage" },
      trouble ? h("p", { class: "note", role: "alert", key: "trouble" }, icon("warn", "bad"), h("span", {}, trouble), h("button", { type: "button", class: "button", "data-act": "again" }, "Try again")) : null,
      h("div", { class: "picker-grid", key: "grid", role: "group", "aria-label": "Own images" },
        images.map((one) => cell(one, picked.indexOf(one.sha256))),
        isBusy && !images.length ? Array.from({ length: 12 }, (_, index) => h("div", { class: "picker-cell sheen", key: `wait ${index}` })) : null),
      !isBusy && !trouble && !images.length ? h("p", { class: "caption picker-none", key: "none" },
        next ? "No images among the newest runs." : state.search ? `Nothing matches “${state.search}”.` : "No images yet. What you make appears here.") : null,
      next && (images.length || !isBusy) ? h("div", { class: "show-more", key: "more" }, h("button", { type: "button", class: "button", "data-act": "more", disabled: isBusy }, isBusy ? "Loading" : "Show more")) : null),
    h("div", { class: "picker-foot" },
      h("span", { class: "caption" }, picked.length === room ? `No more than ${room} fit.` : "Picked images go to the end of the tray, in this order."),
      h("button", { type: "button", class: "button primary", "data-act": "add", disabled: !picked.length }, picked.length > 1 ? `Add ${picked.length} images` : "Add image")));
}

function cell(one, place) {
  const isTaken = state.taken.has(one.sha256);
  return h("button", { type: "button", class: "picker-cell", key: one.sha256, "data-sha": one.sha256, disabled: isTaken, "aria-pressed": String(place >= 0),
    "aria-label": `${one.alt}. ${one.caption}${isTaken ? ". In the tray already" : ""}`, title: `${one.alt}\n${one.caption}` },
    h("img", { src: `thumbs/${one.sha256}.webp`, alt: "", loading: "lazy", decoding: "async" }),
    place >= 0 ? h("b", { class: "picker-place" }, place + 1) : null,
    isTaken ? h("span", { class: "picker-taken" }, "In the tray") : null);
}
