/* What the price on Run is made of. The details open above the run bar and follow the form while they are open. */

import { h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";

export function paintEstimate({ element }) {
  const root = element.querySelector(".drawn");
  let isOpen = false;

  function paint() {
    const value = outlook()?.estimate;
    if (!value) isOpen = false;
    render(root, value ? [
      h("button", { type: "button", class: "link estimate-open", "data-act": "toggle", "aria-expanded": String(isOpen), "aria-controls": "pg-estimate-details" }, "Estimate details"),
      isOpen ? details(value) : null] : null);
  }

  const hide = () => {
    isOpen = false;
    paint();
  };

  root.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (!act) return;
    isOpen = act === "toggle" && !isOpen;
    paint();
    if (!isOpen) root.querySelector(".estimate-open")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (isOpen && event.target.isConnected && !root.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen || document.querySelector("dialog[open]")) return;
    hide();
    root.querySelector(".estimate-open")?.focus();
  });
  onOutlook(paint);
}

const details = ({ total, runs, offers, open }) =>
  h("div", { class: "popover estimate", id: "pg-estimate-details", key: "details", role: "dialog", "aria-label": "Estimate details", "data-testid": "estimate" },
    h("div", { class: "estimate-head" },
      h("h2", {}, `${runs} \u00b7 ${total}`),
      h("button", { type: "button", class: "icon-button", "data-act": "close", "aria-label": "Close", title: "Close" }, icon("x"))),
    offers.map((one) => h("section", { key: one.id },
      h("h3", {}, h("span", {}, h("b", {}, one.model), [one.provider, one.runs].filter(Boolean).map((word) => ` ${word}`)), h("span", {}, one.sum)),
      h("ul", {}, one.cost.lines.map(({ label, amount }, index) => h("li", { key: index }, h("span", {}, label), h("span", {}, amount)))),
      [one.cost.note, one.cost.source].filter(Boolean).map((text) => h("p", { class: "caption", key: text }, text)))),
    open ? h("p", { class: "caption", key: "open" }, open) : null);
