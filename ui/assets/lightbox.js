/* One image as large as the window allows, with the original's own bytes. */

import { h, icon, render } from "./dom.js";

let dialog;
let shown = [];
let at = 0;

/** Opens the `index`th of `[{src, alt, caption, download, under}]`, `under` being shown through what is clear; arrow keys go through the others. */
export function openLightbox(images, index) {
  shown = images;
  at = index;
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
    const button = event.target.closest("[data-go]");
    if (event.target === dialog || event.target.classList.contains("lightbox-stage") || button?.dataset.go === "close") dialog.close();
    else if (button) go(Number(button.dataset.go));
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") go(1);
    if (event.key === "ArrowLeft") go(-1);
  });
}

function go(step) {
  at = Math.min(Math.max(at + step, 0), shown.length - 1);
  paint();
}

function paint() {
  const image = shown[at];
  const button = (step, glyph, label, off) =>
    h("button", { type: "button", class: "icon-button", "data-go": step, "aria-label": label, title: label, disabled: off }, icon(glyph));
  render(dialog,
    h("div", { class: "lightbox-bar" },
      h("p", {}, image.caption || ""),
      shown.length > 1 ? [button(-1, "left", "Previous", at === 0), button(1, "right", "Next", at === shown.length - 1)] : null,
      image.download ? h("a", { class: "icon-button", href: image.download, download: true, "aria-label": "Download original", title: "Download original" }, icon("download")) : null,
      button("close", "x", "Close")),
    h("div", { class: "lightbox-stage" }, h("img", { key: image.src, src: image.src, alt: image.alt, style: image.under ? `background: url("${image.under}") center / contain no-repeat` : null })));
}
