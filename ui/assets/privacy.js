/* Settings: what the form begins with, and what is kept of a visitor: private session, delete everything, the operator. */

import { announce, h, icon, render } from "./dom.js";
import { forgetDraft } from "./draft.js";

export function paintDefaults({ element, trigger, props, watch }) {
  /** What was chosen and is being saved: an answer to an earlier choice does not take it back. */
  const saving = new Map();
  const paint = () => {
    render(element.querySelector(".drawn"), defaults(props.value || {}));
    // A select in which somebody chose does not follow its markup any more.
    for (const { name, value } of props.value?.fields || []) {
      if (saving.get(name) === value) saving.delete(name);
      element.querySelector(`#st-${name}`).value = saving.get(name) ?? value;
    }
  };
  element.addEventListener("change", (event) => {
    const { name } = event.target.dataset;
    if (!name) return;
    const { value } = event.target;
    saving.set(name, value);
    trigger("prefer", { changed: { [name]: ["n", "timeout_s"].includes(name) ? Number(value) : value } });
  });
  watch("value", () => {
    if (!props.value?.is_saved) saving.clear();
    paint();
    if (props.value?.is_saved) announce("Kept.");
  });
  paint();
}

function defaults(shown) {
  if (!shown.fields) return h("section", {}, h("h2", {}, "Defaults"), h("div", { class: "panel sheen", style: "height: 220px" }));
  return h("section", { "aria-labelledby": "st-defaults-head" },
    h("h2", { id: "st-defaults-head", key: "head" }, "Defaults"),
    h("p", { class: "st-lead", key: "lead" }, "What the form begins with in a browser that was never here, or after Delete everything. The form keeps what you change in it."),
    h("div", { class: "panel st-fields", key: "fields" }, shown.fields.map((field) =>
      h("label", { class: "lb-field", key: field.name }, h("span", {}, field.label),
        h("select", { "data-name": field.name, id: `st-${field.name}` }, field.choices.map(([value, words]) => h("option", { key: value, value, selected: value === field.value }, words)))))),
    h("p", { class: "caption st-kept", key: "kept", role: "status" }, shown.is_saved ? "Kept." : ""));
}

export function paintPrivacy({ element, trigger, props, watch }) {
  const look = { busy: "", trouble: "", done: "", asks: false };
  const paint = () => render(element.querySelector(".drawn"), privacy(props.value || {}, look));
  const say = (part) => { Object.assign(look, part); paint(); };
  const act = async (name, path, options, otherwise) => {
    if (look.busy) return null;
    say({ busy: name, trouble: "", done: "" });
    try {
      const reply = await fetch(path, { ...options, headers: { "X-Diptych": "1", "Content-Type": "application/json" } });
      const told = await reply.json();
      say({ busy: "", trouble: reply.ok ? "" : told.error.message });
      return reply.ok ? told : null;
    } catch {
      say({ busy: "", trouble: `The app cannot be reached. ${otherwise}` });
      return null;
    }
  };
  element.addEventListener("click", async (event) => {
    const what = event.target.closest("[data-do]")?.dataset.do;
    if (what === "begin" || what === "end") {
      const told = await act("private", "private", { method: what === "begin" ? "POST" : "DELETE" }, "Nothing was changed.");
      if (told) location.reload();
    } else if (what === "ask") {
      say({ asks: true, trouble: "" });
      element.querySelector("#st-erase-words")?.focus();
    } else if (what === "keep") say({ asks: false, trouble: "" });
    else if (what === "resign" && (await act("operator", "operator", { method: "DELETE" }, ""))) trigger("mine_changed", {});
  });
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const box = event.target.querySelector("input");
    if (event.target.dataset.form === "operator") {
      const token = box.value;
      box.value = "";
      if (token && (await act("operator", "operator", { method: "POST", body: JSON.stringify({ token }) }, "Nothing was changed."))) trigger("mine_changed", {});
      return;
    }
    const told = await act("erase", "mine", { method: "DELETE", body: JSON.stringify({ words: box.value.trim().toLowerCase() }) }, "Nothing was deleted.");
    if (!told) return;
    forgetDraft();
    sessionStorage.clear();
    say({ asks: false, done: `Deleted: ${count(told.runs, "run")} and ${count(told.images + told.uploads, "image")}.${told.votes_kept ? ` ${count(told.votes_kept, "vote")} stay without a name.` : ""}` });
    announce(look.done);
    trigger("mine_changed", {});
  });
  watch("value", paint);
  paint();
}

const count = (number, name) => `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;

function privacy(shown, look) {
  if (!shown.cards) return h("section", {}, h("h2", {}, "Privacy"), h("div", { class: "panel sheen", style: "height: 200px" }));
  return h("section", { "aria-labelledby": "st-privacy-head" },
    h("h2", { id: "st-privacy-head", key: "head" }, "Privacy"),
    h("dl", { class: "panel cards", key: "cards" }, shown.cards.map((card) => h("div", { key: card.label }, h("dt", {}, card.label), h("dd", {}, card.figure), h("dd", { class: "st-note" }, card.note)))),
    look.trouble ? h("div", { class: "banner", key: "trouble", role: "alert" }, icon("warn", "bad"), h("p", {}, look.trouble)) : null,
    h("ul", { class: "panel st-keys", key: "acts" }, [
      act("private", "Private session", shown.is_private ? "On. " + shown.private_words : shown.private_words,
        h("button", { type: "button", class: shown.is_private ? "button primary" : "button", "data-do": shown.is_private ? "end" : "begin", id: "st-private", disabled: Boolean(look.busy) }, shown.is_private ? "End and delete" : "Begin")),
      shown.is_private ? null : act("erase", "Delete everything of mine", `Runs, images, masks, templates, searches, keys and drafts. Ledger lines stay without the prompt${shown.is_public ? ", votes without your name" : ", votes stay on the boards"}.`,
        look.asks ? eraseForm(shown, look) : h("button", { type: "button", class: "button", "data-do": "ask", id: "st-erase" }, "Delete everything")),
      shown.has_token || shown.is_operator ? act("operator", "Whoever runs this server", shown.is_operator ? "That is you: figures of the whole store and its audit are shown below." : "Type the operator’s token.", operatorForm(shown, look)) : null,
      shown.can_sign_in ? act("account", "Account", shown.account ? `Signed in as ${shown.account}. Your runs are found from any browser.` : "Signed in, your runs are found from any browser. What this browser made before stays with it.", signIn(shown)) : null,
    ].filter(Boolean)),
    look.done ? h("p", { class: "st-said", key: "done", role: "status" }, icon("check", "ok"), h("span", {}, look.done)) : null,
    h("details", { class: "st-stored", key: "stored" }, h("summary", {}, "What is stored, and for how long"),
      h("dl", {}, shown.stored.map(([name, words]) => h("div", { key: name }, h("dt", {}, name), h("dd", {}, words))))));
}

const act = (key, name, words, control) =>
  h("li", { key, "data-testid": `privacy-${key}` }, h("div", { class: "st-name" }, h("b", {}, name)), h("div", { class: "st-way" }, h("p", { class: "st-words" }, words), control));

// In a frame of another site browsers keep no cookie of a sign-in, so there it goes on in a tab of its own.
const signIn = (shown) =>
  h("a", { class: "button", id: "st-login", href: `${shown.account ? "logout" : "login/huggingface"}?_target_url=${encodeURIComponent("/#settings")}`, target: window.top === window ? null : "_blank" },
    shown.account ? "Sign out" : "Sign in with Hugging Face");

const eraseForm = (shown, look) =>
  h("form", { "data-form": "erase", autocomplete: "off", key: "form" },
    h("input", { id: "st-erase-words", placeholder: `Type: ${shown.words}`, "aria-label": `Type: ${shown.words}`, autocomplete: "off", spellcheck: "false" }),
    h("button", { type: "submit", class: "button danger", disabled: Boolean(look.busy) }, look.busy === "erase" ? "Deleting" : "Delete for ever"),
    h("button", { type: "button", class: "button quiet", "data-do": "keep" }, "Keep"));

const operatorForm = (shown, look) =>
  shown.is_operator
    ? shown.has_token ? h("button", { type: "button", class: "button quiet", "data-do": "resign" }, "Give this up") : null
    : h("form", { "data-form": "operator", autocomplete: "off", key: "form" },
      h("input", { type: "password", placeholder: "Operator’s token", "aria-label": "Operator’s token", autocomplete: "off", spellcheck: "false" }),
      h("button", { type: "submit", class: "button", disabled: Boolean(look.busy) }, "Enter"));
