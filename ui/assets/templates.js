/* The menu of saved templates beside the prompt's label. The list is asked for when the menu is opened; what is saved is what
   the form holds at that moment, so the server reads it there. */

import { askFirst } from "./ask.js";
import { announce, h, icon, render } from "./dom.js";
import { focusPrompt, onOutlook } from "./form.js";

export function paintTemplates({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  let isOpen = false;
  let renamed = null;
  /** What was typed is kept until it is saved, whatever comes meanwhile. */
  let name = "";
  let withSettings = true;
  /** Answers may come in another order than they were asked for: each bears the number of what it answers. */
  let asked = 0;
  let shown = null;
  /** The change that is waited for, and what to say when it is made. */
  let awaited = null;

  const ask = (what, more = {}) => trigger(what, { ...more, turn: String(++asked) });
  const change = (what, done, more) => {
    awaited = { turn: asked + 1, what, done };
    ask(what, more);
  };
  const items = () => shown?.items || [];
  const promptText = () => document.querySelector("#pg-prompt textarea")?.value || "";

  function paint() {
    render(root,
      h("button", { type: "button", class: "link templates-open", "data-act": "toggle", "aria-expanded": String(isOpen), "aria-controls": "pg-templates-menu" }, "Templates"),
      isOpen ? menu() : null);
  }

  const menu = () =>
    h("div", { class: "popover templates-menu", id: "pg-templates-menu", key: "menu", role: "dialog", "aria-label": "Templates", "data-testid": "templates" },
      !shown ? h("p", { class: "caption sheen templates-wait" }, "Loading")
        : items().length ? h("ul", { key: "list" }, items().map((one) => h("li", { key: one.id }, one.id === renamed ? renaming(one) : row(one))))
        : h("p", { class: "caption", key: "none" }, "None yet. Save a prompt to use it again."),
      shown?.trouble ? h("p", { class: "note", role: "alert", key: "trouble" }, icon("warn", "bad"), h("span", {}, shown.trouble)) : null,
      saving());

  const row = (one) => [
    h("button", { type: "button", class: "template", key: "take", "data-act": "insert", "data-id": one.id, title: one.prompt },
      h("b", {}, one.name), h("span", {}, one.settings || "Prompt alone")),
    tool("rename", "edit", "Rename", one), tool("delete", "trash", "Delete", one),
  ];

  const tool = (act, glyph, label, one) =>
    h("button", { type: "button", class: "icon-button", key: act, "data-act": act, "data-id": one.id, "aria-label": `${label} ${one.name}`, title: label }, icon(glyph));

  const renaming = (one) =>
    h("form", { class: "template-form", key: "rename", "data-form": "rename", "data-id": one.id },
      h("input", { type: "text", class: "text-field", name: "name", autocomplete: "off", "aria-label": `New name of ${one.name}`, maxlength: shown?.name_chars, "data-start": one.name }),
      h("button", { type: "submit", class: "button" }, "Rename"),
      h("button", { type: "button", class: "button quiet", "data-act": "keep" }, "Cancel"));

  function saving() {
    const isBlank = !promptText().trim();
    const isFull = items().length >= (shown?.most ?? 100);
    const isThere = items().some((one) => one.name === name.trim());
    return h("form", { class: "template-save", key: "save", "data-form": "save" },
      h("div", { class: "template-form" },
        h("input", { type: "text", class: "text-field", name: "name", value: name, autocomplete: "off", placeholder: "Name for this prompt", "aria-label": "Name of the new template", maxlength: shown?.name_chars ?? 80, disabled: isBlank }),
        h("button", { type: "submit", class: "button", disabled: isBlank || !name.trim() || (isFull && !isThere) }, isThere ? "Replace" : "Save")),
      h("label", { class: "letters", key: "with" }, h("span", { class: "box" }, h("input", { type: "checkbox", name: "with_settings", checked: withSettings, disabled: isBlank }), icon("check")), "With models and settings"),
      isBlank ? h("p", { class: "caption", key: "why" }, "Type a prompt to save it.")
        : isFull ? h("p", { class: "caption", key: "why" }, `${shown.most} templates are kept. Delete one first.`) : null);
  }

  function show(open) {
    isOpen = open;
    renamed = null;
    if (open) ask("open");
    paint();
    if (open) root.querySelector(".template-save input:not(:disabled), .template")?.focus();
  }

  function hide() {
    show(false);
    root.querySelector(".templates-open")?.focus();
  }

  async function act(what, id) {
    const one = items().find((item) => item.id === id);
    if (what === "toggle") return isOpen ? hide() : show(true);
    if (what === "rename" || what === "keep") {
      renamed = what === "rename" ? id : null;
      paint();
      const field = root.querySelector("[data-form=rename] input");
      if (field) {
        field.value = field.dataset.start;
        field.focus();
        field.select();
      } else root.querySelector(".template-save input")?.focus();
    }
    if (!one) return undefined;
    if (what === "insert") {
      trigger("insert", { id });
      show(false);
      announce(`${one.name} is in the form`);
      focusPrompt();
    }
    if (what === "delete" && (await askFirst({ title: `Delete “${one.name}”?`, text: "The prompt and its settings are gone then. Images made with it stay.", yes: "Delete" }))) {
      change("delete", `${one.name} is deleted`, { id });
    }
    return undefined;
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) act(button.dataset.act, button.dataset.id);
  });
  root.addEventListener("input", (event) => {
    if (event.target.closest("[data-form=save]") && event.target.name === "name") name = event.target.value;
    if (event.target.name === "with_settings") withSettings = event.target.checked;
    paint();
    // Nothing here is part of the form.
    event.stopPropagation();
  });
  root.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { form, id } = event.target.dataset;
    if (form === "rename") {
      renamed = null;
      return change("rename", "Renamed", { id, name: event.target.elements.name.value });
    }
    const wanted = name.trim();
    const isThere = items().some((one) => one.name === wanted);
    if (!wanted || (isThere && !(await askFirst({ title: `Replace “${wanted}”?`, text: "What was kept under this name is gone then.", yes: "Replace" })))) return undefined;
    return change("save", `${wanted} is saved`, { name: wanted, with_settings: withSettings, may_replace: isThere });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen || document.querySelector("dialog[open]")) return;
    if (renamed) act("keep");
    else hide();
  });
  document.addEventListener("click", (event) => {
    if (isOpen && !root.contains(event.target) && event.target.isConnected && !event.target.closest("dialog")) show(false);
  });
  watch("value", () => {
    const came = props.value;
    if (!came) return;
    // It was read before the change that is shown already: nobody knows what it lacks.
    if (Number(came.turn) < Number(shown?.turn)) return void ask("open");
    shown = came;
    const isAnswer = awaited && Number(came.turn) >= awaited.turn;
    const isSaved = isAnswer && awaited.what === "save" && !came.trouble;
    if (isSaved) name = "";
    if (isAnswer && !came.trouble) announce(awaited.done);
    if (isAnswer) awaited = null;
    paint();
    if (isSaved) root.querySelector(".template-save input")?.focus();
  });
  onOutlook(() => (isOpen ? paint() : undefined));
  paint();
}
