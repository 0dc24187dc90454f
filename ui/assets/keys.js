/* Keys of providers and of the operator's own servers. A key goes by a request of its own and never through a component's
   value; both lists show one state, which comes from the server. */

import { announce, h, icon, render } from "./dom.js";

const MODELS_LISTED = "diptych:models-listed";
const painters = new Set();
const said = new Map();
const busy = new Map();
let rows = null;
let trouble = "";

const paintAll = () => painters.forEach((paint) => paint());

export function paintKeys(tools) {
  const where = tools.props.value?.mode === "public" ? " It belongs to your visit alone." : "";
  attach(tools, () => [
    h("p", { class: "st-lead", key: "lead" }, `A key typed here is held in memory for this session only. It is never written to disk, a log, a link or an export.${where} A test is a free call.`),
    trouble ? h("div", { class: "banner", key: "trouble", role: "alert" }, icon("warn", "bad"), h("p", {}, trouble)) : null,
    rows ? list(rows.filter((row) => !row.is_server)) : trouble ? null : h("div", { class: "panel st-keys sheen", key: "wait", style: "height: 380px" }),
  ], "st-keys-head", "Keys");
  window.diptych.onVisit("settings", ([provider]) => show(provider || ""));
  load();
}

export function paintServers(tools) {
  attach(tools, () => {
    const servers = (rows || []).filter((row) => row.is_server);
    const isLocal = tools.props.value?.mode !== "public";
    return [
      h("p", { class: "st-lead", key: "lead" }, "Servers that speak OpenAI’s image routes, on this machine or elsewhere. A test asks which models they have."),
      servers.length ? list(servers) : isLocal ? null : h("p", { class: "caption", key: "none" }, "The host of this page named none."),
      isLocal ? howTo(servers.length) : null,
    ];
  }, "st-servers-head", "Servers");
}

function attach({ element, trigger, watch }, describe, id, title) {
  const paint = () => render(element.querySelector(".drawn"), h("section", { "aria-labelledby": id }, h("h2", { id, key: "head" }, title), describe()));
  painters.add(paint);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target.closest("form[data-provider]");
    const box = form?.querySelector("input");
    if (!box?.value.trim() || busy.has(form.dataset.provider)) return box?.focus();
    const key = box.value;
    box.value = "";
    return change(form.dataset.provider, { method: "POST", body: JSON.stringify({ key }) }, "The key is held for this session.", trigger);
  });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button?.dataset.do === "forget") change(button.dataset.provider, { method: "DELETE" }, "The key is forgotten.", trigger);
    else if (button?.dataset.do === "test") test(button.dataset.provider);
    else if (button?.dataset.do === "copy") copy(element.querySelector("#st-server-line"));
  });
  watch("value", paint);
  paint();
}

// The server's word

async function load() {
  try {
    const reply = await fetch("keys", { headers: { "X-Diptych": "1" }, cache: "no-store" });
    if (!reply.ok) throw new Error((await wordsOf(reply)) || "The server did not answer.");
    rows = await reply.json();
    trouble = "";
  } catch (error) {
    trouble = `The keys could not be listed. ${error.message}`;
  }
  paintAll();
}

async function change(provider, options, done, trigger) {
  const reply = await ask(provider, "", options, "Nothing was kept.");
  if (reply) {
    rows = rows.map((row) => (row.provider_id === provider ? reply : row));
    announce(done);
    trigger("keys_changed", {});
    document.querySelector(`[data-testid="key-${CSS.escape(provider)}"] :is([data-do], input)`)?.focus();
  }
  paintAll();
}

async function test(provider) {
  const reply = await ask(provider, "/test", { method: "POST" }, "Nothing was tested.");
  if (reply) {
    said.set(provider, reply);
    announce(reply.words);
    if (reply.models.length) document.dispatchEvent(new CustomEvent(MODELS_LISTED, { detail: { provider, models: reply.models } }));
  }
  paintAll();
}

/** The answer, or `null` when there is none: the row then says why. */
async function ask(provider, path, options, otherwise) {
  if (busy.has(provider)) return null;
  busy.set(provider, path ? "test" : "save");
  said.delete(provider);
  paintAll();
  try {
    const reply = await fetch(`keys/${encodeURIComponent(provider)}${path}`, { ...options, headers: { "X-Diptych": "1", "Content-Type": "application/json" } });
    if (reply.ok) return await reply.json();
    said.set(provider, { result: "failed", words: (await wordsOf(reply)) || "The server refused this.", models: [] });
  } catch {
    said.set(provider, { result: "failed", words: `The app cannot be reached. ${otherwise}`, models: [] });
  } finally {
    busy.delete(provider);
  }
  announce(said.get(provider).words);
  return null;
}

async function wordsOf(reply) {
  try {
    return (await reply.json()).error.message;
  } catch {
    return "";
  }
}

/** Leads to a provider's row; it may have to come from the server first. */
function show(provider, triesLeft = 20) {
  const row = document.querySelector(`[data-testid="key-${CSS.escape(provider)}"]`);
  if (!row) return triesLeft ? setTimeout(() => show(provider, triesLeft - 1), 100) : undefined;
  row.scrollIntoView({ block: "center" });
  return row.querySelector("input, [data-do]")?.focus({ preventScroll: true });
}

function copy(line) {
  navigator.clipboard?.writeText(line.textContent).then(() => announce("Copied"), () => {});
  getSelection().selectAllChildren(line);
}

// What is drawn

const list = (shown) =>
  h("ul", { class: "panel st-keys", key: "rows" }, shown.map((row) => h("li", { key: row.provider_id, "data-testid": `key-${row.provider_id}` }, line(row, said.get(row.provider_id), busy.get(row.provider_id)))));

const STATES = {
  server: ["check", "ok", "Ready"],
  session: ["check", "ok", "Ready"],
  none: ["check", "ok", "No key needed"],
  missing: ["null", "", "No key"],
};

function line(row, told, doing) {
  const [picture, colour, word] = told?.result === "refused" ? ["warn", "bad", "Key refused"] : STATES[row.source];
  const id = `st-key-${row.provider_id}`;
  const at = { "data-provider": row.provider_id, disabled: Boolean(doing) };
  const hasBox = row.source === "missing" || row.source === "none";
  return [
    h("div", { class: "st-name", key: "name" }, h("label", { for: hasBox ? id : null }, h("b", {}, row.name)), h("span", { class: "chip" }, icon(picture, colour), word)),
    h(
      "div",
      { class: "st-way", key: "way" },
      row.source === "missing" ? null : h("div", { class: "st-held", key: "held" },
        h("p", {}, held(row)),
        row.can_test ? h("button", { type: "button", class: "button", "data-do": "test", key: "test", "aria-label": `Test ${row.name}`, ...at }, doing === "test" ? "Testing" : "Test") : null,
        row.source === "session" ? h("button", { type: "button", class: "button quiet", "data-do": "forget", key: "forget", "aria-label": `Forget the key of ${row.name}`, ...at }, "Forget") : null),
      hasBox
        ? h(
            "form",
            { "data-provider": row.provider_id, autocomplete: "off", key: `box ${row.source}` },
            h("input", { type: "password", id, placeholder: row.source === "none" ? "Paste a key, if it asks for one" : "Paste a key", autocomplete: "off", spellcheck: "false", "data-testid": id, "aria-describedby": `${id}-note` }),
            h("button", { type: "submit", class: "button", disabled: Boolean(doing) }, doing === "save" ? "Saving" : "Save"),
          )
        : null,
      told ? result(told) : null,
      told?.models.length ? models(row, told.models) : null,
      h("p", { class: "caption", id: `${id}-note`, key: "note" }, note(row, hasBox)),
    ),
  ];
}

function held(row) {
  if (row.source === "none") return row.address ? h("code", {}, row.address) : "Named by the host of this page.";
  const from = row.source === "server" ? "From the server’s environment." : `Yours for this session, ${endsIn(row.ends_in_s)}.`;
  return [row.address ? h("code", { key: "at" }, row.address) : null, h("span", { key: "from" }, from)];
}

const TOLD = { good: ["check", "ok"], untested: ["help", ""], refused: ["warn", "bad"], failed: ["warn", "warn"] };

const result = (told) =>
  h("p", { class: "st-said", key: "said", role: told.result === "good" ? "status" : "alert", "data-testid": "key-said" }, icon(...TOLD[told.result]), h("span", {}, told.words));

const models = (row, ids) =>
  h("div", { class: "st-models", key: "models" },
    h("p", { class: "caption" }, "Use one in the Playground:"),
    h("ul", {}, ids.map((id) => h("li", { key: id }, h("a", { class: "button", href: `#playground/use/${encodeURIComponent(row.provider_id)}/${encodeURIComponent(id)}`, "aria-label": `Use this model: ${id}` }, id)))));

function note(row, hasBox) {
  const said = [
    row.note,
    row.can_test ? "" : "There is no free way to test its key; the first run will show.",
  ].filter(Boolean).map((text, index) => h("span", { key: `note ${index}` }, `${text} `));
  if (!hasBox || row.is_server) return said;
  return [
    row.key_url ? h("a", { class: "link", key: "get", href: row.key_url, target: "_blank", rel: "noopener noreferrer" }, `Get a key from ${row.name}`) : null,
    h("span", { key: "set" }, row.key_variable ? `${row.key_url ? " or set" : "Set"} ${row.key_variable} where the app starts. ` : row.key_url ? ". " : ""),
    said,
  ];
}

function endsIn(seconds) {
  if (!Number.isFinite(seconds)) return "until you leave";
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes >= 60 ? `ends in ${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min` : `ends in ${minutes} min`;
}

const howTo = (hasSome) =>
  h("div", { class: "st-how", key: "how" },
    h("p", {}, `${hasSome ? "To add another" : "To add one"}, set this line where the app starts, with a name and an address of your own, and start the app again. Several are separated by commas.`),
    h("div", { class: "st-copy" },
      h("code", { id: "st-server-line" }, "DIPTYCH_SERVERS=sd=http://127.0.0.1:1234/v1"),
      h("button", { type: "button", class: "button", "data-do": "copy" }, "Copy")));
