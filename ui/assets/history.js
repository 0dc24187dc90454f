/* History: what is found, what is ticked over pages, and what is done with it. Choosing an image never touches the form. */

import { askFirst } from "./ask.js";
import { compareThese } from "./compare.js";
import { announce, h, icon, render } from "./dom.js";
import { attachDetails } from "./history_details.js";
import { drawList } from "./history_list.js";
import { bulkBar } from "./history_bulk.js";
import { ask, change } from "./history_requests.js";

const STORED_VIEW = "diptych-history-view";
const PAUSE_MS = 250;
const SAID_MS = 12_000;
const VIEWS = { images: "Images", groups: "Groups", table: "Table" };
const CHIPS = [["", "All"], ["is:fav", "Favourites"], ["is:edit", "Edits"], ["is:failed", "Failed"], ["cost:unknown", "Unknown cost"]];
const MOST_COMPARED = 4;

function paintHistory({ element }) {
  const state = {
    search: "", sort: "newest", view: localStorage.getItem(STORED_VIEW) || "images", page: 1, shown: null, trouble: "",
    around: null, chosen: null, ticked: new Map(), all: false, said: null, undo: null, tagging: false,
  };
  const root = element.querySelector(".drawn");
  render(root, skeleton());
  const parts = { bar: root.querySelector(".hi-bar"), list: root.querySelector("#hi-grid"), foot: root.querySelector(".hi-foot") };
  const details = attachDetails(root.querySelector("#hi-details"), { act, follow, closed: () => choose(null) });
  let pause;
  let fading;
  let asked = 0;

  // The server's word

  async function load({ before = "", around = false } = {}) {
    const mine = ++asked;
    const query = new URLSearchParams({ search: state.search, sort: state.sort, page: state.page, ...(state.view === "groups" ? { groups: 1 } : {}), ...(before ? { before } : {}), ...(around || !state.around ? { around: 1 } : {}) });
    const answer = await ask(`history/page.json?${query}`);
    if (mine !== asked) return;
    if (answer.error) state.trouble = answer.error;
    else {
      state.trouble = "";
      state.shown = answer;
      state.around = answer.around || state.around;
      state.page = answer.page || 1;
    }
    paint();
  }

  function search(text, { now = false } = {}) {
    state.search = text;
    state.page = 1;
    state.all = false;
    clearTimeout(pause);
    pause = setTimeout(load, now ? 0 : PAUSE_MS);
    if (now) paint();
  }

  /** Carries out an action on `what`, says what it did, and keeps how it is undone. */
  async function act(name, what, more = {}) {
    const answer = await change("history/do", { do: name, ...what, ...more });
    if (answer.error) state.said = { words: answer.error, isBad: true };
    else state.said = { words: answer.words, undo: answer.undo };
    if (answer.undo) state.undo = answer.undo;
    announce(state.said.words);
    clearTimeout(fading);
    fading = setTimeout(() => {
      state.said = null;
      paint();
    }, SAID_MS);
    if (!answer.error && ["trash", "restore", "delete", "empty"].includes(name)) {
      forgetTicks();
      if (name !== "trash" || !what.keep) details.refresh();
    } else details.refresh();
    await load({ around: true });
    return !answer.error;
  }

  async function undo() {
    const back = state.undo;
    if (!back) return;
    const { do: name, images, runs, ...more } = back;
    state.said = null;
    await act(name, { images, runs }, more);
    // Undoing is not undone: what was done can be done again by hand.
    state.undo = null;
    if (state.said) state.said = { ...state.said, undo: null };
    paint();
  }

  // What is meant

  const tiles = () => (state.shown?.runs || []).flatMap((run) => run.images.length ? run.images.map((image) => ({ key: image.id, run, image })) : [{ key: run.run_id, run, image: null }]);
  const meantOf = (list) => ({ images: list.filter((one) => one.image).map((one) => one.image.id), runs: list.filter((one) => !one.image).map((one) => one.run.run_id) });
  const meant = () => (state.all ? { search: state.search } : meantOf([...state.ticked.values()]));

  function forgetTicks() {
    state.ticked.clear();
    state.all = false;
    state.tagging = false;
  }

  function tick(key, on) {
    const one = tiles().find((tile) => tile.key === key);
    if (on && one) state.ticked.set(key, one);
    else state.ticked.delete(key);
    state.all = false;
    paint();
  }

  function choose(tile) {
    const before = state.chosen;
    state.chosen = tile?.key || null;
    if (tile) details.open(tile.run.run_id, tile.image?.position || 0);
    paint();
    if (!tile && before) parts.list.querySelector(`[data-key="${CSS.escape(before)}"] .hi-tile`)?.focus();
  }

  function follow(runId, position = 0) {
    const tile = tiles().find((one) => one.run.run_id === runId && (one.image?.position ?? 0) === position);
    state.chosen = tile?.key || null;
    details.open(runId, position);
    paint();
  }

  const bulk = {
    page: () => {
      for (const tile of tiles()) state.ticked.set(tile.key, tile);
      state.all = false;
    },
    all: () => (state.all = true),
    none: forgetTicks,
    favourite: () => act("favourite", meant(), { on: true }),
    unfavourite: () => act("favourite", meant(), { on: false }),
    tagging: () => (state.tagging = !state.tagging),
    trash: () => act("trash", meant()),
    restore: () => act("restore", meant()),
    delete: async () => {
      const many = state.ticked.size;
      const words = { title: many === 1 ? "Delete this for ever?" : `Delete these ${many} for ever?`, text: "Their images and words are gone then, and nothing brings them back. What they cost stays in the ledger.", yes: "Delete for ever" };
      if (await askFirst(words)) await act("delete", meant());
    },
    empty: async () => {
      const { things, words } = state.around.trash;
      const question = { title: "Empty the trash?", text: `${things} ${things === 1 ? "thing" : "things"}${words ? `, ${words},` : ""} will be gone for ever. Nothing brings them back. What they cost stays in the ledger.`, yes: "Empty the trash" };
      if (await askFirst(question)) await act("empty", {});
    },
    zip: () => take("zip"),
    report: () => take("report"),
    compare: () => compareThese([...state.ticked.values()].filter((one) => one.image).slice(0, MOST_COMPARED).map(comparable)),
    undo,
    quiet: () => (state.said = null),
  };

  async function take(kind) {
    const answer = await change("history/pack", meant());
    if (answer.error) state.said = { words: answer.error, isBad: true };
    else Object.assign(document.createElement("a"), { href: answer[kind], download: "" }).click();
    paint();
  }

  // The page

  function paint() {
    render(parts.bar, head(state));
    render(parts.list, state.trouble ? trouble(state.trouble) : drawList(state, tiles()));
    render(parts.foot, bulkBar(state));
  }

  root.addEventListener("input", (event) => {
    if (event.target.id === "hi-search-box") search(event.target.value);
  });
  root.addEventListener("change", (event) => {
    const { name, value, checked, dataset } = event.target;
    if (name === "hi-view") {
      state.view = value;
      localStorage.setItem(STORED_VIEW, value);
      paint();
      // What of the groups is on other pages is asked for only where groups are shown.
      if (value === "groups" && state.shown && !state.shown.rest) load();
    } else if (name === "hi-sort") {
      state.sort = value;
      state.page = 1;
      load();
    } else if (name === "hi-saved") {
      const saved = state.around.searches.find((one) => one.name === value);
      if (saved) {
        state.sort = saved.sort;
        search(saved.query, { now: true });
      }
    } else if (name === "hi-page") turnTo(Number(value));
    else if (dataset.tick) tick(dataset.tick, checked);
  });
  root.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    if (form.dataset.form === "tag" && form.tag.value.trim() && (await act("tag", meant(), { tags: [form.tag.value] }))) {
      state.tagging = false;
      paint();
    } else if (form.dataset.form === "save") await act("save_search", {}, { name: form.name.value, query: state.search, sort: state.sort });
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { key, turn, chip, go, forget } = button.dataset;
    if (button.classList.contains("hi-tile")) choose(tiles().find((tile) => tile.key === key));
    else if (turn) turnTo(state.page + (turn === "next" ? 1 : -1), turn === "next" ? state.shown.next : "");
    else if (chip !== undefined) search(withChip(state.search, chip), { now: true });
    else if (forget) act("forget_search", {}, { name: forget });
    else if (go && bulk[go]) Promise.resolve(bulk[go]()).then(paint);
  });

  function turnTo(number, before = "") {
    const pages = state.shown?.pages || 1;
    state.page = Math.min(Math.max(Math.trunc(number) || 1, 1), pages);
    load({ before });
    element.scrollIntoView({ block: "start" });
  }

  // Keys

  const shown = () => [...parts.list.querySelectorAll(".hi-tile")];
  const current = () => shown().find((one) => one === document.activeElement) || shown().find((one) => one.dataset.key === state.chosen);

  function go(step) {
    const all = shown();
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    if (next && state.chosen) choose(tiles().find((tile) => tile.key === next.dataset.key));
  }

  const onCurrent = (name, more = () => ({})) => {
    const tile = tiles().find((one) => one.key === current()?.dataset.key);
    if (tile) act(name, meantOf([tile]), more(tile));
  };

  document.addEventListener("keydown", (event) => {
    if (element.offsetParent === null || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]")) return;
    const withCommand = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (withCommand && key === "z" && state.undo) {
      event.preventDefault();
      undo();
    } else if (withCommand) return;
    else if (key === "j" || key === "k") go(key === "j" ? 1 : -1);
    else if (key === "f") onCurrent("favourite", ({ image }) => ({ on: !image?.favourite }));
    else if (key === "delete" && !state.shown?.in_trash) {
      if (state.ticked.size || state.all) act("trash", meant());
      else onCurrent("trash");
    } else if (key === "r" || key === "b") document.getElementById(key === "r" ? "hi-remix" : "hi-base")?.click();
  });

  window.diptych.onVisit("history", ([what, ...rest]) => {
    if (what === "run" && rest[0]) follow(rest[0], Number(rest[1] || 0));
    if (what === "search") search(rest.join("/"), { now: true });
  });
  // Each time the tab comes into view, what it shows may have changed.
  new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && load({ around: true })).observe(root.querySelector(".hi-bar"));
  paint();
}

const comparable = ({ run, image }) => ({
  id: `${run.run_id}:${image.position}`, model: run.model, provider: run.provider, alt: run.prompt,
  image: { original: image.url, thumb: image.thumb, width: image.width, height: image.height, size: run.size },
});

/** The search with the chip's words, or without them where they stand there already. "All" takes every chip out. */
function withChip(text, chip) {
  const words = text.split(/\s+/).filter(Boolean);
  const chips = new Set([...CHIPS.map(([word]) => word), "is:trashed"]);
  if (!chip) return words.filter((word) => !chips.has(word)).join(" ");
  return (words.includes(chip) ? words.filter((word) => word !== chip) : [...words, chip]).join(" ");
}

const skeleton = () => [
  h("div", { class: "hi-bar", key: "bar" }),
  h("div", { id: "hi-sides", key: "sides" }, h("div", { id: "hi-grid", key: "grid" }), h("aside", { id: "hi-details", key: "details", "aria-label": "Details" })),
  h("div", { class: "hi-foot", key: "foot" }),
];

function head(state) {
  const { shown, around, search } = state;
  const words = search.split(/\s+/);
  const chips = [...CHIPS, ...(around?.tags || []).slice(0, 6).map((tag) => [/\s/.test(tag) ? `tag:"${tag}"` : `tag:${tag}`, tag])];
  const isOn = (chip) => (chip ? search.includes(chip) : !CHIPS.some(([word]) => word && words.includes(word)));
  return [
    h("div", { class: "hi-tools", key: "tools" },
      h("div", { class: "hi-field hi-wide", id: "hi-search", key: "search" },
        h("label", { for: "hi-search-box" }, "Search"),
        h("input", { type: "search", id: "hi-search-box", value: search, maxlength: 400, placeholder: "lighthouse  provider:fal  cost:>0.02  is:fav", autocomplete: "off", spellcheck: "false", "aria-describedby": "hi-misread" })),
      h("fieldset", { class: "hi-field seg hi-seg", key: "view" },
        h("legend", {}, "Show"),
        h("div", { class: "wrap" }, Object.entries(VIEWS).map(([name, label]) =>
          h("label", { key: name }, h("input", { type: "radio", name: "hi-view", value: name, checked: state.view === name }), h("span", {}, label))))),
      h("div", { class: "hi-field", key: "sort" },
        h("label", { for: "hi-sort" }, "Order"),
        h("select", { id: "hi-sort", name: "hi-sort", value: state.sort }, (around?.sorts || [["newest", "Newest first"]]).map(([name, label]) => h("option", { key: name, value: name, selected: state.sort === name }, label)))),
      h("span", { class: "hi-gap", key: "gap" }),
      h("div", { class: "hi-more", id: "hi-more", key: "more" }),
      h("button", { type: "button", class: "button quiet", key: "trash", id: "hi-trash", "data-chip": "is:trashed", "aria-pressed": String(words.includes("is:trashed")) }, icon("trash"), around?.trash.things ? `Trash · ${around.trash.things.toLocaleString("en")}` : "Trash")),
    h("div", { id: "hi-misread", key: "misread", role: "status" }, (shown?.misread || []).map((one) => h("p", { class: "caption", key: one }, one))),
    h("div", { class: "hi-chips-row", key: "chips" },
      chips.map(([chip, label]) => h("button", { type: "button", class: "button quiet hi-chip", key: chip || "all", "data-chip": chip, "aria-pressed": String(isOn(chip)) }, label)),
      h("details", { class: "hi-saved", key: "saved" },
        h("summary", { class: "button quiet" }, "Saved searches"),
        h("div", { class: "hi-popover" },
          (around?.searches || []).map((one) => h("div", { class: "hi-saved-row", key: one.name },
            h("label", {}, h("input", { type: "radio", name: "hi-saved", value: one.name, checked: one.query === search && one.sort === state.sort }), one.name),
            h("button", { type: "button", class: "icon-button", "data-forget": one.name, "aria-label": `Forget the search ${one.name}`, title: "Forget" }, icon("x")))),
          h("form", { "data-form": "save", key: "save" },
            h("input", { name: "name", placeholder: "Name of this search", "aria-label": "Name of this search", maxlength: 60, required: true, autocomplete: "off" }),
            h("button", { type: "submit", class: "button" }, "Keep")))),
      h("span", { class: "hi-gap", key: "gap" }),
      shown?.count ? h("span", { class: "hi-count caption", key: "count", "data-testid": "history-count" }, shown.count) : null),
  ];
}

const trouble = (words) => h("div", { class: "banner", key: "trouble", role: "alert" }, icon("warn", "bad"), h("p", {}, words));

window.diptych.component("history", paintHistory);
