/* The banner of a disk that takes nothing, at the head of every tab. It goes by itself once there is room again. */

import { announce, h, icon, render } from "./dom.js";
import { change } from "./history_requests.js";

const LOOK_EVERY_MS = 5000;
const places = new Set();
let timer = 0;
let trouble = null;

/** A place for the banner; tabs are made when they are opened first. */
export function paintTrouble({ element }) {
  const root = element.querySelector(".drawn");
  places.add(root);
  render(root, trouble ? banner(trouble) : null);
}

/** Shows what the strip was told: `{title, words, images}`, or null. */
export function showTrouble(told) {
  const now = told ?? null;
  if (JSON.stringify(now) === JSON.stringify(trouble)) return;
  if (!trouble) announce(`${now.title} ${now.words}`);
  trouble = now;
  for (const root of places) render(root, trouble ? banner(trouble) : null);
  clearInterval(timer);
  if (trouble) timer = setInterval(lookAgain, LOOK_EVERY_MS);
}

const banner = ({ title, words, images }) =>
  h("div", { class: "banner", key: "disk", role: "alert", "data-testid": "trouble" },
    icon("disk", "warn"),
    h("p", {}, h("b", {}, title), ` ${words}`),
    images ? h("a", { class: "button", key: "take", href: "unsaved", download: "" }, icon("download"), `Download ${images} ${images === 1 ? "image" : "images"}`) : null);

async function lookAgain() {
  const answer = await change("disk", {});
  if (!answer.error) showTrouble(answer.trouble);
}
