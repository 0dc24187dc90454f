/* What is behind a tile's More, and what it leads to: copying, tags, the trash and the way out of it again. */

import { copyText } from "./clipboard.js";
import { announce, h, icon, render } from "./dom.js";

/** What was put in the trash from here, the last one first out again. */
const trashed = [];
const UNDO_MS = 12000;

let menu;
let opener;
let tags;
let toast;
let timer;
/** The results' own way to the server, and their tiles by id. */
let tell;
let find;

export function setUpMenus({ trigger, tileOf }) {
  tell = trigger;
  find = tileOf;
  document.addEventListener("click", (event) => {
    if (menu && !menu.hidden && !menu.contains(event.target) && !opener?.contains(event.target)) close();
  });
  window.addEventListener("scroll", () => menu && !menu.hidden && close(), { passive: true });
}

export const favourite = (one) => tell("favourite", { run: one.run, position: one.position, on: !one.favourite });

export function toTrash(one) {
  trashed.push({ run: one.run, position: one.position });
  tell("trash", { run: one.run, position: one.position });
  announce("In the trash. Control Z takes it out again.");
  showUndo();
}

/** Takes out what went to the trash last; whether there was anything. */
export function undoTrash() {
  const last = trashed.pop();
  if (!last) return false;
  tell("restore", last);
  announce("Out of the trash again");
  hideUndo();
  return true;
}

// The menu

export function openMenu(button, one, actions) {
  if (!menu) make();
  if (!menu.hidden && opener === button) return close();
  opener?.setAttribute("aria-expanded", "false");
  opener = button;
  button.setAttribute("aria-expanded", "true");
  render(menu, itemsOf(one).map((item) =>
    item.href
      ? h("a", { role: "menuitem", tabindex: "-1", key: item.key, href: item.href, download: true }, icon(item.icon), item.words)
      : h("button", { type: "button", role: "menuitem", tabindex: "-1", key: item.key, "data-item": item.key, "data-xray": item.xray, "data-xray-run": item.xray && one.run }, icon(item.icon), item.words)));
  menu.onclick = (event) => {
    const chosen = event.target.closest("[role=menuitem]");
    if (!chosen) return;
    const key = chosen.dataset.item;
    close();
    choose(key, one, actions);
  };
  menu.hidden = false;
  place(button);
  menu.querySelector("[role=menuitem]").focus();
  return undefined;
}

const itemsOf = (one) => [
  one.previews.length ? { key: "previews", icon: "open", words: one.previews.length === 1 ? "Its preview" : `Its ${one.previews.length} previews` } : null,
  { key: "prompt", icon: "edit", words: "Copy the prompt" },
  { key: "code", icon: "code", words: "Copy as code…", xray: one.group },
  { key: "tags", icon: "tag", words: one.tags.length ? `Tags: ${one.tags.join(", ")}` : "Add tags…" },
  ...(one.image?.downloads || []).map(({ url, label }, index) => ({ key: `download ${index}`, icon: "download", words: label, href: `${url}?download` })),
  { key: "trash", icon: "trash", words: "Move to the trash" },
].filter(Boolean);

function choose(key, one, actions) {
  if (key === "previews") actions.previews(one);
  if (key === "tags") editTags(one);
  if (key === "trash") toTrash(one);
  if (key === "prompt") copyText(one.alt, document.querySelector(".gradio-container")).then((worked) => announce(worked ? "The prompt is copied" : "The prompt could not be copied"));
}

function make() {
  menu = document.createElement("div");
  Object.assign(menu, { className: "popover tile-menu", hidden: true });
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", "More");
  document.querySelector(".gradio-container").append(menu);
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    if (to === undefined) return;
    event.preventDefault();
    items[to % items.length].focus();
  });
}

function close() {
  menu.hidden = true;
  opener?.setAttribute("aria-expanded", "false");
  if (menu.contains(document.activeElement) || document.activeElement === document.body) opener?.focus({ preventScroll: true });
}

/** Beside the button, within the window. */
function place(button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isBelow = at.bottom + 4 + height < innerHeight - 8;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${isBelow ? at.bottom + 4 : Math.max(8, at.top - 4 - height)}px`;
}

// Tags

function editTags(one) {
  if (!tags) makeTags();
  tags.dataset.tile = one.id;
  paintTags();
  tags.showModal();
  tags.querySelector("input").focus();
}

function makeTags() {
  tags = document.createElement("dialog");
  tags.className = "ask tags-dialog";
  tags.setAttribute("aria-labelledby", "pg-tags-title");
  document.querySelector(".gradio-container").append(tags);
  const change = (what) => {
    const one = find(tags.dataset.tile);
    if (one) tell("retag", { run: one.run, position: one.position, tags: "", without: "", ...what });
  };
  tags.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = tags.querySelector("input");
    if (field.value.trim()) change({ tags: field.value });
    field.value = "";
  });
  tags.addEventListener("input", (event) => event.stopPropagation());
  tags.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.without) change({ without: button.dataset.without });
    if (button?.dataset.act === "close" || event.target === tags) tags.close();
  });
}

/** Called when the tiles changed, so that an open dialog shows the tags as they are now. */
export function paintTags() {
  const one = tags?.dataset.tile && find(tags.dataset.tile);
  if (!one) return;
  render(tags,
    h("h2", { id: "pg-tags-title" }, "Tags"),
    h("p", {}, "Of the whole run. History finds it by them."),
    one.tags.length ? h("div", { class: "tag-list", key: "list" }, one.tags.map((tag) =>
      h("button", { type: "button", class: "chip", key: tag, "data-without": tag, "aria-label": `Remove the tag ${tag}`, title: "Remove" }, tag, icon("x")))) : null,
    h("form", { class: "template-form", key: "add" },
      h("input", { type: "text", class: "text-field", "aria-label": "New tags", placeholder: "logo, client a", autocomplete: "off", maxlength: 200 }),
      h("button", { type: "submit", class: "button" }, "Add")),
    h("div", { class: "ask-ways" }, h("button", { type: "button", class: "button", "data-act": "close" }, "Done")));
}

// The way back

function showUndo() {
  if (!toast) {
    toast = document.createElement("div");
    toast.className = "undo-bar";
    toast.dataset.testid = "undo";
    document.querySelector(".gradio-container").append(toast);
    toast.addEventListener("click", (event) => {
      if (event.target.closest("button")) undoTrash();
    });
  }
  render(toast, h("span", {}, "In the trash"), h("button", { type: "button" }, "Undo"));
  toast.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hideUndo, UNDO_MS);
}

function hideUndo() {
  clearTimeout(timer);
  if (toast) toast.hidden = true;
}
