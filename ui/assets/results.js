/* The results: groups newest first, a tile for each image. The server sends what the store says; a group once seen stays,
   so that older ones asked for by Show more are not lost when the newest change. */

import { askFirst } from "./ask.js";
import { onPicks, togglePick } from "./compare.js";
import { announce, h, icon, render } from "./dom.js";
import { focusPrompt, onOutlook, outlook } from "./form.js";
import { openLightbox } from "./lightbox.js";
import { useOffer } from "./offers.js";
import { upload } from "./references.js";
import { filterBy, filtered, isFiltered, isShowingNewest, newChip, nothingLeft, resultsBar, showNewest } from "./results_bar.js";
import { shownOf, tile, toggleLock } from "./tile.js";
import { favourite, openMenu, paintTags, setUpMenus, toTrash, undoTrash } from "./tile_menu.js";

/** More runs in one press are asked about first, as with Run. */
const RUNS_UNASKED = 8;

/** What a letter does to the image that has the focus. */
const ON_TILE = {
  f: (one) => one?.querySelector("[data-act=favourite]")?.click(),
  b: (one) => one?.querySelector("[data-act=base]")?.click(),
  r: (one) => one?.querySelector("[data-act=remix]")?.click(),
  c: (one) => one?.querySelector("[data-pick]")?.click(),
};

const seen = new Map();
/** Groups that came while new ones are not shown by themselves. */
const held = new Set();
const states = new Map();
let more = false;
// Each tick has the browser lay out and paint again, which several runs that are waited for should not cost ten times a second.
const TICK_MS = 500;
let clockOffset = 0;
let isPaged = false;
let isPainted = false;

export function paintResults({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");

  const paint = () => {
    const value = props.value;
    if (!value) return;
    const newest = [...seen.keys()].sort().at(-1);
    // Ids are in the order of time. Where nothing is in sight there is nothing to disturb.
    const begun = isPainted && (value.is_page || value.is_news) && newest ? value.groups.filter((one) => one.id > newest) : [];
    const isNews = isPainted && (value.is_page || value.is_news) && value.groups.some((one) => !seen.has(one.id) && !isEnded(one)) && isShowingNewest();
    if (isNews && isFiltered()) filterBy("");
    if (!isShowingNewest()) for (const one of begun) held.add(one.id);
    take(value);
    draw();
    if (isNews && isPhone()) root.closest("#pg-main")?.scrollIntoView({ block: "start" });
    isPainted = true;
  };

  const actions = {
    open: (button) => openTile(root, button),
    edit_prompt: (button) => {
      trigger("remix", { run: button.dataset.run });
      focusPrompt();
    },
    holes: ({ dataset }) => trigger("holes", { group: dataset.group }),
    toggle_lock: ({ dataset }) => {
      toggleLock(dataset.id);
      draw();
    },
    heat: ({ dataset }) => {
      const one = tileOf(dataset.id);
      openLightbox([
        { src: one.lock.original, alt: one.alt, caption: "Locked: the original outside the mask" },
        { src: one.image.original, alt: one.alt, caption: "As it came" },
        { src: one.lock.heat, under: one.image.original, alt: `Where the answer was off outside the mask. ${one.lock.words}`, caption: one.lock.words },
      ], 2);
    },
    filter: ({ dataset }) => {
      filterBy(dataset.badge);
      draw();
      (root.querySelector("[data-act=filter][aria-pressed=true]") || root.querySelector(".newest input"))?.focus({ preventScroll: true });
    },
    show_new: () => {
      const newest = [...held].sort().at(-1);
      held.clear();
      if (isFiltered()) filterBy("");
      draw();
      const first = root.querySelector(`[data-group="${CSS.escape(newest || "")}"]`);
      first?.focus({ preventScroll: true });
      (isPhone() ? first : document.scrollingElement)?.[isPhone() ? "scrollIntoView" : "scrollTo"]({ top: 0, block: "start" });
    },
    favourite: ({ dataset }) => favourite(tileOf(`${dataset.run}:${dataset.position}`)),
    menu: (button) => openMenu(button, tileOf(button.dataset.id), { previews: () => openTile(root, button, 0) }),
    more: () => trigger("more", { before: [...seen.keys()].sort()[0] }),
    again: async ({ dataset }) => {
      const runs = new Set(seen.get(dataset.group)?.tiles.map((tile) => tile.run)).size;
      const words = { title: `Start ${runs} runs again?`, text: seen.get(dataset.group)?.again.replace("Again · ", "Together: "), yes: `Run all ${runs}` };
      if (runs <= RUNS_UNASKED || (await askFirst(words))) trigger("again", { group: dataset.group });
    },
    demo: () => {
      trigger("demo", {});
      document.getElementById("pg-run")?.focus();
    },
    choose: () => upload("pg-upload"),
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const { act, run, position } = button.dataset;
    if (actions[act]) return void actions[act](button);
    trigger(act, { run, position: Number(position) });
    if (act === "remix") showForm();
    if (act === "base" || act === "reference") announce(act === "base" ? "Now the base of an edit" : "Added as a reference");
  });
  window.diptych.onVisit("playground", ([act, run, position]) => {
    // `#playground/use/<provider>/<model>`: for these the words are an offer.
    if (act === "use" && run && position) return useOffer(`${run}/${position}`);
    if (["remix", "base", "reference"].includes(act) && run) trigger(act, { run, position: Number(position || 0) });
    return undefined;
  });
  root.addEventListener("change", (event) => {
    if (event.target.name === "newest") {
      showNewest(event.target.checked);
      return void (event.target.checked && held.size ? actions.show_new() : undefined);
    }
    const id = event.target.dataset.pick;
    const one = id && tileOf(id);
    if (!one) return;
    togglePick(one);
    draw();
  });
  onPicks(draw);
  // Which ways there are to begin is known only with the offers.
  onOutlook(() => isPainted && !seen.size && draw());
  document.addEventListener("keydown", (event) => {
    if (root.offsetParent === null || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]")) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z" && !event.shiftKey && undoTrash()) return void event.preventDefault();
    if (event.ctrlKey || event.metaKey) return;
    if (key === "delete") return void putAway(current());
    if (key === "j" || key === "k") go(key === "j" ? 1 : -1);
    else ON_TILE[key]?.(current());
  });
  setInterval(tickClocks, TICK_MS);
  setUpMenus({ trigger, tileOf });
  watch("value", paint);
  paint();

  const tiles = () => [...root.querySelectorAll("[data-testid=tile]")];
  const current = () => tiles().find((one) => one.contains(document.activeElement));

  /** Puts the tile's image in the trash; the focus goes to its neighbour, which takes its place. */
  function putAway(element) {
    const one = element && tileOf(`${element.dataset.run}:${element.dataset.position}`);
    if (!one || ["queued", "running", "parked", "missing"].includes(one.state)) return;
    const all = tiles();
    const next = all[all.indexOf(element) + 1] || all[all.indexOf(element) - 1];
    toTrash(one);
    next?.focus({ preventScroll: true });
  }

  function go(step) {
    const all = tiles();
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }

  function draw() {
    const groups = [...seen.values()].filter((one) => !held.has(one.id)).sort((a, b) => (a.id < b.id ? 1 : -1));
    const kept = filtered(groups);
    if (!groups.length && !held.size) render(root, emptyState());
    else render(root, held.size ? newChip(held.size) : null, resultsBar(groups), kept.length || !isFiltered() ? kept.map(group) : nothingLeft(), more ? showMore() : null);
    tickClocks();
    paintTags();
  }

  function tickClocks() {
    const now = Date.now() + clockOffset;
    for (const clock of root.querySelectorAll("[data-since]")) {
      const passed = Math.max(0, now - Date.parse(clock.dataset.since)) / 1000;
      const text = `${clock.dataset.word || ""}${passed >= 100 ? passed.toFixed(0) : passed.toFixed(1)} s${clock.dataset.first || ""}`;
      if (clock.firstChild?.data !== text) clock.firstChild ? (clock.firstChild.data = text) : clock.append(text);
    }
  }
}

function take(value) {
  clockOffset = Date.parse(value.now) - Date.now();
  if (value.is_news) {
    // Of a few groups only: it says nothing of the others.
  } else if (value.is_page) {
    if (!isPaged) more = value.more;
  } else {
    isPaged = true;
    more = value.more;
  }
  for (const id of value.gone || []) seen.delete(id);
  for (const one of value.groups) {
    if (!one.tiles.length) {
      seen.delete(one.id);
      continue;
    }
    for (const each of one.tiles) each.group = one.id;
    seen.set(one.id, one);
    one.tiles.forEach(sayIfEnded);
  }
}

function sayIfEnded(one) {
  const before = states.get(one.id);
  states.set(one.id, one.state);
  if (before === undefined || before === one.state || ["queued", "running", "parked"].includes(one.state)) return;
  const name = `${one.model}${one.provider ? `, ${one.provider}` : ""}`;
  announce(one.state === "done" ? `${name}: done. ${one.figures}` : `${name}: ${one.failure?.title || one.state}`);
}

const tileOf = (id) => [...seen.values()].flatMap((group) => group.tiles).find((one) => one.id === id);
const isEnded = (one) => !one.tiles.some((tile) => ["queued", "running"].includes(tile.state));
const isPhone = () => window.matchMedia("(max-width: 760px)").matches;

function showForm() {
  document.getElementById("pg-form")?.scrollTo({ top: 0 });
  if (isPhone()) window.scrollTo({ top: 0 });
}

function group(one) {
  return h("section", { class: "group", key: one.id, tabindex: "-1", "data-testid": "group", "data-group": one.id, "aria-label": one.prompt },
    h("header", { class: "group-head" },
      h("div", {},
        h("h2", { title: one.prompt }, one.prompt),
        h("p", { class: "caption" }, `${when(one.at)} · ${one.caption}`)),
      h("div", { class: "group-ways" },
        // Of several images its place is there before there is anything to vote on: nothing moves when it comes.
        one.vote || one.tiles.length > 1 ? h("a", { class: "button quiet", key: "vote", href: one.vote, hidden: !one.vote }, icon("compare"), "Vote blind") : null,
        h("button", { type: "button", class: "button quiet", key: "xray", "data-xray": one.id }, icon("code"), "X-ray"),
        h("button", { type: "button", class: "button quiet", key: "again", "data-act": "again", "data-group": one.id }, icon("play"), one.again))),
    one.grid ? grid(one) : h("div", { class: "tiles" }, one.tiles.map(tile)),
    one.parity ? parity(one.parity) : null);
}

/** A sweep: a table with the values of both axes at its edges. */
function grid({ grid: { x, y, cells, holes, export: file }, id, tiles }) {
  const byId = new Map(tiles.map((one) => [one.id, one]));
  const rows = y?.values || [""];
  const cell = (at, column) => h("td", { key: column }, at?.tile && byId.has(at.tile) ? tile(byId.get(at.tile))
    : h("p", { class: "hole" }, h("b", {}, "Left out"), h("span", {}, at?.why || "")));
  return h("div", { class: "sweep-grid", key: "grid", "data-testid": "grid" },
    h("div", { class: "sweep-ways" },
      h("span", { class: "caption" }, y ? `Across: ${x.name}. Down: ${y.name}.` : `Across: ${x.name}.`),
      holes ? h("button", { type: "button", class: "button", "data-act": "holes", "data-group": id }, icon("play"), holes) : null,
      h("a", { class: "button quiet", href: file, download: true }, icon("download"), "Save as one page")),
    h("div", { class: "sweep-scroll", tabindex: "0", role: "region", "aria-label": "The grid of the sweep" }, h("table", {},
      h("thead", {}, h("tr", {}, y ? h("td", { key: "corner" }) : null, x.values.map((value, column) => h("th", { key: column, scope: "col" }, value)))),
      h("tbody", {}, rows.map((value, row) => h("tr", { key: row },
        y ? h("th", { key: "row", scope: "row" }, value) : null,
        x.values.map((_, column) => cell(cells[row * x.values.length + column], column))))))));
}

const PARITY = { provider: "Provider", asked: "Price asked", paid: "Paid", time: "Time", preview: "First preview", got: "Delivered", bytes: "File", changed: "Not taken as asked" };

const parity = ({ rows, finding }) =>
  h("section", { class: "parity", key: "parity", "aria-label": "The same model at each provider", "data-testid": "parity" },
    h("p", {}, finding),
    h("div", { class: "parity-table" }, h("table", {},
      h("thead", {}, h("tr", {}, Object.entries(PARITY).map(([name, words]) => h("th", { key: name, scope: "col" }, words)))),
      h("tbody", {}, rows.map((row, index) => h("tr", { key: index }, Object.keys(PARITY).map((name) =>
        h(name === "provider" ? "th" : "td", { key: name, scope: name === "provider" ? "row" : null, class: name }, row[name]))))))));

const showMore = () => h("div", { class: "show-more", key: "more" }, h("button", { type: "button", class: "button", "data-act": "more" }, "Show more"));

// Made once: a browser takes longer to make one than to draw a tile.
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** `Today 14:32`, `Yesterday 09:10`, `21 Nov 14:32`, in this browser's own time. */
export function when(iso) {
  const time = new Date(iso);
  const clock = CLOCK.format(time);
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(new Date(Date.now() + clockOffset)) - midnight(time)) / 86400000);
  if (days === 0) return `Today ${clock}`;
  if (days === 1) return `Yesterday ${clock}`;
  const year = time.getFullYear() === new Date().getFullYear() ? "" : ` ${time.getFullYear()}`;
  return `${time.getDate()} ${time.toLocaleString("en-GB", { month: "short" })}${year} ${clock}`;
}

/** Opens the tile's image among all that are in sight, beginning with its first preview where those are asked for. */
function openTile(root, button, from = null) {
  const elements = [...root.querySelectorAll("[data-testid=tile][data-state=done]")];
  const images = elements.map(({ dataset }) => {
    const one = tileOf(`${dataset.run}:${dataset.position}`);
    return { src: dataset.original, thumb: shownOf(one).thumb, alt: one.alt, caption: `${dataset.name} · ${dataset.size}`, download: `${dataset.download}?download`, previews: one.previews };
  });
  openLightbox(images, elements.indexOf(button.closest("[data-testid=tile]")), from);
}

/** Where the Demo is switched off there is nothing to try it with. */
const hasDemo = () => outlook()?.offers.families.some(({ models }) => models.some(({ offers }) => offers.some(({ offer }) => offer.startsWith("demo/")))) ?? true;

function emptyState() {
  const way = (glyph, title, text, props) =>
    h(props.href ? "a" : "button", { class: "way", ...(props.href ? {} : { type: "button" }), ...props }, icon(glyph), h("b", {}, title), h("span", {}, text));
  return h("div", { class: "empty first-visit", key: "empty", "data-testid": "empty" },
    h("svg", { class: "empty-mark", viewBox: "0 0 88 64", width: 88, height: 64, "aria-hidden": "true" },
      h("rect", { x: 1, y: 1, width: 40, height: 62, rx: 4 }),
      h("path", { d: "M1 48l12-14 14 15 7-6 7 7M32 17.5a4 4 0 1 1-8 0 4 4 0 0 1 8 0z" }),
      h("rect", { x: 47, y: 1, width: 40, height: 62, rx: 4 }),
      h("path", { d: "M47 47l11-13 15 16 6-5 8 7M78 17.5a4 4 0 1 1-8 0 4 4 0 0 1 8 0z" })),
    h("h2", {}, "One prompt, many models, side by side"),
    h("p", {}, "You see the price before each run and the cost after it. Pick a way to begin."),
    h("div", { class: "ways" },
      hasDemo() ? way("play", "Try the demo", "Three drawn models. No key, no cost.", { "data-act": "demo" }) : null,
      way("key", "Add a key", "It stays in this session and is never stored.", { href: "#settings" }),
      way("ref", "Edit an image", "Drop a file anywhere on this page.", { "data-act": "choose" })));
}
