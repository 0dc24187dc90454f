/* The small parts of the form, and what the server says of it as a whole, shared by its drawn components. */

import { askFirst } from "./ask.js";
import { announce, h, icon, render } from "./dom.js";

const listeners = new Set();
let current = null;

/** Calls `listener` with what the server says of the form, now and whenever it changes. */
export function onOutlook(listener) {
  listeners.add(listener);
  if (current) listener(current);
}

export function outlook() {
  return current;
}

export function takeOutlook({ props, watch, trigger }) {
  const take = () => {
    if (!props.value) return;
    current = props.value;
    for (const listener of listeners) listener(current);
  };
  watch("value", () => {
    take();
    window.diptych.formTold();
  });
  take();
  tellOfReturn(() => trigger("back", {}));
}

/* Gradio's own event of the tab comes when the page is opened too, before there is anything to look at again. */
function tellOfReturn(tell) {
  let wasLeft = false;
  new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) wasLeft ||= seen.target.offsetParent === null;
    else if (wasLeft && current) {
      wasLeft = false;
      tell();
    }
  }).observe(document.getElementById("pg-side"));
}

const promptField = () => document.querySelector("#pg-prompt textarea");

export function focusPrompt() {
  const field = promptField();
  if (!field) return;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

/* The counter counts by itself while somebody types and takes the server's count when the prompt was filled in. It also
   tells the server of typing anywhere in the form, however the text came: by keys, clipboard or dictation. */

const TYPED = "#pg-form :is(textarea, input:is([type=text], [type=number], [type=range], :not([type]))):not(#pg-hand, #pg-filter, [role=combobox])";
const PAUSE_MS = 80;

export function paintCounter({ element, trigger }) {
  const root = element.querySelector(".drawn");
  const paint = (count, limit) => {
    const text = `${count.toLocaleString("en")} of ${limit.toLocaleString("en")}`;
    render(root, h("span", { class: count > limit ? "bad" : null }, text));
  };
  const limit = () => current?.limit ?? 32000;
  let pause;
  document.addEventListener("input", (event) => {
    if (event.target === promptField()) paint([...event.target.value].length, limit());
    if (!event.target.matches?.(TYPED)) return;
    clearTimeout(pause);
    pause = setTimeout(() => trigger("input", {}), PAUSE_MS);
  });
  onOutlook((value) => {
    const field = promptField();
    paint(document.activeElement === field ? [...field.value].length : value.count, value.limit);
  });
}

export function paintExamples({ element, trigger, props }) {
  const root = element.querySelector(".drawn");
  const buttons = (props.value || []).map((example, index) =>
    h("button", { type: "button", class: "example", "data-index": index, title: example.prompt }, example.name));
  render(root, buttons);
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-index]");
    if (button) trigger("pick", { index: Number(button.dataset.index) });
  });
}

export function paintSnap({ element, trigger }) {
  const root = element.querySelector(".drawn");
  onOutlook((value) => {
    render(root, value.sizes?.length
      ? h("ul", { class: "size-lines", role: "status" }, value.sizes.map((one) => h("li", { key: `${one.size} ${one.note}` },
          one.of ? `${one.of}: ` : "Comes to ", h("b", {}, `${one.size} px`), one.note ? `. ${one.note}` : "")))
      : value.size_note
      ? h("div", { class: "note", role: "status" }, icon("warn", "warn"), h("p", {}, value.size_note),
          value.snap ? h("button", { type: "button", class: "button", "data-snap": true }, `Use ${value.snap.replace("x", " × ")}`) : null)
      : []);
  });
  root.addEventListener("click", (event) => {
    if (event.target.closest("[data-snap]")) trigger("snap", {});
  });
}

export function paintPromptNote({ element }) {
  const root = element.querySelector(".drawn");
  let said = "";
  onOutlook((value) => {
    // What a press of Run said stays until the prompt is no longer empty, whatever answer comes after it.
    said = value.prompt_problem || (value.is_blank ? said : "");
    render(root,
      said ? h("p", { class: "note", role: "alert", key: "said" }, icon("warn", "bad"), h("span", {}, said)) : null,
      value.prompt_note ? h("p", { class: "note", role: "status", key: "note", "data-testid": "prompt-note" }, icon("warn", "warn"), h("span", {}, value.prompt_note)) : null);
  });
}

export function paintProblems({ element, trigger }) {
  const root = element.querySelector(".drawn");
  let before = "";
  let asked = null;
  onOutlook((value) => {
    const problems = value.problems || [];
    const shown = problems.slice(0, 3);
    render(root, value.notices ? notices(value.notices) : null, value.over_limit ? overLimit(value.over_limit) : null, shown.length
      ? h("ul", { class: "problem-list", key: "problems", "data-testid": "problems" },
          shown.map((text) => h("li", { key: text }, icon("warn", "bad"), h("span", {}, text))),
          problems.length > 3 ? h("li", { key: "more" }, h("span", {}, `And ${problems.length - 3} more.`)) : null)
      : null);
    const said = [value.over_limit?.words ?? "", ...problems].join(" ").trim();
    if (said && said !== before) announce(said);
    before = said;
    if (value.focus === "prompt") focusPrompt();
    if (value.ask && value.ask !== asked) askAbout(value.ask);
    asked = value.ask;
  });

  async function askAbout({ runs, price, agreed }) {
    const yes = await askFirst({ title: `Start ${runs} runs?`, text: sumOf(price), yes: `Run all ${runs}` });
    if (yes) trigger("agreed", { agreed });
  }
}

const sumOf = (price) => (price === "free" ? "They cost nothing." : `Together they cost ${price}. Each goes out at once, as far as its provider has room.`);

/** Which limit the press would pass, and where it is set. */
const overLimit = ({ words, is_blocked }) =>
  h("p", { class: "note", key: "limit", "data-testid": "over-limit" }, icon("warn", is_blocked ? "bad" : "warn"),
    h("span", {}, `${words} `, h("a", { href: "#costs", class: "link" }, "Open Costs")));

/** Whether it is open is the person's, so it is kept by the element and never described. */
const notices = ({ summary, offers }) =>
  h("details", { class: "notices", key: "notices", "data-testid": "notices" },
    h("summary", {}, summary),
    h("div", {}, alike(offers).map((one) => [
      h("h3", { key: `name ${one.id}` }, one.names.join(", ")),
      h("ul", { key: one.id }, one.items.map((item) => h("li", { key: item.field }, h("b", {}, item.field), `: ${item.text}`)))])));

/** Offers of which the same is said stand together. */
function alike(offers) {
  const groups = new Map();
  for (const { id, model, provider, items } of offers) {
    const said = JSON.stringify(items);
    const group = groups.get(said) || { id, names: [], items };
    group.names.push(`${model} at ${provider}`);
    groups.set(said, group);
  }
  return [...groups.values()];
}
