/* The tray of reference images and the mask. Files come by choosing, dropping anywhere on the page, or pasting; they go
   through Gradio's own upload field, which alone can say that a file was uploaded by this visitor. */

import { announce, h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";
import { pickImages } from "./image_picker.js";
import { openLightbox } from "./lightbox.js";
import { openMaskEditor } from "./mask_editor.js";

const IMAGE = /^image\//;
const EXTENSIONS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif" };

export function paintReferences({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  let selected = null;
  let over = false;
  let coming = 0;
  /** What the page itself has to say of a drop; until the next change. */
  let said = "";

  const items = () => props.value?.items || [];
  /** `mask`: null when the person removed it, which is other than losing it because image 1 is another one. */
  const arrange = (changed, mask) => {
    const base = items()[0]?.sha256;
    const kept = changed[0]?.sha256 === base ? (mask === undefined ? props.value?.mask || null : mask) : null;
    const lost = props.value?.mask && !kept && mask === undefined;
    const notes = lost ? [{ text: "The mask stays with its image: it belonged to another image 1.", is_refusal: false }] : [];
    props.value = { items: changed, mask: kept, lock: isLocked(), is_dropped: mask === null, notes };
    paint();
    trigger("input", {});
  };
  const isLocked = () => props.value?.lock !== false;
  const lock = (isOn) => {
    props.value = { ...props.value, lock: isOn };
    paint();
    trigger("input", {});
  };
  const paintMask = () => openMaskEditor({
    image: original(items()[0]),
    mask: props.value?.mask ? original(props.value.mask) : null,
    isLocked: isLocked(),
    lock,
    upload: () => upload("pg-mask-upload"),
    apply: (file) => (file ? hand("pg-mask-upload", [file]) : arrange(items(), null)),
  });

  function paint() {
    const list = items();
    if (!list.some((item) => item.sha256 === selected)) selected = null;
    const max = outlook()?.max_references ?? 16;
    render(root,
      h("div", { class: "field-head" },
        h("span", { class: "field-label" }, "References ", h("span", { class: "quiet" }, list.length ? `${list.length} of ${max}` : "none")),
        h("button", { type: "button", class: "link", "data-act": "history" }, "From history")),
      list.length || coming
        ? h("div", { class: `tray${over ? " over" : ""}` },
            list.map((item, index) => thumb(item, index, item.sha256 === selected)),
            Array.from({ length: coming }, (_, index) => h("div", { class: "tray-thumb sheen", key: `coming ${index}` })),
            list.length + coming < 16 ? addSquare() : null)
        : h("button", { type: "button", class: `drop-row${over ? " over" : ""}`, "data-act": "choose" }, icon("plus"), "Drop, paste or choose an image to edit"),
      selected ? tools(list, list.findIndex((item) => item.sha256 === selected)) : null,
      list.length ? h("p", { class: "caption edit-note" }, editNote(list.length)) : null,
      (props.value?.notes || []).map((note) =>
        h("p", { class: "note", key: note.text, role: note.is_refusal ? "alert" : null },
          note.is_refusal ? icon("warn", "bad") : note.smaller ? icon("warn", "warn") : null, h("span", {}, note.text),
          note.smaller ? h("button", { type: "button", class: "button", "data-act": "smaller", "data-sha": note.smaller.sha256 }, note.way) : null)),
      said ? h("p", { class: "note", key: "said", role: "alert" }, icon("warn", "bad"), h("span", {}, said)) : null,
      list.length && outlook()?.takes_mask ? maskRow(props.value?.mask, isLocked()) : null);
  }

  function act(name, button) {
    const list = items();
    const at = list.findIndex((item) => item.sha256 === selected);
    if (name === "choose") return upload("pg-upload");
    if (name === "history") return pickImages({ taken: list, most: 16 }).then(add);
    if (name === "smaller") return add(props.value.notes.filter((note) => note.smaller?.sha256 === button.dataset.sha).map((note) => note.smaller));
    if (name === "choose_mask") return upload("pg-mask-upload");
    if (name === "paint_mask") return paintMask();
    if (name === "drop_mask") return arrange(list, null);
    if (name === "select") selected = selected === button.dataset.sha ? null : button.dataset.sha;
    if (name === "open") return openLightbox([{ src: original(list[at]), alt: `Reference ${at + 1}`, caption: `Reference ${at + 1}` }], 0);
    if (["left", "right", "base", "remove"].includes(name)) return move(name, list, at);
    return paint();
  }

  /** The server adds them: it knows whether they are there, and what a first image changes in the form. */
  function add(picked) {
    if (!picked.length) return;
    coming = Math.min(picked.length, 16 - items().length);
    trigger("take", { items: picked });
    announce(`${picked.length} ${picked.length === 1 ? "image" : "images"} added`);
    paint();
  }

  function move(name, list, at) {
    const next = list.filter((_, index) => index !== at);
    const place = { left: at - 1, right: at + 1, base: 0 }[name];
    if (place !== undefined) next.splice(place, 0, list[at]);
    announce(place === undefined ? `Reference ${at + 1} removed` : `Now reference ${place + 1}`);
    arrange(next);
    root.querySelector(`[data-act="${name}"]:not(:disabled), [data-act=select][aria-pressed=true], [data-act=choose]`)?.focus();
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) act(button.dataset.act, button);
  });
  root.addEventListener("change", (event) => {
    if (event.target.name === "lock") lock(event.target.checked);
  });
  document.addEventListener("paste", (event) => {
    // Copied cells and paragraphs come as text and as a picture of it: in a text field the text is meant.
    const isText = event.target.closest?.("input, textarea, [contenteditable=true]") && event.clipboardData?.getData("text/plain");
    if (!isText) take(event.clipboardData, event);
  });
  document.addEventListener("dragover", (event) => {
    if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    if (!over) {
      over = true;
      paint();
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget) return;
    over = false;
    paint();
  });
  document.addEventListener("drop", (event) => {
    over = false;
    said = take(event.dataTransfer, event);
    paint();
  });

  document.addEventListener("change", (event) => {
    if (event.target !== uploadInput("pg-upload")) return;
    coming = Math.min(event.target.files.length, 16);
    paint();
  });
  watch("value", () => {
    coming = 0;
    said = "";
    paint();
  });
  onOutlook(() => {
    coming = 0;
    paint();
  });
  paint();
}

/** Takes the images of a drop or paste, when the Playground is in sight and the drop is not for a field of another kind. Returns
    what is to be said of it: a file that is no image is named. */
function take(transfer, event) {
  const all = [...(transfer?.files || [])];
  if (!all.length || event.defaultPrevented) return "";
  // The browser would leave the page to show the file.
  event.preventDefault();
  const isHere = document.getElementById("pg-upload")?.closest("[role=tabpanel]")?.offsetParent !== null;
  if (!isHere || document.querySelector("dialog[open]")) return "";
  const files = all.filter((file) => IMAGE.test(file.type));
  if (!files.length) return `${all[0].name} is no image. PNG, JPEG, WebP and most other formats of images are read.`;
  hand("pg-upload", files.slice(0, 16));
  announce(`Adding ${files.length} ${files.length === 1 ? "image" : "images"}`);
  return "";
}

/** Gives files to Gradio's own upload field, as if they had been chosen there. */
function hand(id, files) {
  const bag = new DataTransfer();
  for (const file of files) bag.items.add(file);
  const input = uploadInput(id);
  input.files = bag.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

const uploadInput = (id) => document.querySelector(`#${id} input[type=file]`);
export const upload = (id) => uploadInput(id)?.click();

const original = (item) => `media/${item.sha256}.${EXTENSIONS[item.media_type] || "png"}`;
const editNote = (count) => count === 1
  ? "This is now an edit of image 1."
  : `This is now an edit: image 1 is the base. The prompt can name images by number, 1 to ${count}.`;

function thumb(item, index, isSelected) {
  return h("div", { class: "tray-item", key: item.sha256, "data-testid": "reference", "data-sha": item.sha256 },
    h("button", { type: "button", class: "tray-thumb", "data-act": "select", "data-sha": item.sha256, "aria-pressed": String(isSelected),
      "aria-label": `Reference ${index + 1}${index ? "" : ", the base"}${item.name ? `, ${item.name}` : ""}`, title: item.name || null },
      h("img", { src: `thumbs/${item.sha256}.webp`, alt: "", width: 72, height: 72, loading: "lazy" })),
    h("span", { class: "tray-number" }, h("b", {}, index + 1), index ? null : "base"));
}

const addSquare = () => h("button", { type: "button", class: "tray-add", key: "add", "data-act": "choose", "aria-label": "Add a reference image", title: "Add a reference image" }, icon("plus"));

function tools(list, at) {
  const one = (name, glyph, label, off) =>
    h("button", { type: "button", class: "icon-button", "data-act": name, key: name, "aria-label": label, title: label, disabled: off }, icon(glyph));
  return h("div", { class: "tray-tools", role: "group", "aria-label": `Reference ${at + 1}`, key: "tools" },
    one("left", "left", "Move left", at === 0), one("right", "right", "Move right", at === list.length - 1), one("base", "base", "Make base", at === 0),
    one("open", "open", "Open"), one("remove", "trash", "Remove"));
}

function maskRow(mask, isLocked) {
  const button = (name, text) => h("button", { type: "button", class: "button", "data-act": name, key: name }, text);
  return h("div", { class: "mask-row", key: "mask", "data-testid": "mask" },
    h("div", { class: "field-head" }, h("span", { class: "field-label" }, "Mask ", h("span", { class: "quiet" }, mask ? "on image 1" : outlook().mask_mark || "none"))),
    mask
      ? [h("div", { class: "mask-chosen", key: "chosen" },
          h("button", { type: "button", class: "mask-thumb-button", "data-act": "paint_mask", "aria-label": "Change the mask" }, h("img", { class: "mask-thumb", src: `thumbs/${mask.sha256}.webp`, alt: "", width: 40, height: 40 })),
          h("span", { class: "caption" }, "Only the transparent part is repainted."), button("paint_mask", "Change"), button("drop_mask", "Remove")),
        h("label", { class: "letters", key: "lock", title: "After the edit the original is put back outside the mask; what came is kept too." },
          h("span", { class: "box" }, h("input", { type: "checkbox", name: "lock", checked: isLocked }), icon("check")), "Keep everything else exactly as it is")]
      : h("div", { class: "mask-chosen" }, h("span", { class: "caption" }, "Say what the model may change."), button("paint_mask", "Paint"), button("choose_mask", "Upload")));
}
