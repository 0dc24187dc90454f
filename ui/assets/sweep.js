/* The sweep: two settings and their values, what the grid comes to, and its start. */

import { askFirst } from "./ask.js";
import { h, icon, render } from "./dom.js";
import { onOutlook, outlook } from "./form.js";

const VARY = {
  quality: "Quality", size: "Size", model: "Model", provider: "Provider", background: "Background", output_format: "Format",
  input_fidelity: "Input fidelity", prompt: "Prompt", replace_text: "Replace text",
};
const SAMPLE = {
  quality: "low\nmedium\nhigh", size: "1024x1024\n1536x1024\n3:2", model: "gpt-image-2\ngpt-image-1-mini", provider: "openai\nfal",
  background: "opaque\ntransparent", output_format: "png\nwebp", input_fidelity: "low\nhigh", prompt: "A red fox\nA grey owl", replace_text: "fox\nowl\nhare",
};
const RUNS_UNASKED = 8;
const PAUSE_MS = 300;

let tellTime = null;
let time = "";

export function takeSweepTime({ props, watch }) {
  watch("value", () => {
    time = props.value?.words || "";
    tellTime?.();
  });
}

export function paintSweep({ element, trigger, props, watch }) {
  const root = element.querySelector(".drawn");
  let given = { ...props.value };
  let pause;
  tellTime = () => paint();

  function paint() {
    const grid = outlook()?.sweep;
    render(root,
      h("p", { class: "caption" }, "One or two settings in all their values: a run for each cell of the grid, from the first ticked model."),
      axis("x", "Across"), axis("y", "Down, if you like"),
      grid ? told(grid) : h("p", { class: "caption" }, "Type one value per line."),
      h("button", { type: "button", class: "button big sweep-start", "data-start": true, disabled: !grid?.can_start }, grid?.label || "Add runs"));
    for (const field of root.querySelectorAll("select[data-axis]")) field.value = given[field.dataset.axis];
  }

  const axis = (name, words) =>
    h("fieldset", { class: "sweep-axis", key: name },
      h("legend", {}, words),
      h("select", { "data-axis": `${name}_vary`, "aria-label": `${words}: what is varied` }, Object.entries(VARY).map(([value, label]) => h("option", { key: value, value }, label))),
      h("textarea", { "data-axis": `${name}_values`, rows: 3, value: given[`${name}_values`] || "", placeholder: SAMPLE[given[`${name}_vary`]] || "", "aria-label": `${words}: values, one per line`, spellcheck: "false" }));

  const told = (grid) =>
    h("div", { class: "sweep-told", key: "told", role: "status" },
      grid.problems.map((text) => h("p", { class: "note", key: text }, icon("warn", "bad"), h("span", {}, text))),
      h("p", { class: "caption" }, [
        `${grid.cells} ${grid.cells === 1 ? "cell" : "cells"}`, `${grid.runs} ${grid.runs === 1 ? "run" : "runs"} at ${grid.from}${grid.is_first_of_many ? ", the first ticked" : ""}`,
        grid.merged ? `${grid.merged} alike, run once` : "", grid.price, time].filter(Boolean).join(" · ")),
      grid.left_out.length ? h("ul", { class: "sweep-left" }, grid.left_out.map((one) => h("li", { key: one.cell }, h("b", {}, one.cell), ` left out: ${one.why}`)),
        grid.left_out_more ? h("li", { key: "more" }, `And ${grid.left_out_more} more.`) : null) : null);

  root.addEventListener("input", (event) => {
    const name = event.target.dataset.axis;
    if (!name) return;
    given = { ...given, [name]: event.target.value };
    props.value = given;
    paint();
    clearTimeout(pause);
    pause = setTimeout(() => trigger("input", {}), event.target.tagName === "SELECT" ? 0 : PAUSE_MS);
  });
  root.addEventListener("click", async (event) => {
    const grid = event.target.closest("[data-start]") && outlook()?.sweep;
    if (!grid?.can_start) return;
    const words = { title: `Start ${grid.runs} runs?`, text: grid.price === "free" ? "They cost nothing." : `Together they cost ${grid.price}. ${time ? `${time}.` : ""}`, yes: `Run all ${grid.runs}` };
    if (grid.runs <= RUNS_UNASKED || (await askFirst(words))) trigger("start", { agreed: grid.agreed });
  });
  watch("value", () => {
    if (root.contains(document.activeElement)) return;
    given = { ...props.value };
    paint();
  });
  let before = "";
  onOutlook((value) => {
    paint();
    // The time is asked for only when the runs are others.
    if (value.sweep && value.sweep.agreed !== before) trigger("forecast", {});
    before = value.sweep?.agreed || "";
  });
  paint();
}
