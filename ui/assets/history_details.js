/* The details of one run beside what was found: what was asked, sent and got, its times and cost, where it came from, and what
   can be made of it. Nothing here touches the form of the Playground; the links that do say so. */

import { askFirst } from "./ask.js";
import { copyText } from "./clipboard.js";
import { announce, h, icon, render } from "./dom.js";
import { ask, change } from "./history_requests.js";

const STARS = [1, 2, 3, 4, 5];

/** Draws into `root`. `act(name, what, more)` carries out an action, `follow(run)` shows another run, `closed()` is told. */
export function attachDetails(root, { act, follow, closed }) {
  let open = null;
  let shown = null;
  let samples = null;
  let sample = 0;
  let noting = false;
  const paint = () => render(root, draw(shown, { samples, sample, noting }));

  async function load() {
    const mine = open;
    const answer = await ask(`history/runs/${encodeURIComponent(mine.run)}.json?image=${mine.position}`);
    if (open !== mine) return;
    // A run that failed has an error of its own: only an answer without a state is a refusal.
    shown = answer.state ? answer : { state: "gone", text: answer.error };
    paint();
  }

  const api = {
    open(run, position) {
      const isOther = open?.run !== run;
      open = { run, position };
      if (isOther) {
        [samples, noting] = [null, false];
        root.scrollTop = 0;
      }
      load().then(() => {
        const isBelow = window.matchMedia("(max-width: 1100px)").matches;
        if (isBelow && shown?.state === "details") root.scrollIntoView({ block: "start", behavior: "smooth" });
      });
    },
    refresh() {
      if (open) load();
    },
  };

  const image = () => ({ images: shown.image ? [shown.image.id] : [], runs: shown.image ? [] : [shown.run_id] });
  const run = () => ({ runs: [shown.run_id], images: [] });
  const doings = {
    close: () => {
      [open, shown, samples] = [null, null, null];
      paint();
      closed();
    },
    image: ({ position }) => api.open(shown.run_id, Number(position)),
    run: ({ run: id }) => follow(id),
    favourite: () => act("favourite", image(), { on: !shown.image.favourite }),
    stars: ({ stars }) => act("stars", image(), { stars: Number(stars) === shown.image.stars ? 0 : Number(stars) }),
    trash: () => act("trash", { ...image(), keep: true }),
    restore: () => act("restore", image()),
    untag: ({ tag }) => act("untag", run(), { tags: [tag] }),
    noting: () => {
      noting = !noting;
      paint();
      root.querySelector("[name=note]")?.focus();
    },
    again: runAgain,
    code: async () => {
      const answer = samples ? null : await ask(`history/runs/${encodeURIComponent(shown.run_id)}/code.json`);
      samples = answer ? answer : null;
      sample = 0;
      paint();
    },
    copy: () => copy(samples[sample].code, "The code is copied."),
    link: () => copy(new URL(shown.link, location.href.split("#")[0]).href, "The link is copied. It opens this run for you."),
  };

  async function runAgain() {
    const path = `history/runs/${encodeURIComponent(shown.run_id)}/again.json`;
    const now = await ask(path);
    if (now.error || now.problem) return void say(now.error || now.problem);
    const agreed = await askFirst({ title: "Run this again?", text: `Exactly as it was asked, at today’s price: ${now.price}.`, yes: `Run · ${now.price}` });
    if (!agreed) return undefined;
    const begun = await change(path, {});
    return begun.error ? say(begun.error) : say("It is running. See it in the Playground, and here when it is done.");
  }

  const copy = async (text, words) => say((await copyText(text, root)) ? words : "This browser does not let pages copy.");

  function say(words) {
    shown = { ...shown, said: words };
    announce(words);
    paint();
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && doings[button.dataset.do]) doings[button.dataset.do](button.dataset);
    const tab = event.target.closest("[data-sample]");
    if (tab) {
      sample = Number(tab.dataset.sample);
      paint();
    }
  });
  root.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const form = event.target;
    if (form.dataset.form === "run-tag" && form.tag.value.trim()) {
      await act("tag", run(), { tags: form.tag.value.split(",").filter((one) => one.trim()) });
      form.reset();
    } else if (form.dataset.form === "note" && (await act("note", run(), { note: form.note.value }))) {
      noting = false;
      paint();
    }
  });
  paint();
  return api;
}

function draw(shown, more) {
  if (shown?.state === "gone") return h("p", { class: "hi-gone caption", role: "status" }, shown.text);
  if (shown?.state !== "details") return h("p", { class: "hi-hint caption" }, "Choose an image to see how it was made.");
  const { image } = shown;
  return h("section", { class: "hi-details", "data-testid": "details", "aria-label": "Details of the run" },
    h("div", { class: "hi-head", key: "head" },
      h("b", {}, shown.model), h("span", {}, shown.provider), h("span", { class: "hi-gap" }),
      shown.is_open || shown.is_trashed || image?.is_trashed ? null : h("button", { type: "button", class: "icon-button", key: "trash", id: "hi-to-trash", "data-do": "trash", "aria-label": "Trash", title: "Trash (Del)" }, icon("trash")),
      h("button", { type: "button", class: "icon-button", id: "hi-close", key: "close", "data-do": "close", "aria-label": "Close the details", title: "Close" }, icon("x"))),
    image
      ? h("a", { class: "hi-big", key: image.sha256, href: image.url, target: "_blank", rel: "noopener", style: `--ratio: ${image.width / image.height}`, title: "Open the original" },
        h("img", { src: image.url, alt: shown.prompt, width: image.width, height: image.height }))
      : null,
    shown.others.length ? h("div", { class: "hi-others", key: "others" }, shown.others.map((one) => small("button", one, { type: "button", "data-do": "image", "data-position": one.position, "aria-label": `Image ${one.position + 1} of this run` }))) : null,
    actions(shown, image),
    shown.said ? h("p", { class: "note", key: "said", role: "status" }, icon("check", "ok"), h("span", {}, shown.said)) : null,
    h("p", { class: "hi-text", key: "prompt", dir: "auto" }, shown.prompt),
    shown.template ? h("p", { class: "hi-revised caption", key: "template" }, h("b", {}, "Typed as: "), shown.template) : null,
    shown.revised ? h("p", { class: "hi-revised caption", key: "revised" }, h("b", {}, "Rewritten by the provider: "), shown.revised) : null,
    h("div", { class: "hi-chips", key: "chips" }, shown.chips.map((chip, n) => h("span", { class: "chip", key: n }, chip.icon ? icon(chip.icon, chip.colour) : null, chip.figure ? h("b", {}, chip.figure) : null, chip.word))),
    shown.error ? problem(shown.error) : null,
    own(shown, image, more.noting),
    h("div", { class: "scrolls", key: "fields" }, fields(shown.fields)),
    shown.inputs.length ? strip("Inputs", shown.inputs.map((one) => small("a", one, { href: one.url, target: "_blank", rel: "noopener", "aria-label": one.role === "mask" ? "Mask" : "Input image", title: one.role === "mask" ? "Mask" : "Input image" }))) : null,
    shown.partials.length ? strip("Previews", shown.partials.map((one, n) => small("a", one, { href: one.url, target: "_blank", rel: "noopener", "aria-label": `Preview ${n + 1}`, title: `Preview ${n + 1}` }))) : null,
    list("Times", shown.times),
    list("Cost", shown.lines),
    lineage(shown),
    h("dl", { class: "hi-facts", key: "facts" }, shown.facts.map((fact) => h("div", { key: fact.label }, h("dt", {}, fact.label), h("dd", { class: fact.mono ? "mono" : "" }, fact.text)))),
    takeAlong(shown, image, more));
}

const actions = (shown, image) =>
  h("div", { class: "hi-actions", key: "actions" },
    shown.is_trashed || image?.is_trashed
      ? h("button", { type: "button", class: "button", key: "restore", "data-do": "restore" }, "Restore")
      : [
        h("button", { type: "button", class: "button", key: "again", id: "hi-again", "data-do": "again", disabled: shown.is_open, title: "The same request once more" }, icon("play"), "Run again"),
        h("a", { class: "button", key: "remix", id: "hi-remix", href: shown.remix, title: "Take its settings into the form" }, icon("remix"), "Remix"),
      ],
    h("span", { class: "hi-gap" }),
    image && !image.is_trashed ? [
      h("a", { class: "icon-button", key: "base", id: "hi-base", href: shown.use_as_base, "aria-label": "Use as base", title: "Use as base" }, icon("base")),
      h("a", { class: "icon-button", key: "reference", id: "hi-reference", href: shown.use_as_base.replace("/base/", "/reference/"), "aria-label": "Add as reference", title: "Add as reference" }, icon("ref")),
      h("button", { type: "button", class: "icon-button", key: "favourite", id: "hi-favourite", "data-do": "favourite", "aria-pressed": String(image.favourite), "aria-label": "Favourite", title: "Favourite (F)" }, icon("star", image.favourite ? "filled" : "")),
    ] : null,
    image ? h("a", { class: "icon-button", key: "download", id: "hi-download", href: image.download, download: "", "aria-label": "Download the original", title: "Download the original" }, icon("download")) : null);

/** What its owner says of it: stars, tags and a note. */
const own = (shown, image, noting) =>
  h("div", { class: "hi-own", key: "own" },
    image ? h("div", { class: "hi-stars", key: "stars", role: "group", "aria-label": "Stars" }, STARS.map((n) =>
      h("button", { type: "button", key: n, "data-do": "stars", "data-stars": n, "aria-pressed": String(n <= image.stars), "aria-label": `${n} ${n === 1 ? "star" : "stars"}`, title: n === image.stars ? "Take the stars away" : `${n} of 5` }, icon("star", n <= image.stars ? "filled" : "")))) : null,
    h("div", { class: "hi-tags", key: "tags" },
      shown.tags.map((tag) => h("span", { class: "chip", key: tag }, tag, h("button", { type: "button", "data-do": "untag", "data-tag": tag, "aria-label": `Remove the tag ${tag}`, title: "Remove" }, icon("x")))),
      h("form", { "data-form": "run-tag", key: "add" }, h("input", { name: "tag", placeholder: "Add a tag", "aria-label": "Add a tag", maxlength: 200, list: "hi-tags", autocomplete: "off" }))),
    noting
      ? h("form", { class: "hi-note-form", "data-form": "note", key: "noting" },
        h("textarea", { name: "note", rows: 3, maxlength: 4000, "aria-label": "Note" }, shown.note),
        h("div", { class: "row" }, h("button", { type: "submit", class: "button" }, "Keep note"), h("button", { type: "button", class: "button quiet", "data-do": "noting" }, "Cancel")))
      : h("p", { class: "hi-note-text", key: "note" }, shown.note ? [shown.note, " "] : null, h("button", { type: "button", class: "link", "data-do": "noting" }, shown.note ? "Change" : "Add a note")));

const strip = (label, items) => h("div", { class: "hi-inputs", key: label }, h("span", { class: "caption" }, label), items);
const small = (tag, one, props) => h(tag, { key: `${one.thumb} ${one.role || ""}`, class: "hi-small", ...props }, h("img", { src: one.thumb, alt: "", loading: "lazy" }));

const problem = (error) =>
  h("div", { class: "hi-error", key: "error", role: "note" }, icon("warn", error.billed ? "warn" : "bad"), h("p", {}, error.message, error.billed ? h("b", {}, " It may have been billed.") : null));

const fields = (rows) =>
  h("table", { class: "table hi-fields" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Field")), ["Asked", "Sent", "Got"].map((word) => h("th", { scope: "col", key: word }, word)))),
    h("tbody", {}, rows.map((one) => h("tr", { key: one.label, class: one.differs ? "differs" : "" }, h("th", { scope: "row" }, one.label), h("td", {}, one.asked), h("td", {}, one.sent), h("td", {}, one.got, one.differs ? [icon("warn", "warn"), h("span", { class: "unseen" }, " differs")] : null)))));

const list = (title, rows) =>
  rows.length ? h("div", { class: "hi-list", key: title }, h("h3", {}, title), h("dl", { class: "hi-facts" }, rows.map((one, n) => h("div", { key: n }, h("dt", {}, one.label), h("dd", {}, one.text))))) : null;

function lineage(shown) {
  if (!shown.came_from && !shown.led_to && !shown.same.length) return null;
  return h("div", { class: "hi-list", key: "lineage" },
    h("h3", {}, "Line", shown.branch ? h("span", { class: "caption" }, ` ${shown.branch} in all`) : null),
    side("Came from", shown.came_from), side("Led to", shown.led_to),
    shown.same.length ? h("p", { class: "hi-same caption", key: "same" }, "The same request: ", shown.same.map((id, n) => h("button", { type: "button", class: "link", key: id, "data-do": "run", "data-run": id }, `run ${n + 1}`))) : null);
}

const side = (label, branch) =>
  branch ? h("div", { class: "hi-inputs", key: label }, h("span", { class: "caption" }, label),
    branch.runs.map((one) => h("button", { type: "button", class: "hi-small", key: one.run_id, "data-do": "run", "data-run": one.run_id, "aria-label": one.words, title: one.words }, one.thumb ? h("img", { src: one.thumb, alt: "", loading: "lazy" }) : icon("warn"))),
    branch.more ? h("span", { class: "caption", key: "more" }, branch.more) : null) : null;

function takeAlong(shown, image, { samples, sample }) {
  const path = image ? `history/runs/${encodeURIComponent(shown.run_id)}/${image.position}` : "";
  const one = Array.isArray(samples) ? samples[sample] : null;
  return h("div", { class: "hi-list", key: "along" },
    h("h3", {}, "Take along"),
    h("div", { class: "hi-along" },
      image ? [
        h("a", { class: "link", key: "original", href: image.download, download: "" }, "Original"),
        h("a", { class: "link", key: "bare", href: `${path}/bare`, download: "" }, "Without metadata"),
        h("a", { class: "link", key: "settings", href: `${path}/settings`, download: "", title: "A copy that carries prompt and settings; pixels stay as they are" }, "With its settings"),
        image.converted ? h("a", { class: "link", key: "converted", id: "hi-converted", href: image.converted, download: "" }, image.converted_label.replace("Download ", "As ")) : null,
      ] : null,
      h("button", { type: "button", class: "link", key: "link", "data-do": "link" }, "Copy link"),
      h("button", { type: "button", class: "link", key: "code", "data-do": "code", "aria-expanded": String(Boolean(samples)) }, samples ? "Hide code" : "Code")),
    samples?.error ? h("p", { class: "caption", key: "no-code" }, samples.error) : null,
    one ? h("div", { class: "hi-code", key: "code" },
      h("div", { class: "row" }, samples.map((each, n) => h("button", { type: "button", class: "button quiet", key: each.id, "data-sample": n, "aria-pressed": String(n === sample) }, each.name))),
      one.code ? h("pre", {}, h("code", {}, one.code)) : null,
      one.notes.map((note) => h("p", { class: "caption", key: note }, note)),
      one.code ? h("button", { type: "button", class: "button", "data-do": "copy" }, "Copy") : null) : null);
}
