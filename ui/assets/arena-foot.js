/* The foot of a battle: answers at one height whatever stands above, one line of words, and two small menus. */

import { h, icon } from "./dom.js";

const ANSWERS = [
  ["a", "A better", "1"],
  ["b", "B better", "2"],
  ["tie", "Tie", "3"],
  ["both_bad", "Both bad", "4"],
  ["skip", "Skip", "0"],
];
const QUESTIONS = [
  ["follows", "Follows the prompt"],
  ["looks", "Looks better"],
];
const SIDES = [
  ["a", "A"],
  ["tie", "Alike"],
  ["b", "B"],
];
const REASONS = [
  ["broken", "Image is broken"],
  ["offensive", "Offensive"],
  ["maker_shown", "Shows its maker"],
];
const TASKS = [
  ["any", "Any"],
  ["generate", "Generate"],
  ["edit", "Edit"],
];

/** Value of a choice that leaves it open: an option without words of its own would take its label for its value. */
export const ANY = "*";

export function foot(shown, gate, look) {
  return h("div", { class: "ar-foot", key: "foot", "data-state": shown.state }, menu(shown, gate, look), ...parts(shown, gate, look));
}

function parts(shown, gate, look) {
  if (shown.state === "working") return working(look);
  if (shown.state === "battle") return [look.more ? questions(gate, look) : null, answers(gate), line(shown, gate, look)];
  return [after(shown, gate), said(shown, look)];
}

const working = (look) => [
  h("div", { class: "ar-bar", key: "wait", role: "status" },
    h("span", { class: "ar-wait" }, icon("spin", "spin busy"), "Both models are at work.", h("span", { class: "ar-clock", "aria-hidden": "true" }, `${Math.max(0, Math.floor((look.now() - look.since) / 1000))} s`)),
    h("button", { type: "button", class: "button quiet", "data-ask": "stop" }, "Stop")),
  h("p", { class: "ar-line caption", key: "line" }, h("span", {}, "The images appear together. If you leave, the pair waits here for a day.")),
];

const answers = (gate) =>
  h(
    "div",
    { class: "ar-bar answers", key: "answers", role: "group", "aria-label": "Which is better?", tabindex: -1 },
    ANSWERS.map(([outcome, words, key]) =>
      h(
        "button",
        {
          type: "button",
          class: "button ar-answer",
          key: outcome,
          id: `ar-${outcome.replace("_", "-")}`,
          "data-answer": outcome,
          "aria-keyshortcuts": key,
          disabled: gate.sent || !(gate.state === "open" || (gate.state === "broken" && outcome === "skip")),
        },
        words,
        h("kbd", { "aria-hidden": "true" }, key),
      ),
    ),
  );

const questions = (gate, look) =>
  h("div", { class: "ar-questions", key: "questions", "data-testid": "questions" },
    QUESTIONS.map(([name, words]) =>
      h("div", { class: "ar-question", key: name, role: "group", "aria-label": words },
        h("span", {}, words),
        h("div", { class: "ar-choices" }, SIDES.map(([side, letter]) =>
          h("button", { type: "button", key: side, "data-second": `${name} ${side}`, "aria-pressed": String(look.second[name] === side), disabled: gate.sent || gate.state !== "open" }, letter))))));

/** Which of the two images did not come, as a sentence. */
export const notLoaded = (missing) => (missing.length > 1 ? "Neither image loaded." : `Image ${missing.join("").toUpperCase()} did not load.`);

const count = (look) => (look.battle ? `Battle ${look.battle}` : "");

function line(shown, gate, look) {
  const where = [count(look), shown.source].filter(Boolean).join(" · ");
  return h(
    "p",
    { class: "ar-line caption", key: "line" },
    h("span", { key: "where" }, gate.state === "broken" ? `${notLoaded(gate.missing)} Load again, skip this pair, or report it.` : where),
    h("span", { key: "wanted", class: "ar-wanted" }, filterWords(look.wanted, shown.filters)),
    opener("options", "Change source", look),
    opener("report", "Report", look, gate.sent || !["open", "broken"].includes(gate.state)),
  );
}

function filterWords({ task, category }, filters) {
  const name = filters?.find(([slug]) => slug === category)?.[1];
  return name || { any: "Any task", generate: "Generate", edit: "Edit" }[task] || "Any task";
}

const opener = (name, words, look, disabled = false) =>
  h("button", { type: "button", class: "link", key: name, id: name === "options" ? "ar-source" : `ar-${name}`, "data-menu": name, "aria-haspopup": "dialog", "aria-expanded": String(look.menu === name), disabled }, words);

function after(shown, gate) {
  return h(
    "div",
    { class: "ar-bar after", key: "after" },
    h("button", { type: "button", class: "button primary ar-answer", key: "next", id: "ar-next", "data-ask": "next", "aria-keyshortcuts": "n", disabled: gate.sent }, "Next battle", h("kbd", { "aria-hidden": "true" }, "N")),
    shown.open_run ? h("a", { class: "button ar-answer", key: "open", id: "ar-open", href: `#playground/remix/${shown.open_run}` }, "Open in Playground") : null,
  );
}

function said(shown, look) {
  const left = Math.ceil((look.undoUntil - look.now()) / 1000);
  return h(
    "p",
    { class: "ar-line caption", key: "said", "data-testid": "said" },
    shown.said ? h("span", { key: "words" }, shown.said) : null,
    look.battle ? h("span", { key: "count", class: "ar-count" }, `${count(look)} of this session`) : null,
    left > 0 ? h("button", { type: "button", class: "link", key: "undo", id: "ar-undo", "data-ask": "undo" }, `Undo (${left} s)`) : null,
    opener("options", "Change source", look),
    shown.state === "revealed" && !shown.reported ? opener("report", "Report", look) : null,
  );
}

// Menus

function menu(shown, gate, look) {
  if (look.menu === "options") return options(shown, gate, look);
  if (look.menu === "report" || look.menu === "words") return reasons(look);
  return null;
}

const reasons = (look) =>
  h("div", { class: "popover ar-menu", key: "report menu", role: "dialog", "aria-label": "Report" },
    h("h3", {}, icon("flag"), "What is wrong?"),
    look.menu === "report"
      ? h("div", { class: "ar-reports", key: "reasons" },
          REASONS.map(([reason, words]) => h("button", { type: "button", key: reason, class: "button quiet", "data-report": reason }, words)),
          h("button", { type: "button", key: "other", class: "button quiet", "data-menu": "words" }, "Something else"))
      : h("div", { class: "ar-words", key: "words" },
          h("textarea", { rows: 3, maxlength: 500, "aria-label": "What is wrong, in your words", placeholder: "In your words" }),
          h("button", { type: "button", class: "button", "data-report": "other" }, "Send report")));

function options(shown, gate, look) {
  const isNew = shown.origin === "new";
  const listed = (shown.filters || []).filter(([, , operation]) => look.wanted.task === "any" || operation === "any" || operation === look.wanted.task);
  return h("div", { class: "popover ar-menu", key: "options menu", role: "dialog", "aria-label": "What to vote on" },
    radios("ar-from", "Pairs from", [["history", "Already made\nfree"], ["new", "New battle\nprice shown first"]], isNew ? "new" : "history", { "data-option": "source" }),
    radios("ar-task", "Task", TASKS, look.wanted.task, { "data-filter": "task" }),
    h("label", { class: "ar-field", key: "category" }, h("span", {}, "Category"),
      h("span", { class: "ar-select" }, h("select", { "data-filter": "category", "data-value": look.wanted.category || ANY },
        h("option", { value: ANY, key: "any" }, "Any category"), listed.map(([slug, name]) => h("option", { value: slug, key: slug }, name))))),
    h("label", { class: "ar-switch", key: "more" },
      h("input", { type: "checkbox", "data-option": "more", checked: look.more, role: "switch" }),
      h("span", {}, h("b", {}, "Ask two more questions"), h("span", { class: "caption" }, "Which follows the prompt, which looks better. Answer them before the main one."))));
}

/** A segment of real radio buttons. */
export function radios(name, label, choices, chosen, props) {
  return h("fieldset", { class: "seg ar-field", key: name },
    h("legend", {}, label),
    h("div", { class: "wrap" }, choices.map(([value, words]) =>
      h("label", { key: value }, h("input", { type: "radio", name, value, checked: value === chosen, ...props }), h("span", {}, words)))));
}
