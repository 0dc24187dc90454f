/* The frame: components that draw themselves, linkable tabs, theme, keys, and the gate that shows the page when it stands.

   A page is linked by its tab's id: `#history`, `#settings`; what follows a slash belongs to the page, as in
   `#playground/remix/<run_id>`. A page takes it by `diptych.onVisit(tab, ([what, ...more]) => …)`. */

import "./frames.js";
import { announce } from "./dom.js";
import { storedDraft } from "./draft.js";
import { watchReplicas } from "./replicas.js";
import { keepStream } from "./stream.js";

const STORED_THEME = "diptych-theme";
const PARTS = ["#d-strip .drawn", "#pg-prompt textarea", "#pg-offers .drawn", "#pg-size input", "#pg-quality input", "#pg-refs .drawn", "#pg-run", "#pg-results .drawn"];
let isFormTold = storedDraft() === null;
const painters = new Map();
const waiting = [];

const visitors = new Map();
let unmet = null;

/** Calls `meet(rest)` for each link into the tab, also for the one that opened the tab and so came before its script. */
function onVisit(tab, meet) {
  visitors.set(tab, meet);
  if (unmet?.tab !== tab) return;
  const { rest } = unmet;
  unmet = null;
  meet(rest);
}

/** Registers what draws a kind of component: `paint({element, trigger, props, watch, upload})`, called once each. */
function component(kind, paint) {
  painters.set(kind, paint);
  for (const item of waiting.filter((entry) => entry[0] === kind)) {
    waiting.splice(waiting.indexOf(item), 1);
    // When the file that registers it has run to its end: its constants stand below.
    queueMicrotask(() => paint(item[1]));
  }
}

function mount(kind, tools) {
  const paint = painters.get(kind);
  const props = parsed(tools.props);
  const ours = { ...tools, props, watch: (name, tell) => tools.watch(name, name === "value" ? unlessOutdated(props, tell) : tell) };
  if (paint) paint(ours);
  else waiting.push([kind, ours]);
}

/** Answers may come in another order than they were asked for: one that says as of when it is so gives way to a later one that is
    shown, and nobody hears of it. */
function unlessOutdated(props, tell) {
  let shown = props.value;
  return () => {
    const told = props.value;
    if (told?.as_of < shown?.as_of) props.value = shown;
    else if (!told?.as_of || told !== shown) {
      shown = told;
      tell();
    }
  };
}

/* A value travels as JSON text, but for fields of the form (see `drawn` in ui/components.py). One text is one object, however
   often it is read. */
function parsed(props) {
  let text, value;
  return new Proxy(props, {
    get(target, name) {
      if (name !== "value" || (target.value && typeof target.value !== "string")) return target[name];
      if (target.value !== text) {
        text = target.value;
        value = text ? JSON.parse(text) : null;
      }
      return value;
    },
    set(target, name, given) {
      if (name !== "value" || (target.value && typeof target.value !== "string")) target[name] = given;
      else {
        [text, value] = [JSON.stringify(given), given];
        target.value = text;
      }
      return true;
    },
  });
}

watchReplicas();
keepStream();
const early = window.diptych?.early || [];
const formTold = openGate();
window.diptych = { component, mount, announce, visit, onVisit, formTold, draft: storedDraft, pressRun: () => press("pg-run") };
for (const [kind, tools] of early) mount(kind, tools);

/* Tabs */

const tabButton = (id) => document.querySelector(`#nav [role=tab][data-tab-id="${CSS.escape(id)}"]`);

function place() {
  const asked = location.hash.slice(1) || new URLSearchParams(location.search).get("tab") || "";
  const [tab, ...rest] = asked.split("/").map(decodeURIComponent);
  return { tab, rest };
}

/* The page has a base address, so a bare "#history" would leave out the query and load the page anew. */
function withHash(hash) {
  const url = new URL(location.href);
  url.searchParams.delete("tab");
  url.hash = hash;
  return url;
}

function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const hash = link.getAttribute("href").slice(1);
    if (location.hash.slice(1) === hash) visit();
    else location.hash = hash;
  });
}

/** Opens the tab the address names and tells the page what stands after it. */
function visit() {
  const { tab, rest } = place();
  const button = tab && tabButton(tab);
  if (!button) return;
  if (button.getAttribute("aria-selected") !== "true") button.click();
  if (rest.length) {
    history.replaceState(null, "", withHash(tab));
    const meet = visitors.get(tab);
    if (meet) meet(rest);
    else unmet = { tab, rest };
  }
}

function followTabs() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#nav [role=tab]");
    if (!button?.dataset.tabId || place().tab === button.dataset.tabId) return;
    history.replaceState(null, "", withHash(button.dataset.tabId));
    window.scrollTo(0, 0);
  });
  window.addEventListener("hashchange", visit);
}

/* Theme: Gradio follows the system; a choice made here wins and is kept in this browser. */

function keepTheme() {
  const forced = new URLSearchParams(location.search).has("__theme");
  const chosen = localStorage.getItem(STORED_THEME);
  const enforce = () => {
    const want = document.body.dataset.theme;
    if (want && document.body.classList.contains("dark") !== (want === "dark")) document.body.classList.toggle("dark", want === "dark");
  };
  if (chosen && !forced) document.body.dataset.theme = chosen;
  enforce();
  new MutationObserver(enforce).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

function switchTheme() {
  const next = document.body.classList.contains("dark") ? "light" : "dark";
  document.body.dataset.theme = next;
  document.body.classList.toggle("dark", next === "dark");
  localStorage.setItem(STORED_THEME, next);
  announce(next === "dark" ? "Dark theme" : "Light theme");
}

/* Help */

function toggleHelp(open) {
  const panel = document.getElementById("d-help");
  const button = document.querySelector("[data-frame=help]");
  if (!panel || !button) return;
  const show = open ?? panel.hidden;
  if (panel.hidden === !show) return;
  panel.hidden = !show;
  button.setAttribute("aria-expanded", String(show));
  if (show) panel.focus();
  else button.focus();
}

/* Keys */

const isTyping = (target) => Boolean(target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]"));

function press(id) {
  const button = document.getElementById(id);
  if (!button || button.disabled || button.offsetParent === null) return false;
  button.click();
  return true;
}

function onKey(event) {
  const withCommand = event.ctrlKey || event.metaKey;
  if (withCommand && event.key === "Enter" && press("pg-run")) event.preventDefault();
  else if (withCommand && event.key === "." && press("pg-stop")) event.preventDefault();
  else if (event.key === "Escape") toggleHelp(false);
  else if (withCommand || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  else if (event.key === "?") toggleHelp();
  else if (event.key === "x" || event.key === "X") press("pg-xray-open");
  else if (event.key === "/") {
    const field = document.querySelector("[role=tabpanel]:not([style*='display: none']) [id$=-search] :is(input, textarea)");
    const shown = field && field.offsetParent !== null ? field : document.querySelector("#pg-prompt textarea");
    if (shown && shown.offsetParent !== null) {
      event.preventDefault();
      shown.focus();
    }
  }
}

function onClick(event) {
  const button = event.target.closest?.("[data-frame]");
  if (button?.dataset.frame === "theme") switchTheme();
  else if (button?.dataset.frame === "help") toggleHelp();
  else if (!event.target.closest?.("#d-help")) {
    const panel = document.getElementById("d-help");
    if (panel && !panel.hidden) toggleHelp(false);
  }
}

/* The page is shown when its parts are there, which arrive in several steps; with a draft in this browser only when the server
   has put it into the form. A first visit's form came with the page. */

function openGate() {
  const show = () => {
    if (document.body.classList.contains("ready")) return;
    document.body.classList.add("ready");
    observer.disconnect();
    visit();
  };
  const look = () => {
    if (isFormTold && PARTS.every((part) => document.querySelector(part))) setTimeout(show);
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  setTimeout(show, 4000);
  return () => {
    isFormTold = true;
    look();
  };
}

/* Single letters and digits as keys can be switched off: some people's software types them by itself. Whoever listens for
   them listens on the document, later than this. */

const STORED_LETTERS = "diptych-letters";
const lettersWork = () => localStorage.getItem(STORED_LETTERS) !== "off";

function hushLetters(event) {
  const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "?" && event.key !== " ";
  if (isLetter && !lettersWork() && !isTyping(event.target)) event.stopImmediatePropagation();
}

function keepLetters() {
  const show = () => {
    for (const box of document.querySelectorAll("[data-letters]")) box.checked = lettersWork();
  };
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-letters]")) return;
    localStorage.setItem(STORED_LETTERS, event.target.checked ? "on" : "off");
    show();
  });
  // The boxes come with their pages.
  document.addEventListener("focusin", show);
  document.addEventListener("click", show);
}

keepTheme();
followTabs();
keepLetters();
document.addEventListener("keydown", hushLetters, true);
followLinks();
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
