/* A question before something that costs or cannot be undone. */

import { h, render } from "./dom.js";

let dialog;
let answer = null;

/** Resolves to whether the person agreed; closing the question in any way means no. */
export function askFirst({ title, text, yes }) {
  if (!dialog) make();
  render(dialog,
    h("h2", { id: "d-ask-title" }, title),
    h("p", {}, text || ""),
    h("div", { class: "ask-ways" },
      h("button", { type: "button", class: "button", "data-answer": "no", key: "no" }, "Cancel"),
      h("button", { type: "button", class: "button primary", "data-answer": "yes", key: "yes" }, yes)));
  answer?.(false);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[data-answer=yes]").focus();
  return new Promise((resolve) => {
    answer = resolve;
  });
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "ask";
  dialog.dataset.testid = "ask";
  dialog.setAttribute("aria-labelledby", "d-ask-title");
  document.querySelector(".gradio-container").append(dialog);
  const end = (agreed) => {
    answer?.(agreed);
    answer = null;
    dialog.close();
  };
  dialog.addEventListener("click", (event) => {
    const told = event.target.closest("[data-answer]")?.dataset.answer;
    if (told || event.target === dialog) end(told === "yes");
  });
  dialog.addEventListener("cancel", () => end(false));
}
