/* Leaderboard: asks for a board when the tab is opened, when a choice changes and when a link names one, and draws the answer.

   What is chosen stands in the address as `#leaderboard/level=model/when=30`, so that it can be sent and outlives a reload. */

import { announce, h, icon, render } from "./dom.js";
import { over, scatter } from "./leaderboard_charts.js";
import { bar, NAMES } from "./leaderboard_controls.js";
import { matrix } from "./leaderboard_matrix.js";
import { foot, neighbours, numbers, performance as providers } from "./leaderboard_notes.js";
import { sorted, table } from "./leaderboard_table.js";

const FIRST = { board: "generate", category: "", level: "offer", voters: "everyone", when: "all", ties: "half", question: "better", models: "auto" };
const PATIENCE_MS = 20_000;
/** How often an open board looks whether there are new votes, and how long it then stands at least. */
const LOOK_EVERY_MS = 4_000;
const STAND_MS = 8_000;
const KEPT_COLUMNS = "diptych-leaderboard-columns";

/** What a link chose before its page was there. */
let linked = null;
let follow = null;
let prove = null;

window.diptych.onVisit("leaderboard", (rest) => {
  const told = rest.map((part) => part.split("=")).filter(([name, value]) => NAMES.includes(name) && value !== undefined);
  linked = { ...FIRST, ...Object.fromEntries(told.map(([name, ...value]) => [name, value.join("=")])) };
  follow?.();
});

window.diptych.component("proof", ({ props, watch }) => {
  const tell = () => prove?.(props.value || {});
  watch("value", tell);
  tell();
});

window.diptych.component("leaderboard", ({ element, trigger, props, watch }) => {
  const root = element.querySelector(".drawn");
  const page = {
    shown: { state: "loading" },
    choices: linked || { ...FIRST },
    is_open: false,
    sort: { by: "rank", descending: false },
    columns: keptColumns(),
    proof: null,
    width: 0,
    busy: false,
  };
  const asking = { number: 0, pending: 0, since: 0, next: null };
  linked = null;

  const draw = () => {
    render(root, view(page));
    // A select takes its value only once its options are there.
    for (const field of root.querySelectorAll("select[data-name]")) field.value = page.choices[field.dataset.name] ?? "";
  };

  /** One question at a time: of those asked meanwhile only the last one counts. `isQuiet`: nobody pressed anything. */
  function ask(what = "ask", isQuiet = false) {
    if (asking.pending && performance.now() - asking.since < PATIENCE_MS) {
      asking.next = what;
      return;
    }
    asking.number += 1;
    Object.assign(asking, { pending: asking.number, since: performance.now(), next: null });
    page.busy = !isQuiet;
    asking.isQuiet = isQuiet;
    draw();
    trigger(what, { ...page.choices, asked: asking.number });
  }

  function answered() {
    const value = props.value || {};
    if (value.state === "loading" || value.asked !== asking.pending) return;
    asking.pending = 0;
    if (asking.next) return ask(asking.next);
    page.busy = false;
    page.shown = value;
    page.standing = value.standing ?? page.standing;
    page.proof = null;
    writeAddress(value.address || "");
    draw();
    if (!asking.isQuiet) announce(value.recounted || (value.state === "board" ? `${value.table.rows.length} rows` : value.title || ""));
    if (value.state === "board") trigger("prove", { ...page.choices });
  }

  follow = () => {
    page.choices = linked;
    linked = null;
    ask();
  };
  prove = (value) => {
    const isOurs = value.state === "proof" && NAMES.every((name) => (value.choices[name] ?? "") === page.choices[name]);
    if (isOurs) {
      page.proof = value.sha256;
      draw();
    }
  };

  function choose(name, value) {
    page.choices = { ...page.choices, [name]: value };
    // Another board has other categories, questions and models.
    if (name === "board") Object.assign(page.choices, { category: "", question: "better", models: "auto" });
    ask();
  }

  element.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.name) choose(field.dataset.name, field.value);
    else if (field.dataset.column) {
      page.columns = { ...page.columns, [field.dataset.column]: field.checked };
      localStorage.setItem(KEPT_COLUMNS, JSON.stringify(page.columns));
      draw();
    }
  });

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button, a");
    if (!button) return;
    if (button.dataset.sort) {
      page.sort = sorted(page.sort, button.dataset.sort);
      draw();
    } else if (button.dataset.do === "fold") {
      page.is_open = !page.is_open;
      draw();
    } else if (button.dataset.do === "recount") ask("recount");
    else if (button.dataset.do === "again") ask();
    else if (button.dataset.do === "reset") {
      page.choices = { ...FIRST, board: page.choices.board, level: page.choices.level };
      ask();
    } else if (button.dataset.do === "level") choose("level", "offer");
    else if (button.dataset.do === "quality") choose("level", "model-quality");
    else if (button.dataset.do === "copy") copy(page.proof, root.querySelector(".lb-hash"));
    if (button.closest(".lb-menu .popover") && button.tagName === "A") button.closest("details").open = false;
  });

  /** Asks anew when votes came, were taken back or left out since the board was drawn. */
  async function look() {
    const isSeen = element.offsetParent !== null && !document.hidden && !root.querySelector("details[open], :focus-visible:is(select, input)");
    if (!isSeen || asking.pending || !["board", "empty"].includes(page.shown.state) || performance.now() - asking.since < STAND_MS) return;
    const answer = await fetch("leaderboard/standing", { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    if ((await answer.text()) !== page.standing) ask("ask", true);
  }

  watch("value", answered);
  setInterval(look, LOOK_EVERY_MS);
  const seen = new ResizeObserver(() => {
    const width = Math.round(element.clientWidth);
    const isOpened = width > 0 && page.width === 0;
    const isOther = width !== page.width;
    page.width = width;
    if (isOpened) ask();
    else if (width && isOther) draw();
  });
  seen.observe(element);
  draw();
});

function keptColumns() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_COLUMNS) || "{}");
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function writeAddress(address) {
  if (location.hash.slice(1).split("/")[0] !== "leaderboard") return;
  const url = new URL(location.href);
  url.hash = ["leaderboard", ...address.split("&").filter(Boolean)].join("/");
  history.replaceState(null, "", url);
}

async function copy(text, element) {
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
    announce("The hash is copied.");
  } catch {
    // Without a secure address there is no clipboard: the whole hash is shown and chosen instead.
    element.textContent = text;
    getSelection().selectAllChildren(element);
    announce("The hash is selected.");
  }
}

/* A menu closes when something else is pressed. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".lb-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".lb-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

function view(page) {
  const { shown } = page;
  return h("div", { class: "lb", "aria-busy": String(page.busy) }, bar(page), h("div", { class: "lb-body", key: "body" }, body(page, shown)));
}

function body(page, shown) {
  if (shown.state === "loading") return h("div", { key: "loading", class: "panel lb-loading sheen" });
  const below = shown.performance?.rows.length ? providers(shown.performance, shown.state === "board") : null;
  if (shown.state !== "board") return [nothing(shown), below];
  const third = columnWidth(page.width);
  return [
    shown.recounted ? banner({ icon: shown.is_same ? "check" : "warn", first: "", rest: shown.recounted }, "recounted", shown.is_same ? "ok" : "warn") : null,
    shown.notices.map((notice, place) => banner(notice, `notice ${place}`, notice.icon === "warn" ? "warn" : "")),
    table(shown.table, page),
    h(
      "div",
      { class: "lb-thirds", key: "charts" },
      scatter(shown.by_cost, { name: "cost", title: "Rating against price", about: "Up and left is better. The line is the best you can buy at each price.", width: third }),
      scatter(shown.by_time, { name: "time", title: "Rating against time", about: "The same ratings by median seconds.", width: third }),
      matrix(shown.matrix),
    ),
    figures(shown.cards),
    h("div", { class: "lb-thirds", key: "more" }, over(shown.over_time, { width: wideWidth(page.width) }), neighbours(shown.undecided), below, numbers(shown)),
    foot(shown, page.proof),
  ];
}

/* The width of a chart inside its panel: charts are drawn in real pixels, so that their words keep their size. */
const STACKED = 1100;
const PADDING = 42;
const GAP = 24;
const columnWidth = (width) => (window.innerWidth <= STACKED ? width : (width - 2 * GAP) / 3) - (window.innerWidth <= 760 ? 34 : PADDING);
const wideWidth = (width) => (window.innerWidth <= STACKED ? width : (2 * (width - 2 * GAP)) / 3 + GAP) - (window.innerWidth <= 760 ? 34 : PADDING);

const banner = (notice, key, tone) =>
  h(
    "div",
    { class: "banner", key, "data-testid": "board-notice", role: tone === "warn" ? "alert" : null },
    icon(notice.icon, tone),
    h("p", {}, notice.first ? h("b", {}, `${notice.first} `) : null, notice.rest),
  );

const figures = (cards) =>
  h(
    "dl",
    { class: "panel cards lb-cards", key: "cards", "data-testid": "board-figures" },
    cards.map((card) =>
      h(
        "div",
        { key: card.label },
        h("dt", {}, card.label),
        h("dd", {}, card.state ? icon(card.state, card.state) : null, card.figure),
        h("dd", { class: "lb-note" }, card.note),
      ),
    ),
  );

function nothing(shown) {
  const actions = {
    arena: h("a", { class: "button primary", href: "#arena" }, "Go to the Arena"),
    reset: h("button", { type: "button", class: "button", "data-do": "reset" }, "Show all votes"),
  };
  actions.level = h("button", { type: "button", class: "button", "data-do": "level" }, "Show models at providers");
  actions.quality = h("button", { type: "button", class: "button", "data-do": "quality" }, "Show models with their quality");
  const again = h("button", { type: "button", class: "button", "data-do": "again" }, "Try again");
  const first = h("button", { type: "button", class: "button", "data-do": "reset" }, "Show all votes");
  return h(
    "div",
    { class: "empty", key: "empty", "data-testid": shown.state === "failed" ? "board-failed" : "board-empty" },
    icon(shown.state === "failed" ? "warn" : "compare", shown.state === "failed" ? "warn" : ""),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    h("div", { class: "row" }, shown.state === "failed" ? [again, first] : actions[shown.action]),
  );
}
