/* Values in, elements out: the page's one way to draw JSON.

   Gradio's own HTML templates end as JavaScript template literals, so a prompt holding ${…} would run as code, and they
   patch children by place, so a picture would jump to its neighbour's element. Here text only ever becomes a text node
   or an attribute, and children keep their element by key. */

const SVG = "http://www.w3.org/2000/svg";
const EVENTLESS = /^on/i;

/** Describes an element: `h("p", {class: "note"}, "Hello")`. `key` in the properties keeps the element among siblings. */
export function h(tag, props, ...children) {
  return { tag, props: props || {}, children: children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false) };
}

/** A 16 px icon of the sprite; it is decoration, so the words beside it carry the meaning. */
export function icon(name, className = "") {
  return h("svg", { class: `icon ${className}`.trim(), "aria-hidden": "true", width: 16, height: 16 }, h("use", { href: `#i-${name}` }));
}

/** Makes the children of `root` equal to the description, keeping elements that stay. */
export function render(root, ...described) {
  patchChildren(root, described.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false), false);
}

function patchChildren(parent, wanted, inSvg) {
  const kept = new Map();
  for (const node of parent.childNodes) kept.set(node.diptychKey ?? node, node);
  let place = parent.firstChild;
  wanted.forEach((child, position) => {
    const isText = typeof child !== "object";
    const key = isText ? `text ${position}` : `${child.tag} ${child.props.key ?? position}`;
    let node = kept.get(key);
    if (node) kept.delete(key);
    else {
      const svg = inSvg || (!isText && child.tag === "svg");
      node = isText ? document.createTextNode("") : svg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
      node.diptychKey = key;
    }
    if (isText) {
      if (node.data !== String(child)) node.data = String(child);
    } else patchElement(node, child, inSvg || child.tag === "svg");
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  });
  for (const node of kept.values()) node.remove();
}

function patchElement(element, { props, children }, inSvg) {
  const before = element.diptychProps || {};
  for (const name of Object.keys(before)) if (!(name in props)) setProperty(element, name, null);
  for (const [name, value] of Object.entries(props)) {
    const isLive = name === "checked" || name === "value";
    if (before[name] !== value || isLive) setProperty(element, name, value);
  }
  element.diptychProps = props;
  patchChildren(element, children, inSvg);
}

function setProperty(element, name, value) {
  if (name === "key" || EVENTLESS.test(name)) return;
  if (name === "checked") element.checked = Boolean(value);
  else if (name === "value") {
    if (element.value !== String(value ?? "")) element.value = value ?? "";
  } else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Says something once to a screen reader. */
export function announce(sentence) {
  const region = document.getElementById("d-live");
  if (region) region.textContent = sentence;
}
