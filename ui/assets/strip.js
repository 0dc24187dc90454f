/* The figures at the right of the header. */

import { h, icon, render } from "./dom.js";
import { showTrouble } from "./trouble.js";

export function paintStrip({ element, props, watch }) {
  const root = element.querySelector(".drawn");
  const paint = () => {
    const value = props.value;
    if (!value) return;
    showTrouble(value.trouble);
    render(root, [
      value.is_private ? h("a", { class: "private", key: "private", href: "#settings", title: "Nothing of this session is kept. To Settings" }, icon("lock"), h("span", {}, "Private"), h("span", { class: "wide" }, "session")) : null,
      value.providers ? h("a", { class: "providers", key: "providers", href: "#settings", title: value.names, "aria-label": `${value.ready} of ${value.providers} providers ready. ${value.names}` },
        h("b", {}, value.ready), h("span", {}, `of ${value.providers}`), h("span", { class: "wide" }, "providers"), h("span", {}, "ready")) : null,
      h("a", { class: "spent", key: "spent", href: "#costs", title: value.unknown ? `What ${value.unknown} of today's runs cost is unknown` : "To Costs" },
        h("b", {}, value.spent), [value.limit ? `of ${value.limit}` : "", value.unknown ? `today, ${value.unknown} unknown` : "today"].filter(Boolean).join(" ")),
      value.running ? h("span", { class: "running", key: "running" }, icon("spin", "spin"), h("b", {}, value.running), "running") : null,
    ]);
  };
  watch("value", paint);
  paint();
}
