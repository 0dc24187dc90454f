/* Settings: keys go by a request of their own and never through a component's value; figures of the data folder. */

import { announce, h, icon, render } from "./dom.js";

const CHANGED = "diptych:keys-changed";

window.diptych.component("keys", ({ element, trigger, props, watch }) => {
  let rows = null;
  let trouble = "";
  const said = new Map();
  const busy = new Set();

  const paint = () => render(element.querySelector(".drawn"), keys({ rows, trouble, said, busy, mode: props.value?.mode }));

  async function load() {
    try {
      const reply = await fetch("keys", { headers: { "X-Diptych": "1" }, cache: "no-store" });
      if (!reply.ok) throw new Error((await wordsOf(reply)) || "The server did not answer.");
      rows = await reply.json();
      trouble = "";
    } catch (error) {
      trouble = `The keys could not be listed. ${error.message}`;
    }
    paint();
  }

  async function send(provider, options, done) {
    busy.add(provider);
    said.delete(provider);
    paint();
    try {
      const reply = await fetch(`keys/${encodeURIComponent(provider)}`, { ...options, headers: { "X-Diptych": "1", "Content-Type": "application/json" } });
      const words = reply.ok ? "" : (await wordsOf(reply)) || "The server refused this.";
      if (words) said.set(provider, words);
      announce(words || done);
      if (reply.ok) {
        document.dispatchEvent(new CustomEvent(CHANGED));
        trigger("keys_changed", {});
      }
    } catch {
      said.set(provider, "The server cannot be reached. Nothing was kept.");
    }
    busy.delete(provider);
    paint();
    return !said.has(provider);
  }

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target.closest("form[data-provider]");
    const box = form?.querySelector("input");
    if (!box?.value.trim() || busy.has(form.dataset.provider)) return box?.focus();
    const key = box.value;
    box.value = "";
    await send(form.dataset.provider, { method: "POST", body: JSON.stringify({ key }) }, "The key is held for this session.");
  });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-forget]");
    if (button) send(button.dataset.forget, { method: "DELETE" }, "The key is forgotten.");
  });
  document.addEventListener(CHANGED, load);
  window.diptych.onVisit("settings", ([provider]) => {
    // The rows come from the server after the tab was opened.
    setTimeout(() => element.querySelector(`form[data-provider="${CSS.escape(provider || "")}"] input`)?.focus(), 300);
  });
  watch("value", paint);
  paint();
  load();
});

async function wordsOf(reply) {
  try {
    return (await reply.json()).error.message;
  } catch {
    return "";
  }
}

const STATES = {
  server: ["check", "ok", "Ready"],
  session: ["check", "ok", "Ready"],
  refused: ["warn", "bad", "Key refused"],
  missing: ["null", "", "No key"],
};

function keys({ rows, trouble, said, busy, mode }) {
  const where = mode === "public" ? " It belongs to your visit alone." : "";
  return h(
    "section",
    { "aria-labelledby": "st-keys-head" },
    h("h2", { id: "st-keys-head", key: "head" }, "Keys"),
    h("p", { class: "st-lead", key: "lead" }, `A key typed here is held in memory for this session only. It is never written to disk, a log, a link or an export.${where}`),
    trouble ? h("div", { class: "banner", key: "trouble", role: "alert" }, icon("warn", "bad"), h("p", {}, trouble)) : null,
    rows
      ? h("ul", { class: "panel st-keys", key: "rows" }, rows.map((row) => h("li", { key: row.provider_id, "data-testid": `key-${row.provider_id}` }, line(row, said.get(row.provider_id), busy.has(row.provider_id)))))
      : trouble ? null : h("div", { class: "panel st-keys sheen", key: "wait", style: "height: 76px" }),
  );
}

function line(row, words, isBusy) {
  const [picture, colour, word] = STATES[row.state === "refused" ? "refused" : row.source] || STATES.missing;
  const id = `st-key-${row.provider_id}`;
  return [
    h("div", { class: "st-name", key: "name" }, h("label", { for: row.source === "missing" ? id : null }, h("b", {}, row.name)), h("span", { class: "chip" }, icon(picture, colour), word)),
    h(
      "div",
      { class: "st-way", key: `way ${row.source}` },
      row.source === "server" ? h("p", {}, "From the server’s environment. The value is not shown.") : null,
      row.source === "session" ? h("p", {}, `Held for this session, ${endsIn(row.ends_in_s)}. The value is not shown.`) : null,
      row.source === "session" ? h("button", { type: "button", class: "button quiet", "data-forget": row.provider_id, disabled: isBusy }, "Forget") : null,
      row.source === "missing"
        ? h(
            "form",
            { "data-provider": row.provider_id, autocomplete: "off" },
            h("input", { type: "password", id, placeholder: "Paste a key", autocomplete: "off", spellcheck: "false", "data-testid": id, "aria-describedby": `${id}-note` }),
            h("button", { type: "submit", class: "button", disabled: isBusy }, isBusy ? "Saving" : "Save"),
          )
        : null,
      words ? h("p", { class: "st-trouble", role: "alert" }, icon("warn", "bad"), words) : null,
      row.source === "missing" ? h("p", { class: "caption", id: `${id}-note` }, note(row)) : null,
    ),
  ];
}

const note = (row) => [
  row.key_url ? h("a", { class: "link", href: row.key_url, target: "_blank", rel: "noopener noreferrer" }, `Get a key from ${row.name}`) : null,
  row.key_variable ? h("span", {}, row.key_url ? ` or set ${row.key_variable} where the app starts.` : `Or set ${row.key_variable} where the app starts.`) : null,
];

function endsIn(seconds) {
  if (!Number.isFinite(seconds)) return "until you leave";
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes >= 60 ? `ends in ${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min` : `ends in ${minutes} min`;
}

/* Storage */

window.diptych.component("storage", ({ element, trigger, props, watch }) => {
  let isBusy = false;
  const paint = () => render(element.querySelector(".drawn"), storage(props.value || {}, isBusy));
  element.addEventListener("click", (event) => {
    if (!event.target.closest("#st-verify") || isBusy) return;
    isBusy = true;
    paint();
    trigger("verify", {});
  });
  watch("value", () => {
    isBusy = false;
    paint();
    if (props.value?.verified) announce(props.value.verified.text);
  });
  paint();
});

function storage(shown, isBusy) {
  if (!shown.cards) return h("section", {}, h("h2", {}, "Storage"), h("div", { class: "panel sheen", style: "height: 96px" }));
  const result = shown.verified;
  return h(
    "section",
    { "aria-labelledby": "st-storage-head" },
    h("h2", { id: "st-storage-head", key: "head" }, "Storage"),
    h("dl", { class: "panel cards", key: "cards" }, shown.cards.map((card) => h("div", { key: card.label }, h("dt", {}, card.label), h("dd", {}, card.figure), h("dd", { class: "st-note" }, card.note)))),
    shown.can_verify ? h(
      "div",
      { class: "st-verify", key: "verify" },
      h("button", { type: "button", class: "button", id: "st-verify", disabled: isBusy }, isBusy ? icon("spin", "spin busy") : null, isBusy ? "Checking every file" : "Verify"),
      result
        ? h("p", { role: "status", "data-testid": "verified" }, icon(result.ok ? "check" : "warn", result.ok ? "ok" : "bad"), result.text)
        : h("p", { class: "caption" }, "Checks that every row has its bytes, every file its row, and that the ledger agrees. Nothing is changed."),
    ) : null,
    result?.problems.length ? h("ul", { class: "st-problems", key: "problems" }, result.problems.map((line, n) => h("li", { key: n }, line))) : null,
    shown.folder ? h("p", { class: "caption", key: "folder" }, "Data folder: ", h("code", {}, shown.folder)) : null,
  );
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#st-nav [data-section]");
  if (button) document.getElementById(button.dataset.section)?.scrollIntoView({ block: "start", behavior: "smooth" });
});
