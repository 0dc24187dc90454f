/* The Leaderboard's charts as inline SVG in real pixels: rating against price and time with the front, and Elo by day.

   Words stay 11 and 12 px at any width. Each chart says in words what it shows, and has its numbers as a table. */

import { place, stacked, widthOf } from "./chart_labels.js";
import { h } from "./dom.js";

const HEIGHT = 300;
const TIME_HEIGHT = 280;
const FRONT_FONT = "500 12px Inter, sans-serif";
const OTHER_FONT = "400 11px Inter, sans-serif";
const NEAR = 38;

export function scatter(shown, { name, title, about, width }) {
  const head = [h("h2", { key: "title" }, title), h("p", { class: "caption", key: "about" }, about)];
  const under = h("p", { class: "caption lb-under", key: "under" }, leftOut(shown.left_out));
  if (!shown.points.length || width < 120) {
    return h("section", { class: "panel lb-chart", key: name, "data-testid": `chart-${name}` }, head, h("p", { class: "lb-quiet-line", key: "none" }, "There is nothing to draw yet."), under);
  }
  return h("section", { class: "panel lb-chart", key: name, "data-testid": `chart-${name}` }, head, drawn(shown, name, title, width), asTable(shown, name), under);
}

function leftOut(rows) {
  if (!rows.length) return "";
  const why = new Map();
  for (const [name, reason] of rows) why.set(reason, [...(why.get(reason) || []), name]);
  return `Not drawn: ${[...why].map(([reason, names]) => `${names.join(", ")} (${reason})`).join("; ")}.`;
}

function drawn(shown, name, title, width) {
  const box = { left: 46, right: width - 6, top: 10, bottom: HEIGHT - 44 };
  const x = logScale(shown.points.map((point) => point.x), box);
  const y = linear(shown.y, box);
  const points = shown.points.map((point) => ({ ...point, px: x.at(point.x), py: y(point.rating) }));
  const front = points.filter((point) => point.front);
  const labels = labelled(points, front, box, y);
  return h(
    "svg",
    { key: "svg", class: "lb-svg", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-labelledby": `lb-${name}-title lb-${name}-words` },
    h("title", { key: "title", id: `lb-${name}-title` }, title),
    h("desc", { key: "desc", id: `lb-${name}-words` }, inWords(points, front)),
    shown.y.ticks.map(([value, words]) => h("g", { key: `y ${words}` }, h("line", { class: "lb-grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }), h("text", { class: "lb-tick", x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, words))),
    x.ticks.map((value) => h("text", { key: `x ${value}`, class: "lb-tick", x: x.at(value), y: box.bottom + 18, "text-anchor": "middle" }, name === "cost" ? dollars(value) : `${value} s`)),
    h("text", { key: "axis", class: "lb-axis", x: (box.left + box.right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, shown.axis),
    front.length ? h("path", { key: "front", class: "lb-front", d: steps(front, box.right) }) : null,
    points.map((point) => mark(point, box, y)),
    labels.map((label) => label && h("text", { key: `label ${label.name}`, class: `lb-label ${label.front ? "front" : ""}`, x: label.x, y: label.y, "text-anchor": label.anchor }, label.name)),
  );
}

function mark(point, box, y) {
  const clamp = (value) => Math.min(box.bottom, Math.max(box.top, y(value)));
  return h(
    "g",
    { key: `point ${point.name}`, class: `lb-point ${point.front ? "front" : ""} ${point.pale ? "pale" : ""}` },
    h("title", {}, `${point.name}: ${Math.round(point.rating)} at ${point.words}`),
    point.low === null ? null : h("line", { key: "whisker", x1: point.px, x2: point.px, y1: clamp(point.low), y2: clamp(point.high) }),
    h("circle", { key: "dot", cx: point.px, cy: point.py, r: point.front ? 5 : 4 }),
  );
}

/** The front goes right at the height of its best so far, then up at the next one. */
function steps(front, right) {
  const [first, ...rest] = front;
  return `M${first.px} ${first.py}${rest.map((point) => `H${point.px}V${point.py}`).join("")}H${right}`;
}

function labelled(points, front, box, y) {
  const marks = points.flatMap((point, owner) => [
    { left: point.px - 6, right: point.px + 6, top: point.py - 6, bottom: point.py + 6, weight: 60, owner },
    ...(point.low === null ? [] : [{ left: point.px - 1, right: point.px + 1, top: y(point.high), bottom: y(point.low), weight: 30, owner }]),
  ]);
  front.forEach((point, index) => {
    const next = front[index + 1];
    const right = next ? next.px : box.right;
    marks.push({ left: point.px, right, top: point.py - 1, bottom: point.py + 1, weight: 40 });
    if (next) marks.push({ left: next.px - 1, right: next.px + 1, top: next.py, bottom: point.py, weight: 40 });
  });
  const labels = points.map((point) => ({ x: point.px, y: point.py, width: widthOf(point.name, point.front ? FRONT_FONT : OTHER_FONT), isFirst: point.front }));
  return place(labels, { left: box.left, right: box.right + 6, top: 0, bottom: box.bottom + 4 }, marks).map((found, index) => (found.isHidden ? null : { ...found, ...{ name: points[index].name, front: points[index].front } }));
}

const inWords = (points, front) =>
  `${points.length} drawn. ${front.length ? `On the front: ${front.map((point) => `${point.name} with ${Math.round(point.rating)} at ${point.words}`).join(", ")}.` : "All are provisional, so there is no front."}`;

const asTable = (shown, name) =>
  h(
    "details",
    { class: "lb-notes", key: "table" },
    h("summary", {}, "As a table"),
    h(
      "table",
      { class: "lb-small" },
      h("thead", {}, h("tr", {}, [["name", "Competitor"], ["x", name === "cost" ? "Mean cost" : "p50"], ["rating", "Rating"], ["front", "Front"]].map(([key, words]) => h("th", { key, scope: "col" }, words)))),
      h("tbody", {}, shown.points.map((point) => h("tr", { key: point.name }, h("th", { key: "name", scope: "row" }, point.name), h("td", { key: "x" }, point.words), h("td", { key: "rating" }, bounds(point)), h("td", { key: "front" }, point.front ? "yes" : "")))),
    ),
  );

const bounds = (point) => `${Math.round(point.rating)}${point.low === null ? "" : ` (${Math.round(point.low)} to ${Math.round(point.high)})`}`;

/* Scales */

const linear = ({ low, high }, box) => (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);

function logScale(values, box) {
  const spread = Math.max(...values) / Math.min(...values);
  const room = Math.max(1.18, Math.sqrt(1.6 / spread));
  // Room at the right, where labels begin beside their points.
  const [low, high] = [Math.log(Math.min(...values) / room), Math.log(Math.max(...values) * room * spread ** 0.12)];
  const at = (value) => box.left + ((Math.log(value) - low) / (high - low)) * (box.right - box.left);
  const ticks = [];
  const add = (digits) => {
    for (let power = Math.floor(low / Math.LN10); power <= Math.ceil(high / Math.LN10); power += 1) {
      for (const digit of digits) {
        const value = Number((digit * 10 ** power).toPrecision(3));
        const px = at(value);
        if (px > box.left + 8 && px < box.right - 14 && ticks.every((other) => Math.abs(at(other) - px) > NEAR)) ticks.push(value);
      }
    }
  };
  add(ROUND);
  // Values close together need finer ones.
  if (ticks.length < LEAST_TICKS) add(FINE);
  return { at, ticks };
}

const LEAST_TICKS = 3;
const ROUND = [1, 2, 5, 3, 1.5, 4, 7];
const FINE = [...ROUND, 6, 8, 9, 2.5, 1.2, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 1.1, 1.3, 1.4];

const dollars = (value) => `$${value < 0.01 ? value.toFixed(value < 0.001 ? 4 : 3) : value < 1 ? value.toFixed(value * 100 === Math.round(value * 100) ? 2 : 3) : value}`;

/* Elo by day */

const DAY_MS = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function over(shown, { width }) {
  const head = [h("h2", { key: "title" }, "Elo over time"), h("p", { class: "caption", key: "about" }, "After the last vote of each day, UTC. The coloured lines are the first five of the table.")];
  const section = (...rest) => h("section", { class: "panel lb-chart lb-wide", key: "over", "data-testid": "chart-days" }, head, rest);
  if (shown.days.length < 2 || width < 160) return section(h("p", { class: "lb-quiet-line", key: "none" }, "All votes are of one day. A line needs two."));
  return section(lines(shown, width), daysTable(shown));
}

function lines(shown, width) {
  const series = shown.series.map((one) => ({ ...one, last: [...one.values].reverse().find((value) => value !== null) })).filter((one) => one.last !== undefined);
  const room = Math.min(width * (width < 480 ? 0.36 : 0.42), Math.max(...series.map((one) => widthOf(one.name, FRONT_FONT))) + 26);
  const box = { left: 46, right: width - room, top: 10, bottom: TIME_HEIGHT - 28 };
  const times = shown.days.map((day) => Date.parse(day));
  const x = (time) => box.left + ((time - times[0]) / (times.at(-1) - times[0])) * (box.right - box.left);
  const y = linear(shown.y, box);
  const heights = stacked(series.map((one) => y(one.last)), 15, box.top + 2, box.bottom + 12);
  return h(
    "svg",
    { key: "svg", class: "lb-svg", width, height: TIME_HEIGHT, viewBox: `0 0 ${width} ${TIME_HEIGHT}`, role: "img", "aria-labelledby": "lb-days-title lb-days-words" },
    h("title", { key: "title", id: "lb-days-title" }, "Elo over time"),
    h("desc", { key: "desc", id: "lb-days-words" }, `From ${date(times[0])} to ${date(times.at(-1))}: ${series.map((one) => `${one.name} ended at ${Math.round(one.last)}`).join(", ")}.`),
    shown.y.ticks.map(([value, words]) => h("g", { key: `y ${words}` }, h("line", { class: "lb-grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }), h("text", { class: "lb-tick", x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, words))),
    dayTicks(times, box.right - box.left).map((time) => h("text", { key: `x ${time}`, class: "lb-tick", x: x(time), y: TIME_HEIGHT - 6, "text-anchor": "middle" }, date(time))),
    // The coloured ones last, so that they lie on top.
    [...series].reverse().map((one) => h("g", { key: `line ${one.name}`, class: `lb-line series-${one.series}` }, h("title", {}, `${one.name}: ${Math.round(one.last)}`), h("path", { d: path(one.values, times, x, y) }))),
    series.map((one, index) =>
      h(
        "g",
        { key: `end ${one.name}`, class: `lb-end series-${one.series}` },
        h("path", { d: `M${box.right + 2} ${y(one.last)}L${box.right + 12} ${heights[index]}` }),
        h("circle", { cx: box.right + 15, cy: heights[index], r: 3 }),
        h("text", { x: box.right + 22, y: heights[index] + 4 }, clipped(one.name, room - 26)),
      ),
    ),
  );
}

function path(values, times, x, y) {
  let d = "";
  values.forEach((value, index) => {
    if (value !== null) d += `${d ? "L" : "M"}${x(times[index]).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return d;
}

function dayTicks(times, width) {
  const days = Math.round((times.at(-1) - times[0]) / DAY_MS);
  const most = Math.max(2, Math.floor(width / 90));
  const step = [1, 2, 7, 14, 28, 56, 91, 182, 364].find((every) => days / every <= most) || 728;
  const found = [];
  for (let time = times[0]; time <= times.at(-1); time += step * DAY_MS) found.push(time);
  return found;
}

/** The end of the name as far as there is room: names of one family begin alike. */
function clipped(name, room) {
  let cut = name;
  while (cut.length > 3 && widthOf(`…${cut}`, FRONT_FONT) > room) cut = cut.slice(1);
  return cut === name || widthOf(name, FRONT_FONT) <= room ? name : `…${cut.trimStart()}`;
}

function date(time) {
  const day = new Date(time);
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]}`;
}

const daysTable = (shown) =>
  h(
    "details",
    { class: "lb-notes", key: "table" },
    h("summary", {}, "As a table"),
    h(
      "table",
      { class: "lb-small" },
      h("thead", {}, h("tr", {}, ["Competitor", "First day", "Last day", "Lowest", "Highest"].map((words) => h("th", { key: words, scope: "col" }, words)))),
      h(
        "tbody",
        {},
        shown.series.map((one) => {
          const known = one.values.filter((value) => value !== null);
          const cells = known.length ? [known[0], known.at(-1), Math.min(...known), Math.max(...known)].map(Math.round) : ["", "", "", ""];
          return h("tr", { key: one.name }, h("th", { key: "name", scope: "row" }, one.name), cells.map((value, index) => h("td", { key: index }, String(value))));
        }),
      ),
    ),
  );
