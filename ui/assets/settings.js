/* Settings: figures of the data folder, and the list of sections at the left. Keys and servers stand in `keys.js`. */

import { announce, h, icon, render } from "./dom.js";
import { paintKeys, paintServers } from "./keys.js";
import { paintDefaults, paintPrivacy } from "./privacy.js";

window.diptych.component("keys", paintKeys);
window.diptych.component("servers", paintServers);
window.diptych.component("defaults", paintDefaults);
window.diptych.component("privacy", paintPrivacy);

window.diptych.component("storage", ({ element, trigger, props, watch }) => {
  let isBusy = false;
  const paint = () => render(element.querySelector(".drawn"), storage(props.value || {}, isBusy));
  element.addEventListener("click", (event) => {
    if (!event.target.closest("#st-verify") || isBusy) return;
    isBusy = true;
    paint();
    trigger("verify", {});
  });
  watch("value", () => {
    isBusy = false;
    paint();
    if (props.value?.verified) announce(props.value.verified.text);
  });
  paint();
});

const copied = (told) => told
  ? h("p", { class: "st-snapshots", key: "snapshots", "data-testid": "snapshots" }, icon(told.icon, told.tone), h("span", {}, told.text))
  : null;

function storage(shown, isBusy) {
  if (shown.words) return h("section", {}, h("h2", {}, "Storage"), h("p", { class: "caption" }, shown.words), copied(shown.snapshots));
  if (!shown.cards) return h("section", {}, h("h2", {}, "Storage"), h("div", { class: "panel sheen", style: "height: 96px" }));
  const result = shown.verified;
  return h(
    "section",
    { "aria-labelledby": "st-storage-head" },
    h("h2", { id: "st-storage-head", key: "head" }, "Storage"),
    h("dl", { class: "panel cards", key: "cards" }, shown.cards.map((card) => h("div", { key: card.label }, h("dt", {}, card.label), h("dd", {}, card.figure), h("dd", { class: "st-note" }, card.note)))),
    h(
      "div",
      { class: "st-verify", key: "verify" },
      h("button", { type: "button", class: "button", id: "st-verify", disabled: isBusy }, isBusy ? icon("spin", "spin busy") : null, isBusy ? "Checking every file" : "Verify"),
      result
        ? h("p", { role: "status", "data-testid": "verified" }, icon(result.ok ? "check" : "warn", result.ok ? "ok" : "bad"), result.text)
        : h("p", { class: "caption" }, "Checks that every row has its bytes, every file its row, and that the ledger agrees. Nothing is changed."),
    ),
    result?.problems.length ? h("ul", { class: "st-problems", key: "problems" }, result.problems.map((line, n) => h("li", { key: n }, line))) : null,
    copied(shown.snapshots),
    shown.images_at ? h("p", { class: "caption", key: "images-at" }, "Images are kept at ", h("code", {}, shown.images_at)) : null,
    shown.folder ? h("p", { class: "caption", key: "folder" }, "Data folder: ", h("code", {}, shown.folder)) : null,
  );
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#st-nav [data-section]");
  if (button) document.getElementById(button.dataset.section)?.scrollIntoView({ block: "start", behavior: "smooth" });
});
