/* One zoom and one place for several images side by side: wheel, drag, pinch, double click and keys move them all. */

const MOST = 12;
const STEP = 1.5;
const NUDGE = 60;

/** `stages`: selector of the boxes whose images move. `size()`: pixels of the images as `[width, height]`, nothing while
    none are shown. Returns what the owner's buttons and keys call. */
export function syncedZoom(root, { stages: selector, size }) {
  let place = { scale: 1, x: 0, y: 0 };
  const pointers = new Map();
  const first = () => root.querySelector(selector);

  /** CSS pixels that a pixel of the images takes when they fit. */
  const fit = () => Math.min(first().clientWidth / size()[0], first().clientHeight / size()[1]);
  /** The scale at which a pixel of the images is a pixel of the screen. */
  const natural = () => 1 / fit() / devicePixelRatio;

  function zoomTo(scale, stage = first(), at = null) {
    const next = Math.min(Math.max(scale, Math.min(1, natural())), Math.max(MOST, natural() * 4));
    const box = stage.getBoundingClientRect();
    const from = at ? [at.clientX - box.left - box.width / 2, at.clientY - box.top - box.height / 2] : [0, 0];
    const grown = next / place.scale;
    place = { scale: next, x: from[0] - (from[0] - place.x) * grown, y: from[1] - (from[1] - place.y) * grown };
    apply();
  }

  function move(x, y) {
    place = { ...place, x: place.x + x, y: place.y + y };
    apply();
  }

  function apply() {
    const stage = first();
    if (!stage || !size()) return;
    const scale = fit() * place.scale;
    const [width, height] = size();
    const room = [Math.max(0, (width * scale - stage.clientWidth) / 2), Math.max(0, (height * scale - stage.clientHeight) / 2)];
    place.x = Math.min(Math.max(place.x, -room[0]), room[0]);
    place.y = Math.min(Math.max(place.y, -room[1]), room[1]);
    for (const image of root.querySelectorAll(`${selector} :is(img, canvas)`)) image.style.transform = `translate(${place.x}px, ${place.y}px) scale(${place.scale})`;
    root.classList.toggle("can-pan", room[0] > 0 || room[1] > 0);
    const percent = root.querySelector(".zoom-percent");
    if (percent) percent.textContent = `${Math.round(scale * devicePixelRatio * 100)} %`;
  }

  function onDown(event) {
    const stage = event.target.closest(selector);
    if (!stage || event.button || event.target.closest("input, button")) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { clientX: event.clientX, clientY: event.clientY, stage });
    event.preventDefault();
  }

  function onMove(event) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = { clientX: event.clientX, clientY: event.clientY, stage: before.stage };
    if (pointers.size === 1) move(now.clientX - before.clientX, now.clientY - before.clientY);
    else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const middle = { clientX: (now.clientX + other.clientX) / 2, clientY: (now.clientY + other.clientY) / 2 };
      if (apart(before) > 0) zoomTo((place.scale * apart(now)) / apart(before), before.stage, middle);
    }
    pointers.set(event.pointerId, now);
  }

  root.addEventListener("pointerdown", onDown);
  root.addEventListener("pointermove", onMove);
  for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, (event) => pointers.delete(event.pointerId));
  root.addEventListener("wheel", (event) => {
    const stage = event.target.closest(selector);
    if (!stage) return;
    event.preventDefault();
    zoomTo(place.scale * Math.exp(-event.deltaY / 400), stage, event);
  }, { passive: false });
  root.addEventListener("dblclick", (event) => {
    const stage = event.target.closest(selector);
    if (stage) zoomTo(place.scale > 1 ? 1 : natural(), stage, event);
  });
  addEventListener("resize", () => apply());

  const presses = { in: () => zoomTo(place.scale * STEP), out: () => zoomTo(place.scale / STEP), fit: () => zoomTo(1), full: () => zoomTo(natural()) };
  const keys = {
    "+": presses.in, "=": presses.in, "-": presses.out, 0: presses.fit, 1: presses.full,
    ArrowLeft: () => move(NUDGE, 0), ArrowRight: () => move(-NUDGE, 0), ArrowUp: () => move(0, NUDGE), ArrowDown: () => move(0, -NUDGE),
  };
  return {
    apply,
    press: (what) => presses[what]?.(),
    /** Whether the key was one of the zoom's. */
    key(name) {
      keys[name]?.();
      return name in keys;
    },
    reset() {
      place = { scale: 1, x: 0, y: 0 };
      pointers.clear();
    },
  };
}
