/* The line above the results: which badges there are, as a filter, and whether new runs come into view by themselves. */

import { h, icon } from "./dom.js";

const STORED = "diptych-show-newest";
let wanted = "";

export const isShowingNewest = () => localStorage.getItem(STORED) !== "off";
export const showNewest = (isOn) => localStorage.setItem(STORED, isOn ? "on" : "off");
export const filterBy = (badge) => {
  wanted = wanted === badge ? "" : badge;
};
export const isFiltered = () => Boolean(wanted);

/** The groups with those tiles only that have the wanted badge. A grid falls apart into its tiles. */
export function filtered(groups) {
  if (!wanted) return groups;
  return groups
    .map((one) => ({ ...one, grid: null, parity: null, tiles: one.tiles.filter((tile) => tile.badges.includes(wanted)) }))
    .filter((one) => one.tiles.length);
}

function counts(groups) {
  const found = new Map();
  for (const badge of groups.flatMap((one) => one.tiles.flatMap((tile) => tile.badges))) found.set(badge, (found.get(badge) || 0) + 1);
  // What is filtered by stays, so that it can be let go of.
  if (wanted && !found.has(wanted)) found.set(wanted, 0);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function resultsBar(groups) {
  const badges = counts(groups);
  return h("div", { class: "results-bar", key: "bar" },
    h("div", { class: "badge-filter", role: "group", "aria-label": "Show only images with a badge", "data-testid": "badge-filter" },
      badges.map(([badge, count]) =>
        h("button", { type: "button", class: "chip", key: badge, "data-act": "filter", "data-badge": badge, "aria-pressed": String(badge === wanted) },
          icon("warn", "warn"), badge, " ", h("b", {}, count))),
      wanted ? h("button", { type: "button", class: "link", key: "all", "data-act": "filter", "data-badge": wanted }, "Show all") : null),
    h("label", { class: "letters newest", title: "Off: what you look at stays where it is, and new runs wait behind a button" },
      h("span", { class: "box" }, h("input", { type: "checkbox", name: "newest", checked: isShowingNewest() }), icon("check")), "Show new runs at once"));
}

/** The quiet way to what came meanwhile. */
export const newChip = (count) =>
  h("button", { type: "button", class: "new-chip", key: "new", "data-act": "show_new", "data-testid": "new-runs" }, icon("up"), `${count} new`);

export const nothingLeft = () =>
  h("div", { class: "empty", key: "none", "data-testid": "no-badge" },
    h("h2", {}, `No image with “${wanted}”`),
    h("p", {}, "Among the runs that are listed here."),
    h("button", { type: "button", class: "button", "data-act": "filter", "data-badge": wanted }, "Show all"));
