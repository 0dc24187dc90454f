/* Where the labels of a scatter go so that none lies on another, on a point, or outside. Pure: boxes in, places out. */

const REACH = 9;
const LINE = 14;
const OFF = 1000;
/** A label over what belongs to another point reads as that point's name. */
const FOREIGN = 8;
const HIDDEN = 200;

let pen = null;

/** Width of the words in pixels, as the page's font draws them. */
export function widthOf(words, font) {
  pen = pen || document.createElement("canvas").getContext("2d");
  pen.font = font;
  return pen.measureText(words).width;
}

/**
 * A place for each label: `{x, y, anchor, isHidden}`, y being the baseline.
 *
 * labels: `{x, y, width, isFirst}`, x and y of the point; `isFirst` labels are placed first and never hidden.
 * within: `{left, right, top, bottom}`. marks: boxes that labels should not cover, as `{left, right, top, bottom, weight, owner}`;
 * `owner` is the place in `labels` of the point they belong to, if they belong to one.
 */
export function place(labels, within, marks) {
  const byHeight = labels.map((_, index) => index).sort((a, b) => labels[a].y - labels[b].y);
  const byWidth = labels.map((_, index) => index).sort((a, b) => labels[a].x - labels[b].x);
  let found = null;
  // Whoever comes first has the choice, so several orders are tried.
  for (const order of [byHeight, [...byHeight].reverse(), byWidth, [...byWidth].reverse()]) {
    const tried = settled(order.sort((a, b) => Number(labels[b].isFirst) - Number(labels[a].isFirst)), labels, within, marks);
    const cost = tried.reduce((sum, one) => sum + one.cost, 0);
    if (!found || cost < found.cost) found = { tried, cost };
  }
  return found.tried.map(({ x, y, anchor, cost }, index) => ({ x, y, anchor, isHidden: !labels[index].isFirst && cost >= HIDDEN }));
}

/** One label after the other, and twice more, so that each can move once it knows its neighbours. */
function settled(order, labels, within, marks) {
  const chosen = new Array(labels.length).fill(null);
  for (let round = 0; round < 3; round += 1) {
    for (const index of order) {
      const others = chosen.filter((other, at) => other && at !== index);
      chosen[index] = best(labels[index], index, within, marks, others);
    }
  }
  return chosen;
}

function best(label, owner, within, marks, others) {
  let found = null;
  for (const candidate of candidates(label)) {
    const cost = candidate.cost + costOf(candidate.box, owner, within, marks, others);
    if (!found || cost < found.cost) found = { ...candidate, cost };
  }
  return found;
}

function candidates({ x, y, width }) {
  const made = [];
  const add = (anchor, dx, dy, cost) => {
    const at = x + dx;
    const left = anchor === "start" ? at : anchor === "end" ? at - width : at - width / 2;
    made.push({ anchor, x: at, y: y + dy, cost, box: { left, right: left + width, top: y + dy - 10, bottom: y + dy + 3 } });
  };
  add("start", REACH, 4, 0);
  add("end", -REACH, 4, 1);
  for (const [step, extra] of [[1, 0], [2, 24], [3, 60]]) {
    for (const way of [-1, 1]) {
      const dy = 4 + way * LINE * step;
      add("start", 5, dy, 3 + extra);
      add("end", -5, dy, 2 + extra);
      add("middle", 0, dy + way * 2, 5 + extra);
    }
  }
  return made;
}

function costOf(box, owner, within, marks, others) {
  let cost = 0;
  if (box.left < within.left || box.right > within.right || box.top < within.top || box.bottom > within.bottom) cost += OFF;
  for (const other of others) if (overlap(box, other.box)) cost += OFF;
  for (const mark of marks) if (overlap(box, mark)) cost += mark.weight * (mark.owner === undefined || mark.owner === owner ? 1 : FOREIGN);
  return cost;
}

const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/** Heights for lines of text beside points at `wanted`, each `gap` from the next, within `top` and `bottom`. */
export function stacked(wanted, gap, top, bottom) {
  const order = wanted.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  let last = top - gap;
  for (const one of order) last = one.y = Math.max(one.y, last + gap);
  let next = bottom + gap;
  for (const one of [...order].reverse()) next = one.y = Math.min(one.y, next - gap);
  const found = new Array(wanted.length);
  for (const one of order) found[one.index] = one.y;
  return found;
}
