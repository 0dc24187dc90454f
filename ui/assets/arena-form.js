/* The form of a new battle. What is typed and chosen lives here as a draft; the server answers with prompts, prices and who
   can take part. An answer to an older state of the draft tells its figures and leaves the draft alone. */

import { ANY, radios } from "./arena-foot.js";
import { h, icon } from "./dom.js";

const PAUSE_MS = 300;
const IMAGE = /^image\//;

export function battleForm({ draw, send, start }) {
  let draft = { kind: "bank", task: "generate", category: "", prompt_id: "", prompt: "", images: [], size: "", quality: "low", first: "", second: "", turn: 0 };
  let told = {};
  let pause;
  let isOver = false;
  let coming = 0;

  function set(change, act = "") {
    draft = { ...draft, ...change, turn: draft.turn + 1 };
    clearTimeout(pause);
    send(draft, act);
    draw();
  }

  const arrange = (images) => set({ images, size: "" });

  return {
    draft: () => draft,
    take(form) {
      coming = 0;
      told = form;
      if (form.draft.turn >= draft.turn) draft = form.draft;
      // What was uploaded came by another way than the draft's own changes.
      else draft = { ...draft, prompt_id: form.draft.prompt_id };
    },
    change(field, value) {
      if (field === "task") set({ task: value, category: "", prompt_id: "", size: "" });
      else if (field === "category") set({ category: value, prompt_id: "", size: "" });
      else if (field === "kind") set({ kind: value, size: "" });
      else set({ [field]: value });
    },
    type(text) {
      draft = { ...draft, prompt: text, turn: draft.turn + 1 };
      clearTimeout(pause);
      pause = setTimeout(() => send(draft), PAUSE_MS);
      draw();
    },
    press(what, button) {
      const at = Number(button.dataset.at);
      if (what === "another") set({ size: "" }, "another");
      else if (what === "start") start();
      else if (what === "choose") uploadInput()?.click();
      else if (what === "remove") arrange(draft.images.filter((_, n) => n !== at));
      else if (what === "first") arrange([draft.images[at], ...draft.images.filter((_, n) => n !== at)]);
    },
    listen(element, isHere) {
      const over = (event, is) => {
        if (!isHere() || draft.kind !== "own" || is === isOver) return;
        isOver = is;
        draw();
      };
      document.addEventListener("dragover", (event) => {
        if ([...(event.dataTransfer?.types || [])].includes("Files")) over(event, true);
      });
      document.addEventListener("dragleave", (event) => event.relatedTarget || over(event, false));
      document.addEventListener("drop", (event) => {
        over(event, false);
        if (isHere() && draft.kind === "own") give(event.dataTransfer, event);
      });
      document.addEventListener("paste", (event) => {
        if (isHere() && draft.kind === "own") give(event.clipboardData, event);
      });
      document.addEventListener("change", (event) => {
        if (event.target !== uploadInput()) return;
        coming = Math.min(event.target.files.length, told.max_images || 16);
        // The files are answered with the draft as it is now.
        send(draft);
        draw();
      });
    },
    describe: (isSent) => describe(draft, told, { isSent, isOver, coming }),
  };
}

const uploadInput = () => document.querySelector("#ar-upload input[type=file]");

function give(transfer, event) {
  const files = [...(transfer?.files || [])].filter((file) => IMAGE.test(file.type));
  const input = uploadInput();
  if (!files.length || !input) return;
  event.preventDefault();
  const bag = new DataTransfer();
  for (const file of files.slice(0, 16)) bag.items.add(file);
  input.files = bag.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function describe(draft, told, { isSent, isOver, coming }) {
  const isEmpty = draft.kind === "own" && !draft.prompt.trim();
  return h("section", { class: "ar-form", "data-testid": "battle-form", "aria-labelledby": "ar-form-head" },
    h("header", { class: "ar-form-head", key: "head" },
      h("div", {},
        h("h2", { id: "ar-form-head", tabindex: -1 }, "New battle"),
        h("p", { class: "caption" }, "Two models make one image each. Who made which stays hidden until you answer.")),
      h("button", { type: "button", class: "button quiet", id: "ar-back", "data-ask": "next_battle", disabled: isSent }, icon("left"), "Pairs already made")),
    h("div", { class: "ar-what", key: "what" },
      told.bank_only ? null : radios("ar-kind", "Prompt", [["bank", "From the bank"], ["own", "Your own"]], draft.kind, { "data-field": "kind" }),
      draft.kind === "bank" ? fromBank(draft, told) : own(draft, told, isOver, coming)),
    h("div", { class: "ar-how", key: "how" },
      radios("ar-size", "Size", (told.sizes || []).map(([value, name, px]) => [value, `${name}\n${px}`]), draft.size || told.size, { "data-field": "size" }),
      radios("ar-quality", "Quality, with the price of both images", (told.qualities || []).map(([value, name, price]) => [value, `${name}\n${price}`]), draft.quality, { "data-field": "quality" }),
      select("first", "One model", draft.first, [["", "Any that is ready"], ...(told.offers || [])]),
      select("second", "Another model", draft.second, [["", "Any that is ready"], ...(told.offers || [])]),
      leftOut(told),
      h("div", { class: "ar-start", key: "start" },
        h("button", { type: "button", class: "button primary", id: "ar-start", "data-form": "start", disabled: isSent || isEmpty || Boolean(told.why_not) }, told.start || "Start battle"),
        h("span", { class: "caption", role: "status" }, told.why_not || (isEmpty ? "Describe the image first." : ["Nothing is sent before you press.", told.time].filter(Boolean).join(" "))))));
}

const select = (field, label, chosen, choices) =>
  h("label", { class: "ar-field", key: field }, h("span", {}, label),
    h("span", { class: "ar-select" }, h("select", { id: `ar-${field}`, "data-field": field, "data-value": chosen || ANY }, choices.map(([value, words]) => h("option", { key: value, value: value || ANY }, words)))));

const leftOut = (told) =>
  told.left_out?.length
    ? h("details", { class: "ar-left-out", key: "left out", "data-testid": "left-out" },
        h("summary", {}, `${told.left_out.length} ready ${told.left_out.length === 1 ? "model" : "models"} cannot take part`),
        h("ul", {}, told.left_out.map((words) => h("li", { key: words }, words))))
    : null;

function fromBank(draft, told) {
  const chosen = told.bank;
  return [
    h("div", { class: "ar-two", key: "which" },
      radios("ar-operation", "Task", [["generate", "Generate"], ["edit", "Edit"]], draft.task, { "data-field": "task" }),
      select("category", "Category", draft.category, [["", "Any category"], ...(told.categories || []).map((one) => [one.slug, one.name])])),
    h("div", { class: "panel ar-task", key: "prompt", "data-testid": "bank-prompt" },
      chosen
        ? [
            h("p", { class: "caption", key: "about" }, h("b", {}, chosen.category), ` ${chosen.about}`),
            h("p", { class: "ar-task-words", key: "words" }, chosen.prompt),
            chosen.sources.length
              ? h("div", { class: "ar-task-sources", key: "sources" }, chosen.sources.map((one, n) =>
                  h("figure", { key: one.url }, h("img", { src: one.url, alt: one.alt, loading: "lazy" }), h("figcaption", { class: "caption" }, chosen.sources.length > 1 ? h("b", {}, `${n + 1}`) : null, one.name))))
              : null,
          ]
        : h("p", { class: "sheen", key: "wait" }),
      h("button", { type: "button", class: "button", key: "another", id: "ar-another", "data-form": "another" }, icon("shuffle"), "Another prompt")),
  ];
}

function own(draft, told, isOver, coming) {
  const { images } = draft;
  return [
    h("label", { class: "ar-field", key: "words" }, h("span", {}, images.length ? "What to change" : "What to draw"),
      h("textarea", { id: "ar-prompt", rows: 4, maxlength: 32000, "data-field": "prompt", placeholder: images.length ? "Describe the change." : "Describe the image.", value: draft.prompt })),
    h("div", { class: "ar-field", key: "images", "data-testid": "own-sources" },
      h("span", {}, "Source images ", h("small", {}, images.length ? `${images.length} of ${told.max_images || 16}` : "with one or more it is an edit")),
      images.length || coming
        ? h("div", { class: `tray${isOver ? " over" : ""}` },
            images.map((one, n) => ownSource(one, n, images.length)),
            Array.from({ length: coming }, (_, n) => h("div", { class: "tray-thumb sheen", key: `coming ${n}` })),
            h("button", { type: "button", class: "tray-add", key: "add", "data-form": "choose", "aria-label": "Add a source image", title: "Add a source image" }, icon("plus")))
        : h("button", { type: "button", class: `drop-row${isOver ? " over" : ""}`, key: "drop", "data-form": "choose" }, icon("plus"), "Drop, paste or choose an image to edit"),
      (told.notes || []).map((note) => h("p", { class: "note", key: note.text, role: note.is_refusal ? "alert" : null }, note.is_refusal ? icon("warn", "bad") : null, h("span", {}, note.text)))),
  ];
}

const ownSource = (one, n, count) =>
  h("div", { class: "tray-item ar-own", key: one.sha256, "data-testid": "own-source" },
    h("span", { class: "tray-thumb" }, h("img", { src: `thumbs/${one.sha256}.webp`, alt: one.name || `Source image ${n + 1}`, width: 80, height: 80 })),
    h("div", { class: "ar-own-tools" },
      h("b", { key: "number" }, n + 1),
      h("span", { key: "gap" }),
      count > 1 ? h("button", { type: "button", class: "icon-button", "data-form": "first", "data-at": n, key: "first", disabled: !n, "aria-label": `Make source image ${n + 1} the first`, title: "Make it the first" }, icon("left")) : null,
      h("button", { type: "button", class: "icon-button", "data-form": "remove", "data-at": n, key: "remove", "aria-label": `Remove source image ${n + 1}`, title: "Remove" }, icon("x"))));
