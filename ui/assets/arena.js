/* Arena: both images appear at one instant, and buttons and keys pass one gate that opens when they have.

   The value tells a battle's id, its prompt and the addresses of two neutral copies; makers come with the vote. */

import { board } from "./arena-board.js";
import { ANY, notLoaded } from "./arena-foot.js";
import { battleForm } from "./arena-form.js";
import { closeZoom, openZoom } from "./arena-zoom.js";
import { announce, render } from "./dom.js";
import { openLightbox } from "./lightbox.js";

const KEYS = { 1: "a", ArrowLeft: "a", 2: "b", ArrowRight: "b", 3: "tie", 4: "both_bad", 0: "skip" };
/* What has the focus may have its own use for a key, arrows above all: there no key answers. */
const KEEPS_KEYS = `input, textarea, select, summary, dialog, [contenteditable=true], ${["tab", "menu", "menuitem", "listbox", "option", "combobox", "radio", "slider", "spinbutton", "tree", "grid", "dialog"].map((role) => `[role=${role}]`).join(", ")}`;
/* Where the focus goes on when what was pressed made room for another state. */
const NEXT_FOCUS = { working: "[data-ask=stop]", battle: ".ar-bar.answers", form: "#ar-form-head", empty: ".row .button", off: ".row .button" };
const MORE_QUESTIONS = "diptych-arena-questions";
const SESSION = "diptych-arena-session";
const PATIENCE_MS = 20000;
const ANYTHING = { task: "any", category: "" };

function arena({ element, trigger, props, watch }) {
  const gate = { battle: null, state: "closed", openedAt: 0, sent: false, images: null, missing: [] };
  const look = { menu: null, more: remembered(MORE_QUESTIONS) === "on", second: {}, undoUntil: 0, since: 0, battle: 0, wanted: ANYTHING, now: () => performance.now() };

  let current = { state: "loading" };
  let awaited = null;
  let silence;
  let hadFocus = false;
  let wantsForm = true;

  const value = () => current;
  const draw = () => {
    render(element.querySelector(".drawn"), board(value(), gate, look, form));
    for (const list of element.querySelectorAll("select[data-value]")) list.value = list.dataset.value;
  };
  const form = battleForm({ draw, send, start });

  /** While a link's pair is awaited, what the opened tab draws of itself is not shown. */
  function isBeside(incoming) {
    return awaited !== null && performance.now() < awaited.until && incoming.named !== awaited.named;
  }

  /** The form's answer to what was changed before the battle was started must not take that battle's place. */
  const isLateForm = (incoming) => incoming.state === "form" && !wantsForm && !incoming.is_refusal;

  function paint() {
    const incoming = props.value || { state: "loading" };
    if (isBeside(incoming) || (incoming !== current && isLateForm(incoming))) {
      if (incoming !== current && incoming.state !== "loading") props.value = current;
      return;
    }
    const before = current;
    current = incoming;
    if (current.wanted) look.wanted = current.wanted;
    if (current.state === "form") form.take(current.form);
    if (["battle", "revealed", "refused"].includes(current.state) && current.a && gate.battle !== current.battle_id) begin(current);
    if (current.state !== before.state || current.battle_id !== before.battle_id) entered(before);
    if (current.state !== before.state || current.mark !== before.mark || current.said !== before.said) wait(false);
    draw();
    if (["revealed", "refused", "reported"].includes(current.state)) tellOutcome(before);
    else if (current.state !== before.state || current.battle_id !== before.battle_id) passFocus(NEXT_FOCUS[current.state]);
  }

  /** Puts the focus on what took the place of the control that had it, unless it was taken elsewhere meanwhile. */
  function passFocus(where) {
    if (where && hadFocus && document.activeElement === document.body) element.querySelector(where)?.focus({ preventScroll: true });
  }

  function entered(before) {
    if (look.menu !== "options" || current.state !== "battle") look.menu = null;
    if (current.state !== "revealed") closeZoom();
    if (current.state === "revealed" && before.state === "battle") look.undoUntil = performance.now() + (current.undo_s || 0) * 1000;
    if (current.state === "working") look.since = performance.now() - (current.began_s || 0) * 1000;
    if (current.state !== before.state && ["form", "battle", "working"].includes(current.state) && element.offsetParent) scrollTo({ top: 0 });
  }

  function tellOutcome(before) {
    if (!current.undo_s) look.undoUntil = 0;
    if (before.said === current.said && before.state === current.state) return;
    const makers = current.reveal && before.state === "battle" ? ` A is ${named(current.reveal.a)}, B is ${named(current.reveal.b)}.` : "";
    announce(`${current.said || current.title || ""}${makers}`);
    focusNext();
  }

  function begin(shown) {
    forget(gate.images);
    Object.assign(gate, { battle: shown.battle_id, sent: false });
    Object.assign(look, { second: {}, undoUntil: 0, battle: counted(shown.battle_id) });
    load(shown);
  }

  /** Fetches both images; the gate opens once both were painted. Neither is shown without the other. */
  async function load(shown) {
    Object.assign(gate, { state: "closed", images: null, missing: [] });
    const isCurrent = () => gate.battle === shown.battle_id;
    const [a, b] = (await Promise.allSettled([loaded(shown.a), loaded(shown.b)])).map((one) => one.value);
    if (!isCurrent() || !a || !b) forget({ a, b });
    if (!isCurrent()) return;
    if (a && b) {
      Object.assign(gate, { state: "shown", images: { a, b } });
      draw();
      await painted();
      if (!isCurrent()) return;
      Object.assign(gate, { state: "open", openedAt: performance.now() });
    } else Object.assign(gate, { state: "broken", missing: [...(a ? [] : ["a"]), ...(b ? [] : ["b"])] });
    draw();
    if (value().state !== "battle") return;
    passFocus(gate.missing.length ? "[data-ask=reload]" : NEXT_FOCUS.battle);
    announce(gate.missing.length ? notLoaded(gate.missing) : "Both images are here. Which is better?");
  }

  function reload() {
    if (gate.state !== "broken" || gate.sent) return;
    load(value());
    draw();
  }

  /** Nothing can be pressed until the server's next word; if none comes, what was pressed can be pressed again. */
  function wait(is) {
    clearTimeout(silence);
    gate.sent = is;
    if (is) {
      // Whoever goes on is past the link that led here: what is shown next is no other tab's.
      awaited = null;
      silence = setTimeout(() => {
        gate.sent = false;
        draw();
      }, PATIENCE_MS);
    }
  }

  /** The one way to answer, for buttons and keys alike. */
  function answer(outcome) {
    const shown = value();
    const mayAnswer = gate.state === "open" || (gate.state === "broken" && outcome === "skip");
    if (shown.state !== "battle" || gate.sent || !mayAnswer) return;
    wait(true);
    closeZoom();
    draw();
    const decided_ms = gate.state === "open" ? Math.round(performance.now() - gate.openedAt) : null;
    const second = look.more && outcome !== "skip" ? look.second : {};
    const then = (outcome === "skip" && { new: "form", free: "demo" }[shown.origin]) || "";
    if (then === "form") carry(form.draft());
    trigger("answer", { battle_id: shown.battle_id, outcome, decided_ms, then, wanted: look.wanted, ...second });
  }

  function next() {
    const { state, origin } = value();
    if (gate.sent || !["revealed", "refused", "off", "reported"].includes(state)) return;
    if (origin === "free") ask("demo_battle");
    else if (origin === "new") openForm("another");
    else ask("next_battle");
  }

  /** Asks the server for another thing to show; nothing else can be pressed until it is there. */
  function ask(event) {
    if (gate.sent) return;
    wait(true);
    look.menu = null;
    draw();
    trigger(event, { wanted: look.wanted });
  }

  function openForm(act = "") {
    if (gate.sent) return;
    look.menu = null;
    send(form.draft(), act);
  }

  function changeSource(to) {
    if (to === "new") openForm(value().origin === "new" ? "another" : "");
    else ask("next_battle");
  }

  function send(draft, act = "") {
    carry(draft);
    trigger("form", { act, wanted: look.wanted });
  }

  /** The draft travels within the value: of several changes in a row the last one counts, and it must count whole. */
  function carry(draft) {
    wantsForm = true;
    current = { ...current, form: { ...current.form, draft } };
    props.value = current;
  }

  function start() {
    if (gate.sent || value().state !== "form") return;
    // Money: this one is never pressed twice, however long the server takes. It answers in any case.
    clearTimeout(silence);
    gate.sent = true;
    carry(form.draft());
    wantsForm = false;
    draw();
    trigger("start", {});
  }

  function report(reason) {
    const shown = value();
    const isOver = shown.state === "revealed";
    const words = element.querySelector(".ar-menu textarea")?.value || "";
    if (gate.sent || !(isOver || ["open", "broken"].includes(gate.state))) return;
    wait(!isOver);
    look.menu = null;
    draw();
    trigger("report", { battle_id: shown.battle_id, reason, words, wanted: look.wanted });
  }

  function undo() {
    if (gate.sent || performance.now() >= look.undoUntil) return;
    look.undoUntil = 0;
    // The answer shows this battle: one that was asked for meanwhile would be painted over.
    wait(true);
    draw();
    trigger("undo", { battle_id: value().battle_id });
  }

  function filter(change) {
    look.wanted = { ...look.wanted, ...change };
    if (["battle", "empty"].includes(value().state) && !gate.sent) {
      wait(true);
      trigger("next_battle", { wanted: look.wanted });
    }
    draw();
  }

  function zoom(side) {
    const shown = value();
    if (gate.state !== "open" || !gate.images) return;
    const label = (one) => (shown.reveal ? `${one.toUpperCase()} · ${named(shown.reveal[one])}` : one.toUpperCase());
    openZoom({ images: gate.images, labels: { a: label("a"), b: label("b") }, width: shown.width, height: shown.height, first: side });
  }

  function toggleMenu(name) {
    look.menu = look.menu === name ? null : name;
    draw();
    if (look.menu) element.querySelector(".ar-menu :is(input:checked, input:not([type=radio]), button, select, textarea)")?.focus({ preventScroll: true });
  }

  function closeMenu() {
    if (!look.menu) return;
    const opener = element.querySelector(`[data-menu="${look.menu === "words" ? "report" : look.menu}"]`);
    look.menu = null;
    draw();
    opener?.focus({ preventScroll: true });
  }

  function focusNext() {
    const active = document.activeElement;
    if (active === document.body || element.contains(active)) element.querySelector("#ar-next")?.focus({ preventScroll: true });
  }

  const presses = {
    answer: (what) => answer(what),
    menu: (what) => toggleMenu(what),
    report: (what) => report(what),
    zoom: (what) => zoom(what),
    form: (what, button) => form.press(what, button),
    second: (what) => {
      const [question, outcome] = what.split(" ");
      if (gate.state === "open" && !gate.sent) look.second = { ...look.second, [question]: look.second[question] === outcome ? undefined : outcome };
      draw();
    },
    source: (what, button) => openLightbox([{ src: button.dataset.src, alt: `Source image ${what}`, caption: `Source image ${what}` }], 0),
    ask: (what) => {
      if (what === "next") next();
      else if (what === "undo") undo();
      else if (what === "form") openForm();
      else if (what === "reload") reload();
      else if (what === "anything") filter(ANYTHING);
      else if (what === "stop") trigger("stop", {});
      else ask(what);
    },
  };

  element.addEventListener("click", (event) => {
    // By click, not by change: the source that is chosen already leads somewhere too.
    if (event.target.dataset.option === "source") return void changeSource(event.target.value);
    const button = event.target.closest("button");
    if (!button || button.disabled) return undefined;
    for (const [name, press] of Object.entries(presses)) if (button.dataset[name]) return void press(button.dataset[name], button);
    return undefined;
  });

  element.addEventListener("change", (event) => {
    const { field, option, filter: name } = event.target.dataset;
    const chosen = event.target.value === ANY ? "" : event.target.value;
    if (field) form.change(field, chosen);
    else if (name) filter(name === "task" ? { task: chosen, category: "" } : { [name]: chosen });
    else if (option === "more") {
      look.more = event.target.checked;
      remember(MORE_QUESTIONS, look.more ? "on" : "off");
      draw();
    }
  });
  element.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-field]")) form.type(event.target.value);
  });

  // `#arena/group/<id>`: two images of a press; `#arena/images/<run:position>/<run:position>`: these two.
  window.diptych.onVisit("arena", ([what, ...names]) => {
    if (!(what === "group" && names[0]) && !(what === "images" && names.length === 2)) return;
    const named = names.join("/");
    awaited = { named, until: performance.now() + 5000 };
    current = { state: "loading" };
    draw();
    trigger("pair", { named });
  });

  document.addEventListener("focusin", (event) => (hadFocus = element.contains(event.target)));
  document.addEventListener("click", (event) => {
    // Who came by pointer means the battle, not the tab, by the keys that follow.
    if (event.detail) event.target.closest?.("[role=tab][data-tab-id=arena]")?.blur();
    // A press that redrew the page has no place in it any more.
    if (look.menu && event.target.isConnected && !event.target.closest?.(".ar-menu, [data-menu]")) {
      look.menu = null;
      draw();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (element.offsetParent === null || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "Escape") return closeMenu();
    if (look.menu || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.(KEEPS_KEYS)) return;
    const outcome = KEYS[event.key];
    if (outcome) answer(outcome);
    else if (/^n$/i.test(event.key)) next();
    else if (/^z$/i.test(event.key)) zoom("a");
    else return;
    event.preventDefault();
  });

  setInterval(() => {
    const isCounting = value().state === "working" || look.undoUntil > 0;
    if (performance.now() > look.undoUntil) look.undoUntil = 0;
    if (isCounting && element.offsetParent) draw();
  }, 500);

  form.listen(element, () => value().state === "form" && element.offsetParent !== null);
  watch("value", paint);
  paint();
}

/** The address of the image's bytes in this page, once the browser has its pixels. */
async function loaded(url) {
  const reply = await fetch(url, { cache: "no-store" });
  if (!reply.ok) throw new Error(`${reply.status}`);
  const source = URL.createObjectURL(await reply.blob());
  const image = new Image();
  image.src = source;
  await image.decode();
  return source;
}

const forget = (images) => Object.values(images || {}).forEach((source) => source && URL.revokeObjectURL(source));

/** Resolves after what is in the page now was painted. */
const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

const named = (side) => (side.provider ? `${side.model} at ${side.provider}` : side.model);

/** Which battle of this browser tab's session it is; one that is shown again keeps its number. */
function counted(battle_id) {
  const known = JSON.parse(remembered(SESSION, sessionStorage) || "null") || { count: 0, last: "" };
  if (known.last === battle_id) return known.count;
  remember(SESSION, JSON.stringify({ count: known.count + 1, last: battle_id }), sessionStorage);
  return known.count + 1;
}

function remembered(key, where = localStorage) {
  try {
    return where.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, text, where = localStorage) {
  try {
    where.setItem(key, text);
  } catch {
    /* A browser that keeps nothing forgets it. */
  }
}

// Last: the component may be drawn at once, and needs all of the above.
window.diptych.component("arena", arena);
