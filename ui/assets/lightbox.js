/* One image as large as the window allows, with the original's own bytes; under it the previews that came before it. */

import { h, icon, render } from "./dom.js";

let dialog;
let shown = [];
let at = 0;
/** Which of the image's previews is in view; `null`: the image itself. */
let preview = null;

/** Opens the `index`th of `[{src, thumb, alt, caption, download, under, previews}]`, `under` being shown through what is clear;
    left and right go through the others, up and down through `previews`, each `{src, thumb, words}`. */
export function openLightbox(images, index, from = null) {
  shown = images;
  at = index;
  preview = from;
  if (!dialog) make();
  paint();
  dialog.showModal();
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  dialog.setAttribute("aria-label", "Image");
  dialog.dataset.testid = "lightbox";
  document.querySelector(".gradio-container").append(dialog);
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go], [data-frame]");
    if (button?.dataset.frame) show(button.dataset.frame === "last" ? null : Number(button.dataset.frame));
    else if (event.target === dialog || event.target.classList.contains("lightbox-stage") || button?.dataset.go === "close") dialog.close();
    else if (button) go(Number(button.dataset.go));
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") go(1);
    if (event.key === "ArrowLeft") go(-1);
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    step(event.key === "ArrowUp" ? -1 : 1);
  });
}

function go(by) {
  at = Math.min(Math.max(at + by, 0), shown.length - 1);
  show(null);
}

/** To the frame before or after the one in view; the image itself is the last. */
function step(by) {
  const frames = shown[at].previews?.length || 0;
  const next = Math.min(Math.max((preview ?? frames) + by, 0), frames);
  show(next === frames ? null : next);
}

function show(frame) {
  preview = frame;
  paint();
}

function paint() {
  const image = shown[at];
  const frames = image.previews || [];
  const one = frames[preview] || image;
  const button = (by, glyph, label, off) =>
    h("button", { type: "button", class: "icon-button", "data-go": by, "aria-label": label, title: label, disabled: off }, icon(glyph));
  render(dialog,
    h("div", { class: "lightbox-bar" },
      h("p", {}, [image.caption, one.words].filter(Boolean).join(" · ")),
      shown.length > 1 ? [button(-1, "left", "Previous", at === 0), button(1, "right", "Next", at === shown.length - 1)] : null,
      image.download ? h("a", { class: "icon-button", key: "download", href: image.download, download: true, "aria-label": "Download original", title: "Download original" }, icon("download")) : null,
      button("close", "x", "Close")),
    h("div", { class: "lightbox-stage" }, h("img", { key: one.src, src: one.src, alt: one.words ? `${one.words}: ${image.alt}` : image.alt, style: one.under ? `background: url("${one.under}") center / contain no-repeat` : null })),
    frames.length ? strip(frames, image) : null);
}

const strip = (frames, image) =>
  h("div", { class: "filmstrip", key: "strip", role: "group", "aria-label": "Previews", "data-testid": "filmstrip" },
    [...frames, { thumb: image.thumb, words: "Final" }].map(({ thumb, words }, index) => {
      const isLast = index === frames.length;
      const isShown = isLast ? preview === null : preview === index;
      return h("button", { type: "button", key: `${thumb} ${index}`, "data-frame": isLast ? "last" : index, "aria-pressed": String(isShown) },
        h("img", { src: thumb, alt: "" }), h("span", {}, words));
    }));
