/* Leaderboard: one table, and under it how many votes it stands on and how. */

import { h, icon, render } from "./dom.js";

window.diptych.component("board", ({ element, props, watch }) => {
  const paint = () => render(element.querySelector(".drawn"), board(props.value || {}));
  watch("value", paint);
  paint();
});

const HEADS = [
  ["rank", "#", "number"],
  ["competitor", "Competitor", ""],
  ["rating", "Elo", "number"],
  ["battles", "Battles", "number"],
  ["win_rate", "Win rate", "number", "Wins and half of the ties, as a share of all battles"],
  ["record", "Won – lost – tied", "number"],
  ["both_bad", "Both bad", "number"],
  ["cost", "Mean cost", "number", "Mean cost of an image in recent battles"],
  ["p50", "p50 s", "number", "Median time to the whole image in recent battles"],
];

function board(shown) {
  if (shown.state === "empty") return empty(shown);
  if (shown.state !== "board") return h("div", { class: "lb-quiet" });
  return h(
    "div",
    { class: "lb" },
    shown.notice ? h("div", { class: "banner", key: "notice", "data-testid": "board-notice" }, icon("compare"), h("p", {}, shown.notice)) : null,
    h(
      "div",
      { class: "panel lb-panel", key: "panel" },
      h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Leaderboard" }, table(shown.rows)),
    ),
    h(
      "p",
      { class: "lb-method caption", key: "method" },
      h("b", {}, `${shown.votes} counted.`),
      ` ${shown.left_out ? `${shown.left_out}. ` : ""}${shown.method}`,
    ),
  );
}

const table = (rows) =>
  h(
    "table",
    { class: "table", "data-testid": "board" },
    h("thead", {}, h("tr", {}, HEADS.map(([name, words, kind, title]) => h("th", { key: name, class: `${kind} lb-${name}`, scope: "col", title }, words)))),
    h("tbody", {}, rows.map(row)),
  );

const row = (one) =>
  h(
    "tr",
    { key: one.offer, class: one.provisional ? "provisional" : "", "data-testid": `row-${one.offer}` },
    HEADS.map(([name, , kind]) => (name === "competitor" ? competitor(one) : h("td", { key: name, class: `${kind} lb-${name}` }, one[name]))),
  );

const competitor = (one) =>
  h(
    "th",
    { key: "competitor", scope: "row", class: "lb-competitor" },
    h("b", {}, one.model),
    one.provider ? h("span", { class: "lb-provider" }, one.provider) : null,
    one.provisional ? h("span", { class: "chip" }, "Provisional") : null,
  );

const empty = (shown) =>
  h(
    "div",
    { class: "empty", "data-testid": "board-empty" },
    icon("compare"),
    h("h2", {}, shown.title),
    h("p", {}, shown.text),
    h("div", { class: "row" }, h("a", { class: "button primary", href: "#arena" }, "Go to the Arena")),
  );
