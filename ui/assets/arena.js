/* Arena: both images appear at one instant, and buttons and keys pass one gate that opens when they have.

   The value tells a battle's id, its prompt and the addresses of two neutral copies; makers come with the vote. */

import { announce, h, icon, render } from "./dom.js";

const ANSWERS = [
  ["a", "A better", "1"],
  ["b", "B better", "2"],
  ["tie", "Tie", "3"],
  ["both_bad", "Both bad", "4"],
  ["skip", "Skip", "0"],
];
const KEYS = { 1: "a", ArrowLeft: "a", 2: "b", ArrowRight: "b", 3: "tie", 4: "both_bad", 0: "skip" };

window.diptych.component("arena", ({ element, trigger, props, watch }) => {
  const gate = { battle: null, state: "closed", openedAt: 0, sent: false };

  let current = { state: "loading" };
  let wanted = null;

  const value = () => current;
  const draw = () => render(element.querySelector(".drawn"), board(value(), gate));

  /** While a link's pair is awaited, what the opened tab draws of itself is not shown. */
  function isBeside(incoming) {
    return wanted !== null && performance.now() < wanted.until && incoming.group !== wanted.group;
  }

  function paint() {
    const incoming = props.value || { state: "loading" };
    if (isBeside(incoming)) {
      if (incoming !== current && incoming.state !== "loading") props.value = current;
      return;
    }
    current = incoming;
    const shown = value();
    if (shown.state === "battle" && gate.battle !== shown.battle_id) begin(shown);
    if (shown.state !== "battle") gate.sent = false;
    draw();
    if (shown.state === "revealed") announce(`${shown.said} A is ${named(shown.reveal.a)}, B is ${named(shown.reveal.b)}.`);
    if (shown.state === "revealed" || shown.state === "refused") focusNext();
  }

  async function begin(shown) {
    Object.assign(gate, { battle: shown.battle_id, state: "closed", sent: false });
    const isCurrent = () => gate.battle === shown.battle_id;
    try {
      await Promise.all([loaded(shown.a), loaded(shown.b)]);
      if (!isCurrent()) return;
      gate.state = "shown";
      draw();
      await painted();
    } catch {
      if (isCurrent()) gate.state = "broken";
    }
    if (!isCurrent()) return;
    if (gate.state === "shown") Object.assign(gate, { state: "open", openedAt: performance.now() });
    draw();
    announce(gate.state === "open" ? "Both images are here. Which is better?" : "An image did not load.");
  }

  /** The one way to answer, for buttons and keys alike. */
  function answer(outcome) {
    const shown = value();
    const mayAnswer = gate.state === "open" || (gate.state === "broken" && outcome === "skip");
    if (shown.state !== "battle" || gate.sent || !mayAnswer) return;
    gate.sent = true;
    draw();
    const decided_ms = gate.state === "open" ? Math.round(performance.now() - gate.openedAt) : null;
    trigger("answer", { battle_id: shown.battle_id, outcome, decided_ms });
  }

  function next() {
    if (gate.sent || !["revealed", "refused", "off"].includes(value().state)) return;
    gate.sent = true;
    draw();
    trigger("next_battle", {});
  }

  function ask(event) {
    if (gate.sent) return;
    gate.sent = event === "demo_battle";
    draw();
    trigger(event, {});
  }

  function focusNext() {
    const active = document.activeElement;
    if (active === document.body || element.contains(active)) element.querySelector("#ar-next")?.focus({ preventScroll: true });
  }

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.answer) answer(button.dataset.answer);
    else if (button?.dataset.ask === "next") next();
    else if (button?.dataset.ask) ask(button.dataset.ask);
  });

  window.diptych.onVisit("arena", ([what, group]) => {
    if (what !== "group" || !group) return;
    wanted = { group, until: performance.now() + 5000 };
    current = { state: "loading" };
    draw();
    trigger("pair", { group });
  });

  document.addEventListener("keydown", (event) => {
    if (element.offsetParent === null || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable=true], dialog")) return;
    const outcome = KEYS[event.key];
    if (outcome) answer(outcome);
    else if (event.key === "n" || event.key === "N") next();
    else return;
    event.preventDefault();
  });

  watch("value", paint);
  paint();
});

/** Resolves when the browser has the image's pixels. */
async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
}

/** Resolves after what is in the page now was painted. */
const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

const named = (side) => (side.provider ? `${side.model} at ${side.provider}` : side.model);

function board(shown, gate) {
  if (shown.state === "none") return null;
  if (shown.state === "loading") return h("div", { class: "ar-quiet" });
  if (shown.state === "empty") return empty(shown, gate);
  if (shown.state === "off") return off(shown, gate);
  return h(
    "div",
    { class: "ar", "data-testid": "battle", "data-state": shown.state, "data-gate": shown.state === "battle" ? gate.state : "closed" },
    shown.prompt && h("h2", { class: "ar-prompt", key: "prompt" }, shown.prompt),
    shown.inputs?.length
      ? h("div", { class: "ar-inputs", key: "inputs" }, shown.inputs.map((url, n) => h("img", { key: url, src: url, alt: `Source image ${n + 1}` })))
      : null,
    shown.width ? pair(shown, gate) : null,
    h("div", { class: "ar-foot", key: "foot" }, shown.state === "working" ? working() : bar(shown, gate)),
  );
}

function pair(shown, gate) {
  const ratio = shown.width / shown.height;
  return h(
    "div",
    { class: `ar-pair ${ratio < 1 ? "upright" : ""}`, key: `pair ${shown.battle_id || ""}`, style: `--ratio: ${ratio}` },
    ["a", "b"].map((side) => half(shown, gate, side)),
  );
}

function half(shown, gate, side) {
  const letter = side.toUpperCase();
  const isShown = shown.state !== "working" && ["shown", "open"].includes(gate.state);
  const told = shown.reveal?.[side];
  return h(
    "figure",
    { class: "ar-side", "data-testid": `side-${side}` },
    h(
      "div",
      { class: isShown ? "ar-box" : "ar-box sheen" },
      isShown ? h("img", { src: shown[side], alt: told ? `${letter}: ${shown.prompt}` : `Image ${letter}`, width: shown.width, height: shown.height }) : null,
    ),
    h(
      "figcaption",
      {},
      told
        ? [
            h("div", { class: "ar-maker", key: "maker" }, h("b", {}, told.model), told.provider ? h("span", {}, told.provider) : null, voted(shown, side)),
            h("div", { class: "ar-facts", key: "facts" }, told.facts),
          ]
        : h("b", { key: "letter" }, letter),
    ),
  );
}

const voted = (shown, side) => (shown.outcome === side ? h("span", { class: "chip" }, icon("check", "ok"), "Your vote") : null);

const working = () => [
  h("div", { class: "ar-bar", key: "wait", role: "status" }, h("span", { class: "ar-wait" }, icon("spin", "spin busy"), "Both models are at work. The images appear together.")),
  h("p", { class: "ar-line caption", key: "line" }, "If you leave, the runs go on and the pair waits for you here."),
];

function bar(shown, gate) {
  if (shown.state === "battle") {
    return [
      h(
        "div",
        { class: "ar-bar", key: "answers", role: "group", "aria-label": "Which is better?" },
        ANSWERS.map(([outcome, words, key]) =>
          h(
            "button",
            {
              type: "button",
              class: "button ar-answer",
              id: `ar-${outcome.replace("_", "-")}`,
              "data-answer": outcome,
              "aria-keyshortcuts": key,
              disabled: gate.sent || !(gate.state === "open" || (gate.state === "broken" && outcome === "skip")),
            },
            words,
            h("kbd", { "aria-hidden": "true" }, key),
          ),
        ),
      ),
      h(
        "p",
        { class: "ar-line caption", key: "line" },
        h("span", {}, gate.state === "broken" ? "An image did not load. Skip this pair, or open the page again." : shown.source),
        h("button", { type: "button", class: "link", "data-ask": "new_battle", id: "ar-source" }, "New battle"),
      ),
    ];
  }
  return [
    h(
      "div",
      { class: "ar-bar", key: "after" },
      h("button", { type: "button", class: "button primary ar-answer", id: "ar-next", "data-ask": "next", "aria-keyshortcuts": "n", disabled: gate.sent }, "Next battle", h("kbd", { "aria-hidden": "true" }, "N")),
      shown.open_run ? h("a", { class: "button ar-answer", id: "ar-open", href: `#playground/remix/${shown.open_run}` }, "Open in Playground") : null,
    ),
    h(
      "p",
      { class: "ar-line caption", key: "said", "data-testid": "said" },
      h("span", {}, shown.said),
      h("button", { type: "button", class: "link", "data-ask": "new_battle", id: "ar-source" }, "New battle"),
    ),
  ];
}

function empty(shown, gate) {
  return h(
    "div",
    { class: "empty", "data-testid": "arena-empty" },
    icon("compare"),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    h(
      "div",
      { class: "row" },
      shown.has_demo
        ? h("button", { type: "button", class: "button primary", id: "ar-demo", "data-ask": "demo_battle", disabled: gate.sent }, "Start a demo battle · free")
        : null,
      shown.has_models ? h("button", { type: "button", class: `button ${shown.has_demo ? "" : "primary"}`, id: "ar-source", "data-ask": "new_battle" }, "New battle") : null,
      h("a", { class: "button", href: "#playground" }, "Open Playground"),
    ),
  );
}

function off(shown, gate) {
  return h(
    "div",
    { class: "empty", "data-testid": "arena-off" },
    icon("warn", "warn"),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    shown.reasons?.length ? h("ul", { class: "ar-reasons" }, shown.reasons.map((reason, n) => h("li", { key: n }, reason))) : null,
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "button primary", "data-ask": "new_battle" }, "New battle"),
      h("button", { type: "button", class: "button", id: "ar-next", "data-ask": "next", disabled: gate.sent }, "Pairs already made"),
    ),
  );
}
