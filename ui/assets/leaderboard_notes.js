/* What stands under the Leaderboard's charts: undecided neighbours, what the numbers mean, votes left out, providers, the hash. */

import { h } from "./dom.js";

const SHOWN_DIGITS = 12;

export const neighbours = ({ pairs, none }) =>
  h(
    "section",
    { class: "panel lb-chart", key: "neighbours", "data-testid": "board-undecided" },
    h("h2", {}, "Undecided neighbours"),
    h("p", { class: "caption" }, "Votes between the two that would part them, if the gap stays."),
    pairs.length
      ? h("ol", { class: "lb-pairs" }, pairs.map((pair) => h("li", { key: `${pair.first} ${pair.second}` }, h("span", {}, h("b", {}, pair.first), " over ", h("b", {}, pair.second)), h("span", {}, pair.more))))
      : h("p", { class: "lb-quiet-line" }, none),
  );

export const numbers = (shown) =>
  h(
    "section",
    { class: "panel lb-chart", key: "numbers", "data-testid": "board-meaning" },
    h("h2", {}, "What the numbers mean"),
    h("p", { class: "lb-gap" }, shown.gap),
    h("ul", { class: "lb-sentences" }, shown.method.map((sentence) => h("li", { key: sentence }, sentence))),
    leftOut(shown.left_out),
  );

function leftOut(out) {
  if (!out.any) return h("p", { class: "caption lb-under", key: "out" }, "No votes are left out.");
  return h(
    "details",
    { class: "lb-notes", key: "out", "data-testid": "left-out" },
    h("summary", {}, `${out.votes} left out on all boards`),
    h("ul", {}, out.reasons.map(([reason, votes]) => h("li", { key: reason }, h("b", {}, votes), ` ${reason}`))),
    out.voters.length ? h("p", {}, `Voters left out, ${out.share}:`) : null,
    out.voters.length ? h("ul", {}, out.voters.map((one) => h("li", { key: one.voter }, h("code", {}, one.voter), ` ${one.votes} votes, since ${one.day}. ${one.reason}`))) : null,
    out.more_voters ? h("p", {}, `And ${out.more_voters} more.`) : null,
  );
}

const HEADS = [
  ["runs", "Runs", "Runs that ended by themselves"],
  ["success", "Success", "Of these and the provider's own faults; refused prompts do not count"],
  ["p50", "p50 s", "Median seconds to the whole image"],
  ["p95", "p95 s", "95 of 100 took no longer"],
  ["byte", "First byte s", "Median seconds to the first byte of the answer, of those that succeeded"],
  ["first", "First preview s", "Median seconds to the first preview, where one came"],
  ["errors", "Errors", "What went wrong, and how often"],
];

export const performance = (shown, isBeside) =>
  h(
    "section",
    { class: `panel lb-chart lb-performance ${isBeside ? "lb-wide" : ""}`, key: "performance", "data-testid": "performance" },
    h("h2", {}, "Provider performance"),
    h("p", { class: "caption" }, shown.about),
    h(
      "div",
      { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Provider performance" },
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, h("th", { key: "offer", scope: "col" }, "Offer"), HEADS.map(([name, words, title]) => h("th", { key: name, scope: "col", class: "number", title }, words)))),
        h(
          "tbody",
          {},
          shown.rows.map((row) =>
            h(
              "tr",
              { key: row.id },
              h("th", { key: "offer", scope: "row", class: "lb-competitor" }, h("b", {}, row.model), row.more ? [" ", h("span", { class: "lb-more" }, row.more)] : null),
              HEADS.map(([name]) => h("td", { key: name, class: "number", title: name === "success" ? row.told : null }, row[name])),
            ),
          ),
        ),
      ),
    ),
  );

export const foot = (shown, proof) =>
  h(
    "div",
    { class: "lb-foot", key: "foot", "data-testid": "board-proof" },
    h("span", {}, shown.method_line),
    h(
      "span",
      { class: "lb-proof" },
      "Hash of the votes ",
      proof ? h("code", { class: "lb-hash", title: proof }, `${proof.slice(0, SHOWN_DIGITS)}…`) : h("code", { class: "lb-hash" }, "is being made"),
      proof ? h("button", { type: "button", class: "link", "data-do": "copy", "aria-label": "Copy the whole hash" }, "Copy") : null,
    ),
    shown.check ? h("span", {}, "Anyone can check: export the votes, then run ", h("code", {}, shown.check), ".") : null,
  );
