/* X-ray: a drawer with what Run would send to each offer, what it costs, and code that makes the same call. The server
   answers a look with all offers at once, so switching asks for nothing; while it is open it follows the form. */

import { copyText } from "./clipboard.js";
import { h, icon, render } from "./dom.js";
import { onOutlook } from "./form.js";

const COPIED_MS = 1600;

export function paintXray({ trigger, props, watch }) {
  let dialog;
  let group = "";
  /** Of that group only this run; empty: all. */
  let run = "";
  let offer = "";
  let language = "curl";
  let isWaiting = false;
  let copied = "";

  const look = () => trigger("look", { group, run });

  function open(wanted, ofRun = "") {
    if (!dialog) make();
    [group, run, isWaiting, copied] = [wanted, ofRun, true, ""];
    paint();
    if (!dialog.open) dialog.showModal();
    dialog.querySelector(".drawer-body").scrollTop = 0;
    look();
  }

  function make() {
    dialog = document.createElement("dialog");
    dialog.className = "drawer";
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-labelledby", "d-xray-title");
    dialog.dataset.testid = "xray";
    document.querySelector(".gradio-container").append(dialog);
    dialog.addEventListener("click", onClick);
    dialog.addEventListener("keydown", onKey);
    // By where it is pressed: a text that is selected may end on the scrim.
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  function onClick(event) {
    const { offer: chosen, language: spoken, go } = event.target.closest("button")?.dataset || {};
    if (go === "close") return dialog.close();
    if (go === "copy") return void copy();
    if (chosen) offer = chosen;
    if (spoken) language = spoken;
    return chosen || spoken ? paint() : undefined;
  }

  /* Arrow keys go through the tabs of a list, as its role promises. */
  function onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tab = event.target.closest("[role=tab]");
    if (!step || !tab) return;
    event.preventDefault();
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.click();
    next.focus();
  }

  async function copy() {
    const button = dialog.querySelector("[data-go=copy]");
    const worked = await copyText(chosenCode().code, dialog);
    copied = worked ? "Copied" : "Select and copy by hand";
    paint();
    button?.focus();
    setTimeout(() => {
      copied = "";
      paint();
    }, COPIED_MS);
  }

  const chosen = () => props.value.offers.find((one) => one.id === offer) || props.value.offers[0];
  const chosenCode = () => chosen().code.find((one) => one.id === language) || chosen().code[0];

  function paint() {
    if (!dialog) return;
    const value = isWaiting ? null : props.value;
    render(dialog,
      h("header", { class: "drawer-head" },
        h("div", { class: "drawer-title" },
          h("div", {},
            h("h2", { id: "d-xray-title" }, "X-ray"),
            h("p", { class: "caption" }, value?.words || "")),
          h("button", { type: "button", class: "icon-button", "data-go": "close", "aria-label": "Close X-ray", title: "Close" }, icon("x"))),
        // Above what scrolls, so that one place can be looked at in one offer after another.
        value?.offers.length ? tabs("Offers", value.offers, chosen().id, "offer") : null),
      h("div", { class: "drawer-body" }, value ? content(value) : waiting()),
      h("p", { class: "unseen", role: "status" }, copied));
  }

  function content(value) {
    const one = chosen();
    return [
      notices(value.problems),
      one ? h("div", { id: "d-xray-offer", role: "tabpanel", key: `panel ${one.id}`, "aria-label": one.name },
        notices(one.problems), fields(one.fields), cost(one.cost), request(one.request), code(one)) : null];
  }

  function code(one) {
    const { id, name, code: text, notes } = chosenCode();
    return h("section", { class: "xray-code" },
      h("div", { class: "xray-bar" },
        tabs("Languages", one.code, id, "language"),
        text ? h("button", { type: "button", class: "link", "data-go": "copy", "aria-label": `Copy the ${name} code`, key: "copy" }, copied || "Copy") : null),
      h("p", { class: "caption", key: "notes" }, notes.join(" ")),
      text && one.files.length ? files(one.files) : null,
      text ? h("pre", { tabindex: 0, role: "region", "aria-label": `${name} code`, "data-testid": "xray-code", key: id }, text) : null);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#pg-xray-open, [data-xray]");
    if (button) open(button.dataset.xray || "", button.dataset.xrayRun);
  });
  onOutlook(() => {
    if (dialog?.open && !group) look();
  });
  watch("value", () => {
    // An answer to an earlier look, when another was asked for meanwhile.
    if ((props.value?.group ?? "") !== group || (props.value?.run ?? "") !== run) return void (isWaiting && look());
    const isFirst = isWaiting;
    isWaiting = false;
    paint();
    // Of one run it is the code that is wanted.
    if (isFirst && run) dialog?.querySelector(".xray-code")?.scrollIntoView();
    return undefined;
  });
}

const waiting = () => h("div", { class: "xray-waiting", key: "waiting", role: "status", "aria-label": "Looking" },
  Array.from({ length: 9 }, (_, index) => h("div", { class: "sheen", key: index })));

const notices = (problems) =>
  problems.length ? h("ul", { class: "problem-list", key: "problems" },
    problems.map((text) => h("li", { key: text }, icon("warn", "bad"), h("span", {}, text)))) : null;

const tabs = (label, items, chosen, kind) =>
  h("div", { class: "xray-tabs", role: "tablist", "aria-label": label, key: kind },
    items.map((one) => h("button", {
      type: "button", role: "tab", class: "xray-tab", key: one.id, [`data-${kind}`]: one.id,
      "aria-selected": String(one.id === chosen), tabindex: one.id === chosen ? 0 : -1,
    }, one.name)));

const fields = (rows) =>
  h("div", { class: "xray-fields", role: "table", "aria-label": "What becomes of each field" },
    h("div", { role: "row", class: "xray-row xray-heads" },
      ["Field", "Asked", "Sent", "How"].map((word) => h("span", { role: "columnheader", key: word }, word)),
      h("span", { role: "columnheader", class: "unseen", key: "note" }, "Why")),
    rows.map(row));

const row = (one) =>
  h("div", { role: "row", class: "xray-row", key: one.name, "data-testid": "xray-row", "data-field": one.name },
    h("span", { role: "cell", class: "xray-field" }, one.field),
    h("span", { role: "cell", class: "xray-asked", title: one.asked }, h("span", {}, one.asked)),
    h("span", { role: "cell", class: one.is_sent ? "xray-sent" : "xray-sent unsent" }, one.sent),
    h("span", { role: "cell", class: "xray-how" }, h("span", { class: "chip" }, icon(one.how.icon, one.how.tone), one.how.word)),
    h("span", { role: "cell", class: "xray-note" }, one.note));

const line = (label, amount, key) => h("li", { key }, h("span", {}, label), amount ? h("span", { class: "xray-amount" }, amount) : null);

const cost = (one) =>
  h("section", { class: "xray-cost", "data-testid": "xray-cost" },
    h("div", { class: "xray-title" }, h("h3", {}, "Cost if it works"), h("b", {}, one.total)),
    h("ul", {},
      one.lines.map(({ label, amount }, index) => line(label, amount, index)),
      one.source ? line(one.source, "", "source") : null,
      one.several ? line(one.several, one.together, "several") : null),
    one.note ? h("p", { class: "caption", key: "note" }, one.note) : null);

const request = (one) =>
  h("section", { class: "xray-request" },
    h("div", { class: "xray-title" }, h("h3", {}, "Request")),
    one.calls ? h("p", { class: "caption", key: "calls" }, one.calls) : null,
    h("pre", { tabindex: 0, role: "region", "aria-label": "The literal request", "data-testid": "xray-request", key: "literal" },
      h("b", {}, one.method), ` ${one.url}\n`,
      one.headers.map(([name, value]) => [h("i", { key: name }, `${name}: `), `${value}\n`]),
      `\n${one.body}`));

const files = (items) =>
  h("p", { class: "caption xray-files", key: "files" }, "Save beside it: ",
    items.map((one) => h("a", { class: "link", key: one.name, href: one.url, download: one.name }, `${one.name} (${one.size})`)));
