/* What was picked over pages and what can be done with it; and what was just done, with its way back. Pure. */

import { h, icon } from "./dom.js";

const COMPARED = [2, 4];

export function bulkBar(state) {
  const { shown, around, ticked, all, said } = state;
  const isPicked = all || ticked.size > 0;
  return [
    said?.words ? h("div", { class: "hi-said", key: "said", role: "status", "data-testid": "history-said" },
      icon(said.isBad ? "warn" : "check", said.isBad ? "bad" : "ok"), h("span", {}, said.words),
      said.undo ? h("button", { type: "button", class: "bar-button", "data-go": "undo" }, "Undo") : null,
      h("button", { type: "button", class: "bar-button only-icon", "data-go": "quiet", "aria-label": "Close", title: "Close" }, icon("x"))) : null,
    isPicked && shown ? h("div", { class: "compare-bar hi-bulk", key: "bulk", role: "toolbar", "aria-label": "Picked", "data-testid": "history-bulk" },
      h("span", { class: "compare-count" }, all ? `All ${shown.count} that match` : `${ticked.size.toLocaleString("en")} picked`),
      button("page", "This page"),
      !all && shown.total > shown.runs?.length && !shown.in_trash ? button("all", `All ${shown.count}`) : null,
      shown.in_trash ? trashActions(all) : state.tagging ? tagForm(around) : actions(state),
      h("button", { type: "button", class: "bar-button only-icon", key: "none", "data-go": "none", "aria-label": "Pick none", title: "Pick none" }, icon("x"))) : null,
  ];
}

const trashActions = (all) => [button("restore", "Restore"), all ? null : button("delete", "Delete for ever")];

function actions({ ticked, all }) {
  const images = [...ticked.values()].filter((one) => one.image);
  const isFavourite = !all && images.length > 0 && images.every((one) => one.image.favourite);
  return [
    button(isFavourite ? "unfavourite" : "favourite", isFavourite ? "No favourite" : "Favourite"),
    button("tagging", "Tag"),
    !all && images.length >= COMPARED[0] && images.length <= COMPARED[1] ? button("compare", "Compare") : null,
    button("zip", "ZIP"),
    button("report", "Report"),
    button("trash", "Trash"),
  ];
}

const tagForm = (around) =>
  h("form", { class: "hi-tag-form", "data-form": "tag", key: "tag" },
    h("input", { name: "tag", list: "hi-tags", placeholder: "Tag", "aria-label": "Tag", maxlength: 40, autocomplete: "off", autofocus: true }),
    h("datalist", { id: "hi-tags" }, (around?.tags || []).map((tag) => h("option", { key: tag, value: tag }))),
    h("button", { type: "submit", class: "bar-button" }, "Add"),
    h("button", { type: "button", class: "bar-button", "data-go": "tagging" }, "Cancel"));

const button = (go, words) => h("button", { type: "button", class: "bar-button", key: go, "data-go": go }, words);
