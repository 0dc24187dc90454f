/* Files: a picture is dropped to find its run again; everything is taken along as one file and brought back. */

import { announce, h, icon, render } from "./dom.js";

const HEADERS = { "x-diptych": "1" };
const BROKEN = "The server did not answer. Try again.";

window.diptych.component("files", ({ element }) => {
  const shown = { recall: { state: "empty" }, bring: { state: "empty" } };
  const paint = () => render(element.querySelector(".drawn"), files(shown));
  const show = (part, value) => {
    shown[part] = value;
    paint();
    if (value.say) announce(value.say);
  };

  const recall = async (file) => {
    if (shown.recall.preview) URL.revokeObjectURL(shown.recall.preview);
    const preview = URL.createObjectURL(file);
    show("recall", { state: "busy", preview, name: file.name });
    const found = await ask("recall", { method: "POST", body: file });
    const say = found.error ? found.error.message : sentence(found);
    show("recall", { ...found, state: found.error ? "error" : found.state, preview, name: file.name, say });
  };
  const look = async (file) => {
    show("bring", { state: "busy", text: `Looking through ${file.name}` });
    const found = await ask("bring-back", { method: "POST", body: file });
    if (found.error) show("bring", { state: "error", text: found.error.message, say: found.error.message });
    else show("bring", { state: found.nothing ? "done" : "ready", token: found.token, words: found.words, name: file.name, say: found.words.join(" ") });
  };
  const bring = async () => {
    const { token } = shown.bring;
    show("bring", { state: "busy", text: "Bringing back" });
    const found = await ask(`bring-back/${token}`, { method: "POST" });
    if (found.error) return show("bring", { state: "error", text: found.error.message, say: found.error.message });
    show("bring", { state: "done", words: found.words, came: true, say: found.words.join(" ") });
  };
  const leave = () => {
    if (shown.bring.token) ask(`bring-back/${shown.bring.token}`, { method: "DELETE" });
    show("bring", { state: "empty" });
  };

  const takers = { recall, bring: look };
  element.addEventListener("change", (event) => {
    const input = event.target.closest("input[type=file]");
    const [file] = input?.files || [];
    if (file) takers[input.dataset.take](file);
    if (input) input.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    element.addEventListener(name, (event) => {
      const zone = event.target.closest(".fi-drop");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", name === "dragover");
      const [file] = name === "drop" ? event.dataTransfer.files : [];
      if (file) takers[zone.dataset.take](file);
    });
  }
  element.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
    if (file) recall(file);
  });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.do === "bring") bring();
    else if (button?.dataset.do === "leave") leave();
  });
  paint();
});

async function ask(address, options) {
  try {
    const answer = await fetch(address, { ...options, headers: HEADERS });
    return await answer.json();
  } catch {
    return { error: { message: BROKEN } };
  }
}

function sentence(found) {
  if (found.state === "none") return "No image here looks like it.";
  return found.has_match ? "Found." : "Nothing is the same picture; these look similar.";
}

const files = ({ recall, bring }) =>
  h(
    "div",
    { class: "fi" },
    h(
      "details",
      { class: "fi-part", key: "recall", id: "fi-recall" },
      h("summary", {}, icon("search"), "Recall a file"),
      h("div", { class: "fi-body" }, recalling(recall)),
    ),
    h(
      "details",
      { class: "fi-part", key: "along", id: "fi-along" },
      h("summary", {}, icon("disk"), "Take along and bring back"),
      h("div", { class: "fi-body fi-two" }, takeAlong(), bringBack(bring)),
    ),
  );

function recalling(shown) {
  const isBusy = shown.state === "busy";
  return [
    h("p", { class: "caption", key: "words" }, "Which run did a picture come from? Saved again, made smaller or a little cropped, it is found all the same. The file is not kept."),
    h(
      "div",
      { class: "fi-looking", key: "looking" },
      shown.preview ? h("img", { class: "fi-asked", key: shown.preview, src: shown.preview, alt: `The file ${shown.name}` }) : null,
      drop("recall", "image/*", isBusy ? "Looking" : shown.preview ? "Look for another" : "Drop a picture, or choose one", isBusy),
    ),
    shown.state === "error" ? problem(shown.error.message) : null,
    shown.say && shown.state !== "error" ? h("p", { class: "fi-said", key: "said", role: "status", "data-testid": "recall-said" }, shown.say) : null,
    shown.settings ? h("p", { class: "caption", key: "settings" }, `The file says it was made by ${shown.settings.offer}: “${shown.settings.prompt}”. That run is not here.`) : null,
    shown.rows?.length ? h("ul", { class: "fi-found", key: "found" }, shown.rows.map((row) => h("li", { key: `${row.run_id} ${row.position}` }, hit(row)))) : null,
    shown.unseen ? h("p", { class: "caption", key: "unseen" }, `${shown.unseen} older images were not looked at yet. Drop the file again to go on.`) : null,
  ];
}

const hit = (row) =>
  h(
    "a",
    { class: "fi-hit", "data-testid": "recall-hit", href: `#history/run/${row.run_id}/${row.position}` },
    h("img", { src: row.thumb, alt: "", loading: "lazy" }),
    h(
      "span",
      {},
      h("b", {}, row.is_match ? icon("check", "ok") : null, row.words),
      h("span", { class: "fi-prompt" }, row.prompt),
      h("span", { class: "caption" }, [row.offer, row.when, row.distance].filter(Boolean).join(" · ")),
    ),
  );

const takeAlong = () =>
  h(
    "section",
    { key: "take" },
    h("h3", {}, "Take along"),
    h("p", { class: "caption" }, "One ZIP of your runs with their pictures, costs, tags, notes and votes. Keys are never in it."),
    h("a", { class: "button", id: "fi-export", href: "take-along.zip", download: "" }, icon("download"), "Export everything"),
  );

const bringBack = (shown) =>
  h(
    "section",
    { key: "bring" },
    h("h3", {}, "Bring back"),
    h("p", { class: "caption" }, "What such a ZIP holds. You see what it brings before anything is changed; what is here already stays as it is."),
    shown.state === "empty" || shown.state === "error" || shown.state === "done" ? drop("bring", ".zip,application/zip", "Drop a ZIP, or choose one", false) : null,
    shown.state === "busy" ? h("p", { class: "fi-said", key: "busy", role: "status" }, icon("spin", "spin busy"), shown.text) : null,
    shown.state === "error" ? problem(shown.text) : null,
    shown.words ? h("ul", { class: "fi-words", key: "words", "data-testid": "bring-words" }, shown.words.map((line, n) => h("li", { key: n }, line))) : null,
    shown.came ? h("a", { class: "link", key: "came", href: "#history/search/" }, "Show them in History") : null,
    shown.state === "ready"
      ? h(
          "div",
          { class: "fi-row", key: "ready" },
          h("button", { type: "button", class: "button primary", id: "fi-bring", "data-do": "bring" }, "Bring it in"),
          h("button", { type: "button", class: "button", "data-do": "leave" }, "Leave it"),
        )
      : null,
  );

const drop = (take, accept, words, isBusy) =>
  h(
    "label",
    { class: "fi-drop", key: `drop ${take}`, "data-take": take },
    icon(isBusy ? "spin" : "plus", isBusy ? "spin busy" : ""),
    words,
    h("input", { type: "file", accept, id: `fi-${take}-file`, "data-take": take, disabled: isBusy }),
  );

const problem = (text) => h("p", { class: "fi-problem", key: "problem", role: "alert" }, icon("warn", "bad"), text);
